"""The end of a child that has forked in a cell: that of a Python whose program was the rest of the cell."""

import os
import sys

import _xinterp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def prepare_end() -> None:
    """In the child of a fork: what is registered for the kernel's end is not the child's, as in multiprocessing."""
    import atexit

    atexit._clear()


def end(error: BaseException | None) -> NoReturn:
    """Show what has ended the child, wait for its threads, call its exit functions, and end it with Python's status."""
    status = 1
    try:
        status = _show(error)
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        import atexit

        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        if isinstance(error, KeyboardInterrupt):
            _end_by_interrupt()
        _xinterp.end_child(status)


def _show(error: BaseException | None) -> int:
    """What Python writes of it; the status."""
    if error is None:
        return 0
    if isinstance(error, SystemExit):
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 0xFF
        print(error.code, file=sys.stderr)
        return 1
    from . import tracebacks

    lines: list[str] = tracebacks.describe(error)["traceback"]  # type: ignore[assignment]
    print("\n".join(lines), file=sys.stderr)
    return 1


def _end_by_interrupt() -> None:
    import _signal  # type: ignore[import-not-found]

    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGINT])
    os.kill(os.getpid(), _signal.SIGINT)
