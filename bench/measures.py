"""What is measured. Each measure starts a kernel of its own and returns its numbers by the names of bench.py's table.

Seconds are seconds of the wall clock, seen by the client; memory is in MB.
"""

import contextlib
import json
import os
import select
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import crossing
import loads
from bare_client import BareClient, BenchError, Output, execute_content
from jupyter_client.blocking.client import BlockingKernelClient
from kernels import RunningKernel, run_python, running

WARM_UP = 30  # cells before the ones that count

type Numbers = dict[str, float]

LOOP = """
def loop():
    total = 0
    for number in range(4_000_000):
        total += number * number
"""
ALTERNATING = """
import sys
for number in range({each}):
    sys.stdout.write(str(number) + "\\n")
    sys.stderr.write(str(number) + "\\n")
"""
LOCK = "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()"
INTERRUPTED = {
    "main loop": "while True: pass",
    "main sleep": "import time; time.sleep(60)",
    "main lock": LOCK,
    "lane loop": "%%interp alice\nwhile True: pass",
    "lane sleep": "%%interp alice\nimport time; time.sleep(60)",
    "lane lock": f"%%interp alice\n{LOCK}",
    "lane select": "%%interp alice\nimport select; select.select([], [], [], 60)",
}
SHUT_DOWN = {
    "idle": "pass",
    "main loop": "while True: pass",
    "busy in C": "sum(range(10 ** 12))",
    "lane loop": "%%interp alice\nwhile True: pass",
    "sleeping": "import time; time.sleep(60)",
    "waiting for input": "input()",
    "endless thread": "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()",
}
WELL_INSIDE = 0.2  # seconds after the start of a cell until it is interrupted, or its kernel shut down


def start(name: str) -> Numbers:
    """Both requests wait in the sockets before the kernel exists, so that nothing of the client's is in the times."""
    with running(name) as kernel:
        client = kernel.client
        info = client.send(client.shell, "kernel_info_request", {})
        first = client.execute("1 + 1")
        client.reply(info, 60)
        informed = time.perf_counter()
        client.reply(first, 60)
        executed = time.perf_counter()
        return {
            "spawn to kernel_info": informed - kernel.started,
            "spawn to first execute reply": executed - kernel.started,
        }


def replies(name: str, count: int) -> Numbers:
    """The median time from sending a cell to its reply; what comes on iopub is taken between the cells."""
    with running(name) as kernel:
        kernel.client.wait_ready()
        list(bare_replies(kernel.client, WARM_UP))
        bare = statistics.median(bare_replies(kernel.client, count))
        library = statistics.median(_library_replies(kernel, count))
        return {"execute reply, jupyter_client": library, "execute reply, bare client": bare}


def bare_replies(client: BareClient, count: int) -> Iterator[float]:
    """From the first byte sent to the last one received: the client makes and parses its messages off the clock."""
    client.shell.rcvtimeo = 10_000
    for _ in range(count):
        request, frames = client.build("execute_request", execute_content("x = 1"))
        begin = time.perf_counter()
        client.shell.send_multipart(frames)
        reply = client.shell.recv_multipart()
        took = time.perf_counter() - begin
        if not any(request.encode() in frame for frame in reply):
            raise BenchError("a reply belongs to another request")
        yield took
        _drain(client, request)


def _drain(client: BareClient, request: str) -> None:
    """Until the idle of this request: the kernel then has nothing left to do for it."""
    while True:
        try:
            frames = client.receive(client.iopub, 5)
        except TimeoutError:
            raise BenchError("an idle never came") from None
        if request.encode() in frames[1] and b'"idle"' in frames[3]:
            return


@contextlib.contextmanager
def _library_client(kernel: RunningKernel, stdin: bool) -> Iterator[BlockingKernelClient]:
    client = BlockingKernelClient()
    client.load_connection_file(str(kernel.connection_file))
    client.start_channels(stdin=stdin)
    try:
        client.wait_for_ready(timeout=20)
        yield client
    finally:
        client.stop_channels()


def _library_replies(kernel: RunningKernel, count: int) -> list[float]:
    with _library_client(kernel, stdin=False) as client:
        list(_timed_replies(client, WARM_UP))
        return list(_timed_replies(client, count))


def _timed_replies(client: BlockingKernelClient, count: int) -> Iterator[float]:
    for _ in range(count):
        begin = time.perf_counter()
        request = client.execute("x = 1")
        while client.get_shell_msg(timeout=10)["parent_header"].get("msg_id") != request:
            pass
        yield time.perf_counter() - begin
        while True:
            message = client.get_iopub_msg(timeout=5)
            of_this = message["parent_header"].get("msg_id") == request
            if of_this and message["content"].get("execution_state") == "idle":
                break


def printing(name: str, lines: int) -> Numbers:
    label = f"print {lines:,} lines"
    with running(name) as kernel:
        kernel.client.wait_ready()
        output = kernel.client.run(f"for i in range({lines}): print(i)", timeout=120)
        return _printed(kernel, label, output, lines - _lines_of(output, "stdout", lines))


def alternating(name: str, writes: int) -> Numbers:
    label = f"{writes:,} alternating writes"
    code = ALTERNATING.format(each=writes // 2)
    with running(name) as kernel:
        kernel.client.wait_ready()
        output = kernel.client.run(code, timeout=120)
        received = sum(_lines_of(output, stream, writes // 2) for stream in ("stdout", "stderr"))
        return _printed(kernel, label, output, writes - received)


def _printed(kernel: RunningKernel, label: str, output: Output, lost: int) -> Numbers:
    numbers: Numbers = {label: output.seconds, f"{label}, lost": lost, f"{label}, peak RSS": kernel.peak_memory()}
    return numbers if output.idle else numbers | {f"{label}, no idle": 1}


def _lines_of(output: Output, stream: str, expected: int) -> int:
    """How many of the lines 0, 1, 2, ... have come. One that comes twice or mangled makes up for no other."""
    return len(set(output.text(stream).splitlines()) & {str(number) for number in range(expected)})


def memory(name: str) -> Numbers:
    with running(name) as kernel:
        kernel.client.wait_ready()
        kernel.client.run("x = 1")
        time.sleep(0.5)  # what a kernel does after its start is part of what it takes
        resident, proportional = kernel.memory()
        return {"RSS after one cell": resident, "PSS after one cell": proportional}


COMPLETED = {"the standard library": ("import json\nthing = json.JSONDecoder()", "dec", "decode")}
COMPLETED_IN_MAIN = COMPLETED | {"numpy": ("import numpy\nthing = numpy.zeros(3)", "me", "mean")}


def completion(name: str, count: int, has_lanes: bool) -> Numbers:
    """The median time from asking for an object's attributes to the reply, and what the first question of all takes."""
    with running(name) as kernel:
        kernel.client.wait_ready()
        numbers = _completions(kernel, "", COMPLETED_IN_MAIN, count)
    if not has_lanes:
        return numbers
    with running(name) as kernel:
        kernel.client.wait_ready()
        kernel.client.run("%interp create alice")
        in_lane = _completions(kernel, "%%interp alice\n", COMPLETED, count)
        return numbers | {f"{key}, in a lane": number for key, number in in_lane.items()}


def _completions(kernel: RunningKernel, target: str, things: dict[str, tuple[str, str, str]], count: int) -> Numbers:
    before, _ = kernel.memory()
    numbers: Numbers = {}
    for thing, (setup, begun, expected) in things.items():
        kernel.client.run(target + setup)
        code = f"{target}thing.{begun}"
        first, *_ = times = [_completed(kernel.client, code, expected) for _ in range(count)]
        if not numbers:
            after, _ = kernel.memory()
            numbers = {"first completion": first, "first completion, memory": after - before}
        numbers[f"completion, {thing}"] = statistics.median(times)
    return numbers


def _completed(client: BareClient, code: str, expected: str) -> float:
    begin = time.perf_counter()
    request = client.send(client.shell, "complete_request", {"code": code, "cursor_pos": len(code)})
    matches = client.reply(request, 30)["matches"]
    took = time.perf_counter() - begin
    _drain(client, request)
    # ipykernel tells attributes with or without what stands before them
    if not any(match.rpartition(".")[2] == expected for match in matches):
        raise BenchError(f"completion of {code.splitlines()[-1]!r} found {matches[:5]} and not {expected!r}")
    return took


def parallel(name: str) -> Numbers:
    """Detached cells, sent without waiting: one interpreter alone, then two at once."""
    with running(name) as kernel:
        client = kernel.client
        client.wait_ready()
        client.run("%interp create alice bob")
        client.run(f"%%interp alice,bob\n{LOOP}\nloop()")
        alone = _together(client, ["alice"])
        both = _together(client, ["alice", "bob"])
        return {"CPU-bound cell alone": alone, "two of them at once": both, "two at once / one alone": both / alone}


def _together(client: BareClient, names: list[str]) -> float:
    begin = time.perf_counter()
    waiting = {client.execute(f"%%interp {name} &\nloop()") for name in names}
    while waiting:
        waiting -= {_answered(client)}
    return time.perf_counter() - begin


def _answered(client: BareClient) -> str:
    """The request whose reply comes next."""
    try:
        frames = client.receive(client.shell, 60)
    except TimeoutError:
        raise BenchError("a detached cell did not end") from None
    if json.loads(frames[3])["status"] != "ok":
        raise BenchError("a detached cell failed")
    request: str = json.loads(frames[1])["msg_id"]
    return request


def loads_in_script(name: str) -> Numbers:
    """A fresh process of the kernel's python, without the kernel."""
    return _load_times(run_python(name, loads.__file__))


def loads_in_main(name: str) -> Numbers:
    with running(name) as kernel:
        kernel.client.wait_ready()
        return _load_times(kernel.client.run(_loads_text()).text("stdout"))


def loads_in_lane(name: str) -> Numbers:
    with running(name) as kernel:
        kernel.client.wait_ready()
        kernel.client.run("%interp create alice")
        times = _load_times(kernel.client.run(f"%%interp alice\n{_loads_text()}").text("stdout"))
        return {f"{load}, in a lane": seconds for load, seconds in times.items()}


def _loads_text() -> str:
    return Path(loads.__file__).read_text(encoding="utf-8")


def _load_times(printed: str) -> Numbers:
    times = {load: float(seconds) for load, seconds in (line.split(": ") for line in printed.splitlines())}
    if times.keys() != loads.LOADS.keys():
        raise BenchError(f"the loads printed {printed!r}")
    return times


def crossing_in_script(name: str) -> Numbers:
    """CPython's own modules and multiprocessing, in a fresh process of the kernel's python."""
    return _reported(run_python(name, crossing.__file__))


def crossing_in_main(name: str) -> Numbers:
    """The kernel's, in a cell of main; creating in cells of their own, with time between them for the warm pool."""
    text = Path(crossing.__file__).read_text(encoding="utf-8")
    with running(name) as kernel:
        kernel.client.wait_ready()
        printed = kernel.client.run(f"{text}\neverything()", timeout=60).text("stdout")
        times = []
        for _ in range(5):
            time.sleep(1)
            times.append(_reported(kernel.client.run("creating()").text("stdout"))["create()"])
        numbers = _reported(printed) | {"create()": statistics.median(times)}
        # the same numbers once more, to be compared with a pipe's
        return numbers | {f"{key}, to a Pipe's": numbers[key] for key in numbers if key.startswith("queue")}


def _reported(printed: str) -> Numbers:
    return {name: float(seconds) for name, seconds in (line.rsplit(": ", 1) for line in printed.splitlines())}


def describe_script(name: str) -> str:
    return run_python(name, "--version").strip()


def describe(name: str) -> str:
    """The kernel's own name and version. Its start is not counted: the ones that are find its files in memory."""
    with running(name) as kernel:
        kernel.client.wait_ready()
        request = kernel.client.send(kernel.client.shell, "kernel_info_request", {})
        reply = kernel.client.reply(request, 20)
        return f"{reply['implementation']} {reply['implementation_version']}"


def interrupts(name: str, has_lanes: bool) -> Numbers:
    """From the interrupt to the reply of the cell that it ends."""
    numbers: Numbers = {}
    with running(name) as kernel:
        kernel.client.wait_ready()
        if has_lanes:
            kernel.client.run("%interp create alice")
        for state, code in INTERRUPTED.items():
            if has_lanes or state.startswith("main"):
                numbers[f"interrupt, {state}"] = _interrupt(kernel, code)
    return numbers


def _interrupt(kernel: RunningKernel, code: str) -> float:
    request = kernel.client.execute(code)
    kernel.client.wait_started(request)
    time.sleep(WELL_INSIDE)
    begin = time.perf_counter()
    kernel.interrupt()
    reply = kernel.client.reply(request, 10)
    took = time.perf_counter() - begin
    if reply["status"] != "error" or reply.get("ename") != "KeyboardInterrupt":
        raise BenchError(f"an interrupted cell ended with {reply.get('ename', reply['status'])}")
    _drain(kernel.client, request)
    return took


def shutdown(name: str, state: str) -> Numbers:
    """From the request on control to the end of the kernel process."""
    with running(name) as kernel, contextlib.ExitStack() as until_ended:
        client, code = kernel.client, SHUT_DOWN[state]
        client.wait_ready()
        if state == "waiting for input":
            asked = until_ended.enter_context(_library_client(kernel, stdin=True))
            asked.execute(code, allow_stdin=True)
            asked.get_stdin_msg(timeout=10)
        else:
            if state.startswith("lane"):
                client.run("%interp create alice")
            client.wait_started(client.execute(code))
        time.sleep(WELL_INSIDE)
        begin = time.perf_counter()
        client.send(client.control, "shutdown_request", {"restart": False})
        _wait_ended(kernel, 10)
        return {f"shutdown, {state}": time.perf_counter() - begin}


def _wait_ended(kernel: RunningKernel, timeout: float) -> None:
    """Returns as the process ends; the wait of subprocess would look every 50 ms only."""
    process = os.pidfd_open(kernel.process.pid)
    try:
        ended, _, _ = select.select([process], [], [], timeout)
    finally:
        os.close(process)
    if not ended:
        raise BenchError(f"the kernel did not end within {timeout:.0f} s")
    if kernel.process.wait() != 0:
        raise BenchError("the kernel did not end well")  # running() tells how


def lifecycle(name: str, count: int) -> Numbers:
    """Creating and closing one interpreter, over and over: the medians."""
    with running(name) as kernel:
        kernel.client.wait_ready()
        times: dict[str, list[float]] = {"create": [], "close": []}
        for _ in range(count):
            for command, taken in times.items():
                taken.append(_timed(kernel.client, f"%interp {command} temporary"))
        return {f"{command} an interpreter": statistics.median(taken) for command, taken in times.items()}


def _timed(client: BareClient, code: str) -> float:
    begin = time.perf_counter()
    request = client.execute(code)
    reply = client.reply(request, 20)
    took = time.perf_counter() - begin
    if reply["status"] != "ok":
        raise BenchError(f"{code!r} failed: {reply.get('evalue')}")
    _drain(client, request)
    return took
