"""Exceptions as a notebook shows them: the cell's own source lines, in colour, without the kernel's frames."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_OWN_FILES = "<frozen _xinterp_shell"
_IPYTHONS_FILE = "IPython/core/interactiveshell.py"


def cell_filename(count: int) -> str:
    """What code objects of cell ``In [count]`` call their file."""
    return f"<In [{count}]>"


def remember_source(filename: str, source: str) -> None:
    """Let tracebacks and ``inspect.getsource`` find a cell's lines."""
    import linecache

    lines = [line + "\n" for line in source.split("\n")]
    linecache.cache[filename] = (len(source), None, lines, filename)  # type: ignore[assignment]


def _without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if not filename.startswith(_OWN_FILES) and not filename.endswith(_IPYTHONS_FILE):
            break
        traceback = traceback.tb_next
    return traceback


_REFUSALS = (
    r"module [\w.]+ does not support loading in subinterpreters",
    r"cannot load module more than once per process",  # numpy
    r"failed to import from subinterpreter due to exception",  # single-phase initialization, which runs in main
)


def _refusal(error: BaseException | None) -> str | None:
    """What an extension module says that does not load in this interpreter, if that is behind an error."""
    import re

    seen = 0
    while error is not None and seen < 20:
        text = text_of(error) if isinstance(error, ImportError) else ""
        for pattern in _REFUSALS:
            if found := re.search(pattern, text):
                return found[0]
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _ways_out(refusal: str) -> list[str]:
    if refusal.startswith("cannot"):
        return [
            "It has been loaded in another interpreter of this kernel: run the cell there (%interp lists them),",
            "or restart the kernel and load it here first.",
        ]
    if refusal.startswith("failed"):
        return [
            "Parts of this package load in main, with what they need, and nowhere else.",
            "Run the cell in main: %%interp main",
        ]
    return [
        "This extension module works in one interpreter per process only. Run the cell in main (%%interp main),",
        "or create the interpreter with main's GIL: %interp create NAME --preset shared",
    ]


def missing_variable(error: NameError, namespace: dict[str, object]) -> str | None:
    """The name that code of the namespace has not found, at the level of the cell or in its functions."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None or traceback.tb_frame.f_globals is not namespace:
        return None
    # Other texts: a local or an enclosing function's variable that has no value yet; what somebody has raised.
    return error.name if error.args == (f"name '{error.name}' is not defined",) else None


def text_of(error: BaseException) -> str:
    """str() of an exception, which may be anybody's code."""
    try:
        return str(error)
    except Exception:
        return "<its text could not be made>"


def describe(error: BaseException, shown: list[str] | None = None) -> dict[str, object]:
    """The content of an error reply: ename, evalue and the traceback as coloured lines (``shown``, if given)."""
    value = text_of(error)
    refusal = _refusal(error) if isinstance(error, ImportError) else None
    if refusal is not None:  # the package's own advice, pages of it, is about broken installations
        value = refusal
        lines = [*_format_import(error), f"ImportError: {refusal}", *_ways_out(refusal)]
    else:
        lines = _format(error) if shown is None else list(shown)
    return {"status": "error", "ename": str(type(error).__name__), "evalue": value, "traceback": lines}


def _format_import(error: BaseException) -> list[str]:
    """Where in people's own code the import stands."""
    import traceback

    own = _without_own_frames(error.__traceback__)
    last = own
    while last is not None and last.tb_next is not None and _is_cells(last.tb_next):
        last = last.tb_next
    if last is None or not _is_cells(last):
        return []
    frames = traceback.extract_tb(last, limit=1)
    return [_with_cell_names(line) for line in "".join(frames.format()).rstrip("\n").split("\n")]


def _is_cells(traceback: TracebackType) -> bool:
    return traceback.tb_frame.f_code.co_filename.startswith("<In [")


def _format(error: BaseException) -> list[str]:
    import traceback

    own = _without_own_frames(error.__traceback__)
    sys.last_exc = error
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, own
    try:
        text = "".join(traceback.TracebackException(type(error), error, own).format(colorize=True))  # type: ignore[call-arg]
    except Exception as failure:  # an exception whose __str__ raises, and the like
        text = f"{type(error).__name__}: <its traceback could not be shown: {type(failure).__name__}>\n"
    return _with_cell_names(text).rstrip("\n").split("\n")


def _with_cell_names(text: str) -> str:
    import re

    return re.sub(r'File (\x1b\[[0-9;]*m)?"<In \[(\d+)\]>"', r"Cell \1In[\2]", text)
