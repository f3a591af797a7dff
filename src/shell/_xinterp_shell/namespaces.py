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


def _is_shells(name: str) -> bool:
    """Whether Python or the shell has put it into the namespace."""
    if name.startswith("__") and name.endswith("__"):
        return True
    rest = name.lstrip("_ioh") if name.startswith("_") else name  # _, __, _i, _ih, _12, _i12
    return name in ("In", "Out") or (name.startswith("_") and (not rest or rest.isdigit()))


def pack(namespace: dict[str, Any], shipment: int) -> bytes:
    """All that can cross, and why the rest cannot."""
    import marshal

    from . import transfer
    from .names import Refused

    parcels: list[Any] = []
    refused: dict[str, str] = {}
    for name, value in list(namespace.items()):
        if type(name) is not str:
            refused[repr(name)] = "a variable's name is a string"
            continue
        if _is_shells(name):
            continue
        try:
            how, content = transfer.pack_value(name, value)
            parcels.append((name, how, _xinterp.pack(shipment, content)))
        except (Refused, BufferError, ImportError, RuntimeError, ValueError) as error:
            refused[name] = f"{type(value).__name__}: {transfer.reason_of(error)}"
    return marshal.dumps((parcels, refused))


def pack_all(namespace: dict[str, Any], shipment: int) -> bytes:
    """Likewise, or NotShareableError with the names that cannot cross."""
    import marshal

    packed = pack(namespace, shipment)
    _, refused = marshal.loads(packed)
    if refused:
        from _interpreters import NotShareableError

        reasons = "; ".join(f"{name} ({reason})" for name, reason in refused.items())
        raise NotShareableError(f"ns cannot cross to the other interpreter: {reasons}")
    return packed


def unpack(packed: bytes) -> CopiedNamespace:
    """What ``pack`` has made."""
    import marshal

    from . import transfer

    parcels, refused = marshal.loads(packed)
    namespace = CopiedNamespace()
    namespace.refused.update(refused)
    for name, how, number in parcels:
        try:
            namespace[name] = transfer.unpack_value(how, _xinterp.unpack(number))
        except Exception as error:
            namespace.refused[name] = transfer.reason_of(error, named=True)
    return namespace
