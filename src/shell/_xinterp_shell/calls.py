"""`concurrent.interpreters`: what its document has and CPython 3.14 lacks, and calls of what cells define.

Patched after import, in each interpreter. Needs no kernel.
"""

import sys

from .stand_ins import replace, stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from .by_value import Packed

_PLAIN = (int, float, complex, bool, type(None), str, bytes)
_OWN_FRAME = '  File "<frozen _xinterp_shell'


def cells_need_help() -> bool:
    """Whether `__main__` is no file; if it is, CPython runs that in the other interpreter to find its functions."""
    return not hasattr(sys.modules["__main__"], "__file__")


def dedented(source: str) -> str:
    """The source without the indentation that all its lines share; blank lines are left as they are."""
    if not source.lstrip("\r\n")[:1].isspace():
        return source
    lines = source.splitlines(keepends=True)
    indents = [line[: len(line) - len(line.lstrip())] for line in lines if not line.isspace()]
    shared = min(indents, key=len, default="")
    while not all(indent.startswith(shared) for indent in indents):
        shared = shared[:-1]
    return "".join(line.removeprefix(shared) for line in lines)


def complete(module: ModuleType) -> None:
    interpreter: Any = module.Interpreter
    run, prepare = interpreter.exec, interpreter.prepare_main

    def exec(self: Any, code: Any, /, dedent: bool = True) -> None:
        run(self, dedented(code) if dedent and isinstance(code, str) else code)

    def prepare_main(self: Any, /, ns: Any = None, **kwargs: object) -> None:
        prepare(self, ns, **kwargs)

    for replacement in (exec, prepare_main):
        replace(interpreter, replacement)
    stand_in(interpreter, "_call", _call)
    stand_in(interpreter, "call_in_thread", _call_in_thread)
    exec.__doc__ = (
        f"{exec.__doc__}\n        The indentation that all lines share is taken away, unless dedent is false.\n        "
    )


def _call(original: Callable[..., Any], self: Any, callable: Any, args: Any, kwargs: Any) -> Any:
    packed = _packed(self.id, callable, args, kwargs)
    return original(self, callable, args, kwargs) if packed is None else _run(self, callable, packed)


def _call_in_thread(original: Callable[..., Any], self: Any, callable: Any, /, *args: Any, **kwargs: Any) -> Any:
    packed = _packed(self.id, callable, args, kwargs)  # now: it may be refused, and its values may change
    if packed is None:
        return original(self, callable, *args, **kwargs)
    import threading

    thread = threading.Thread(target=_run, args=(self, callable, packed))
    thread.start()
    return thread


def _packed(interpreter: int, callable: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Packed | None:
    """The call if it takes something along that a cell defines; None if CPython's own way does for it."""
    if not cells_need_help():
        return None
    values = [*args, *kwargs.values()]
    if _is_clear(callable) and all(map(_is_clear, values)):
        return None
    if all(type(value) in _PLAIN for value in values):
        if isinstance(callable, type(len)):
            return None
        from .names import is_stateless

        if is_stateless(callable):
            return None
    from .by_value import pack
    from .names import Refused, is_stateless

    given = [(_label(value, f"argument {place}"), value) for place, value in enumerate(args, 1)]
    given += [(_label(value, f"argument {name}"), value) for name, value in kwargs.items()]
    try:
        if is_stateless(callable) and not pack(given, beside=True).of_cells:
            return None
        packed = pack([(_label(callable, ""), callable), *given, ("argument names", [*kwargs])], beside=True)
    except Refused as refused:
        if not refused.of_cells:
            return None  # CPython says what it has against it
        raise _not_shareable(f"{refused.label} cannot cross to interpreter {interpreter}: {refused.reason}.") from None
    return packed if packed.of_cells else None


def _is_clear(value: Any, depth: int = 3) -> bool:
    """Whether it is plain to see that nothing of a cell is in it. (An executor's every task comes this way.)"""
    kind = type(value)
    if kind in _PLAIN or kind.__module__ == "concurrent.interpreters._queues":
        return True
    if kind in (tuple, list, dict):
        if depth == 0 or len(value) > 100:
            return False
        parts = value if kind is not dict else [*value, *value.values()]
        return all(_is_clear(part, depth - 1) for part in parts)
    if kind in (type(len), type(_label)):  # builtin functions, and others
        return value.__module__ not in (None, "__main__") and "<locals>" not in value.__qualname__
    return False


def _label(value: Any, place: str) -> str:
    """What a sentence calls a value: by its own name if it has one."""
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        return name
    from .names import described

    return f"{place} ({described(value)})" if place else described(value)


def _not_shareable(sentence: str) -> Exception:
    from _interpreters import NotShareableError

    return NotShareableError(sentence)


def _run(self: Any, callable: Any, packed: Packed) -> Any:
    import _interpreters
    import _xinterp
    from concurrent.interpreters import ExecutionFailed

    from .arrival import load
    from .names import Refused

    args = _xinterp.interpreter, packed.payload, *packed.beside
    returned, failed = _interpreters.call(self.id, run_packed, args, {}, restrict=True)
    if failed is not None:
        failed.errdisplay = _without_own_frames(failed.errdisplay)
        raise ExecutionFailed(failed)
    how, *content = returned
    if how == "plain":
        return content[0]
    name = _label(callable, "")
    if how == "packed":
        try:
            return load(content[0], tuple(content[1:]))[0]
        except Refused as refused:
            why = refused.reason
        raise _not_shareable(f"the result of {name} cannot cross from interpreter {self.id}: {why}.")
    label, why = content
    if how == "result refused":
        raise _not_shareable(f"the result of {name} cannot cross from interpreter {self.id}: {why}.")
    raise _not_shareable(f"{label} cannot cross to interpreter {self.id}: {why}.")


def _without_own_frames(text: str | None) -> str | None:
    if not text:
        return text
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(_OWN_FRAME))


def run_packed(caller: int, payload: bytes, *beside: object) -> tuple[object, ...]:
    """Make the call, in the interpreter that it is meant for: what became of it, and the result."""
    from . import module_hooks
    from .arrival import load
    from .names import Refused

    module_hooks.install_for_calls()  # where no shell has: what the call does is to find the same module as its caller
    try:
        callable, *values, names = load(payload, beside)
    except Refused as refused:
        return "refused", refused.label, refused.reason
    place = len(values) - len(names)
    result = callable(*values[:place], **dict(zip(names, values[place:], strict=True)))
    if type(result) in _PLAIN:
        return "plain", result
    from .by_value import pack

    try:
        packed = pack([("result", result)], beside=True, home=caller)
    except Refused as refused:
        return "result refused", "", refused.reason
    return "packed", packed.payload, *packed.beside
