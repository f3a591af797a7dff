"""What libraries use of the session of ipykernel's kernel.

Imports jupyter_client: to be imported only where code asks for a session.
"""

from typing import Any

import _xinterp
from jupyter_client.session import Session, extract_header

from . import kernel_object


class KernelSession(Session):
    """Makes messages as jupyter_client does; what it sends goes to the front ends."""

    def send(  # type: ignore[override]
        self,
        stream: object,
        msg_or_type: dict[str, Any] | str,
        content: dict[str, Any] | None = None,
        parent: dict[str, Any] | None = None,
        ident: object = None,
        buffers: Any = None,
        track: bool = False,
        header: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send the message to all front ends, under its parent; without one, under the running code's."""
        if isinstance(msg_or_type, str):
            message = self.msg(msg_or_type, content, parent, header, metadata)
        else:
            message = msg_or_type
            buffers = buffers or message.get("buffers", [])
        parent_header = extract_header(parent) if parent else message["parent_header"]
        before = kernel_object.show_under(parent_header) if parent_header else None
        try:
            _xinterp.publish(message["header"]["msg_type"], message["content"], message["metadata"], buffers)
        finally:
            if before is not None:
                _xinterp.show_under(before)
        return message
