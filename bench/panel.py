"""How soon the panel is told what happens, and what it costs to have it open."""

import itertools
import json
import os
import statistics
import time
import uuid
from pathlib import Path

from bare_client import BareClient, BenchError, Message
from kernels import RunningKernel, running

COMM = "xinterp.panel"
# Keeps the GIL of its interpreter for so many seconds, and cannot be interrupted.
IN_C = "import ctypes\nprint('on')\nctypes.PyDLL(None).system(b'sleep {}')"
OCCUPIED = 6  # seconds
WATCHED = 4  # seconds

type Numbers = dict[str, float]


def panel(name: str, count: int) -> Numbers:
    """From sending what changes something to the event that tells it: the median, and the longest of all."""
    with running(name) as kernel:
        client = kernel.client
        client.wait_ready()
        client.run("%interp create alice bob\n")
        client.run("%%interp main,alice,bob\nimport ctypes")
        client.send(client.shell, "comm_open", {"comm_id": COMM, "target_name": COMM, "data": {"version": 1}})
        idle = _processor_share(kernel)
        cells = [_told(client, "runs", lambda: client.execute("%%interp alice\npass")) for _ in range(count)]
        for target in ("alice", "bob", "main"):
            client.wait_written(client.execute(f"%%interp {target} &\n{IN_C.format(OCCUPIED)}"))
        names = itertools.cycle(["carol", "alice"])
        old = "alice"
        renamed = []
        for new in itertools.islice(names, count):
            request = {"command": "rename", "target": old, "name": new}
            renamed.append(_told(client, f'"name":"{new}"', lambda request=request: _command(client, request)))
            old = new
        return {
            "panel: a cell begins": statistics.median(cells),
            "panel: a cell begins, the longest": max(cells),
            "panel: a change while all are in C": statistics.median(renamed),
            "panel: a change while all are in C, the longest": max(renamed),
            "panel open, nothing runs: processor": idle,
        }


def _command(client: BareClient, request: Message) -> str:
    data = {"type": "command", "id": uuid.uuid4().hex, "request": request}
    return client.send(client.shell, "comm_msg", {"comm_id": COMM, "data": data})


def _told(client: BareClient, what: str, change: object) -> float:
    """Seconds until an event has that in it."""
    time.sleep(0.06)  # past the interval of the events: each is a new one
    while client.iopub.poll(0):
        client.iopub.recv_multipart()
    begin = time.perf_counter()
    change()  # type: ignore[operator]
    while True:
        try:
            frames = client.receive(client.iopub, 5)
        except TimeoutError:
            raise BenchError(f"the panel was not told {what}") from None
        if b'"comm_msg"' in frames[0] and b'"event"' in frames[3] and what.encode() in frames[3].replace(b": ", b":"):
            json.loads(frames[3])
            return time.perf_counter() - begin


def _processor_share(kernel: RunningKernel) -> float:
    """Of one processor, while nothing happens."""

    def used() -> float:
        fields = Path(f"/proc/{kernel.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    time.sleep(3)  # the pool of spare interpreters is full and the history written
    before = used()
    time.sleep(WATCHED)
    return (used() - before) / WATCHED
