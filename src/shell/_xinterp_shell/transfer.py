"""Values that leave an interpreter and arrive in another: packed on one lane, unpacked on the other.

How each crosses: numbers, text and bytes are copied; memoryviews and arrays lend their memory, which both then see; all
else is pickled, and takes the functions and classes of cells along (by_value.py).
"""

import sys

import _xinterp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    type Parcel = dict[str, Any]  # name, how, number

_COPIED = (int, float, complex, bool, type(None), str, bytes)
_METADATA_OF_ARRAYS = "biufc"  # kinds of numpy's dtypes that are plain numbers


def pack(names: list[str], namespace: dict[str, Any], shipment: int) -> dict[str, object]:
    """{"parcels": [...], "refused": [sentence, ...]}; all of them belong to the shipment."""
    from .names import Refused

    parcels: list[Parcel] = []
    refused = []
    if not _xinterp.is_awaited(shipment):  # nobody's code runs in vain
        return {"status": "aborted"}
    for name in names:
        try:
            if name not in namespace:
                raise Refused(name, "there is no such variable")
            how, content = pack_value(name, namespace[name])
            parcels.append({"name": name, "how": how, "number": _xinterp.pack(shipment, content)})
        except (Refused, BufferError, ImportError, RuntimeError, ValueError) as error:  # a released memoryview
            kind = f" ({type(namespace[name]).__name__})" if name in namespace else ""
            refused.append(f"{name}{kind} cannot cross: {reason_of(error)}.")
    return {"status": "ok", "parcels": parcels, "refused": refused}


def unpack(parcels: list[Parcel], namespace: dict[str, Any], partly: bool = False) -> dict[str, object]:
    """Bind all, or none unless ``partly``: {"refused": [sentence, ...]}. Those with a "key" arrive in a dict by it."""
    values: dict[str, Any] = {}
    refused = []
    for parcel in parcels:
        try:
            value = unpack_value(parcel["how"], _xinterp.unpack(parcel["number"]))
        except Exception as error:
            where = f" from {parcel['key']}" if "key" in parcel else ""
            refused.append(f"{parcel['name']} cannot cross{where}: {reason_of(error, named=True)}.")
            continue
        if "key" in parcel:
            values.setdefault(parcel["name"], {})[parcel["key"]] = value
        else:
            values[parcel["name"]] = value
    if partly or not refused:
        namespace.update(values)
    return {"status": "ok", "refused": refused}


def reason_of(error: Exception, named: bool = False) -> str:
    """Why something did not cross: the end of a sentence, with the error's class if it is ``named``."""
    from .names import Refused

    if isinstance(error, Refused):
        return error.reason
    return f"{type(error).__name__}: {error}" if named else str(error)


def pack_value(name: str, value: Any) -> tuple[str, Any]:
    """How it crosses, and what of it: bytes, or an object whose memory is lent."""
    from .lazy_imports import resolved

    value = resolved(value)
    if type(value) in _COPIED:
        import marshal

        return "copied", marshal.dumps(value)
    if type(value) is memoryview:
        return "shared buffer", value
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(value) is numpy.ndarray and value.dtype.kind in _METADATA_OF_ARRAYS:
        return "shared array", value
    from .by_value import pack

    packed = pack([(name, value)])
    return "by value" if packed.of_cells else "pickled", packed.payload


def unpack_value(how: str, content: Any) -> Any:
    if how == "copied":
        import marshal

        return marshal.loads(content)
    if how in ("pickled", "by value"):
        from .arrival import load_one

        return load_one(content)
    if how == "shared array":
        try:
            import numpy
        except ImportError:  # it refuses interpreters with a GIL of their own
            return content
        return numpy.asarray(content)
    return content
