"""A real kernel over real sockets, and a client that sorts what arrives by the cell that it belongs to."""

import contextlib
import os
import random
import re
import socket
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from queue import Empty
from types import TracebackType
from typing import Any, Self

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

Message = dict[str, Any]
PATIENCE = 60  # seconds until a test gives up; nothing takes nearly as long
EMPTY_ANSWER = 0.25  # seconds after which the kernel gives an empty one, at the earliest

WAIT = "import os, time\nwhile not os.path.exists('{go}'): time.sleep(0.001)\n"
"""Code that waits for a file."""

_WORKERS = 16  # at most, with ports of their own
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def plain(text: str) -> str:
    """The text without its colours."""
    return _COLOUR.sub("", text)


def free_ports(count: int) -> list[int]:
    """Ports for servers that cannot be told to take any: below those that outgoing connections of others are given, and
    not those of the other workers, which might take them before the server does.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    first, each = 15_000, 16_000 // _WORKERS
    with contextlib.ExitStack() as taken:
        ports: list[int] = []
        while len(ports) < count:
            candidate = taken.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                candidate.bind(("127.0.0.1", first + worker * each + random.randrange(each)))
                ports.append(candidate.getsockname()[1])
        return ports


def free_port() -> int:
    return free_ports(1)[0]


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Until it is true; ``what`` did not happen if that takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {seconds:g} s: {what}"
        time.sleep(0.02)


def is_running(process: int) -> bool:
    """Whether it has not ended yet, whoever its parent is."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError, ProcessLookupError:
        return False


def wait_until_listening(port: int) -> None:
    """Until a server takes connections: Jupyter prints its address before it listens there."""

    def listens() -> bool:
        with socket.socket() as candidate:
            return candidate.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens, f"somebody listens on port {port}")


def joined(messages: list[Message]) -> list[Message]:
    """With what was written to one stream in one message: text may come in several, as the writer was scheduled."""
    whole: list[Message] = []
    for stream, group in groupby(messages, lambda m: m["content"]["name"] if m["msg_type"] == "stream" else None):
        if stream is None:
            whole += group
        else:
            parts = [*group]
            text = "".join(part["content"]["text"] for part in parts)
            whole.append(parts[0] | {"content": {"name": stream, "text": text}})
    return whole


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

    def send(self, code: str, subshell: str | None = None, **options: Any) -> str:
        """Send a cell; return its message's id."""
        options.setdefault("allow_stdin", False)
        if subshell is None:
            return self.client.execute(code, **options)
        return self.request("execute_request", {"code": code, **options}, subshell=subshell)

    def request(
        self, kind: str, content: Message | None = None, channel: str = "shell", subshell: str | None = None
    ) -> str:
        """Send any request; return its message's id."""
        message = self.client.session.msg(kind, content or {})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
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
        return Result(self.reply(parent, channel), joined(self.iopub[parent]))

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

    def wait_for_idle(self, parent: str) -> None:
        """Until all is said about a request, also one that has no reply."""
        self._until(lambda: self.idle(parent), "idle", "iopub")

    def run(self, code: str, **options: Any) -> Result:
        return self.result(self.send(code, **options))

    def ok(self, code: str, **options: Any) -> Result:
        """Run a cell that must succeed."""
        result = self.run(code, **options)
        assert result.status == "ok", result.traceback
        return result

    def ask(self, kind: str, code: str, subshell: str | None = None, **content: Any) -> Message:
        """The content of the reply to a question about code: complete, inspect or is_complete.

        A machine that is busy with other tests may keep an interpreter from answering in time: a person asks again.
        """
        for _ in range(5):
            asked = time.monotonic()
            question = {"code": code, "cursor_pos": len(code), **content}
            reply = self.result(self.request(f"{kind}_request", question, subshell=subshell)).reply["content"]
            is_empty = reply["status"] == "unknown" or not (reply.get("matches", True) and reply.get("found", True))
            if not is_empty or time.monotonic() - asked < EMPTY_ANSWER:
                break
        return reply

    def interpreters(self) -> list[str]:
        """The rows of the table of interpreters below main's."""
        return self.ok("%interp").of("display_data")[0]["data"]["text/plain"].splitlines()[2:]

    def close_interpreters(self) -> None:
        """Until all but main are gone: one with IPython may take more than a second, and has its name until then."""
        if [row for row in self.interpreters() if "closing" not in row.split()]:
            self.ok("%interp close all --force")
        deadline = time.monotonic() + PATIENCE
        while self.interpreters():
            assert time.monotonic() < deadline, "an interpreter does not end"
            time.sleep(0.02)

    def interrupt(self, subshell: str | None = None) -> Message:
        """What the stop button does."""
        return self.reply(self.request("interrupt_request", channel="control", subshell=subshell), "control")

    def let_go(self, file: Path) -> None:
        """Ends WAIT, once all that was sent before is in the kernel."""
        self.reply(self.request("kernel_info_request"))
        file.touch()

    def control(self, kind: str, content: Message | None = None) -> Message:
        """The content of the reply to a request on control, when all is said about it."""
        return self.result(self.request(kind, content, "control"), "control").reply["content"]

    def create_subshell(self) -> str:
        return self.control("create_subshell_request")["subshell_id"]

    def delete_subshell(self, subshell: str) -> Message:
        return self.control("delete_subshell_request", {"subshell_id": subshell})

    def subshells(self) -> list[str]:
        return self.control("list_subshell_request")["subshell_id"]


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
        # Ports that no outgoing connection of others is given meanwhile; the manager would choose other ones.
        self.manager.cache_ports = False
        channels = ("shell", "iopub", "stdin", "hb", "control")
        for channel, port in zip(channels, free_ports(len(channels)), strict=True):
            setattr(self.manager, f"{channel}_port", port)
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

    def threads(self) -> list[str]:
        """The names of the process's threads, sorted, as the operating system knows them."""
        names = []
        for name in Path(f"/proc/{self.pid}/task").glob("*/comm"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                names.append(name.read_text().strip())
        return sorted(names)

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
