"""The builtins that a notebook adds or replaces: input, display and its companions."""

import builtins

import _xinterp

from . import commands
from .import_hooks import after_import
from .stand_ins import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from .execution import Shell


_END_OF_FILE = "\x04"  # what consoles send for Ctrl-D


class StdinNotImplementedError(NotImplementedError):
    """The front end does not support input requests."""

    __module__ = "builtins"  # tracebacks show its name alone


def _ask(prompt: object, password: bool) -> str:
    __tracebackhide__ = True  # by IPython, as in input and getpass
    answer = _xinterp.ask_input(str(prompt), password)
    if "error" in answer:
        raise StdinNotImplementedError(answer["error"])
    if answer["value"] == _END_OF_FILE:
        raise EOFError
    return answer["value"]


def _input(_original: object, prompt: object = "", /) -> str:
    __tracebackhide__ = True
    return _ask(prompt, password=False)


def _getpass(
    _original: object, prompt: str = "Password: ", stream: object = None, *, echo_char: str | None = None
) -> str:
    __tracebackhide__ = True
    return _ask(prompt, password=True)


def _patch_getpass(module: ModuleType) -> None:
    stand_in(module, "getpass", _getpass)


def install(shell: Shell) -> None:
    """Make them builtins of this interpreter."""
    stand_in(builtins, "input", _input)
    displayer = shell.displayer
    builtins.display = displayer.display  # type: ignore[attr-defined]
    builtins.update_display = displayer.update_display  # type: ignore[attr-defined]
    builtins.clear_output = displayer.clear_output  # type: ignore[attr-defined]
    setattr(builtins, commands.FUNCTION, commands.make_function(shell))
    after_import("getpass", _patch_getpass)
