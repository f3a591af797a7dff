"""Threads that run cells of main beside its own: subshells. Imported by the first of them, on its thread."""

import threading

from . import debugged, figures, the_shell, waiting
from .runner import Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_prepared = False


class SubshellThread(threading._DummyThread):  # type: ignore[name-defined,misc]
    """What `threading.current_thread()` returns there: the kernel has started the thread and ends it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class Subshell(Runner):
    """One of them. It shares main's namespace, with `In` and `Out`."""

    def ask(self, request: dict[str, Any]) -> dict[str, object]:
        """What the kernel asks of main: this thread waits for no cell of main's own."""
        return self.shell.ask(request)

    def end(self, _: None) -> None:
        """The thread ends."""
        figures.end()
        self.loop.end()


def begin(name: str) -> Subshell:
    """Make the calling thread a subshell's."""
    global _prepared
    if not _prepared:
        _prepared = True
        waiting.slice_waits()
        figures.install()
    SubshellThread(name)
    debugged.forget_this_thread()
    figures.begin()
    return Subshell(the_shell, f"_{name.replace('-', '_')}")
