"""The kernel ends in under 2 s whatever it is doing (2.5 s for atexit handlers), and runs those where it can.

The bound asserted is five times that; `make bench` measures exactly.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import Client, Kernel, is_running, wait_until

BOUND = 10.0

STATES = {
    "idle": "",
    "busy in Python": "while True: pass",
    "busy in Python that catches interrupts": "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass",
    "busy in C": "sum(range(10 ** 12))",
    "sleeping": "import time; time.sleep(60)",
    "a lock": "import threading; l = threading.Lock(); l.acquire(); l.acquire()",
    "awaiting": "import asyncio; await asyncio.sleep(60)",
    "printing": "while True: print('x')",
}


def shut_down(kernel: Kernel, restart: bool = False) -> None:
    parent = kernel.client.request("shutdown_request", {"restart": restart}, "control")
    began = time.monotonic()
    reply = kernel.client.reply(parent, "control")
    assert reply["content"] == {"status": "ok", "restart": restart}
    assert kernel.wait_for_end(BOUND)
    assert time.monotonic() - began < BOUND
    assert kernel.manager.provisioner.process.returncode == 0


@pytest.mark.parametrize("where", ["main", "alice"])
@pytest.mark.parametrize("state", STATES)
def test_a_shutdown_ends_a_kernel_that_is(fresh: Kernel, state: str, where: str) -> None:
    client = fresh.client
    client.ok("%interp create alice")
    if STATES[state]:
        cell = client.send(f"%%interp {where}\nprint('on')\n{STATES[state]}")
        client.wait_for_text(cell, "on\n")
    shut_down(fresh)


def test_a_shutdown_ends_a_kernel_that_waits_for_input(fresh: Kernel) -> None:
    fresh.client.send("input('?')", allow_stdin=True)
    fresh.client.client.get_stdin_msg(timeout=20)
    shut_down(fresh)


@pytest.mark.parametrize("where", ["main", "alice"])
def test_threads_that_never_end_do_not_hold_it_up(fresh: Kernel, where: str) -> None:
    fresh.client.ok("%interp create alice")
    fresh.client.ok(
        f"%%interp {where}\nimport threading, time\nfor d in (True, False): threading.Thread(target=time.sleep, args=(600,), daemon=d).start()"
    )
    shut_down(fresh, restart=True)


@pytest.mark.parametrize("busy", [False, True])
def test_atexit_handlers_run(fresh: Kernel, tmp_path: Path, busy: bool) -> None:
    client = fresh.client
    client.ok("%interp create alice")
    for where in ("main", "alice"):
        client.ok(
            f"%%interp {where}\nimport atexit\n_ = atexit.register(lambda: open({str(tmp_path / where)!r}, 'w').close())"
        )
    if busy:
        cell = client.send("%%interp alice &\nprint('on')\nwhile True: pass")
        client.wait_for_text(cell, "on")
    shut_down(fresh)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alice", "main"]


def test_atexit_handlers_have_time_in_all_interpreters_at_once(fresh: Kernel, tmp_path: Path) -> None:
    client = fresh.client
    client.ok("%interp create alice bob")
    for where in ("main", "alice", "bob"):
        client.ok(
            f"%%interp {where}\nimport atexit, time\n"
            f"_ = atexit.register(lambda: (time.sleep(1.5), open({str(tmp_path / where)!r}, 'w').close()))"
        )
    shut_down(fresh)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alice", "bob", "main"]


@pytest.mark.parametrize("where", ["main", "alice"])
def test_an_endless_atexit_handler_does_not_hold_it_up(fresh: Kernel, where: str) -> None:
    fresh.client.ok("%interp create alice")
    fresh.client.ok(f"%%interp {where}\nimport atexit, time\n_ = atexit.register(time.sleep, 600)")
    shut_down(fresh)


def test_a_restart_gives_a_fresh_kernel(fresh: Kernel) -> None:
    fresh.client.ok("x = 1")
    fresh.manager.restart_kernel()
    with fresh.connect() as client:
        assert client.run("x").error == "NameError: name 'x' is not defined"
        assert client.ok("%interp").of("display_data")[0]["data"]["text/plain"].count("\n") == 2


def test_the_kernel_ends_when_its_parent_does(spec: str) -> None:
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom harness import Kernel\nimport os\nprint(Kernel({spec!r}).pid, flush=True)\nos._exit(0)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    pid = int(out)
    wait_until(lambda: not is_running(pid), "the kernel ends", BOUND)


def test_a_crash_is_reported_on_the_terminal(spec: str, capfd: pytest.CaptureFixture[str]) -> None:
    kernel = Kernel(spec)
    try:
        kernel.client.send("import ctypes, os\nos.write(2, b'') or ctypes.pythonapi.Py_FatalError(b'on purpose')")
        assert kernel.wait_for_end(BOUND)
        said = capfd.readouterr().err
        assert "Fatal Python error" in said and "on purpose" in said
        assert "[xinterp] the kernel crashed: SIGABRT, thread " in said
    finally:
        kernel.stop()


def crash_report(spec: str, capfd: pytest.CaptureFixture[str], *cells: str) -> list[str]:
    """What the log says when the last cell ends the kernel by a signal."""
    kernel = Kernel(spec)
    try:
        for cell in cells[:-1]:
            sent = kernel.client.send(cell)
            if "&" in cell:
                kernel.client.wait_for_text(sent, "on")
            else:
                assert kernel.client.result(sent).status == "ok"
        capfd.readouterr()
        kernel.client.send(cells[-1])
        assert kernel.wait_for_end(BOUND)
        assert kernel.manager.provisioner.process.returncode < 0
        said = capfd.readouterr().err
        return said[said.index("[xinterp] the kernel crashed") :].splitlines()
    finally:
        kernel.stop()


CRASH = "def crash():\n    ctypes.string_at(0)\ncrash()"


def test_a_crash_report_names_signal_interpreter_cell_and_stack(spec: str, capfd: pytest.CaptureFixture[str]) -> None:
    report = crash_report(spec, capfd, "import ctypes", CRASH)
    first = re.fullmatch(
        r"\[xinterp\] the kernel crashed: SIGSEGV at address 0x0, thread '.+', interpreter main \(id 0\), cell In \[2\]\.",
        report[0],
    )
    assert first, report[0]
    assert report[1] == "Python stack (most recent call first):"
    own = report[2 : report.index('  File "<In [2]>", line 3 in <module>') + 1]
    assert re.fullmatch(r'  File ".+/ctypes/__init__.py", line \d+ in string_at', own[0])
    assert own[1] == '  File "<In [2]>", line 2 in crash'


def test_a_crash_report_of_a_lane_names_its_interpreter_and_shows_the_other_threads(
    spec: str, capfd: pytest.CaptureFixture[str]
) -> None:
    report = crash_report(
        spec,
        capfd,
        "%interp create alice bob",
        "%%interp alice\nimport ctypes",
        "%%interp bob &\nimport time\ndef nap():\n    print('on')\n    while True: time.sleep(1)\nnap()",
        f"%%interp alice\n{CRASH}",
    )
    assert re.fullmatch(
        r"\[xinterp\] the kernel crashed: SIGSEGV at address 0x0, thread 'lane \d+', interpreter alice \(id \d+\), cell In \[4\]\.",
        report[0],
    )
    assert '  File "<In [4]>", line 3 in crash' in report
    others = [line for line in report if line.startswith("Thread '")]
    assert any(re.fullmatch(r"Thread 'lane \d+', interpreter \d+ \(most recent call first\):", line) for line in others)
    assert '  File "<In [3]>", line 5 in nap' in report


def test_a_crash_for_a_full_stack_is_reported(spec: str, capfd: pytest.CaptureFixture[str]) -> None:
    report = crash_report(spec, capfd, "import faulthandler\nfaulthandler._stack_overflow()")
    assert report[0].startswith("[xinterp] the kernel crashed: SIGSEGV at address 0x")
    assert report[0].endswith(", interpreter main (id 0), cell In [1].")
    assert report[2] == '  File "<In [1]>", line 2 in <module>'


def test_a_crash_is_faulthandlers_first_where_a_cell_has_switched_it_on(
    spec: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    enable = f"import ctypes, faulthandler\nfile = open({str(own)!r}, 'w')\nfaulthandler.enable(file)"
    report = crash_report(spec, capfd, enable, CRASH)
    assert "interpreter main (id 0), cell In [2]" in report[0]
    assert "Fatal Python error: Segmentation fault" in own.read_text()


def test_closing_a_lane_with_a_thread_that_never_ends_keeps_the_kernel_alive(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok(
        "%%interp alice\nimport threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    )
    said = client.ok("%interp close alice").stdout
    assert (
        said
        == "closed alice. But a thread that never ends still runs in it; its memory stays in use until the kernel stops.\n"
    )
    client.ok("%interp create alice")
    client.ok("%%interp alice\nimport threading, time\nthreading.Thread(target=time.sleep, args=(0.5,)).start()")
    assert client.ok("%interp close alice").stdout == "closed alice.\n"
    assert client.ok("1").value == "1"


def test_a_sigterm_ends_the_kernel(fresh: Kernel) -> None:
    os.kill(fresh.pid, signal.SIGTERM)
    assert fresh.wait_for_end(BOUND)
