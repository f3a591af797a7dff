"""Values that leave an interpreter and arrive in another: packed on one lane, unpacked on the other.

How each crosses: numbers, text and bytes are copied; memoryviews and arrays lend their memory, which both then see; all
else is pickled. What is defined in a cell cannot cross by pickle: the other interpreter has no such class or function.
"""

import sys

import _xinterp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    type Parcel = dict[str, Any]  # name, how, number

_COPIED = (int, float, complex, bool, type(None), str, bytes)
_METADATA_OF_ARRAYS = "biufc"  # kinds of numpy's dtypes that are plain numbers


class _Refused(Exception):
    """Why a value cannot cross."""


def pack(names: list[str], namespace: dict[str, Any], shipment: int) -> dict[str, object]:
    """{"parcels": [...], "refused": [sentence, ...]}; all of them belong to the shipment."""
    parcels: list[Parcel] = []
    refused = []
    if not _xinterp.is_awaited(shipment):  # nobody's code runs in vain
        return {"status": "aborted"}
    for name in names:
        try:
            if name not in namespace:
                raise _Refused("there is no such variable")
            how, content = _pack(namespace[name])
            parcels.append({"name": name, "how": how, "number": _xinterp.pack(shipment, content)})
        except (_Refused, BufferError, RuntimeError, ValueError) as error:  # such as a memoryview that was released
            kind = f" ({type(namespace[name]).__name__})" if name in namespace else ""
            refused.append(f"{name}{kind} cannot cross: {error}.")
    return {"status": "ok", "parcels": parcels, "refused": refused}


def unpack(parcels: list[Parcel], namespace: dict[str, Any], partly: bool = False) -> dict[str, object]:
    """Bind all, or none unless ``partly``: {"refused": [sentence, ...]}. Those with a "key" arrive in a dict by it."""
    values: dict[str, Any] = {}
    refused = []
    for parcel in parcels:
        try:
            value = _unpack(parcel["how"], _xinterp.unpack(parcel["number"]))
        except Exception as error:
            where = f" from {parcel['key']}" if "key" in parcel else ""
            refused.append(f"{parcel['name']} cannot cross{where}: {type(error).__name__}: {error}.")
            continue
        if "key" in parcel:
            values.setdefault(parcel["name"], {})[parcel["key"]] = value
        else:
            values[parcel["name"]] = value
    if partly or not refused:
        namespace.update(values)
    return {"status": "ok", "refused": refused}


def _pack(value: Any) -> tuple[str, Any]:
    """How it crosses, and what of it: bytes, or an object whose memory is lent."""
    if type(value) in _COPIED:
        import marshal

        return "copied", marshal.dumps(value)
    if type(value) is memoryview:
        return "shared buffer", value
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(value) is numpy.ndarray and value.dtype.kind in _METADATA_OF_ARRAYS:
        return "shared array", value
    return "pickled", _pickle(value)


def _unpack(how: str, content: Any) -> Any:
    if how == "copied":
        import marshal

        return marshal.loads(content)
    if how == "pickled":
        import pickle

        return pickle.loads(content)
    if how == "shared array":
        try:
            import numpy
        except ImportError:  # it refuses interpreters with a GIL of their own
            return content
        return numpy.asarray(content)
    return content


def _pickle(value: Any) -> bytes:
    import io
    import pickle

    class Pickler(pickle.Pickler):
        def reducer_override(self, found: Any) -> Any:
            """Asked for all but builtin values: what is found by its name must be found there too."""
            named = isinstance(found, type) or hasattr(found, "__code__")
            if named and getattr(found, "__module__", None) == "__main__":
                raise _Refused(f"{found.__qualname__} is defined in a cell, and the other interpreter does not have it")
            return NotImplemented

    buffer = io.BytesIO()
    try:
        Pickler(buffer, 5).dump(value)
    except _Refused:
        raise
    except Exception as error:
        raise _Refused(str(error).rstrip(".")) from None
    return buffer.getvalue()
