"""Exceptions as a notebook shows them: the cell's own source lines, in colour, without the kernel's frames."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_OWN_FILES = "<frozen _xinterp_shell"


def cell_filename(count: int) -> str:
    """What code objects of cell ``In [count]`` call their file."""
    return f"<In [{count}]>"


def remember_source(filename: str, source: str) -> None:
    """Let tracebacks and ``inspect.getsource`` find a cell's lines."""
    import linecache

    lines = [line + "\n" for line in source.split("\n")]
    linecache.cache[filename] = (len(source), None, lines, filename)  # type: ignore[assignment]


def _without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_OWN_FILES):
        traceback = traceback.tb_next
    return traceback


def _advice(error: BaseException) -> list[str]:
    """What to do about what a notebook's user may expect to work."""
    if isinstance(error, SyntaxError) and (error.text or "").lstrip().startswith(("%", "!", "?")):
        return ["IPython's magics and !commands are not available here yet; %interp and %%interp are."]
    if not isinstance(error, ImportError) or "does not support loading in subinterpreters" not in str(error):
        return []
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


def describe(error: BaseException) -> dict[str, object]:
    """The content of an error reply: ename, evalue and the traceback as coloured lines."""
    import re
    import traceback

    own = _without_own_frames(error.__traceback__)
    sys.last_exc = error
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, own
    try:
        text = "".join(traceback.TracebackException(type(error), error, own).format(colorize=True))  # type: ignore[call-arg]
    except Exception as failure:  # an exception whose __str__ raises, and the like
        text = f"{type(error).__name__}: <its traceback could not be shown: {type(failure).__name__}>\n"
    text = re.sub(r'File (\x1b\[[0-9;]*m)?"<In \[(\d+)\]>"', r"Cell \1In[\2]", text)
    try:
        value = str(error)
    except Exception:
        value = "<its text could not be made>"
    lines = text.rstrip("\n").split("\n") + _advice(error)
    return {"status": "error", "ename": str(type(error).__name__), "evalue": value, "traceback": lines}
