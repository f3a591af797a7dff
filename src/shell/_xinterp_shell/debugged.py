"""What is to happen at each beginning and end of people's code where JupyterLab's debugger has been switched on."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

server: Any = None  # the module debug_server, once the debugger has been on in this interpreter


def forget_this_thread() -> None:
    """It is another one for ``threading`` from here on."""
    if server is not None:
        server.forget_this_thread()


def watch() -> None:
    """People's code begins on this thread."""
    if server is not None:
        server.watch()


def unwatch() -> None:
    """It has ended. What the kernel does on this thread is not debugged, nor are questions of a person who types."""
    if server is not None:
        server.unwatch()


def without_frames(traceback: TracebackType | None) -> None:
    """Cut the debug server's frames off the traceback of an interrupt while the cell was stopped."""
    if server is not None:
        server.without_frames(traceback)
