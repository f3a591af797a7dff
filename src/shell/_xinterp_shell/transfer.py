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


class Refused(Exception):
    """Why a value cannot cross."""


def pack(names: list[str], namespace: dict[str, Any]) -> dict[str, object]:
    """{"parcels": [...]}, or {"refused": [sentence, ...]} and no parcel."""
    parcels: list[Parcel] = []
    refused = []
    for name in names:
        try:
            if name not in namespace:
                raise Refused("there is no such variable")
            how, number = pack_value(namespace[name])
            parcels.append({"name": name, "how": how, "number": number})
        except Refused as error:
            kind = f" ({type(namespace[name]).__name__})" if name in namespace else ""
            refused.append(f"{name}{kind} cannot cross: {error}.")
    if not refused:
        return {"status": "ok", "parcels": parcels}
    for parcel in parcels:
        _xinterp.discard(parcel["number"])
    return {"status": "ok", "refused": refused}


def unpack(parcels: list[Parcel], namespace: dict[str, Any]) -> dict[str, object]:
    """Bind all of them, or none: {"refused": [sentence, ...]}."""
    values: dict[str, Any] = {}
    refused = []
    for parcel in parcels:
        try:
            values[parcel["name"]] = unpack_value(parcel["how"], _xinterp.unpack(parcel["number"]))
        except Exception as error:
            refused.append(f"{parcel['name']} cannot cross: {type(error).__name__}: {error}.")
    if refused:
        return {"status": "ok", "refused": refused}
    namespace.update(values)
    return {"status": "ok"}


def pack_value(value: Any) -> tuple[str, int]:
    if type(value) in _COPIED:
        import marshal

        return "copied", _xinterp.pack_bytes(marshal.dumps(value))
    if type(value) is memoryview:
        return "shared buffer", _xinterp.pack_buffer(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(value) is numpy.ndarray and value.dtype.kind in _METADATA_OF_ARRAYS:
        return "shared array", _xinterp.pack_buffer(value)
    return "pickled", _xinterp.pack_bytes(_pickle(value))


def unpack_value(how: str, content: Any) -> Any:
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
                raise Refused(f"{found.__qualname__} is defined in a cell, and the other interpreter does not have it")
            return NotImplemented

    buffer = io.BytesIO()
    try:
        Pickler(buffer, 5).dump(value)
    except Refused:
        raise
    except Exception as error:
        raise Refused(str(error).rstrip(".")) from None
    return buffer.getvalue()
