"""`concurrent.interpreters.Queue` waits where CPython's polls; the standard library's own code does all else.

Patched after import, in each interpreter. Needs no kernel.
"""

import _xinterp

from .import_hooks import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any


def install() -> None:
    after_import("_interpqueues", _announce_changes)
    after_import("concurrent.interpreters._queues", _wait_in_queues)


def _announce_changes(module: ModuleType) -> None:
    """Whatever may let somebody's wait end says so, whoever calls it."""
    _xinterp.announce_end_to_queues()
    for name in ("put", "get", "destroy", "release"):
        setattr(module, name, _announcing(getattr(module, name)))


def _announcing(function: Callable[..., Any]) -> Callable[..., Any]:
    def announcing(*args: Any, **kwargs: Any) -> Any:
        result = None
        try:
            # A get that fails may have taken the item away.
            result = function(*args, **kwargs)
        finally:
            queue = args[0] if args else kwargs.get("qid")
            if isinstance(queue, int):
                _xinterp.queue_changed(queue)
        return result

    for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(announcing, attribute, getattr(function, attribute))
    return announcing


def _end_of(timeout: Any) -> float | None:
    """When a wait ends, in the time of ``time.monotonic()``."""
    if timeout is None:
        return None
    seconds = float(timeout)
    if not seconds >= 0:
        raise ValueError("timeout value must be non-negative")
    import time

    return time.monotonic() + seconds


def _wait(queue: int, attempt: Callable[[], Any], not_yet: type[Exception], end: float | None) -> Any:
    """What ``attempt`` returns when it does; its ``not_yet`` when the time is over."""
    import time

    while True:
        version = _xinterp.queue_version(queue)
        try:
            return attempt()
        except not_yet:
            if end is not None and time.monotonic() >= end:
                raise
        _xinterp.wait_for_queue(queue, version, end)


def _wait_in_queues(module: Any) -> None:
    queue_type, low_level = module.Queue, module._queues
    delay = queue_type.get.__kwdefaults__["_delay"]

    def put(
        self: Any,
        obj: object,
        block: bool = True,
        timeout: float | None = None,
        *,
        unbounditems: object = None,
        _delay: float = delay,
    ) -> None:
        if not block:
            return self.put_nowait(obj, unbounditems=unbounditems)
        unbound = -1 if unbounditems is None else module._serialize_unbound(unbounditems)[0]
        end = _end_of(timeout)
        return _wait(self._id, lambda: low_level.put(self._id, obj, unbound), module.QueueFull, end)

    def get(self: Any, block: bool = True, timeout: float | None = None, *, _delay: float = delay) -> object:
        if not block:
            return self.get_nowait()
        end = _end_of(timeout)
        return _wait(self._id, self.get_nowait, module.QueueEmpty, end)

    for replacement in (put, get):
        original = getattr(queue_type, replacement.__name__)
        replacement.__module__, replacement.__qualname__ = original.__module__, original.__qualname__
        replacement.__doc__ = original.__doc__
        setattr(queue_type, replacement.__name__, replacement)
