"""Inspection: what the object at the cursor is, in the form of IPython's `obj?`. By IPython itself where it is up.

Called on a thread of the kernel's, beside what the lane runs.
"""

from . import live_objects, source, tracebacks
from .kernel_object import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from tokenize import TokenInfo
    from typing import Any

    type Fields = list[tuple[str, str]]

_LONGEST = 200  # characters of an object's text
_WIDTH = 75  # of a signature on one line
_RED, _PLAIN = "\x1b[31m", "\x1b[39m"
_MOST_SUBCLASSES = 10


def inspect(namespace: dict[str, Any], request: dict[str, object]) -> dict[str, object]:
    """The content of an inspect_reply; what goes wrong, in whatever is asked, makes it "not found"."""
    missing: dict[str, object] = {"status": "ok", "found": False, "data": {}, "metadata": {}}
    code = source.without_marks(str(request["code"]))
    detailed = request.get("detail_level") == 1
    try:
        name = name_at(code, source.cursor(request))
        data = _describe(name, namespace, detailed) if name else None
    except Exception, SystemExit, GeneratorExit:  # the code of objects runs: __getattr__, __repr__, properties
        data = None
    return {**missing, "found": True, "data": data} if data else missing


def _describe(name: str, namespace: dict[str, Any], detailed: bool) -> dict[str, str] | None:
    shell = kernel.shell
    if shell is not None:
        try:
            data = dict(shell.object_inspect_mime(name, detail_level=int(detailed)))
        except KeyError:
            return None
        if not shell.enable_html_pager:
            data.pop("text/html", None)
        return data
    try:
        value = live_objects.find(name, namespace)
    except live_objects.NotFound:
        return None
    return {"text/plain": _laid_out(_fields(name, value, detailed))}


def name_at(code: str, position: int) -> str:
    """The name at the cursor, else that of the function whose call it is in, else the latest: as IPython chooses it."""
    import keyword
    import tokenize

    names: list[str] = []  # with all their dots
    calls: list[str] = []  # whose parentheses are open
    outer = closed = before = ""  # the latest name outside of calls; the call that ends at the cursor; the token before
    on_name = False
    starts = [0]
    for line in code.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    starts.append(len(code))
    for token in _tokens(code):
        start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        if start > position:
            break
        closed = ""
        on_name = token.type == tokenize.NAME and not keyword.iskeyword(token.string)
        if on_name:
            if names and before == ".":
                names[-1] += "." + token.string
            else:
                names.append(token.string)
            rest = code[end:].lstrip(" \t")
            if rest.startswith("=") and not rest.startswith("=="):  # nobody wants to know what is replaced
                names.pop()
                on_name = False
            if not calls:
                outer = names[-1] if names else ""
        elif token.string == "(" and names:
            calls.append(names[-1])
        elif token.string == ")" and calls:
            closed = calls.pop()
        before = token.string
        if end > position:
            break
        on_name = on_name and end == position and not code[end : end + 1].strip(" \t\n)]},:")
    if on_name and names:
        return names[-1]
    return closed or (calls[-1] if calls else "") or outer or (names[-1] if names else "")


def _tokens(code: str) -> Iterator[TokenInfo]:
    """As far as they can be read."""
    import io
    import tokenize

    try:
        yield from tokenize.generate_tokens(io.StringIO(code).readline)
    except tokenize.TokenError, SyntaxError:
        return


def _laid_out(fields: Fields) -> str:
    widest = max(len(title) for title, _ in fields)
    lines = []
    for title, text in fields:
        text = text.strip("\n")
        gap = " " * (widest - len(title)) + ("\n" if "\n" in text else " ")
        lines.append(f"{_RED}{title}:{_PLAIN}{gap}{text}")
    return "\n".join(lines)


def _fields(name: str, value: Any, detailed: bool) -> Fields:
    """IPython's, in its order (oinspect.py)."""
    import inspect as inspection

    documentation = _documentation(value)
    code = _source_of(value) if detailed else ""
    if code and documentation and documentation.splitlines()[0] in code:
        documentation = ""
    kind = type(value).__name__
    if inspection.isclass(value):
        made = _documentation(value.__init__)
        fields = [
            ("Init signature", _signature(name, value) or _signature(name, value.__init__)),
            ("Docstring", documentation or ("" if code else "<no docstring>")),
            ("Source", code),
            ("Init docstring", made if not code and made != _documentation(object.__init__) else ""),
            ("File", _file_of(value)),
            ("Type", kind),
            ("Subclasses", _subclasses(value)),
        ]
    elif inspection.isroutine(value):
        fields = [
            ("Signature", _signature(name, value)),
            ("Docstring", documentation or ("" if code else "<no docstring>")),
            ("Source", code),
            ("File", _file_of(value)),
            ("Type", kind),
        ]
    else:
        called = type(value).__call__ if callable(value) else None
        fields = [
            ("Signature", _signature(name, value) if called is not None else ""),
            ("Type", kind),
            ("String form", _text(value, detailed)),
            ("Length", _length(value)),
            ("File", _file_of(value)),
            ("Source", code),
            ("Docstring", documentation or ("" if code else "<no docstring>")),
            ("Call docstring", _own_documentation(called)),
        ]
    return [(title, text) for title, text in fields if text]


def _documentation(value: Any) -> str:
    import inspect as inspection

    try:
        return inspection.getdoc(value) or ""
    except Exception:  # __doc__ may be a property, or no text
        return ""


def _own_documentation(called: Any) -> str:
    from types import FunctionType

    return _documentation(called) if isinstance(called, FunctionType) else ""


def _source_of(value: Any) -> str:
    import inspect as inspection

    wrapped: Any = value.fget if isinstance(value, property) else value
    for candidate in (wrapped, type(value)):
        try:
            cell = _cell_of_class(candidate) if isinstance(candidate, type) else None
            lines = cell[1] if cell else inspection.getsourcelines(candidate)[0]
            return "".join(lines).rstrip()
        except Exception:  # no source; or __module__, __wrapped__ and the like are code, or not what they should be
            continue
    return ""


def _cell_of_class(value: type) -> tuple[str, list[str]] | None:
    """The file name of the cell that has defined a class, and its lines there. Classes know their line only."""
    import inspect as inspection
    import linecache

    first = vars(value).get("__firstlineno__")
    if value.__module__ != "__main__" or not isinstance(first, int):
        return None
    for name, entry in reversed(list(linecache.cache.items())):
        lines = entry[2] if tracebacks.cell_label(name) and len(entry) == 4 else []
        block = inspection.getblock(lines[first - 1 :]) if len(lines) >= first else []
        # With decorators the class statement is not the first line.
        if any(line.split("(")[0].split(":")[0].split() == ["class", value.__name__] for line in block):
            return name, block
    return None


def _signature(name: str, value: Any) -> str:
    import inspect as inspection

    try:
        signature = inspection.signature(value)
    except Exception:  # none is known; or __signature__ is code
        return ""
    text = f"{name}{signature}"
    if len(text) <= _WIDTH or not signature.parameters:
        return text
    return f"{name}{signature.format(max_width=1)}"


def _text(value: Any, whole: bool) -> str:
    try:
        text = str(value)
    except Exception:  # its __str__ is anybody's code
        return ""
    if whole or len(text) <= _LONGEST:
        return text
    half = (_LONGEST - 5) // 2
    text = f"{text[:half]} <...> {text[-half:]}"
    return "\n".join(line.strip() for line in text.split("\n"))


def _length(value: Any) -> str:
    try:
        return str(len(value))
    except Exception:  # it has no length; or its __len__ fails
        return ""


def _file_of(value: Any) -> str:
    """Where it is defined; of something that a cell has defined, the cell."""
    import inspect as inspection
    from posixpath import expanduser

    for candidate in (inspection.unwrap(value) if callable(value) else value, type(value)):
        try:
            of_class = _cell_of_class(candidate) if isinstance(candidate, type) else None
            path = of_class[0] if of_class else inspection.getfile(candidate)
        except Exception:  # a builtin; or __module__ and the like are not what they should be
            continue
        if label := tracebacks.cell_label(path):
            return f"Cell {label}"
        if path.startswith("<"):
            return ""
        home = expanduser("~")
        return "~" + path[len(home) :] if path.startswith(home + "/") else path
    return ""


def _subclasses(value: type) -> str:
    subclasses: list[type] = type.__subclasses__(value)
    names = [subclass.__name__ for subclass in subclasses]
    return ", ".join(names[:_MOST_SUBCLASSES] + ["..."] * (len(names) > _MOST_SUBCLASSES))
