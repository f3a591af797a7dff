"""A real kernel over real sockets, and a client that sorts what arrives by the cell that it belongs to."""

import random
import re
import socket
import time
from collections import defaultdict
from dataclasses import dataclass, field
from queue import Empty
from types import TracebackType
from typing import Any, Self

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

Message = dict[str, Any]
PATIENCE = 60  # seconds until a test gives up; nothing takes nearly as long

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def plain(text: str) -> str:
    """The text without its colours."""
    return _COLOUR.sub("", text)


def free_port() -> int:
    """A port for a server that cannot be told to take any: below those that outgoing connections of others are given."""
    while True:
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", random.randrange(15_000, 32_000)))
                return candidate.getsockname()[1]
            except OSError:
                continue


def wait_until_listening(port: int) -> None:
    """Until a server takes connections: Jupyter prints its address before it listens there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with socket.socket() as candidate:
            if candidate.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, f"nobody listens on port {port}"
        time.sleep(0.02)


@dataclass
class Result:
    """All that a cell sent."""

    reply: Message
    messages: list[Message] = field(default_factory=list)

    def of(self, *types: str) -> list[Message]:
        """The contents of its iopub messages of these types, in order."""
        return [message["content"] for message in self.messages if message["msg_type"] in types]

    def stream(self, name: str) -> str:
        return "".join(content["text"] for content in self.of("stream") if content["name"] == name)

    @property
    def status(self) -> str:
        return self.reply["content"]["status"]

    @property
    def stdout(self) -> str:
        return self.stream("stdout")

    @property
    def stderr(self) -> str:
        return self.stream("stderr")

    @property
    def value(self) -> str | None:
        """text/plain of its result."""
        results = self.of("execute_result")
        return results[-1]["data"]["text/plain"] if results else None

    @property
    def error(self) -> str:
        """ename: evalue of its reply."""
        content = self.reply["content"]
        return f"{content['ename']}: {content['evalue']}"

    @property
    def traceback(self) -> str:
        return plain("\n".join("\n".join(error["traceback"]) for error in self.of("error")))

    @property
    def states(self) -> list[str]:
        return [content["execution_state"] for content in self.of("status")]


class Client:
    """One front end of a kernel."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.iopub: dict[str, list[Message]] = defaultdict(list)
        self.replies: dict[str, Message] = {}
        self._idle: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.stop_channels()

    def send(self, code: str, **options: Any) -> str:
        """Send a cell; return its message's id."""
        options.setdefault("allow_stdin", False)
        return self.client.execute(code, **options)

    def request(self, kind: str, content: Message | None = None, channel: str = "shell") -> str:
        """Send any request; return its message's id."""
        message = self.client.session.msg(kind, content or {})
        getattr(self.client, f"{channel}_channel").send(message)
        return message["header"]["msg_id"]

    def _read(self, channel: str, seconds: float) -> bool:
        try:
            message = getattr(self.client, f"get_{channel}_msg")(timeout=seconds)
        except Empty:
            return False
        parent = message["parent_header"].get("msg_id", "")
        if channel == "iopub":
            self.iopub[parent].append(message)
            if message["content"].get("execution_state") == "idle":
                self._idle.add(parent)
        else:
            assert parent not in self.replies, f"a second reply to one request: {message}"
            self.replies[parent] = message
        return True

    def read_available(self, seconds: float = 0.0) -> None:
        """Take in what has arrived on iopub; wait that long for the first message."""
        while self._read("iopub", seconds):
            seconds = 0.0

    def _until(self, condition: Any, what: str, channel: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if not self._read(channel, 0.2) and time.monotonic() > deadline:
                recent = [[m["msg_type"], m["content"]] for ms in self.iopub.values() for m in ms][-5:]
                raise AssertionError(f"{what} did not come; the last messages: {str(recent)[:2000]}")

    def idle(self, parent: str) -> bool:
        return parent in self._idle

    def reply(self, parent: str, channel: str = "shell") -> Message:
        """The reply to a request."""
        self._until(lambda: parent in self.replies, "the reply", channel)
        return self.replies[parent]

    def result(self, parent: str, channel: str = "shell") -> Result:
        """A cell's (or any request's) reply and messages, when its idle has come."""
        # iopub first: a client that does not read it slows its cell down
        self._until(lambda: self.idle(parent), "idle", "iopub")
        return Result(self.reply(parent, channel), self.iopub[parent])

    def wait_for_start(self, parent: str) -> None:
        """Until a cell is first in its client's queue."""
        self._until(lambda: any(m["msg_type"] == "execute_input" for m in self.iopub[parent]), "execute_input", "iopub")

    def wait_for_text(self, parent: str, text: str) -> None:
        """Until a cell's streams contain the text."""
        self._until(
            lambda: text in "".join(m["content"]["text"] for m in self.iopub[parent] if m["msg_type"] == "stream"),
            repr(text),
            "iopub",
        )

    def run(self, code: str, **options: Any) -> Result:
        return self.result(self.send(code, **options))

    def ok(self, code: str, **options: Any) -> Result:
        """Run a cell that must succeed."""
        result = self.run(code, **options)
        assert result.status == "ok", result.traceback
        return result

    def interrupt(self) -> Message:
        """What the stop button does."""
        return self.reply(self.request("interrupt_request", channel="control"), "control")


class Kernel:
    """A kernel process and its first client."""

    def __init__(self, spec: str | list[str] = "xinterp", **options: Any) -> None:
        """``spec`` is a kernelspec's name, or the command that such a one would hold, without ``-f FILE``."""
        if isinstance(spec, str):
            self.manager = KernelManager(kernel_name=spec)
        else:
            self.manager = KernelManager()
            argv = [*spec, "-f", "{connection_file}"]
            self.manager._kernel_spec = KernelSpec(argv=argv, language="python", interrupt_mode="message")
        # Ports that no outgoing connection of others is given meanwhile.
        for channel in ("shell", "iopub", "stdin", "hb", "control"):
            setattr(self.manager, f"{channel}_port", free_port())
        self.manager.start_kernel(**options)
        self.client = self.connect()

    @property
    def pid(self) -> int:
        return self.manager.provisioner.pid

    def connect(self) -> Client:
        """Another client, ready: its iopub subscription is known to be in place."""
        raw = self.manager.blocking_client()
        raw.start_channels()
        raw.wait_for_ready(timeout=PATIENCE)
        return Client(raw)

    def is_alive(self) -> bool:
        return self.manager.is_alive()

    def wait_for_end(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def stop(self) -> None:
        self.client.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
