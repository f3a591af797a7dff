"""The environment of a lane's children: its own, as ``os.environ`` is.

A process has one environment, which C code reads and which children inherit. That one is main's. In every other
interpreter the functions that change it change a copy, and whatever starts a program passes the copy on where the
caller gives no environment.
"""

import os
import sys

import _xinterp

from .stand_ins import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_variables: dict[bytes, bytes] = {}  # of a lane
_is_own = _xinterp.interpreter != 0


def install() -> None:
    """Before code runs here."""
    if not _is_own:
        return
    import posix

    _variables.update(posix.environ)  # type: ignore[arg-type]

    def putenv(_original: object, name: Any, value: Any, /) -> None:
        key, text = _encoded(name), _encoded(value)
        if b"=" in key:
            raise ValueError("illegal environment variable name")
        if not key:
            raise _invalid()
        _variables[key] = text

    def unsetenv(_original: object, name: Any, /) -> None:
        key = _encoded(name)
        if not key or b"=" in key:
            raise _invalid()
        _variables.pop(key, None)

    def _create_environ(_original: object, /) -> dict[bytes, bytes]:
        return dict(_variables)

    def execv(_original: object, path: Any, argv: Any, /) -> None:
        os.execve(path, argv, _variables)

    for implementation in (putenv, unsetenv, _create_environ, execv):
        stand_in(posix, implementation.__name__, implementation)
    stand_in(sys, "breakpointhook", _xinterp.without_frame(_breakpoint_function))


def begin_with_mains() -> None:
    """An interpreter that was made ahead is handed out: its environment is main's of this moment."""
    _variables.clear()
    _variables.update(_xinterp.environment())
    data: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]
    data.clear()
    data.update(_variables)


def for_child() -> dict[bytes, bytes] | None:
    """What a program gets that is started without one; None for the process's."""
    return _variables if _is_own else None


def _breakpoint_function(_original: object) -> Any:
    """What ``breakpoint()`` calls: CPython's own reads PYTHONBREAKPOINT of the process."""
    name = os.environ.get("PYTHONBREAKPOINT") or "pdb.set_trace"
    if name == "0":
        return _ignore
    module, _, function = name.rpartition(".")
    try:
        return getattr(__import__(module or "builtins", fromlist=[function]), function)
    except ImportError, AttributeError:
        import warnings

        warnings.warn(f'Ignoring unimportable $PYTHONBREAKPOINT: "{name}"', RuntimeWarning, stacklevel=2)
        return _ignore


def _ignore(*_args: object, **_options: object) -> None:
    pass


def _encoded(text: Any) -> bytes:
    encoded = os.fsencode(text)
    if b"\0" in encoded:
        raise ValueError("embedded null byte")
    return encoded


def _invalid() -> OSError:
    import errno

    return OSError(errno.EINVAL, os.strerror(errno.EINVAL))
