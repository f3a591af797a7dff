"""The `comm` package's interface, for widgets: its comms speak through this kernel, which knows whose each one is.

The package is third-party: nothing is done before somebody imports it.
"""

import sys

import _xinterp

from . import forks, kernel_object, tracebacks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    Message = dict[str, Any]

_manager: Any = None


def manager() -> Any:
    """The interpreter's `comm.CommManager`; imports the package."""
    import comm

    return comm.get_comm_manager()  # type: ignore[no-untyped-call]


def handle(message: Message) -> None:
    """Call what waits for the message. Errors are shown as part of it, and concern nobody else."""
    try:
        kind = message["header"]["msg_type"]
        message["msg_id"], message["msg_type"] = message["header"]["msg_id"], kind
        getattr(manager(), kind)(None, "", message)
    except BaseException as error:
        if _xinterp.in_forked_child():
            forks.end(error)
        _show(error)


def _show(error: BaseException) -> None:
    lines: Any = tracebacks.describe(error)["traceback"]
    print("\n".join(lines), file=sys.stderr)


def provide_again(_ipkernel: ModuleType) -> None:
    """ipykernel has put its own functions there."""
    provide(sys.modules["comm"])


def provide(package: ModuleType) -> None:
    """Replace `create_comm` and `get_comm_manager`, as the package wants a kernel to do."""
    global _manager
    if _manager is None:
        _manager = _make_manager(package)
    package.create_comm = _manager.make  # type: ignore[attr-defined]
    package.get_comm_manager = lambda: _manager  # type: ignore[attr-defined]


def _make_manager(package: ModuleType) -> Any:
    base: Any = package.base_comm

    class Comm(base.BaseComm):  # type: ignore[misc]
        """One end of a connection with the notebook's page; the other end is an object of the same `comm_id` there."""

        kernel = kernel_object.kernel
        publish_msg = _publish

        def handle_msg(self, msg: Message) -> None:
            if self._msg_callback:
                _with_events(self._msg_callback, msg)

    class CommManager(base.CommManager):  # type: ignore[misc]
        """The comms of this interpreter, and whom the page may open comms for."""

        make = Comm

        def register_target(self, target_name: str, f: Any) -> None:
            super().register_target(target_name, f)
            _xinterp.publish("comm_target", {"target_name": target_name, "registered": True})

        def unregister_target(self, target_name: str, f: Any) -> Any:
            _xinterp.publish("comm_target", {"target_name": target_name, "registered": False})
            return super().unregister_target(target_name, f)

        def register_comm(self, comm: Any) -> str:
            if not comm.primary:  # the kernel sees the others when they open
                _xinterp.publish("comm_join", {"comm_id": comm.comm_id, "target_name": comm.target_name})
            comm_id: str = super().register_comm(comm)
            return comm_id

        # Messages, as ipykernel calls these methods; but an error is its callback's own, and shown.

        def comm_open(self, stream: object, ident: object, msg: Message) -> None:
            content = msg["content"]
            comm = Comm(comm_id=content["comm_id"], primary=False, target_name=content["target_name"])
            super().register_comm(comm)
            try:
                self.targets[content["target_name"]](comm, msg)
            except BaseException:
                comm.close()
                raise

        def comm_msg(self, stream: object, ident: object, msg: Message) -> None:
            comm = self.comms.get(msg["content"]["comm_id"])
            if comm is not None:
                comm.handle_msg(msg)

        def comm_close(self, stream: object, ident: object, msg: Message) -> None:
            comm = self.comms.pop(msg["content"]["comm_id"], None)
            if comm is not None:
                comm._closed = True
                comm.handle_close(msg)

    return CommManager()


def _publish(
    self: Any, msg_type: str, data: object = None, metadata: object = None, buffers: object = None, **keys: object
) -> None:
    """Send a message to the pages, as part of the cell or callback that runs."""
    content = {"data": {} if data is None else data, "comm_id": self.comm_id, **keys}
    _xinterp.publish(msg_type, content, metadata, buffers)


def _with_events(callback: Any, message: Message) -> None:
    """Call it between IPython's events for code that runs, where IPython is there already."""
    shell = kernel_object.kernel.shell
    if shell is not None:
        shell.events.trigger("pre_execute")
    callback(message)
    if shell is not None:
        shell.events.trigger("post_execute")


def adapt(module: ModuleType) -> None:
    """Libraries of old make comms with ipykernel's class, which sends them through its own kernel."""
    module.BaseComm.publish_msg = _publish  # type: ignore[attr-defined]
