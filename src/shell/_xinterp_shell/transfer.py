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


def pack(names: list[str], namespace: dict[str, Any]) -> dict[str, object]:
    """{"parcels": [...]}, or {"refused": [sentence, ...]} and no parcel."""
    from .arrival import Refused

    parcels: list[Parcel] = []
    refused = []
    for name in names:
        try:
            if name not in namespace:
                raise Refused(name, "there is no such variable")
            how, number = pack_value(name, namespace[name])
            parcels.append({"name": name, "how": how, "number": number})
        except Refused as error:
            kind = f" ({type(namespace[name]).__name__})" if name in namespace else ""
            refused.append(f"{name}{kind} cannot cross: {error.reason}.")
    if not refused:
        return {"status": "ok", "parcels": parcels}
    for parcel in parcels:
        _xinterp.discard(parcel["number"])
    return {"status": "ok", "refused": refused}


def unpack(parcels: list[Parcel], namespace: dict[str, Any]) -> dict[str, object]:
    """Bind all of them, or none: {"refused": [sentence, ...]}."""
    from .arrival import Refused

    values: dict[str, Any] = {}
    refused = []
    for parcel in parcels:
        try:
            values[parcel["name"]] = unpack_value(parcel["how"], _xinterp.unpack(parcel["number"]))
        except Refused as error:
            refused.append(f"{parcel['name']} cannot cross: {error.reason}.")
        except Exception as error:
            refused.append(f"{parcel['name']} cannot cross: {type(error).__name__}: {error}.")
    if refused:
        return {"status": "ok", "refused": refused}
    namespace.update(values)
    return {"status": "ok"}


def pack_value(name: str, value: Any) -> tuple[str, int]:
    if type(value) in _COPIED:
        import marshal

        return "copied", _xinterp.pack_bytes(marshal.dumps(value))
    if type(value) is memoryview:
        return "shared buffer", _xinterp.pack_buffer(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(value) is numpy.ndarray and value.dtype.kind in _METADATA_OF_ARRAYS:
        return "shared array", _xinterp.pack_buffer(value)
    from .by_value import pack

    packed = pack([(name, value)])
    return "by value" if packed.of_cells else "pickled", _xinterp.pack_bytes(packed.payload)


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
