"""`concurrent.interpreters.Queue` waits where CPython's polls; the standard library's own code does all else.

Patched after import, in each interpreter. Needs no kernel.
"""

import _xinterp

from .calls import cells_need_help
from .stand_ins import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_PLAIN = (int, float, complex, bool, type(None), str, bytes)


def announce_changes(module: ModuleType) -> None:
    """Whatever may let somebody's wait end says so, whoever calls it."""
    _xinterp.announce_end_to_queues()
    for name in ("put", "get", "destroy", "release"):
        stand_in(module, name, _announce)


def _announce(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    queue: Any = args[0] if args else kwargs.get("qid")
    try:
        result = original(*args, **kwargs)
    except Exception as error:
        # A get that fails for another reason than that there is nothing may have taken the item away. But who waits
        # tries again and again: that is no change, and would wake itself.
        if type(error).__name__ not in ("QueueEmpty", "QueueFull") and hasattr(queue, "__index__"):
            _xinterp.queue_changed(queue)
        raise
    _xinterp.queue_changed(queue)
    return result


def _end_of(timeout: Any, time: Any) -> float | None:
    """When a wait ends, on the clock of ``time.monotonic()``."""
    if timeout is None:
        return None
    seconds = float(timeout)
    if not seconds >= 0:
        raise ValueError("timeout value must be non-negative")
    return time.monotonic() + seconds


def _wait(queue: int, attempt: Callable[[], Any], not_yet: type[Exception], timeout: Any, time: Any) -> Any:
    """What ``attempt`` returns when it does; its ``not_yet`` when the time is over."""
    end = _end_of(timeout, time)
    while True:
        version = _xinterp.queue_version(queue)
        try:
            return attempt()
        except not_yet:
            if end is not None and time.monotonic() >= end:
                raise
        _xinterp.wait_for_queue(queue, version, end)


def _carried(item: object) -> object:
    """What CPython can take: itself, or what becomes it where it arrives if its class is one of a cell."""
    if (
        type(item) in _PLAIN
        or (type(item) is tuple and all(type(part) in _PLAIN for part in item))
        or not cells_need_help()
    ):
        return item
    from .by_value import Item, pack
    from .names import Refused

    try:
        packed = pack([("the item", item)])
    except Refused as refused:
        if not refused.of_cells:
            return item  # CPython shares it, or says what it has against it
        from _interpreters import NotShareableError

        raise NotShareableError(f"the item cannot cross to other interpreters: {refused.reason}.") from None
    return Item(packed) if packed.of_cells else item


def wait_in_queues(module: Any) -> None:
    queue_type, low_level = module.Queue, module._queues
    delay = queue_type.get.__kwdefaults__["_delay"]

    def put(
        _original: object,
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
        obj = _carried(obj)
        unbound = -1 if unbounditems is None else module._serialize_unbound(unbounditems)[0]
        return _wait(self._id, lambda: low_level.put(self._id, obj, unbound), module.QueueFull, timeout, module.time)

    def put_nowait(original: Callable[..., None], self: Any, obj: object, *, unbounditems: object = None) -> None:
        original(self, _carried(obj), unbounditems=unbounditems)

    def get(
        _original: object, self: Any, block: bool = True, timeout: float | None = None, *, _delay: float = delay
    ) -> object:
        if not block:
            return self.get_nowait()
        return _wait(self._id, self.get_nowait, module.QueueEmpty, timeout, module.time)

    for name, implementation in (("put", put), ("put_nowait", put_nowait), ("get", get)):
        stand_in(queue_type, name, implementation)
    stand_in(queue_type, "__new__", _bound_first(module))


def _bound_first(module: Any) -> Callable[..., Any]:
    """Queue's ``__new__``: an object is bound to its queue before it exists.

    CPython's exists first, and gives back in its end what a beginning that was interrupted has not taken: the queue is
    then gone for its other users.
    """

    def make(_original: object, cls: Any, id: int, /) -> Any:
        if not isinstance(id, int):
            raise TypeError(f"id must be an int, got {id!r}")
        id = int(id)
        known = module._known_queues.get(id)
        if known is not None:
            return known
        module._queues.bind(id)
        self = object.__new__(cls)
        self._id = id
        module._known_queues[id] = self
        return self

    return make
