"""Exceptions as a notebook shows them: the cell's own source lines, in colour, without the kernel's frames."""

import sys

from . import debugged, prompts, refusals, shadows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from traceback import TracebackException
    from types import TracebackType
    from typing import Any

_OWN_FILES = "<frozen _xinterp_shell"
_IPYTHONS_FOLDERS = ("/IPython/core/", "/xeus_python_shell/")
_LINES_OF_EACH_END = 100
_FRAMES_OF_EACH_END = 1000


def cell_filename(count: int, other_source: str | None = None) -> str:
    """What code objects of cell ``In [count]`` call their file.

    ``other_source``: code that runs under that number and is not the stored cell: of silent requests, of cells within
    cells. It has a name of its own, which is the same for the same text, so that a function finds its own lines.
    """
    if other_source is None:
        return f"<In [{count}]>"
    return f"<In [{count}] {hash(other_source) & 0xFFFFFFFF:08x}>"


def cell_label(filename: str) -> str:
    """``In[count]`` for what ``cell_filename`` has made; empty for any other file."""
    return f"In{filename[4 : filename.index(']') + 1]}" if filename.startswith("<In [") else ""


def cell_number(filename: str) -> int | None:
    """n of what ``cell_filename(n)`` has made; None for any other file."""
    number = filename[5:-2] if filename.startswith("<In [") else ""
    return int(number) if number.isdigit() else None


def remember_source(filename: str, source: str) -> None:
    """Let tracebacks and ``inspect.getsource`` find a cell's lines."""
    import linecache

    lines = [line + "\n" for line in source.removesuffix("\n").split("\n")]
    linecache.cache[filename] = (len(source), None, lines, filename)  # type: ignore[assignment]


def _is_own(traceback: TracebackType) -> bool:
    filename = traceback.tb_frame.f_code.co_filename
    return filename.startswith(_OWN_FILES) or any(folder in filename for folder in _IPYTHONS_FOLDERS)


def _without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """The frames of people's code: without the kernel's and IPython's, and those of the loop that runs cells."""
    first = traceback
    while traceback is not None:
        if _is_own(traceback):
            first = traceback.tb_next
        elif not str(traceback.tb_frame.f_globals.get("__name__")).startswith("asyncio."):
            break
        traceback = traceback.tb_next
    while first is not None and _is_own(first):
        first = first.tb_next
    last = first
    while last is not None:
        following = last.tb_next
        while following is not None and _is_own(following):  # magics, input(), calls in other interpreters
            following = following.tb_next
        if following is not last.tb_next:  # CPython walks through all that follow, to find a loop
            last.tb_next = following
        last = following
    return first


def _clean(error: BaseException) -> None:
    """Take these frames out of the error's traceback, and out of those that are shown with it."""
    found, seen = [error], set()
    while found:
        current = found.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        traceback = _without_own_frames(current.__traceback__)
        if isinstance(current, SyntaxError) and not _has_cell(traceback):
            traceback = None  # a cell that does not compile: the frames are the compiler's
        current.__traceback__ = traceback
        related = [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            related += current.exceptions
        found += [other for other in related if other is not None]


def _has_cell(traceback: TracebackType | None) -> bool:
    while traceback is not None and not _is_cells(traceback):
        traceback = traceback.tb_next
    return traceback is not None


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


def describe(error: BaseException, shown: list[str] | None = None, remember: bool = True) -> dict[str, object]:
    """The content of an error reply: ename, evalue and the traceback as coloured lines (``shown``, if given).

    ``remember``: for those who look at ``sys.last_exc``, such as ``pdb.pm``.
    """
    value = text_of(error)
    refusal = refusals.of(error)
    if refusal is not None:  # the package's own advice, pages of it, is about broken installations
        value = refusal
        lines = [*_format_import(error, refusal), *refusals.ways_out(refusal)]
    else:
        lines = _format(error, remember) if shown is None else list(shown)
    return {"status": "error", "ename": str(type(error).__name__), "evalue": value, "traceback": _shortened(lines)}


def _format_import(error: BaseException, refusal: str) -> list[str]:
    """The refusal as an error of the line of people's own code where the import stands."""
    import traceback

    own = _without_own_frames(error.__traceback__)
    last = own
    while last is not None and last.tb_next is not None and _is_cells(last.tb_next):
        last = last.tb_next
    shown = last if last is not None and _is_cells(last) else None
    refused = traceback.TracebackException(ImportError, ImportError(refusal), shown, limit=1)
    return _lines_of(refused)


def _lines_of(shown: TracebackException) -> list[str]:
    text = "".join(shown.format(colorize=True))  # type: ignore[call-arg]
    return _with_cell_names(text).rstrip("\n").split("\n")


def _is_cells(traceback: TracebackType) -> bool:
    return bool(cell_label(traceback.tb_frame.f_code.co_filename))


def _format(error: BaseException, remember: bool) -> list[str]:
    import traceback

    if isinstance(error, KeyboardInterrupt):
        prompts.without_prompt(error.__traceback__)
        debugged.without_frames(error.__traceback__)
    _clean(error)
    own = error.__traceback__
    if remember:
        sys.last_exc = error
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, own
    try:
        _add_missing_line(error)
        shown = _without_middle(own)
        text = "".join(traceback.TracebackException(type(error), error, shown).format(colorize=True))  # type: ignore[call-arg]
    except Exception as failure:  # an exception whose __str__ raises, and the like
        text = f"{type(error).__name__}: <its traceback could not be shown: {type(failure).__name__}>\n"
    bdb: Any = shadows.installed("bdb")
    if bdb is not None and isinstance(error, bdb.BdbQuit):  # the debugger's quit command
        text = "BdbQuit"
    return _with_cell_names(text).rstrip("\n").split("\n")


def _with_cell_names(text: str) -> str:
    import re

    def replace(match: re.Match[str]) -> str:
        label = cell_label(match[2])
        return f"Cell {match[1]}{label}" if label else match[0]

    return re.sub(r'File ((?:\x1b\[[0-9;]*m)?)"(<[^"\n]*>)"', replace, text)
