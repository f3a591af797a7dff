"""What a namespace holds, told without running anybody's code: no `__repr__`, `__len__`, `__sizeof__` or property of a
class that a cell has defined is called. A huge value takes no longer to describe than a small one.
"""

import sys
from itertools import islice
from types import BuiltinFunctionType, FunctionType, ModuleType

import _xinterp

from . import shadows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    type Description = dict[str, str | int]

_LONGEST = 80  # characters of a value
_MOST = 1000  # variables
_ITEMS = 8  # of a container
_DEPTH = 2  # of containers in containers
_NUMERALS = 4000  # bits of an integer that is written out
_SHELLS_OWN = {"In", "Out", "exit", "quit"}
_PLAIN = (int, float, complex, bool, type(None), range)
_CONTAINERS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    dict: ("{", "}"),
}
# Of a class, whatever its metaclass says.
_name_of = type.__dict__["__name__"].__get__
_module_of = type.__dict__["__module__"].__get__
_dict_of = object.__getattribute__


def describe(namespace: dict[str, Any]) -> dict[str, Any]:
    """{"count": how many variables the user has, "variables": the first thousand by name}.

    Each is {"name", "type", "size" (bytes of the object itself), "value" (short)}, with an "address" if its data can be
    memory that other interpreters have too.
    """
    items = sorted((name, value) for name, value in list(namespace.items()) if type(name) is str and _is_users(name))
    told: list[Description] = [
        {"name": name, "type": type_name(value), "size": size_of(value), "value": short(value), **_address(value)}
        for name, value in items[:_MOST]
    ]
    return {"count": len(items), "variables": told}


def has_variable(name: str, namespace: dict[str, Any]) -> bool:
    """Whether ``describe`` would tell it."""
    # Not ``in``: a key of a class of somebody's own would be asked whether it is the same.
    return _is_users(name) and any(type(key) is str and key == name for key in list(namespace))


def names_of(namespace: dict[str, Any]) -> list[str]:
    """The names of all of them."""
    return sorted(name for name in list(namespace) if type(name) is str and _is_users(name))


def _is_users(name: str) -> bool:
    return not name.startswith("_") and name not in _SHELLS_OWN


def type_name(value: object) -> str:
    """The class's name, with its module unless it is a builtin or a cell's."""
    kind = type(value)
    module, name = _module_of(kind), _name_of(kind)
    return name if type(module) is not str or module in ("builtins", "__main__") else f"{module}.{name}"


def size_of(value: object) -> int:
    """Bytes: of an array its contents, of any other object itself without what it refers to."""
    kind = type(value)
    if type(kind) is not type:
        return object.__sizeof__(value)
    if kind in _PLAIN or kind in _CONTAINERS or kind in (str, bytes, bytearray):
        return sys.getsizeof(value)
    if _is_array(value):
        return int(value.nbytes)  # type: ignore[attr-defined]
    return object.__sizeof__(value)


def _is_array(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is getattr(numpy, "ndarray", None)


def _address(value: object) -> dict[str, int]:
    arrays = shadows.installed("array")
    if type(value) is memoryview or _is_array(value) or type(value) is getattr(arrays, "array", None):
        try:
            address = _xinterp.data_address(value)
        except Exception:  # a memoryview that has been released, or an array of elements that no buffer can have
            return {}
        return {} if address is None else {"address": address}
    return {}


def short(value: object) -> str:
    """The value in at most 80 characters."""
    try:
        text = _text(value, _DEPTH).replace("\n", " ")
    except Exception:  # a memoryview that has been released, for example
        text = "<cannot be read>"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _text(value: Any, depth: int) -> str:
    kind = type(value)
    if issubclass(kind, type):  # isinstance() would ask the value for its __class__
        return str(_name_of(value))
    if type(kind) is not type:  # its metaclass would be asked whether it is one of those below
        return f"<{_name_of(kind)}>"
    if kind is int and value.bit_length() > _NUMERALS:
        return f"<{value.bit_length()} bits>"
    if kind in _PLAIN:
        return repr(value)
    if kind in (str, bytes, bytearray):
        text = repr(value[:_LONGEST])
        return text if len(value) <= _LONGEST else f"{text[:-1]}…"
    if kind in _CONTAINERS:
        return _container(value, depth)
    if _is_array(value) or kind is memoryview:
        shape = " x ".join(map(str, value.shape))
        return f"{shape} {value.dtype if kind is not memoryview else value.format}"
    if kind is FunctionType:
        code = value.__code__
        return f"{code.co_name}({', '.join(code.co_varnames[: code.co_argcount])})"
    if kind is BuiltinFunctionType:
        return f"{value.__name__}()"
    if kind is ModuleType:
        return str(_dict_of(value, "__dict__").get("__name__", ""))
    return f"<{_name_of(kind)}>"


def _container(value: Any, depth: int) -> str:
    kind = type(value)
    opening, closing = _CONTAINERS[kind]
    length = len(value)
    if length == 0:
        return f"{kind.__name__}()" if kind in (set, frozenset) else opening + closing
    if depth == 0:
        return f"{opening}…{closing}"
    # Builtin containers of builtin iterators: no other thread comes between.
    if kind is dict:
        first = islice(value.items(), _ITEMS)
        parts = [f"{_text(key, depth - 1)}: {_text(item, depth - 1)}" for key, item in list(first)]
    else:
        parts = [_text(item, depth - 1) for item in list(islice(value, _ITEMS))]
    if length > _ITEMS:
        parts.append("…")
    text = ", ".join(parts) + ("," if kind is tuple and length == 1 else "")
    return opening + text + closing
