"""Exceptions as a notebook shows them: the cell's own source lines, in colour, without the kernel's frames."""

import sys

from . import debugging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_OWN_FILES = "<frozen _xinterp_shell"
_LINES_OF_EACH_END = 100
_FRAMES_OF_EACH_END = 1000


def cell_filename(count: int) -> str:
    """What code objects of cell ``In [count]`` call their file."""
    return f"<In [{count}]>"


def remember_source(filename: str, source: str) -> None:
    """Let tracebacks and ``inspect.getsource`` find a cell's lines."""
    import linecache

    lines = [line + "\n" for line in source.removesuffix("\n").split("\n")]
    linecache.cache[filename] = (len(source), None, lines, filename)  # type: ignore[assignment]


def _is_own(traceback: TracebackType) -> bool:
    return traceback.tb_frame.f_code.co_filename.startswith(_OWN_FILES)


def _without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """The cell's frames: without the kernel's before and after them and those of the loop that it runs cells in."""
    first = traceback
    while traceback is not None:
        if _is_own(traceback):
            first = traceback.tb_next
        elif not str(traceback.tb_frame.f_globals.get("__name__")).startswith("asyncio."):
            break
        traceback = traceback.tb_next
    last = traceback
    while traceback is not None:
        if not _is_own(traceback):
            last = traceback
        traceback = traceback.tb_next
    if last is not None:
        last.tb_next = None  # input() and the like
    return first


def _add_missing_line(error: BaseException) -> None:
    """The line of a SyntaxError that the compiler finds when it has parsed the cell, which it does not quote."""
    if isinstance(error, SyntaxError) and error.text is None and error.filename and error.lineno:
        import linecache

        error.text = linecache.getline(error.filename, error.lineno) or None


def _without_middle(traceback: TracebackType | None) -> TracebackType | None:
    """A million frames would take minutes to format: a copy of the first and the last ones."""
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    if len(entries) > 2 * _FRAMES_OF_EACH_END:
        entries[_FRAMES_OF_EACH_END:-_FRAMES_OF_EACH_END] = []
        for entry in reversed(entries):
            traceback = type(entry)(traceback, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        return traceback
    return entries[0] if entries else None


def _shortened(lines: list[str]) -> list[str]:
    """Without the middle of what nobody reads to its end: a recursion of several functions, thousands of notes."""
    left_out = len(lines) - 2 * _LINES_OF_EACH_END
    if left_out < _LINES_OF_EACH_END:
        return lines
    return [
        *lines[:_LINES_OF_EACH_END],
        f"  [... {left_out} lines left out ...]",
        *lines[-_LINES_OF_EACH_END:],
    ]


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


def describe(error: BaseException, remember: bool = True) -> dict[str, object]:
    """The content of an error reply: ename, evalue and the traceback as coloured lines.

    ``remember``: for those who look at ``sys.last_exc``, such as ``pdb.pm``.
    """
    import re
    import traceback

    if isinstance(error, KeyboardInterrupt):
        debugging.without_prompt(error.__traceback__)
    own = _without_own_frames(error.__traceback__)
    error.__traceback__ = own
    if remember:
        sys.last_exc = error
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, own
    try:
        _add_missing_line(error)
        shown = _without_middle(own)
        text = "".join(traceback.TracebackException(type(error), error, shown).format(colorize=True))  # type: ignore[call-arg]
    except Exception as failure:  # an exception whose __str__ raises, and the like
        text = f"{type(error).__name__}: <its traceback could not be shown: {type(failure).__name__}>\n"
    text = re.sub(r'File (\x1b\[[0-9;]*m)?"<In \[(\d+)\]>"', r"Cell \1In[\2]", text)
    try:
        value = str(error)
    except Exception:
        value = "<its text could not be made>"
    if "bdb" in sys.modules and isinstance(error, sys.modules["bdb"].BdbQuit):  # the debugger's quit command
        text = "BdbQuit"
    lines = _shortened(text.rstrip("\n").split("\n")) + _advice(error)
    return {"status": "error", "ename": str(type(error).__name__), "evalue": value, "traceback": lines}
