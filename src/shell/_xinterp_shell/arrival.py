"""What by_value.py has packed, in the interpreter that receives it."""

import functools
import io
import itertools
import marshal
import pickle
import types
import weakref

import _xinterp

from .names import Refused, chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .names import Step

    type Token = tuple[int, int]  # the interpreter that something comes from, and its number there

_tokens: weakref.WeakKeyDictionary[Any, Token] = weakref.WeakKeyDictionary()
_by_token: weakref.WeakValueDictionary[Token, Any] = weakref.WeakValueDictionary()
_numbers = itertools.count(1)


def token_of(thing: Any) -> Token:
    """What stands for a class in every interpreter."""
    token = _tokens.get(thing)
    if token is None:
        token = _xinterp.interpreter, next(_numbers)
        _remember(thing, token)
    return token


def _remember(thing: Any, token: Token) -> None:
    _tokens[thing] = token
    _by_token[token] = thing


def _in_a_line(error: BaseException) -> str:
    """What an error says; some libraries wrap the reason into a page of advice, or copy it into one."""
    if "\n" in str(error).strip():
        from . import refusals

        if refusal := refusals.of(error):
            return f"ImportError: {refusal}"
    while "\n" in str(error).strip() and error.__cause__ is not None:
        error = error.__cause__
    first, *more = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {first.rstrip('.:')}{' ...' if any(more) else ''}"


def load(payload: bytes, beside: tuple[object, ...] = ()) -> list[Any]:
    """The values; raises Refused."""
    return Loading(payload, beside).load_all()


def load_one(payload: bytes) -> Any:
    """The value of a transfer that has one."""
    return load(payload)[0]


class Loading(pickle.Unpickler):
    """One transfer. The stream calls this object's methods."""

    def __init__(self, payload: bytes, beside: tuple[object, ...]) -> None:
        super().__init__(io.BytesIO(payload))
        self._beside = beside
        self._path: list[Step] = []
        self._complete: set[int] = set()  # classes of this interpreter, which stay as they are

    def find_class(self, module: str, name: str, /) -> Any:
        owner, _, method = name.rpartition(".")
        if module == __name__ and owner == "Loading":
            return getattr(self, method)
        return super().find_class(module, name)

    def load_all(self) -> list[Any]:
        try:
            values: list[Any] = self.load()
            _, sources = self.load()
        except Exception as error:
            label = self._path[0][1] if self._path else "it"
            steps = self._path[1:]
            text = _in_a_line(error)
            raise Refused(label, f"it {chain(steps)}, and that failed there: {text}" if steps else text) from error
        self._keep_sources(sources)
        return values

    def _keep_sources(self, sources: dict[str, str]) -> None:
        import linecache

        for filename, source in sources.items():
            if filename not in linecache.cache:
                lines = source.splitlines(keepends=True)
                linecache.cache[filename] = (len(source), None, lines, filename)  # type: ignore[assignment]

    def begin_step(self, how: str, name: str) -> None:
        self._path.append((how, name))

    def end_step(self) -> None:
        self._path.pop()

    def take_part(self, begun: None, value: object, ended: None) -> object:
        return value

    def take_beside(self, index: int) -> object:
        return self._beside[index]

    def filled(self, thing: object, content: list[None]) -> None:
        """Its content has been assigned while the stream was read."""

    def assign(self, target: Any, how: str, name: str, begun: None, value: Any, ended: None) -> None:
        if how == "item":
            target[name] = value
        elif how == "packed item":
            try:
                target[name] = load_one(value)
            except Refused:
                pass  # an annotation's name, which nobody may ever ask for
        elif how == "cell":
            target.cell_contents = value
        elif how == "member":
            target.__members__[name].__dict__.update(value)
        elif how == "registered":
            for cls in value:
                target.register(cls)
        elif how == "attribute" and id(target) not in self._complete:
            # A metaclass may have its own opinion on what may be set.
            (type.__setattr__ if isinstance(target, type) else setattr)(target, name, value)

    def make_globals(self, name: str, of_module: bool) -> dict[str, Any]:
        if of_module:
            import importlib

            return importlib.import_module(name).__dict__
        import builtins

        return {"__name__": name, "__builtins__": builtins}

    def make_function(
        self, code: bytes, namespace: dict[str, Any], closure: Any, name: str, qualname: str, module: str
    ) -> types.FunctionType:
        function = types.FunctionType(marshal.loads(code), namespace, name, None, closure)
        function.__qualname__, function.__module__ = qualname, module
        return function

    def make_cached(self, function: Any, maxsize: int | None, typed: bool) -> object:
        return functools.lru_cache(maxsize, typed)(function)

    def find_module(self, name: str, parts: Iterable[str]) -> types.ModuleType:
        import importlib

        for part in parts:
            importlib.import_module(part)
        return importlib.import_module(name)

    def known(self, token: Token) -> type:
        return _by_token[token]

    def make_class(
        self, token: Token, metaclass: Any, name: str, bases: Any, plain: Any, values: Any, boundary: object
    ) -> type:
        found: type | None = _by_token.get(token)
        if found is not None:
            if token[0] == _xinterp.interpreter:
                self._complete.add(id(found))
            return found
        with _QuietBases(bases):
            if values is not None:
                import enum

                namespace = metaclass.__prepare__(name, bases)
                for key, value in {**plain, **values}.items():
                    namespace[key] = value
                cls = enum.EnumType.__new__(metaclass, name, bases, namespace, boundary=boundary)  # type: ignore[arg-type]
            else:
                import abc

                # Not the metaclass's own: what it has done to the class comes with the class.
                creator: Any = abc.ABCMeta if issubclass(metaclass, abc.ABCMeta) else type
                cls = creator.__new__(metaclass, name, bases, plain)
        _remember(cls, token)
        return cls

    def make_type_variable(self, token: Token, kind: Any, name: str, constraints: Any, options: Any) -> object:
        found = _by_token.get(token)
        if found is None:
            found = kind(name, *constraints, **options)
            found.__module__ = "__main__"
            _remember(found, token)
        return found

    def make_new_type(self, kind: Any, name: str, supertype: object) -> object:
        made = kind(name, supertype)
        made.__module__ = "__main__"
        return made


class _QuietBases:
    """Classes of cells are not told of a subclass: where it was defined they have been."""

    def __init__(self, bases: tuple[type, ...]) -> None:
        mro = [cls for base in bases for cls in base.__mro__]
        self._told = {cls: vars(cls)["__init_subclass__"] for cls in mro if self._would_be_told(cls)}

    def _would_be_told(self, cls: type) -> bool:
        return cls.__module__ == "__main__" and "__init_subclass__" in vars(cls)

    def __enter__(self) -> None:
        for cls in self._told:
            type.__delattr__(cls, "__init_subclass__")

    def __exit__(self, *_: object) -> None:
        for cls, method in self._told.items():
            type.__setattr__(cls, "__init_subclass__", method)
