"""What libraries use of ipykernel's kernel object."""

import _xinterp

from . import commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any

    Message = dict[str, Any]


class Stream:
    """Stands for the socket of a channel, which the I/O thread alone uses: there is nothing to flush."""

    def flush(self, *_: object, **__: object) -> None:
        pass


class Handlers(dict[str, "Any"]):
    """What is called for the requests that the front end sends to this interpreter: those about comms.

    No others can be added or replaced: the I/O thread serves them, beside Python.
    """

    def __setitem__(self, kind: str, handler: object) -> None:
        raise NotImplementedError(
            f"xinterp serves {kind} outside of Python: its handler cannot be set. For messages of your own use a comm "
            "(comm.create_comm)."
        )


class Kernel:
    """Stands where ipykernel has its kernel: ``get_ipython().kernel`` and ``comm.kernel``."""

    iopub_socket = None  # where send_response is told to send to
    shell: Any = None  # IPython's, once it is up in this interpreter

    def __init__(self) -> None:
        self.shell_stream = Stream()
        self._about: dict[str, Any] = {}
        self._session: Any = None

    # --- the message that the running code comes from

    def get_parent(self, channel: object = None) -> Message:
        """The message that the running code comes from: its cell's request, or the comm message that called it.

        Of a message that set_parent() was given, and of a cell that has ended, the header alone.
        """
        parent = commands.ask_kernel({"command": "parent", "cell": _xinterp.output_cell()})
        header = parent["header"]
        return {
            **parent,
            "msg_id": header.get("msg_id", ""),
            "msg_type": header.get("msg_type", ""),
            "parent_header": {},
        }

    def set_parent(self, ident: object, parent: Message, channel: object = "shell") -> None:
        """Show what the calling thread writes from now on under that message."""
        show_under(parent)

    @property
    def _parent_header(self) -> Message:
        return self.get_parent()

    # --- what the kernel is

    @property
    def about(self) -> dict[str, Any]:
        """The content of its kernel_info_reply, with its ``session`` and the path of its ``connection_file``."""
        if not self._about:
            self._about = commands.ask_kernel({"command": "about"})
        return self._about

    @property
    def implementation(self) -> str:
        return self.about["implementation"]  # type: ignore[no-any-return]

    @property
    def implementation_version(self) -> str:
        return self.about["implementation_version"]  # type: ignore[no-any-return]

    @property
    def language_info(self) -> dict[str, Any]:
        return self.about["language_info"]  # type: ignore[no-any-return]

    @property
    def banner(self) -> str:
        return self.about["banner"]  # type: ignore[no-any-return]

    @property
    def execution_count(self) -> int:
        """The number of the running cell."""
        from . import the_shell

        return the_shell.cells.current.count

    @property
    def user_ns(self) -> dict[str, Any]:
        """The interpreter's variables."""
        import __main__

        return __main__.__dict__

    @property
    def log(self) -> logging.Logger | logging.LoggerAdapter[Any]:
        """IPython's logger."""
        if self.shell is not None:
            return self.shell.log  # type: ignore[no-any-return]
        from traitlets.log import get_logger

        return get_logger()

    @property
    def io_loop(self) -> Any:
        """The event loop of the interpreter's cells, as tornado's object."""
        from tornado.ioloop import IOLoop

        from . import the_shell

        loop = the_shell.loop.get()
        known = IOLoop._ioloop_for_asyncio.get(loop)
        return IOLoop(asyncio_loop=loop, make_current=False) if known is None else known

    # --- messages

    @property
    def comm_manager(self) -> Any:
        from .comms import manager

        return manager()

    @property
    def shell_handlers(self) -> Handlers:
        """What is called for comm messages, by their type."""
        comms = self.comm_manager
        return Handlers({kind: getattr(comms, kind) for kind in ("comm_open", "comm_msg", "comm_close")})

    @property
    def session(self) -> Any:
        """A ``jupyter_client.session.Session`` that makes messages, and sends them to the front ends."""
        if self._session is None:
            from .kernel_session import KernelSession

            self._session = KernelSession(session=self.about["session"])
        return self._session

    def send_response(
        self,
        stream: object,
        msg_or_type: str,
        content: object = None,
        ident: object = None,
        buffers: object = None,
        track: object = False,
        header: object = None,
        metadata: object = None,
        channel: object = None,
    ) -> None:
        """Send a message to the front ends, as part of the running code."""
        _xinterp.publish(msg_or_type, content or {}, metadata, buffers)


def show_under(parent: Message | None) -> int:
    """Show what the calling thread writes in its context from now on under that message, or header of one.

    Threads and tasks that it starts inherit that. What was set before is returned, for ``_xinterp.show_under``.
    """
    header = parent or {}
    if isinstance(header, dict) and "header" in header:
        header = header["header"]
    if not isinstance(header, dict) or (header and "msg_id" not in header):
        raise ValueError(
            "what is set for a parent must be a message, as get_parent() returns it, or the header of one: there is no "
            "msg_id in it"
        )
    cell: Any = commands.ask_kernel({"command": "cell_of", "header": header})
    return _xinterp.show_under(cell)


kernel = Kernel()
