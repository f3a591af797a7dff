"""What makes blocking calls in a lane interruptible; on main's own thread CPython does it by itself."""

import _thread
import time

import _xinterp

from .import_hooks import after_import
from .stand_ins import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def install() -> None:
    """Replace, in this interpreter, what CPython lets nobody interrupt off the main thread."""
    if _xinterp.interpreter == 0:
        return
    stand_in(time, "sleep", _xinterp.sleep)
    slice_waits()


def slice_waits() -> None:
    """Likewise locks and what waits for them. On threads that nobody interrupts so they do what they always did."""
    for lock_type in (_thread.lock, _thread.RLock):
        stand_in(lock_type, "__enter__", _xinterp.enter_lock)
        stand_in(lock_type, "acquire", _xinterp.acquire_lock)
    stand_in(_thread._ThreadHandle, "join", _xinterp.join_thread)  # type: ignore[attr-defined]
    after_import("_queue", _slice_queue)


def _slice_queue(module: ModuleType) -> None:
    stand_in(module.SimpleQueue, "get", _xinterp.get_item)
