"""The kernel ends in under 2 s whatever it is doing, and runs atexit handlers where it can.

The bound asserted is five times that; `make bench` measures exactly.
"""

import os
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
        assert "Fatal Python error" in said and "on purpose" in said and "[xinterp] the kernel crashed." in said
    finally:
        kernel.stop()


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
