"""Pickling that takes the functions and classes of cells along: other interpreters have no such names in `__main__`.

A function is its code and, of its globals, those that the code names; functions of one transfer share one dict of
globals in the interpreter that receives them. What can be found by its name elsewhere than in `__main__` crosses by
name, as in pickle.

A class bears a token of the interpreter that it comes from. Back there the token stands for that class itself, and a
second transfer to the same interpreter meets the class that the first one has made, and brings it up to date.

Things that refer to each other are made empty and filled afterwards, by calls within the stream: when an object is
made whose class has code of its own (`__setstate__`), that class and what its code names are there already.
"""

import functools
import io
import marshal
import pickle
import sys
import types

import _interpreters
import _xinterp

from . import shadows
from .arrival import Loading, load_one, token_of
from .lazy_imports import resolved
from .names import Refused, all_names_of, found_by_name, marker_name, why_not
from .stream import Annotate, Assignment, Begin, Beside, End, Globals, Module, Part, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_FROM_THE_START = ("__module__", "__slots__", "__orig_bases__")  # what a class is made with
_NOT_COPIED = {*_FROM_THE_START, "__dict__", "__weakref__", "_abc_impl", "__annotations_cache__", "__slotnames__"}
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_OF_ENUMS = {  # what EnumType makes itself
    "__new__", "_generate_next_value_", "_member_names_", "_member_map_", "_value2member_map_", "_hashable_values_",
    "_unhashable_values_", "_unhashable_values_map_", "_member_type_", "_value_repr_", "_new_member_", "_use_args_",
    "_flag_mask_", "_singles_mask_", "_all_bits_", "_inverted_", "_boundary_",
}  # fmt: skip
_LARGE = 1 << 16
_TYPE_VARIABLES = ("TypeVar", "ParamSpec", "TypeVarTuple")


class Packed:
    """Values on their way; it keeps what they are made of alive, so that their tokens can come back."""

    def __init__(self, payload: bytes, beside: list[object], of_cells: bool, kept: object) -> None:
        self.payload = payload
        self.beside = beside
        self.of_cells = of_cells  # whether pickle alone would not have done
        self._kept = kept


def pack(parts: Iterable[tuple[str, object]], *, beside: bool = False, home: int | None = None) -> Packed:
    """The labelled values; with ``beside`` what CPython shares (memoryviews, queues) stays out of the stream.

    ``home``: the interpreter that waits for them, which keeps its own classes alive.
    """
    pickler = _Pickler([] if beside else None, home)
    return pickler.pack(list(parts))


class Item:
    """Stands for a value where CPython pickles by itself: unpickled, it is the value."""

    def __init__(self, packed: Packed) -> None:
        self._packed = packed

    def __reduce__(self) -> tuple[object, ...]:
        return load_one, (self._packed.payload,)


_NOTHING = object()


def _content_of(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return _NOTHING


class _Pickler(pickle.Pickler):
    def __init__(self, beside: list[object] | None, home: int | None, nested: bool = False) -> None:
        self._buffer = io.BytesIO()
        super().__init__(self._buffer, 5)
        self._beside = beside
        self._home = home
        self._nested = nested
        self._of_cells = False
        self._path: list[Begin] = []
        self._last: object = None
        self._globals: dict[int, Globals] = {}
        self._cell_names: dict[int, str] = {}
        self._crossed: dict[int, object] = {}  # functions and classes
        self._in_annotations: list[tuple[Globals, set[str]]] = []
        self._sources: dict[str, str] = {}

    def pack(self, parts: list[tuple[str, object]]) -> Packed:
        try:
            self.dump([Part(label, value) for label, value in parts])
            self._path.clear()
            annotations = [] if self._nested else list(self._names_of_annotations())
            self.dump((annotations, self._sources))
        except Exception as error:
            path = [(step.step, step.value) for step in self._path]
            label = path[0][0][1] if path else "it"
            raise Refused(label, why_not(path, self._last, error), of_cells=self._of_cells) from None
        kept = self._crossed, [value for _, value in parts]
        return Packed(self._buffer.getvalue(), self._beside or [], self._of_cells, kept)

    def reducer_override(self, thing: Any) -> Any:
        """Asked for all but builtin values."""
        kind = type(thing)
        own = self._OWN.get(kind)
        if own is not None:
            return own(self, thing)
        self._last = thing
        if isinstance(thing, type):
            if thing.__module__ == "builtins":  # some are in `types` only, under another name
                name = next((name for name, found in vars(types).items() if found is thing), "")
                return (getattr, (types, name)) if name and not found_by_name(thing) else NotImplemented
            return self._reduce_class(thing) if self._by_value(thing) else NotImplemented
        reduce = self._REDUCE.get(kind)
        if reduce is not None:
            return reduce(self, thing)
        if kind.__module__ == "typing":
            return self._reduce_typing(thing)
        if self._beside is not None and _interpreters.is_shareable(thing):
            return Loading.take_beside, (self._lay_beside(thing),)
        marker = marker_name(thing)
        return (getattr, (sys.modules[kind.__module__], marker)) if marker else NotImplemented

    def _by_value(self, thing: Any) -> bool:
        if thing.__module__ == "__main__":
            self._of_cells = True
            return True
        if isinstance(thing, type) and not (thing.__flags__ & _HEAP_TYPE and "<locals>" in thing.__qualname__):
            return False
        return not found_by_name(thing)

    def _lay_beside(self, value: object) -> int:
        assert self._beside is not None
        self._beside.append(value)
        return len(self._beside) - 1

    def _reduce_step(self, step: Begin) -> Any:
        self._path.append(step)
        self._last = step.value
        return Loading.begin_step, step.step

    def _reduce_end(self, end: End) -> Any:
        self._path.pop()
        return Loading.end_step, ()

    def _reduce_part(self, part: Part) -> Any:
        value: Any = part.value
        if self._beside is not None and type(value) in (bytes, str) and len(value) > _LARGE:
            value = Beside(self._lay_beside(value))
        return Loading.take_part, (Begin(("", part.label), part.value), value, End())

    def _reduce_assignment(self, it: Assignment) -> Any:
        return Loading.assign, (it.target, it.how, it.step[1], Begin(it.step, shown(it.value)), it.value, End())

    def _reduce_beside(self, it: Beside) -> Any:
        return Loading.take_beside, (it.index,)

    def _reduce_globals(self, it: Globals) -> Any:
        return Loading.make_globals, (it.name, it.of_module)

    def _globals_of(self, function: types.FunctionType) -> Globals:
        return self._globals.setdefault(id(function.__globals__), Globals(function.__globals__))

    def _reduce_function(self, function: types.FunctionType) -> Any:
        if not self._by_value(function):
            return NotImplemented
        code, into = function.__code__, self._globals_of(function)
        self._crossed[id(function)] = function
        self._remember_source(code.co_filename)
        closure = function.__closure__ or ()
        self._cell_names.update((id(cell), name) for cell, name in zip(closure, code.co_freevars, strict=True))
        return (
            Loading.make_function,
            (marshal.dumps(code), into, closure or None, function.__name__, function.__qualname__, function.__module__),
            list(self._content_of_function(function, into)),
            None,
            None,
            Loading.filled,
        )

    def _content_of_function(self, function: types.FunctionType, into: Globals) -> Iterator[Assignment]:
        code = function.__code__
        if not into.of_module:
            yield from self._content_of_globals(function, into)
        if function.__defaults__:
            names = code.co_varnames[: code.co_argcount][-len(function.__defaults__) :]
            yield from self._checked("has the default", zip(names, function.__defaults__, strict=True))
            yield Assignment(function, "attribute", ("has", "__defaults__"), function.__defaults__)
        if function.__kwdefaults__:
            yield from self._checked("has the default", function.__kwdefaults__.items())
            yield Assignment(function, "attribute", ("has", "__kwdefaults__"), function.__kwdefaults__)
        yield from self._content_of_annotations(function)
        for name, value in vars(function).items():
            yield Assignment(function, "attribute", ("has the attribute", name), value)
        if function.__type_params__:
            yield Assignment(function, "attribute", ("has", "__type_params__"), function.__type_params__)

    def _checked(self, how: str, items: Iterable[tuple[str, object]]) -> Iterator[Assignment]:
        """The parts of a tuple or dict, so that the one that cannot cross is named."""
        for name, value in items:
            yield Assignment(None, "nothing", (how, name), value)

    def _content_of_globals(self, function: types.FunctionType, into: Globals) -> Iterator[Assignment]:
        used, in_annotations, mentioned = all_names_of(function.__code__)
        self._in_annotations.append((into, in_annotations))
        names = [name for name in sorted(used - into.sent) if name in into.namespace]
        into.sent.update(names)
        values = [(name, resolved(into.namespace[name])) for name in names]
        # Objects last: to be made they may need the functions and classes.
        values.sort(key=lambda item: not isinstance(item[1], (types.FunctionType, types.ModuleType, type)))
        for name, value in values:
            if type(value) is types.ModuleType:
                value = Module(value, mentioned)
            yield Assignment(into, "item", ("uses", name), value)

    def _content_of_annotations(self, thing: Any) -> Iterator[Assignment]:
        annotate = thing.__annotate__
        if type(annotate) is types.FunctionType:
            yield Assignment(thing, "attribute", ("has", "__annotate__"), Annotate(annotate))
        elif annotate is None and (annotations := self._annotations_that_cross(thing)):
            yield Assignment(thing, "attribute", ("has", "__annotations__"), annotations)

    def _annotations_that_cross(self, thing: Any) -> dict[str, object]:
        own = vars(thing).get("__annotations__") if isinstance(thing, type) else thing.__annotations__
        return {name: value for name, value in (own or {}).items() if self._crosses(value)}

    def _reduce_annotate(self, it: Annotate) -> Any:
        """Of what annotations name, only what can cross does: nothing is refused for their sake."""
        function = it.function
        into = self._globals_of(function)
        used, more, _ = all_names_of(function.__code__)
        if not into.of_module:
            self._in_annotations.append((into, used | more))
        cells = []
        for cell, name in zip(function.__closure__ or (), function.__code__.co_freevars, strict=True):
            content = _content_of(cell)
            if name == "__classdict__" and isinstance(content, dict):
                seen = {key: value for key, value in content.items() if key in used and self._crosses(value)}
                cell = types.CellType(seen)
            elif content is not _NOTHING and not self._crosses(content):
                cell = types.CellType()
            cells.append(cell)
        names = function.__name__, function.__qualname__, function.__module__
        return Loading.make_function, (marshal.dumps(function.__code__), into, tuple(cells) or None, *names)

    def _alone(self, value: object) -> bytes | None:
        """The value as a transfer of its own, if it can cross."""
        if self._nested:
            return None
        try:
            return _Pickler(None, self._home, nested=True).pack([("", value)]).payload
        except Refused:
            return None

    def _crosses(self, value: object) -> bool:
        return id(value) in self._crossed or self._alone(value) is not None

    def _names_of_annotations(self) -> Iterator[Assignment]:
        for into, names in self._in_annotations:
            for name in names - into.sent:
                if name not in into.namespace:
                    continue
                into.sent.add(name)
                value = resolved(into.namespace[name])
                if id(value) in self._crossed:
                    yield Assignment(into, "item", ("names in an annotation", name), value)
                elif (alone := self._alone(value)) is not None:
                    yield Assignment(into, "packed item", ("names in an annotation", name), alone)

    def _remember_source(self, filename: str) -> None:
        """The cell's lines, for the tracebacks of the other interpreter."""
        import linecache

        entry = linecache.cache.get(filename)
        if filename.startswith("<") and entry is not None and len(entry) == 4:
            self._sources[filename] = "".join(entry[2])

    def _reduce_class(self, cls: Any) -> Any:
        token = token_of(cls)
        self._crossed[id(cls)] = cls
        if token[0] == self._home != _xinterp.interpreter:
            return Loading.known, (token,)
        plain = {name: vars(cls)[name] for name in _FROM_THE_START if name in vars(cls)}
        plain["__qualname__"] = cls.__qualname__
        enum: Any = shadows.installed("enum")
        members: dict[str, Any] | None = None
        if enum is not None and isinstance(cls, enum.EnumType):
            members = {name: (member._value_, vars(member)) for name, member in cls.__members__.items()}
        values = {name: value for name, (value, _) in members.items()} if members is not None else None
        content = list(self._content_of_class(cls, members))
        boundary = getattr(cls, "_boundary_", None) if members is not None else None
        arguments = (token, type(cls), cls.__name__, cls.__bases__, plain, values, boundary)
        return Loading.make_class, arguments, content, None, None, Loading.filled

    def _content_of_class(self, cls: Any, members: dict[str, Any] | None) -> Iterator[Assignment]:
        machinery = _OF_ENUMS | members.keys() if members is not None else set()
        for name, value in vars(cls).items():
            if name in _NOT_COPIED or name in machinery or type(value) is types.MemberDescriptorType:
                continue
            if name in ("__annotate_func__", "__annotations__"):
                continue
            yield Assignment(cls, "attribute", ("has the attribute", name), value)
        if "__annotate_func__" in vars(cls) or "__annotations__" in vars(cls):
            yield from self._content_of_annotations(cls)
        for name, (_, own) in (members or {}).items():
            extra = {key: value for key, value in own.items() if key not in ("__objclass__", "_name_", "_sort_order_")}
            yield Assignment(cls, "member", ("has the member", name), extra)
        if "_abc_impl" in vars(cls):
            import _abc  # type: ignore[import-not-found]

            registered = [found for reference in _abc._get_dump(cls)[0] if (found := reference()) is not None]
            if registered:
                yield Assignment(cls, "registered", ("has", "registered classes"), registered)

    def _reduce_cell(self, cell: types.CellType) -> Any:
        value, name = _content_of(cell), self._cell_names.get(id(cell), "a variable of its scope")
        content = [Assignment(cell, "cell", ("uses", name), value)] if value is not _NOTHING else []
        return types.CellType, (), content, None, None, Loading.filled

    def _reduce_module(self, module: types.ModuleType) -> Any:
        return self._reduce_named_module(Module(module, set()))

    def _reduce_named_module(self, it: Module) -> Any:
        name = it.module.__name__
        self._last = it.module
        if sys.modules.get(name) is not it.module:
            raise pickle.PicklingError("no import finds it")
        # `import xml.dom` binds xml: the parts that the code names must be imported too.
        parts = [
            full
            for full in list(sys.modules)
            if full.startswith(f"{name}.") and set(full[len(name) + 1 :].split(".")) <= it.named
        ]
        return Loading.find_module, (name, parts)

    def _reduce_method(self, method: types.MethodType) -> Any:
        found = getattr(method.__self__, method.__func__.__name__, None)
        if getattr(found, "__func__", None) is method.__func__:
            return NotImplemented
        return types.MethodType, (method.__func__, method.__self__)

    def _reduce_cached(self, function: Any) -> Any:
        if not self._by_value(function):
            return NotImplemented
        parameters = function.cache_parameters()
        return Loading.make_cached, (function.__wrapped__, parameters["maxsize"], parameters["typed"])

    def _reduce_typing(self, thing: Any) -> Any:
        kind = type(thing).__name__
        if kind != "NewType" and kind not in _TYPE_VARIABLES:
            return NotImplemented
        if getattr(sys.modules.get(thing.__module__), thing.__name__, None) is thing and thing.__module__ != "__main__":
            return NotImplemented
        self._of_cells = True
        if kind == "NewType":
            return Loading.make_new_type, (type(thing), thing.__name__, thing.__supertype__)
        options = {"default": thing.__default__} if thing.has_default() else {}
        constraints: tuple[object, ...] = ()
        if kind == "TypeVar":
            constraints = thing.__constraints__
            names = ("bound", "covariant", "contravariant", "infer_variance")
            options |= {name: value for name in names if (value := getattr(thing, f"__{name}__"))}
        return Loading.make_type_variable, (token_of(thing), type(thing), thing.__name__, constraints, options)

    _OWN: dict[type, Callable[..., Any]] = {
        Begin: _reduce_step,
        End: _reduce_end,
        Assignment: _reduce_assignment,
        Part: _reduce_part,
        Beside: _reduce_beside,
        Globals: _reduce_globals,
        Module: _reduce_named_module,
        Annotate: _reduce_annotate,
    }
    _REDUCE: dict[type, Callable[..., Any]] = {
        types.FunctionType: _reduce_function,
        types.CellType: _reduce_cell,
        types.ModuleType: _reduce_module,
        types.MethodType: _reduce_method,
        types.MappingProxyType: lambda self, it: (types.MappingProxyType, (dict(it),)),
        functools._lru_cache_wrapper: _reduce_cached,
        staticmethod: lambda self, it: (staticmethod, (it.__func__,)),
        classmethod: lambda self, it: (classmethod, (it.__func__,)),
        property: lambda self, it: (property, (it.fget, it.fset, it.fdel, it.__doc__)),
    }
