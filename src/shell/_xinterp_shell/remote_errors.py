"""Exceptions that leave their interpreter: described where they were raised, rebuilt where the code was called.

Only values cross, and no code of a user runs on either side but an exception's own ``__str__``.
"""

import builtins
import sys

import _xinterp

from .stand_ins import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

# What builtin exceptions keep beside their arguments.
_ATTRIBUTES = (
    "name",
    "path",
    "errno",
    "strerror",
    "filename",
    "filename2",
    "lineno",
    "offset",
    "text",
    "msg",
    "end_lineno",
    "end_offset",
)


def guard(traceback: ModuleType) -> None:
    """What CPython itself describes exceptions with, as they leave this interpreter, must not fail."""
    # No frame of Python's, in which an interrupt could rise.
    stand_in(traceback.TracebackException, "from_exception", _xinterp.describe_exception)
    if hasattr(traceback, "_find_incompatible_extension_module"):
        stand_in(traceback, "_find_incompatible_extension_module", _find_in_imported)


def _find_in_imported(original: Any, module_name: str | None) -> str | None:
    # CPython 3.15 describes `No module named 'package.part'` by a look into the package's folder, for which it imports
    # the package. Where that is what has failed, its code would run again and fail again, and no traceback is made.
    package = (module_name or "").rpartition(".")[0]
    if package and package not in sys.modules:
        return None
    try:
        return original(module_name)  # type: ignore[no-any-return]
    except Exception:  # a package that is in no folder, and others that cannot be looked into
        return None


def describe(error: BaseException, interpreter: int) -> bytes:
    """What ``rebuild`` needs."""
    import marshal
    import traceback

    text = "".join(traceback.TracebackException(type(error), error, error.__traceback__).format())
    found = _describe(error)
    found["note"] = f"Uncaught in interpreter {interpreter}:\n\n{text.rstrip()}"
    return marshal.dumps(found)


def _describe(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    found: dict[str, Any] = {"module": kind.__module__, "name": kind.__qualname__, "arguments": _plain_arguments(error)}
    values = {name: getattr(error, name, None) for name in _ATTRIBUTES}
    values.update(error.__dict__)
    values.pop("__notes__", None)
    found["values"] = {name: value for name, value in values.items() if value is not None and _is_plain(value)}
    found["notes"] = [note for note in getattr(error, "__notes__", ()) if type(note) is str]
    if isinstance(error, BaseExceptionGroup):
        found["message"] = error.message
        found["errors"] = [_describe(part) for part in error.exceptions]
    return found


def _plain_arguments(error: BaseException) -> tuple[object, ...]:
    if _is_plain(error.args):
        return error.args
    return tuple(argument if _is_plain(argument) else str(argument) for argument in error.args)


def _is_plain(value: Any) -> bool:
    """Whether it is made of builtin values alone."""
    import marshal

    try:
        marshal.dumps(value, allow_code=False)
    except ValueError:
        return False
    return True


def rebuild(description: bytes) -> BaseException | None:
    """The exception; None where this interpreter does not have its class."""
    import marshal

    found = marshal.loads(description)
    error = _rebuild(found)
    if error is not None:
        error.add_note(found["note"])
    return error


def _rebuild(found: dict[str, Any]) -> BaseException | None:
    kind = _find_class(found["module"], found["name"])
    if kind is None:
        return None
    if "errors" in found:
        parts: list[Any] = [_rebuild(part) for part in found["errors"]]
        if kind not in (ExceptionGroup, BaseExceptionGroup) or None in parts:
            return None
        error: BaseException = kind(found["message"], parts)
    elif kind.__module__ == "builtins":
        try:
            error = kind(*found["arguments"])
        except TypeError:  # UnicodeDecodeError of other arguments, and the like
            return None
    else:  # without its __init__ and __new__, which may be anybody's
        builtin = next(base for base in kind.__mro__ if base.__module__ == "builtins")
        error = builtin.__new__(kind, *found["arguments"])
        error.args = found["arguments"]
    for name, value in found["values"].items():
        try:
            object.__setattr__(error, name, value)
        except AttributeError, TypeError:  # read-only: it came with the arguments
            pass
    for note in found["notes"]:
        error.add_note(note)
    return error


def _find_class(module: str, name: str) -> type[BaseException] | None:
    """A builtin, or of a module that has been imported here; never a cell's: that is another one everywhere."""
    if module == "__main__":
        return None
    found: object = builtins if module == "builtins" else sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None
