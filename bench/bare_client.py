"""A Jupyter client of bare sockets: as little as possible between the clock and the kernel."""

import hashlib
import hmac
import json
import random
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import zmq

DELIMITER = b"<IDS|MSG>"
PROTOCOL = "5.4"
# Below the ports that Linux gives to outgoing connections: a client that knocks on such a port before the kernel
# listens there can end up connected to itself, and the kernel then finds the port taken.
FIRST_PORT, LAST_PORT = 15_000, 32_000
QUIET = 3.0  # seconds without a message, after the reply, until an `idle` counts as lost

type Message = dict[str, Any]


class BenchError(Exception):
    """A kernel did not do what a measure needs; the text says what."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens now, all different."""
    held: list[socket.socket] = []
    while len(held) < count:
        candidate = socket.socket()
        try:
            candidate.bind(("127.0.0.1", random.randrange(FIRST_PORT, LAST_PORT)))
            held.append(candidate)
        except OSError:
            candidate.close()
    ports = [candidate.getsockname()[1] for candidate in held]
    for candidate in held:
        candidate.close()
    return ports


@dataclass(frozen=True)
class Connection:
    """The ports and the signing key of one kernel."""

    ports: dict[str, int]
    key: str

    @classmethod
    def fresh(cls) -> Self:
        channels = ("shell", "iopub", "stdin", "control", "hb")
        return cls(dict(zip(channels, free_ports(len(channels)), strict=True)), uuid.uuid4().hex)

    def write(self, path: Path) -> None:
        fields: Message = {f"{channel}_port": port for channel, port in self.ports.items()}
        fields |= {"ip": "127.0.0.1", "transport": "tcp", "key": self.key, "signature_scheme": "hmac-sha256"}
        path.write_text(json.dumps(fields), encoding="utf-8")

    def address(self, channel: str) -> str:
        return f"tcp://127.0.0.1:{self.ports[channel]}"


@dataclass
class Output:
    """What came on iopub for one request, and when it was over."""

    streams: list[tuple[str, str]]  # (stdout or stderr, text), in the order of arrival
    seconds: float  # from sending to idle, or to the last message where idle never came
    idle: bool

    def text(self, name: str) -> str:
        return "".join(text for stream, text in self.streams if stream == name)


class BareClient:
    """Shell, control and iopub of one kernel. The sockets connect at once; the kernel may start listening later."""

    def __init__(self, connection: Connection) -> None:
        self._session = uuid.uuid4().hex
        self._signature = hmac.new(connection.key.encode(), digestmod=hashlib.sha256)
        self._context = zmq.Context()
        self.shell = self._connect(zmq.DEALER, connection.address("shell"))
        self.control = self._connect(zmq.DEALER, connection.address("control"))
        self.iopub = self._connect(zmq.SUB, connection.address("iopub"))
        self.iopub.subscribe(b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.destroy(linger=0)

    def _connect(self, kind: int, address: str) -> zmq.Socket[bytes]:
        connected: zmq.Socket[bytes] = self._context.socket(kind)
        connected.linger = 0
        connected.rcvhwm = 0  # what is lost, the kernel has lost
        connected.reconnect_ivl = 1  # ms: the start of a kernel is not rounded up to ZeroMQ's 100
        connected.connect(address)
        return connected

    def _sign(self, frames: list[bytes]) -> bytes:
        signature = self._signature.copy()
        for frame in frames:
            signature.update(frame)
        return signature.hexdigest().encode()

    def send(self, channel: zmq.Socket[bytes], kind: str, content: Message) -> str:
        """Sends a request and returns its id."""
        request, frames = self.build(kind, content)
        channel.send_multipart(frames)
        return request

    def build(self, kind: str, content: Message) -> tuple[str, list[bytes]]:
        """A request, signed and ready to be sent, and its id."""
        request = uuid.uuid4().hex
        header = {
            "msg_id": request,
            "msg_type": kind,
            "session": self._session,
            "username": "bench",
            "date": datetime.now(UTC).isoformat(),
            "version": PROTOCOL,
        }
        frames = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        return request, [DELIMITER, self._sign(frames), *frames]

    def execute(self, code: str) -> str:
        return self.send(self.shell, "execute_request", execute_content(code))

    def receive(self, channel: zmq.Socket[bytes], timeout: float) -> list[bytes]:
        """The next message as [header, parent header, metadata, content, ...], not yet parsed. Raises TimeoutError."""
        if not channel.poll(max(0, int(timeout * 1000))):
            raise TimeoutError
        frames = channel.recv_multipart()
        return frames[frames.index(DELIMITER) + 2 :]

    def reply(self, request: str, timeout: float, channel: zmq.Socket[bytes] | None = None) -> Message:
        """The content of the reply to a request; replies to older ones are passed over."""
        deadline = time.perf_counter() + timeout
        while True:
            try:
                frames = self.receive(channel or self.shell, deadline - time.perf_counter())
            except TimeoutError:
                raise BenchError(f"no reply within {timeout:.0f} s") from None
            if json.loads(frames[1]).get("msg_id") == request:
                content: Message = json.loads(frames[3])
                return content

    def run(self, code: str, timeout: float = 60) -> Output:
        """Runs a cell and takes all that comes of it. Raises BenchError if the cell fails."""
        start = time.perf_counter()
        request = self.execute(code)
        output = self._collect(request.encode(), start, timeout)
        reply = self.reply(request, timeout)
        if reply["status"] != "ok":
            raise BenchError(f"a cell failed: {reply.get('ename')}: {reply.get('evalue')}")
        return output

    def _collect(self, request: bytes, start: float, timeout: float) -> Output:
        raw: list[list[bytes]] = []  # parsed when the clock has stopped
        last = start
        idle = False
        while not idle:
            try:
                frames = self.receive(self.iopub, QUIET)
            except TimeoutError:
                if self.shell.poll(0):
                    break  # the cell has ended and its idle is lost
                if time.perf_counter() - start > timeout:
                    raise BenchError(f"a cell did not end within {timeout:.0f} s") from None
                continue
            last = time.perf_counter()
            if request in frames[1]:
                raw.append(frames)
                idle = b'"idle"' in frames[3] and b'"status"' in frames[0]
        return Output(list(_streams(raw)), last - start, idle)

    def wait_started(self, request: str, timeout: float = 20) -> None:
        """Until the kernel has said on iopub that it runs this cell."""
        self._wait_for("execute_input", request, timeout, "did not start")

    def wait_written(self, request: str, timeout: float = 20) -> None:
        """Until this cell has printed something."""
        self._wait_for("stream", request, timeout, "printed nothing")

    def _wait_for(self, kind: str, request: str, timeout: float, problem: str) -> None:
        deadline = time.perf_counter() + timeout
        while True:
            try:
                frames = self.receive(self.iopub, deadline - time.perf_counter())
            except TimeoutError:
                raise BenchError(f"a cell {problem}") from None
            if request.encode() in frames[1] and f'"{kind}"'.encode() in frames[0]:
                return

    def wait_ready(self, timeout: float = 30) -> None:
        """Until the kernel answers on shell and is heard on iopub."""
        deadline = time.perf_counter() + timeout
        while time.perf_counter() < deadline:
            request = self.send(self.shell, "kernel_info_request", {})
            self.reply(request, deadline - time.perf_counter())
            if self.iopub.poll(100):
                self.run("pass")
                return
        raise BenchError("nothing was heard on iopub")


def execute_content(code: str) -> Message:
    options = {"silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
    return {"code": code, "user_expressions": {}, **options}


def _streams(messages: list[list[bytes]]) -> Iterator[tuple[str, str]]:
    for frames in messages:
        if b'"stream"' in frames[0]:
            content = json.loads(frames[3])
            yield content["name"], content["text"]
