"""What makes blocking calls in a lane interruptible; on main's own thread CPython does it by itself."""

import _thread
import time

import _xinterp

from .import_hooks import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def install() -> None:
    """Replace, in this interpreter, what CPython lets nobody interrupt off the main thread."""
    if _xinterp.interpreter == 0:
        return
    time.sleep = _xinterp.sleep  # type: ignore[assignment]
    slice_waits()


def slice_waits() -> None:
    """Likewise locks and what waits for them. On threads that nobody interrupts so they do what they always did."""
    for lock_type in (_thread.lock, _thread.RLock):
        _xinterp.slice_method(lock_type, "__enter__", "enter")
        _xinterp.slice_method(lock_type, "acquire", "lock")
    _xinterp.slice_method(_thread._ThreadHandle, "join", "join")  # type: ignore[attr-defined]
    after_import("_queue", _slice_queue)


def _slice_queue(module: ModuleType) -> None:
    _xinterp.slice_method(module.SimpleQueue, "get", "get")
