"""What libraries use of ipykernel's kernel object."""

import _xinterp

from . import commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Kernel:
    """Stands where ipykernel has its kernel: ``get_ipython().kernel`` and ``comm.kernel``."""

    iopub_socket = None  # where send_response is told to send to
    shell: Any = None  # IPython's, once it is up in this interpreter

    def get_parent(self, channel: object = None) -> dict[str, Any]:
        """The message that the running code comes from: its cell's request, or the comm message that called it."""
        parent = commands.ask_kernel({"command": "parent"})
        header = parent["header"]
        return {
            **parent,
            "msg_id": header.get("msg_id", ""),
            "msg_type": header.get("msg_type", ""),
            "parent_header": {},
        }

    @property
    def _parent_header(self) -> dict[str, Any]:
        return self.get_parent()

    @property
    def comm_manager(self) -> Any:
        from .comms import manager

        return manager()

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


kernel = Kernel()
