"""What the panel knows of a kernel: the protocol of docs/panel-protocol.md, as a front end speaks it."""

import time
import uuid
from collections.abc import Callable
from typing import Any

from harness import PATIENCE, Client, Message, Result
from pages import Page

COMM = "xinterp.panel"


class Panel:
    """Follows the events; fails if one is left out."""

    def __init__(self, client: Client, colours: bool = False) -> None:
        self.client = client
        self.page = Page(client)
        self.sequence = -1
        self.interpreters: dict[int, Message] = {}
        self.runs: dict[int, Message] = {}
        self.uses: dict[str, list[int]] = {}
        self.results: dict[str, Message] = {}
        self.events: list[Message] = []
        self.refusals: list[Message] = []
        self._seen: set[str] = set()
        self.open(colours=colours)
        self.until(lambda: self.sequence >= 0, "a snapshot")

    def open(self, version: int = 1, colours: bool = False, comm_id: str = COMM) -> Result:
        content = {"comm_id": comm_id, "target_name": COMM, "data": {"version": version, "colours": colours}}
        return self.page.done(self.page.send("comm_open", content))

    def _read(self) -> None:
        for messages in [*self.client.iopub.values()]:
            for message in messages:
                identity = message["header"]["msg_id"]
                if message["msg_type"] != "comm_msg" or message["content"]["comm_id"] != COMM:
                    continue
                if identity not in self._seen:
                    self._seen.add(identity)
                    self._take(message["content"]["data"])

    def _take(self, data: Message) -> None:
        kind = data["type"]
        if kind == "snapshot" and data["sequence"] >= self.sequence:
            self.sequence = data["sequence"]
            self.interpreters = {row["id"]: row for row in data["interpreters"]}
            self.runs = {run["id"]: run for run in data["runs"]}
            self.uses = data["uses"]
        elif kind == "event" and data["sequence"] > self.sequence >= 0:
            assert data["sequence"] == self.sequence + 1, "an event was left out"
            self.sequence += 1
            self.events.append(data)
            self.interpreters |= {row["id"]: row for row in data.get("interpreters", [])}
            for gone in data.get("gone", []):
                del self.interpreters[gone]
            self.runs |= {run["id"]: run for run in data.get("runs", [])}
            self.uses = data.get("uses", self.uses)
        elif kind == "result":
            self.results[data["id"]] = data
        elif kind == "refusal":
            self.refusals.append(data)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Its value, once it is true of what has been told."""
        deadline = time.monotonic() + PATIENCE
        self._read()
        while not (value := condition()):
            assert time.monotonic() < deadline, f"{what} was not told; known is {self.interpreters}, {self.runs}"
            self.client.read_available(0.2)
            self._read()
        return value

    def state(self) -> tuple[int, dict[int, Message]]:
        """What has been told until now: the last event's number, and all rows."""
        self.client.read_available(0.2)
        self._read()
        return self.sequence, self.interpreters

    def row(self, label: str) -> Message | None:
        return next((row for row in self.interpreters.values() if row["label"] == label), None)

    def until_row(self, label: str, **fields: Any) -> Message:
        """The row of that interpreter, once its fields are these."""

        def found() -> Message | None:
            row = self.row(label)
            return row if row is not None and all(row[name] == value for name, value in fields.items()) else None

        return self.until(found, f"{label} with {fields}")

    def until_gone(self, label: str) -> None:
        self.until(lambda: self.row(label) is None, f"the end of {label}")

    def until_run(self, message: str, **fields: Any) -> Message:
        """The run of that request, once its fields are these."""

        def found() -> Message | None:
            of = [run for run in self.runs.values() if run["message"] == message]
            return next((run for run in of if all(run[name] == value for name, value in fields.items())), None)

        return self.until(found, f"a run of {message} with {fields}")

    def start(self, request: Message) -> str:
        """Send a command; its id."""
        identity = uuid.uuid4().hex
        self.page.post(COMM, {"type": "command", "id": identity, "request": request})
        return identity

    def result(self, identity: str) -> Message:
        return self.until(lambda: self.results.get(identity), "the result of a command")

    def command(self, command: str, **arguments: Any) -> Message:
        return self.result(self.start({"command": command} | arguments))
