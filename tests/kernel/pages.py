"""What a notebook's page does with comms and widgets."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness import Client, Message, Result

CONTROL = "jupyter.widget.control"

# Leaves main without comms and targets: tests share it.
TIDY = """
import comm as _comm
_manager = _comm.get_comm_manager()
for _each in [*_manager.comms.values()]:
    _each.close()
for _each in [*_manager.targets]:
    _manager.unregister_target(_each, None)
"""


@dataclass
class Page:
    """The front end's ends of comms."""

    client: Client
    subshell: str | None = None  # what its messages go through

    def send(self, kind: str, content: Message, metadata: Message | None = None, buffers: Sequence[bytes] = ()) -> str:
        """Send any comm message; return its id."""
        raw = self.client.client
        message = raw.session.msg(kind, content, metadata=metadata or {})
        if self.subshell is not None:
            message["header"]["subshell_id"] = self.subshell
        return raw.session.send(raw.shell_channel.socket, message, buffers=list(buffers))["header"]["msg_id"]

    def done(self, message_id: str) -> Result:
        """All that a message brought about; it has no reply."""
        self.client._until(lambda: self.client.idle(message_id), "idle", "iopub")
        return Result({}, self.client.iopub[message_id])

    def open(
        self, target: str, data: Any = None, metadata: Message | None = None, **options: Any
    ) -> tuple[str, Result]:
        """Open a comm; its id, and what came of it."""
        comm_id = uuid.uuid4().hex
        content = {"comm_id": comm_id, "target_name": target, "data": data or {}}
        return comm_id, self.done(self.send("comm_open", content, metadata, **options))

    def post(self, comm_id: str, data: Any, **options: Any) -> str:
        return self.send("comm_msg", {"comm_id": comm_id, "data": data}, **options)

    def tell(self, comm_id: str, data: Any, **options: Any) -> Result:
        return self.done(self.post(comm_id, data, **options))

    def close(self, comm_id: str, data: Any = None) -> Result:
        return self.done(self.send("comm_close", {"comm_id": comm_id, "data": data or {}}))

    def comms(self, target: str | None = None) -> dict[str, Any]:
        """comm_info's."""
        content = {} if target is None else {"target_name": target}
        return self.client.result(self.client.request("comm_info_request", content)).reply["content"]["comms"]

    def all_states(self) -> Message:
        """What a page asks for when it is loaded: the message with the states of all widgets."""
        control = uuid.uuid4().hex
        self.send("comm_open", {"comm_id": control, "target_name": CONTROL, "data": {}}, {"version": "1.0.0"})
        request = self.post(control, {"method": "request_states"})

        def answers() -> list[Message]:
            return [message for message in self.client.iopub[request] if message["msg_type"] == "comm_msg"]

        self.client._until(answers, "the widgets' states", "iopub")
        self.send("comm_close", {"comm_id": control, "data": {}})
        return answers()[0]
