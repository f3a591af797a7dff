"""Completion: what can stand at the cursor. By IPython where it is up (in short lines), else by jedi or rlcompleter.

Called on a thread of the kernel's, beside what the lane runs.
"""

import sys

from . import lazy_imports, live_objects, magic_names, path_completion, source
from .kernel_object import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_TYPES = "_jupyter_types_experimental"  # JupyterLab shows these
_UNKNOWN = "<unknown>"
_LONGEST_LINE = 120  # characters before the cursor; the time of IPython's patterns grows with their third power
_TIME_FOR_TYPES = 0.4  # seconds, as IPython allows for jedi's types


class Match:
    """A text that can replace code[start:end]."""

    def __init__(self, text: str, start: int, end: int, kind: str = _UNKNOWN, signature: str = "") -> None:
        self.text = text
        self.start = start
        self.end = end
        self.kind = kind
        self.signature = signature


def complete(namespace: dict[str, Any], request: dict[str, object]) -> dict[str, object]:
    """The content of a complete_reply. What goes wrong, in whatever is asked, makes it empty."""
    code, end = str(request["code"]), source.cursor(request)
    try:
        known = dict(namespace)
        lazy_imports.resolve_owners(known, code)
        matches = list(_matches(known, code, end))
    except Exception, SystemExit, GeneratorExit:  # the code of objects runs: __dir__, __getattr__, properties
        matches = []
    return {
        "status": "ok",
        "matches": [match.text for match in matches],
        "cursor_start": matches[0].start if matches else end,
        "cursor_end": matches[0].end if matches else end,
        "metadata": {
            _TYPES: [
                {"start": m.start, "end": m.end, "text": m.text, "type": m.kind, "signature": m.signature}
                for m in matches
            ]
        },
    }


def _matches(namespace: dict[str, Any], code: str, end: int) -> Iterable[Match]:
    shell = kernel.shell
    # Nothing can interrupt a pattern, and all of the interpreter waits for it: 0.2 s for 120 characters, 17 s for 500.
    if shell is not None and end - (code.rfind("\n", 0, end) + 1) <= _LONGEST_LINE:
        found = list(_by_ipython(shell, code, end))
        return found + _kernels_own_magics(code, end, {match.text for match in found})
    text = code[:end]
    scan = source.Scan(text)
    if scan.in_comment:
        return []
    code_begins = end
    if scan.magics and scan.magics[-1][1] == end:
        begin = scan.magics[-1][0]
        on_line, code_begins = _on_magic_line(text, begin)
        if on_line is not None:
            return on_line
    for start, stop in scan.magics:
        text = source.blanked(text, start, min(stop, code_begins))
    return _in_code(namespace, text, source.Scan(text))


# --- IPython


def _by_ipython(shell: Any, code: str, end: int) -> Iterator[Match]:
    import warnings

    from IPython.core import completer

    # For good: taking the filter back would take back what the cell sets meanwhile.
    warnings.filterwarnings("ignore", category=completer.ProvisionalCompleterWarning)
    if not hasattr(shell, "_xinterp_uses_jedi"):
        shell._xinterp_uses_jedi = shell.Completer.use_jedi = _jedi() is not None
    raw = shell.Completer.completions(code, end)
    for found in completer.rectify_completions(code, raw):
        yield Match(found.text, found.start, found.end, found.type or _UNKNOWN, found.signature or "")


def _kernels_own_magics(code: str, end: int, known: set[str]) -> list[Match]:
    """Those that IPython has not told."""
    line = code[code.rfind("\n", 0, end) + 1 : end].lstrip()
    if not line.startswith("%"):
        return []
    found = _magics(line.lstrip("%"), line[: len(line) - len(line.lstrip("%"))], end - len(line), end)
    own = {mark + name for name in magic_names.KERNELS_OWN for mark in ("%", "%%")}
    return [match for match in found if match.text in own - known]


# --- magics and ! commands


def _on_magic_line(text: str, start: int) -> tuple[list[Match] | None, int]:
    """Matches at the end of a magic's line; None, and where the code on it begins, if that is code."""
    line, end = text[start:], len(text)
    if line.startswith("!"):
        return _paths(line.lstrip("!"), end, path_completion.anything), end
    marks = len(line) - len(line.lstrip("%"))
    name, space, rest = line[marks:].partition(" ")
    if not space:
        return _magics(name, line[:marks], start, end), end
    if name in magic_names.TAKES_FOLDER:
        return _paths(rest, end, None), end
    if name in magic_names.TAKES_SCRIPT:
        return _paths(rest, end, path_completion.script), end
    if name in magic_names.TAKES_PATH or marks > 1 and name not in magic_names.TAKES_CODE:
        return _paths(rest, end, path_completion.anything), end
    return None, end - len(rest)


def _magics(begun: str, marks: str, start: int, end: int) -> list[Match]:
    cell = magic_names.CELL | magic_names.KERNELS_OWN
    line = magic_names.LINE | magic_names.KERNELS_OWN if marks != "%%" else []
    texts = [f"%{name}" for name in sorted(line) if name.startswith(begun)]
    texts += [f"%%{name}" for name in sorted(cell) if name.startswith(begun)]
    return [Match(text, start, end, "magic") for text in texts]


def _paths(before: str, end: int, accept: Any) -> list[Match]:
    word = before.replace("\t", " ").rpartition(" ")[2]
    return [Match(path, end - len(word), end, "path") for path in path_completion.matches(word, accept)]


# --- code


def _in_code(namespace: dict[str, Any], text: str, scan: source.Scan) -> list[Match]:
    """The cursor is at the end of the text, which has no magics."""
    inner = scan.open[-1] if scan.open else None
    if inner is not None and inner.is_string:
        return _in_string(namespace, text, scan)
    if inner is not None and inner.text == "[" and not text[inner.start + 1 :].strip():
        found = _keys(namespace, text, inner.start, "", len(text))
        if found:
            return found
    if scan.open and scan.open[0].is_string:  # between the braces of an f-string
        brace = max(place.start for place in scan.open if place.text == "{")
        text = source.blanked(text, 0, brace + 1)
        scan = source.Scan(text)
    try:
        found = list(_by_jedi(namespace, text))
    except Exception:  # jedi's own troubles
        found = []
    found = found or _by_rlcompleter(namespace, text, scan)
    line = text[text.rfind("\n") + 1 :].lstrip()
    if line.isidentifier() and not scan.open:
        known = {match.text for match in found}
        start = len(text) - len(line)
        found += [m for m in _magics(line, "", start, len(text)) if m.text.lstrip("%") not in known]
    return found


def _in_string(namespace: dict[str, Any], text: str, scan: source.Scan) -> list[Match]:
    string = scan.open[-1]
    begun = text[string.start + len(string.text) :]
    bracket = scan.open[-2] if len(scan.open) > 1 else None
    if bracket is not None and bracket.text == "[":
        before = text[bracket.start + 1 : string.start - len(string.prefix)]
        if not before.strip() and (
            found := _keys(namespace, text, bracket.start, string.prefix + string.text, len(text))
        ):
            return found
    if "\n" in begun:
        return []
    paths = path_completion.matches(begun, path_completion.anything)
    return [Match(path, len(text) - len(begun), len(text), "path") for path in paths]


def _keys(namespace: dict[str, Any], text: str, bracket: int, opening: str, end: int) -> list[Match]:
    """Keys of the container before the bracket: all of them, or behind an opening quote those that begin like that."""
    expression = live_objects.expression_before(text[:bracket])
    if not expression:
        return []
    try:
        keys = live_objects.keys(live_objects.find(expression, namespace))
    except live_objects.NotFound:
        return []
    if not opening:
        plain = (str, bytes, int, float, bool, type(None), tuple)
        texts = [repr(key) for key in keys if isinstance(key, plain)]
        return [Match(shown, end, end, "dict key") for shown in texts]
    quotes = opening.lstrip("bruft")
    start = text.rindex(quotes) + len(quotes)
    kind = bytes if opening.startswith("b") else str
    found = []
    for key in keys:
        if isinstance(key, kind):
            shown = _between_quotes(key, quotes)
            if shown.startswith(text[start:]):
                found.append(Match(shown, start, end, "dict key"))
    return found


def _between_quotes(key: str | bytes, quotes: str) -> str:
    # repr() escapes a single quote only where there are both kinds, and none where a double one is in it.
    shown = repr(key).lstrip("b")[1:-1].replace("\\'", "'")
    return shown.replace(quotes, "\\" + quotes)


def _jedi() -> Any:
    """The module jedi, or None where it is not installed."""
    if sys.modules.get("jedi", "not yet") is None:
        return None
    limit = sys.getrecursionlimit()
    try:
        import jedi  # type: ignore[import-untyped]
    except Exception:  # also one that is broken, or too old for this Python
        sys.modules["jedi"] = None  # type: ignore[assignment]  # looked for once
        return None
    finally:
        sys.setrecursionlimit(limit)  # which jedi raises for everybody
    return jedi


def _by_jedi(namespace: dict[str, Any], text: str) -> Iterator[Match]:
    import time

    jedi = _jedi()
    if jedi is None:
        return
    line, end = text.rpartition("\n")[2], len(text)
    completions = jedi.Interpreter(text, [namespace]).complete(text.count("\n") + 1, len(line))
    deadline = time.monotonic() + _TIME_FOR_TYPES
    for found in completions:
        name = found.name_with_symbols
        start = end - (len(name) - len(found.complete or ""))
        if name.startswith("_") and text.endswith("."):
            continue  # as IPython does: until the underscore has been typed
        kind, signature = _UNKNOWN, ""
        if time.monotonic() < deadline:
            try:
                kind = found.type
                signature = _signature_of(found) if kind == "function" else ""
            except Exception:  # jedi's own troubles: the name completes all the same
                pass
        yield Match(name, start, end, kind, signature)


def _signature_of(found: Any) -> str:
    signatures = found.get_signatures()
    return "(" + signatures[0].to_string().partition("(")[2] if signatures else "(?)"


def _by_rlcompleter(namespace: dict[str, Any], text: str, scan: source.Scan) -> list[Match]:
    import re

    found = re.search(r"(?:[^\W\d]\w*\.)*(?:[^\W\d]\w*)?$", text)
    word = found[0] if found else ""
    begun = word.rpartition(".")[2]
    start, end = len(text) - len(begun), len(text)
    owner = word[: -len(begun) - 1] if "." in word else ""
    if "." in word:
        try:
            value = live_objects.find(owner, namespace)
        except live_objects.NotFound:
            return []
        names = [name for name in dir(value) if name.startswith(begun) and (begun or not name.startswith("_"))]
        return [Match(name, start, end, *_kind(value, name)) for name in names]
    arguments = _arguments(namespace, text, scan, begun)
    if not word:
        return [Match(f"{name}=", start, end, "param") for name in arguments]
    completer = _rlcompleter().Completer(namespace)
    names = sorted({name.rstrip("(): ") for name in completer.global_matches(word)})
    return [Match(f"{name}=", start, end, "param") for name in arguments] + [
        Match(name, start, end, *_kind_of_name(namespace, name)) for name in names
    ]


def _rlcompleter() -> Any:
    if "rlcompleter" not in sys.modules and "readline" not in sys.modules:
        sys.modules["readline"] = None  # type: ignore[assignment]  # rlcompleter must not take the terminal over
        try:
            import rlcompleter
        finally:
            del sys.modules["readline"]
    import rlcompleter

    return rlcompleter


def _arguments(namespace: dict[str, Any], text: str, scan: source.Scan, begun: str) -> list[str]:
    """Keywords of the function whose call's parentheses the cursor is in."""
    import inspect

    if not scan.open or scan.open[-1].text != "(" or text[: len(text) - len(begun)].rstrip()[-1:] not in ("(", ","):
        return []
    try:
        function = live_objects.find(live_objects.expression_before(text[: scan.open[-1].start]), namespace)
        parameters = inspect.signature(function).parameters.values()
    except live_objects.NotFound, TypeError, ValueError:
        return []
    by_keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p.name for p in parameters if p.kind in by_keyword and p.name.startswith(begun)]


def _kind_of_name(namespace: dict[str, Any], name: str) -> tuple[str, str]:
    import builtins
    import keyword

    if keyword.iskeyword(name):
        return "keyword", ""
    return _kind_of(namespace[name] if name in namespace else getattr(builtins, name, None))


def _kind(owner: object, name: str) -> tuple[str, str]:
    """What an attribute is, without getting it."""
    import inspect

    try:
        value = inspect.getattr_static(owner, name)
    except AttributeError:
        return _UNKNOWN, ""
    if isinstance(value, property):
        return "property", ""
    return _kind_of(getattr(value, "__func__", value))


def _kind_of(value: object) -> tuple[str, str]:
    import inspect

    if isinstance(value, type):
        return "class", ""
    if inspect.ismodule(value):
        return "module", ""
    if not inspect.isroutine(value):
        return "instance", ""
    try:
        return "function", str(inspect.signature(value))
    except TypeError, ValueError:
        return "function", "(?)"
