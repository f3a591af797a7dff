"""Output: whole, in order, and under the cell that made it, whatever thread, task or process it comes from."""

import time
from pathlib import Path

from harness import Client, Kernel

MEGABYTE = 1024 * 1024


def peak_memory(kernel: Kernel) -> int:
    """The kernel's highest resident size so far, in bytes."""
    status = Path(f"/proc/{kernel.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def test_a_million_lines_arrive_whole_in_little_memory(fresh: Kernel) -> None:
    client = fresh.client
    result = client.ok("for i in range(1_000_000): print(i)")
    assert result.stdout == "".join(f"{i}\n" for i in range(1_000_000))
    assert result.messages[-1]["content"] == {"execution_state": "idle"}
    assert peak_memory(fresh) < 150 * MEGABYTE


def test_alternating_streams_keep_their_order(fresh: Kernel) -> None:
    client = fresh.client
    result = client.ok(
        "import sys\nfor i in range(50_000):\n    sys.stdout.write(f'o{i} ')\n    sys.stderr.write(f'e{i} ')"
    )
    pieces = "".join(content["text"] for content in result.of("stream"))
    assert pieces == "".join(f"o{i} e{i} " for i in range(50_000))
    assert result.stdout == "".join(f"o{i} " for i in range(50_000))
    assert peak_memory(fresh) < 150 * MEGABYTE


def test_a_slow_client_slows_the_writer_instead_of_losing_data(fresh: Kernel) -> None:
    client = fresh.client
    cell = client.send("line = 'x' * 999\nfor i in range(60_000): print(line)")
    for _ in range(20):  # it reads a little now and then
        time.sleep(0.1)
        client._read("iopub", 0)
    assert not client.idle(cell)
    assert len(client.result(cell).stdout) == 60_000 * 1000
    assert peak_memory(fresh) < 150 * MEGABYTE


def test_a_client_that_never_reads_loses_its_own_messages_only(fresh: Kernel) -> None:
    import zmq

    # Its socket is small on purpose, so that it is full at once.
    socket = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, 1)
    socket.setsockopt(zmq.RCVBUF, 4096)
    socket.setsockopt(zmq.LINGER, 0)
    socket.subscribe(b"")
    connection = fresh.manager.get_connection_info()
    socket.connect(f"tcp://127.0.0.1:{connection['iopub_port']}")
    fresh.client.ok("1")
    result = fresh.client.ok("line = 'y' * 999\nfor i in range(150_000): print(line)")
    assert len(result.stdout) == 150_000 * 1000
    assert fresh.client.ok("2").value == "2"
    assert peak_memory(fresh) < 200 * MEGABYTE
    socket.close()


def test_threads_print_under_the_cell_that_started_them(client: Client, target: str) -> None:
    code = """
import threading, _thread, time
def late(word):
    time.sleep(0.1)
    print(word)
threading.Thread(target=late, args=('thread',)).start()
threading.Timer(0.05, print, ('timer',)).start()
_ = _thread.start_new_thread(late, ('low-level',))
"""
    started = client.send(target + code)
    client.result(started)
    other = client.ok(target + "import time; time.sleep(0.3); print('mine')")
    assert other.stdout == "mine\n"
    for word in ("thread", "timer", "low-level"):
        client.wait_for_text(started, word)


def test_work_for_an_executor_belongs_to_the_cell_that_submits_it(client: Client, target: str) -> None:
    client.ok(
        target
        + "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\npool.submit(print, 'first').result()"
    )
    result = client.ok(target + "pool.submit(print, 'second').result()\npool.shutdown()")
    assert result.stdout == "second\n"


def test_tasks_and_their_threads_belong_to_their_cell(client: Client, target: str) -> None:
    code = "import asyncio, time\nasync def f():\n    await asyncio.to_thread(lambda: (time.sleep(0.1), print('in thread')))\nt = asyncio.create_task(f())\nawait asyncio.sleep(0)"
    started = client.send(target + code)
    client.result(started)
    assert client.ok(target + "await t\nprint('mine')").stdout == "mine\n"
    assert "in thread\n" in client.result(started).stdout


def test_subprocesses_get_a_pipe_of_their_cell(client: Client, target: str) -> None:
    code = """
import os, subprocess, sys
print('start')
subprocess.run(['sh', '-c', 'echo run; echo err >&2'])
subprocess.run('echo merged >&2', shell=True, stderr=subprocess.STDOUT)
subprocess.run(['echo', 'given'], stdout=sys.stdout)
status = os.system('echo system; exit 3')
print(os.popen('echo popen; echo popen-err >&2').read(), end='')
pid = os.posix_spawn('/bin/echo', ['echo', 'spawned'], os.environ)
os.waitpid(pid, 0)
print('end', os.waitstatus_to_exitcode(status))
"""
    result = client.ok(target + code)
    assert result.stdout == "start\nrun\nmerged\ngiven\nsystem\npopen\nspawned\nend 3\n"
    assert result.stderr == "err\npopen-err\n"


def test_a_subprocess_that_outlives_its_cell_still_prints_under_it(client: Client, target: str) -> None:
    started = client.send(target + "import subprocess\np = subprocess.Popen('sleep 0.2; echo later', shell=True)")
    client.result(started)
    assert client.ok(target + "print('mine'); _ = p.wait()").stdout == "mine\n"
    client.wait_for_text(started, "later\n")


def test_two_lanes_and_their_subprocesses_at_once(client: Client) -> None:
    client.ok("%interp create alice bob")
    code = "import subprocess, os\nfor i in range(20):\n    print('{0}', i)\n    subprocess.run(['echo', '{0}', str(i)])\n    os.write(1, b'{0} raw\\n')"
    cells = {name: client.send(f"%%interp {name} &\n" + code.format(name)) for name in ("alice", "bob")}
    for name, cell in cells.items():
        assert client.result(cell).stdout == "".join(f"{name} {i}\n{name} {i}\n{name} raw\n" for i in range(20))


def test_printf_of_the_only_running_cell_is_its_own(client: Client, target: str) -> None:
    result = client.ok(target + "import ctypes\n_ = ctypes.CDLL(None).printf(b'from C\\n')")
    assert result.stdout == "from C\n"


def test_printf_while_several_run_goes_to_the_foreground_headed_process(client: Client, tmp_path: object) -> None:
    client.ok("%interp create alice")
    flag = f"{tmp_path}/flag"
    detached = client.send(
        f"%%interp alice &\nprint('on')\nimport os, time\nwhile not os.path.exists({flag!r}): time.sleep(0.001)"
    )
    client.wait_for_text(detached, "on")
    result = client.ok(
        "import ctypes\nlibc = ctypes.CDLL(None)\n_ = libc.printf(b'from C\\nagain\\n'), libc.fflush(None)"
    )
    client.ok(f"open({flag!r}, 'w').close()")
    assert result.stdout == "[process] from C\n[process] again\n"
    assert client.result(detached).stdout == "on\n"


def test_a_forked_child_prints_under_the_cell_and_leaves_the_kernel_alone(client: Client) -> None:
    client.ok("%interp create alice")  # CPython alone crashes in a child of a process with several interpreters
    # Python warns that the process has several threads, after the fork: beside what the child prints, in any order.
    code = "import os, sys, warnings\nwith warnings.catch_warnings(action='ignore'):\n    pid = os.fork()\nif pid == 0:\n    print('child')\n    print('child err', file=sys.stderr)\nelse:\n    _ = os.waitpid(pid, 0)\n    print('parent')"
    result = client.ok(code)
    assert result.stdout == "child\nparent\n"
    assert result.stderr == "child err\n"
    assert client.ok("1").value == "1"


def test_multiprocessing_prints_under_its_cell(client: Client) -> None:
    code = "import multiprocessing\nc = multiprocessing.get_context('fork')\np = c.Process(target=print, args=('forked',))\np.start(); p.join()\np.exitcode"
    result = client.ok(code)
    assert (result.stdout, result.value) == ("forked\n", "0")


def test_unicode_from_a_subprocess_is_not_cut(client: Client, target: str) -> None:
    code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import os, time\\nfor b in \"é€😀\".encode(): os.write(1, bytes([b])); time.sleep(0.005)']);"
    assert client.ok(target + code).stdout == "é€😀"


def test_output_after_the_end_of_a_lane_does_not_crash(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok(
        "%%interp alice\nimport threading, time\nthreading.Thread(target=lambda: (time.sleep(0.3), print('last')), daemon=True).start()"
    )
    assert "closed alice" in client.ok("%interp close alice").stdout
    assert client.ok("import time; time.sleep(0.4)").status == "ok"
