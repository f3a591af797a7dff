"""What `faulthandler` is in an interpreter where CPython refuses the module: all of it but crashes and signals.

Those are the process's, and main's module serves it: where they are asked for here, nothing happens.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

_MOST_FRAMES = 100  # of each thread, as in CPython's
_enabled = False
_later: _Later | None = None


def enable(file: Any = None, all_threads: bool = True, c_stack: bool = True) -> None:
    """Enable the fault handler. Here: remember that; main's is the one that sees a crash."""
    global _enabled
    _descriptor(file)
    _enabled = True


def disable() -> bool:
    """Disable the fault handler; whether it was enabled."""
    global _enabled
    was, _enabled = _enabled, False
    return was


def is_enabled() -> bool:
    """Whether enable() was called last."""
    return _enabled


def dump_traceback(file: Any = None, all_threads: bool = True) -> None:
    """Write the traceback of the current thread, or of all threads of this interpreter, to the file."""
    _dump(_descriptor(file), sys._getframe(1), all_threads)


def dump_c_stack(file: Any = None) -> None:
    """Write the C stack to the file: not from here."""
    os.write(_descriptor(file), b"Current thread's C stack trace (most recent call first):\n  <cannot get it here>\n")


def dump_traceback_later(timeout: float, repeat: bool = False, file: Any = None, exit: bool = False) -> None:
    """Write the tracebacks of all threads after so many seconds, again and again if wanted, or end the process then."""
    if not timeout > 0:
        raise ValueError("timeout must be greater than 0")
    global _later
    descriptor = _descriptor(file)
    cancel_dump_traceback_later()
    _later = _Later(timeout, repeat, descriptor, exit)


def cancel_dump_traceback_later() -> None:
    """Cancel the previous call of dump_traceback_later()."""
    global _later
    if _later is not None:
        _later.cancel()
        _later = None


def register(signum: int, file: Any = None, all_threads: bool = True, chain: bool = False) -> None:
    """Write the tracebacks when the signal comes: it comes to main alone."""
    _descriptor(file)


def unregister(signum: int) -> bool:
    """Whether a handler was registered for the signal."""
    return False


class _Later:
    def __init__(self, timeout: float, repeat: bool, descriptor: int, exits: bool) -> None:
        import threading
        from datetime import timedelta

        self._timeout, self._repeat, self._descriptor, self._exits = timeout, repeat, descriptor, exits
        self._header = f"Timeout ({timedelta(seconds=timeout)})!\n".encode()
        self._cancelled = threading.Event()
        # Interpreters of their own have no daemon threads, and wait for others at their end.
        threading._register_atexit(self._cancelled.set)  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._run, name="dump_traceback_later")
        self._thread.start()

    def cancel(self) -> None:
        self._cancelled.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._cancelled.wait(self._timeout):
            os.write(self._descriptor, self._header)
            _dump(self._descriptor, None, all_threads=True)
            if self._exits:
                os._exit(1)
            if not self._repeat:
                return


def _descriptor(file: Any) -> int:
    if file is None:
        file = sys.stderr
        if file is None:
            raise RuntimeError("unable to get sys.stderr")
    if isinstance(file, int):
        return file
    descriptor: int = file.fileno()
    file.flush()
    return descriptor


def _dump(descriptor: int, current: FrameType | None, all_threads: bool) -> None:
    """As CPython writes it. ``current``: the frame of the calling thread that asks; a thread of ours is left out."""
    import _thread

    own = _thread.get_ident()
    frames: dict[int, FrameType | None] = {**sys._current_frames(), own: current} if all_threads else {own: current}
    blocks = []
    for thread, frame in frames.items():
        if frame is not None:
            label = f"{'Current thread' if thread == own else 'Thread'} 0x{thread:016x}" if all_threads else "Stack"
            blocks.append(f"{label} (most recent call first):\n{_format(frame)}")
    os.write(descriptor, "\n".join(blocks).encode("utf-8", "backslashreplace"))


def _format(frame: FrameType | None) -> str:
    lines = []
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith("<frozen _xinterp_shell"):
            lines.append(f'  File "{code.co_filename}", line {frame.f_lineno} in {code.co_name}\n')
        frame = frame.f_back
    return "".join([*lines[:_MOST_FRAMES], *(["  ...\n"] if len(lines) > _MOST_FRAMES else [])])


def _look_like_cpythons() -> None:
    for name, value in [*globals().items()]:
        if not name.startswith("_") and hasattr(value, "__code__"):
            value.__module__, value.__annotate__ = "faulthandler", None  # they name what is not imported at run time


_look_like_cpythons()
