"""Prompts of debuggers: who waits at one, and what their end leaves. debugging.py makes them, once pdb is imported."""

from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

_OWN_MODULE = "_xinterp_shell.debugging"
_DEBUGGERS = ("bdb", "pdb", "IPython.core.debugger")

asking: list[tuple[int, Any]] = []  # the debuggers that wait for a command and their threads, the innermost last
of_threads: dict[int, Any] = {}  # the debugger that a thread has stopped in last


def active() -> bool:
    """Whether a debugger waits for a command."""
    return bool(asking)


def leave_cell() -> None:
    """A cell has ended: what was to stop at its next line must not stop in the next cell. Breakpoints stay."""
    debugger = of_threads.get(get_ident())
    if debugger is not None and getattr(debugger, "botframe", None) is not None:
        debugger.passes_over = True  # IPython's reports which of its own functions it skips
        debugger.set_continue()
        debugger.passes_over = False


def was_at_prompt(error: BaseException) -> bool:
    """Whether it is an interrupt that came while the debugger waited for a command."""
    return isinstance(error, KeyboardInterrupt) and getattr(error, "at_prompt", False)


def without_prompt(traceback: TracebackType | None) -> None:
    """Cut the debugger's frames off the traceback of an interrupt at its prompt."""
    before = traceback
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__")
        if module == _OWN_MODULE and before is not None:
            before.tb_next = None
            return
        if module not in _DEBUGGERS:
            before = traceback
        traceback = traceback.tb_next
