"""The builtins that a notebook adds or replaces: input, display and its companions."""

import builtins

import _xinterp

from . import commands
from .import_hooks import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from .execution import Shell


_END_OF_FILE = "\x04"  # what consoles send for Ctrl-D


class StdinNotImplementedError(NotImplementedError):
    """The front end does not support input requests."""


def _ask(prompt: object, password: bool) -> str:
    __tracebackhide__ = True  # by IPython, as in input and getpass
    answer = _xinterp.ask_input(str(prompt), password)
    if "error" in answer:
        raise StdinNotImplementedError(answer["error"])
    if answer["value"] == _END_OF_FILE:
        raise EOFError
    return answer["value"]


def input(prompt: object = "", /) -> str:
    """Read a string from the notebook's front end.

    The prompt string, if given, is shown beside the field; outside main the interpreter's name comes first.
    """
    __tracebackhide__ = True
    return _ask(prompt, password=False)


def getpass(prompt: str = "Password: ", stream: object = None, *, echo_char: str | None = None) -> str:
    """Ask for a password in the notebook's front end, which does not show it."""
    __tracebackhide__ = True
    return _ask(prompt, password=True)


def _patch_getpass(module: ModuleType) -> None:
    module.getpass = getpass  # type: ignore[attr-defined]


def install(shell: Shell) -> None:
    """Make them builtins of this interpreter."""
    input.__module__ = "builtins"
    builtins.input = input  # type: ignore[assignment]
    displayer = shell.displayer
    builtins.display = displayer.display  # type: ignore[attr-defined]
    builtins.update_display = displayer.update_display  # type: ignore[attr-defined]
    builtins.clear_output = displayer.clear_output  # type: ignore[attr-defined]
    setattr(builtins, commands.FUNCTION, commands.make_function(shell))
    after_import("getpass", _patch_getpass)
