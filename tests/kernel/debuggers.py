"""JupyterLab's side of the debugger: debug_request on control, debug_event on iopub."""

import time
from collections.abc import Callable
from typing import Any

from harness import PATIENCE, Client, Message

CELL = """def double(number):
    twice = number * 2
    return twice
data = {"key": [1, 2]}
for i in range(3):
    last = double(i)
print("done", last)"""


def label(place: str) -> str:
    """What stands before the names of its frames and threads."""
    return "[alice] " if "alice" in place else ""


class Debugger:
    """Speaks with a kernel's debugger as JupyterLab does."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.events: list[Message] = []
        self._seen: set[str] = set()
        self._sequence = 0
        self._read()
        self.events.clear()  # of debuggers before this one

    # Requests

    def send(self, command: str, **arguments: Any) -> str:
        self._sequence += 1
        content = {"type": "request", "seq": self._sequence, "command": command, "arguments": arguments}
        return self.client.request("debug_request", content, "control")

    def ask(self, command: str, **arguments: Any) -> Message:
        """The reply's content, whether it succeeds or not."""
        reply = self.client.result(self.send(command, **arguments), "control").reply["content"]
        assert (reply["type"], reply["command"]) == ("response", command)
        assert reply["request_seq"] == self._sequence
        return reply

    def do(self, command: str, **arguments: Any) -> Message:
        """The body of a reply that must succeed."""
        reply = self.ask(command, **arguments)
        assert reply["success"], reply["message"]
        return reply["body"]

    def refusal(self, command: str, **arguments: Any) -> str:
        reply = self.ask(command, **arguments)
        assert not reply["success"]
        return reply["message"]

    # What a person does

    def switch_on(self) -> None:
        self.do("initialize", clientID="jupyterlab", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
        self.do("attach")

    def switch_off(self) -> None:
        self.do("disconnect", restart=False, terminateDebuggee=False)

    def set_breakpoints(self, cell: str, *lines: int | Message) -> str:
        """The cell's path. A line, or a breakpoint with a condition and the like."""
        path = self.do("dumpCell", code=cell)["sourcePath"]
        wanted = [line if isinstance(line, dict) else {"line": line} for line in lines]
        set_ = self.do("setBreakpoints", source={"path": path}, breakpoints=wanted, sourceModified=False)["breakpoints"]
        assert [each["verified"] for each in set_] == [True] * len(lines), set_
        self.do("configurationDone")
        return path

    def run(self, cell: str, *lines: int | Message) -> str:
        """Send a cell with breakpoints in it; its message's id."""
        self.set_breakpoints(cell, *lines)
        return self.client.send(cell)

    def threads(self) -> dict[int, str]:
        """The names of the threads of all interpreters that are connected."""
        return {thread["id"]: thread["name"] for thread in self.do("threads")["threads"]}

    def children(self, variable: Message) -> dict[str, Message]:
        """What is in a variable, by name."""
        found = self.do("variables", variablesReference=variable["variablesReference"])["variables"]
        return {each["name"]: each for each in found}

    # Events

    def _read(self) -> None:
        for messages in [*self.client.iopub.values()]:
            for message in messages:
                if message["msg_type"] == "debug_event" and message["header"]["msg_id"] not in self._seen:
                    self._seen.add(message["header"]["msg_id"])
                    self.events.append(message["content"])
        self.events.sort(key=lambda event: event["seq"])

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            self._read()
            if found := condition():
                return found
            assert time.monotonic() < deadline, f"{what} did not come: {self.events[-5:]}"
            self.client.read_available(0.2)

    def event(self, name: str) -> Message:
        """The body of the next event of that name; it and those before are taken."""

        def find() -> Message | None:
            return next((event for event in self.events if event["event"] == name), None)

        found = self.until(find, name)
        del self.events[: self.events.index(found) + 1]
        return found["body"]

    def stop(self) -> Stop:
        """The next stop of a thread."""
        return Stop(self, self.event("stopped"))


class Stop:
    """A thread that is stopped, with what JupyterLab asks for then."""

    def __init__(self, debugger: Debugger, body: Message) -> None:
        self.debugger = debugger
        self.reason: str = body["reason"]
        self.thread: int = body["threadId"]
        self.frames: list[Message] = debugger.do("stackTrace", threadId=self.thread)["stackFrames"]

    @property
    def places(self) -> list[tuple[str, int]]:
        """Names and lines of the frames, the innermost first."""
        return [(frame["name"], frame["line"]) for frame in self.frames]

    def scope(self, name: str = "Locals", frame: int = 0) -> list[Message]:
        scopes = self.debugger.do("scopes", frameId=self.frames[frame]["id"])["scopes"]
        reference = next(scope["variablesReference"] for scope in scopes if scope["name"] == name)
        return self.debugger.do("variables", variablesReference=reference)["variables"]

    def variables(self, name: str = "Locals", frame: int = 0) -> dict[str, str]:
        """Names and values."""
        return {variable["name"]: variable["value"] for variable in self.scope(name, frame)}

    def evaluate(self, expression: str, frame: int = 0, context: str = "repl") -> str:
        frame_id = self.frames[frame]["id"]
        return self.debugger.do("evaluate", expression=expression, frameId=frame_id, context=context)["result"]

    def step(self, how: str = "next") -> Stop:
        """Where it stops next."""
        self.debugger.do(how, threadId=self.thread)
        return self.debugger.stop()

    def go_on(self) -> None:
        self.debugger.do("continue", threadId=self.thread)
        self.debugger.event("continued")
