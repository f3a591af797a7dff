"""Whole namespaces that cross: what `_interpreters.run_string_unrestricted` takes and returns."""

import _xinterp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class CopiedNamespace(dict):  # type: ignore[type-arg]
    """A copy of another interpreter's namespace; ``refused`` says why other names of it did not cross."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: dict[str, str] = {}


def pack(namespace: dict[str, Any]) -> bytes:
    """All that can cross, and why the rest cannot; not what Python itself puts into a namespace."""
    import marshal

    from . import transfer
    from .arrival import Refused

    parcels: list[Any] = []
    refused: dict[str, str] = {}
    for name, value in list(namespace.items()):
        if type(name) is not str or (name.startswith("__") and name.endswith("__")):
            continue
        try:
            parcels.append((name, *transfer.pack_value(name, value)))
        except Refused as error:
            refused[name] = f"{type(value).__name__}: {error.reason}"
    return marshal.dumps((parcels, refused))


def pack_all(namespace: dict[str, Any]) -> bytes:
    """Likewise, or TypeError with the names that cannot cross."""
    import marshal

    packed = pack(namespace)
    _, refused = marshal.loads(packed)
    if refused:
        discard(packed)
        from _interpreters import NotShareableError

        reasons = "; ".join(f"{name} ({reason})" for name, reason in refused.items())
        raise NotShareableError(f"ns cannot cross to the other interpreter: {reasons}")
    return packed


def unpack(packed: bytes) -> CopiedNamespace:
    """What ``pack`` has made. To be called once."""
    import marshal

    from . import transfer
    from .arrival import Refused

    parcels, refused = marshal.loads(packed)
    namespace = CopiedNamespace()
    namespace.refused.update(refused)
    for name, how, number in parcels:
        try:
            namespace[name] = transfer.unpack_value(how, _xinterp.unpack(number))
        except Refused as error:
            namespace.refused[name] = error.reason
        except Exception as error:
            namespace.refused[name] = f"{type(error).__name__}: {error}"
        _xinterp.discard(number)
    return namespace


def discard(packed: bytes) -> None:
    """Instead of unpacking it."""
    import marshal

    for _, _, number in marshal.loads(packed)[0]:
        _xinterp.discard(number)
