"""Stop ends the processes of the cells that it stops, process trees included, and no others: as Ctrl-C in a terminal."""

from pathlib import Path

import pytest
from harness import Client, Kernel, is_running, wait_until

# Two processes, the second one a child of the first: each writes its number.
TREE = "echo $$ >> {file}; sh -c 'echo $$ >> {file}; exec sleep 1000'; true"

WAYS = {
    "run": "import subprocess; subprocess.run(['sh', '-c', tree])",
    "call": "import subprocess; subprocess.call(tree, shell=True)",
    "check_output": "import subprocess; subprocess.check_output(tree, shell=True)",
    "communicate": "import subprocess; subprocess.Popen(tree, shell=True, stdout=subprocess.PIPE).communicate()",
    "wait": "import subprocess; subprocess.Popen(tree, shell=True).wait()",
    "os.system": "import os; os.system(tree)",
    "os.popen": "import os; os.popen(tree).read()",
    "posix_spawn": "import os; os.waitpid(os.posix_spawn('/bin/sh', ['sh', '-c', tree], os.environ), 0)",
    "asyncio shell": "import asyncio; p = await asyncio.create_subprocess_shell(tree); await p.wait()",
    "asyncio exec": "import asyncio; p = await asyncio.create_subprocess_exec('sh', '-c', tree); await p.communicate()",
    "thread": "import os, threading; t = threading.Thread(target=os.system, args=(tree,)); t.start(); t.join()",
}


def _processes(file: Path, count: int = 2) -> list[int]:
    wait_until(lambda: file.exists() and len(file.read_text().split()) == count, "the processes to begin")
    return [int(line) for line in file.read_text().split()]


def _wait_for_their_end(processes: list[int]) -> None:
    wait_until(lambda: not any(map(is_running, processes)), "the processes to end")


@pytest.mark.parametrize("way", WAYS)
def test_stop_ends_the_process_tree_of(client: Client, target: str, way: str, tmp_path: Path) -> None:
    file = tmp_path / "processes"
    cell = client.send(f"{target}tree = {TREE.format(file=file)!r}\n{WAYS[way]}")
    processes = _processes(file)
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    _wait_for_their_end(processes)
    assert client.ok(target + "'still here'").value == "'still here'"


def test_stop_ends_the_process_tree_of_a_subshells_cell(client: Client, subshell: str, tmp_path: Path) -> None:
    file = tmp_path / "processes"
    cell = client.send(f"import os; os.system({TREE.format(file=file)!r})", subshell=subshell)
    processes = _processes(file)
    client.interrupt(subshell)
    assert client.result(cell).error == "KeyboardInterrupt: "
    _wait_for_their_end(processes)


def test_stop_ends_a_script_of_the_bash_magic(ipython_client: Client, ipython_target: str, tmp_path: Path) -> None:
    file = tmp_path / "processes"
    cell = ipython_client.send(f"{ipython_target}%%bash\n{TREE.format(file=file)}")
    processes = _processes(file)
    ipython_client.interrupt()
    result = ipython_client.result(cell)
    assert result.error.endswith("died with <Signals.SIGINT: 2>."), result.error
    _wait_for_their_end(processes)


def test_stop_ends_the_process_tree_of_a_command_line(
    ipython_client: Client, ipython_target: str, tmp_path: Path
) -> None:
    file = tmp_path / "processes"
    (tmp_path / "tree.sh").write_text(TREE.format(file=file))
    cell = ipython_client.send(f"{ipython_target}!sh {tmp_path}/tree.sh")
    processes = _processes(file)
    ipython_client.interrupt()
    ipython_client.result(cell)
    _wait_for_their_end(processes)


def test_stop_leaves_the_processes_of_other_cells_alone(client: Client, target: str, tmp_path: Path) -> None:
    client.ok("%interp create bob")
    left, others, own = tmp_path / "left", tmp_path / "others", tmp_path / "own"
    client.ok(f"{target}import subprocess\np = subprocess.Popen({TREE.format(file=left)!r}, shell=True)")
    detached = client.send(
        f"%%interp bob &\nimport subprocess\nsubprocess.run({TREE.format(file=others)!r}, shell=True)"
    )
    cell = client.send(f"{target}import os; os.system({TREE.format(file=own)!r})")
    untouched = _processes(left) + _processes(others)
    interrupted = _processes(own)
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    _wait_for_their_end(interrupted)
    assert all(map(is_running, untouched))
    client.interrupt()  # now the detached cell
    assert client.result(detached).error == "KeyboardInterrupt: "
    _wait_for_their_end(_processes(others))
    assert all(map(is_running, _processes(left)))
    client.ok(f"{target}import os, signal\n[os.kill(n, signal.SIGKILL) for n in {_processes(left)}]\np.wait()")


def test_the_interrupt_of_one_target_ends_its_processes_alone(kernel: Kernel, tmp_path: Path) -> None:
    client = kernel.client
    client.ok("%interp create alice bob")
    for name in ("alice", "bob"):
        client.ok(f"%%interp {name}\nimport os; tree = {TREE.format(file=tmp_path / name)!r}")
    cell = client.send("%%interp alice,bob\nos.system(tree)")
    alice, bob = _processes(tmp_path / "alice"), _processes(tmp_path / "bob")
    with kernel.connect() as other:
        other.ok("%interp interrupt alice")
    _wait_for_their_end(alice)
    assert all(map(is_running, bob))
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: in alice: ; in bob: "
    _wait_for_their_end(bob)


def test_a_timeout_ends_the_processes_of_its_cell(client: Client, tmp_path: Path) -> None:
    client.ok("%interp create alice")
    file = tmp_path / "processes"
    cell = client.send(f"%%interp alice --timeout 1\nimport os; os.system({TREE.format(file=file)!r})")
    processes = _processes(file)
    assert client.result(cell).status == "error"
    _wait_for_their_end(processes)


def test_a_process_of_a_session_of_its_own_lives_on_as_in_a_terminal(
    client: Client, target: str, tmp_path: Path
) -> None:
    file = tmp_path / "processes"
    code = f"import subprocess\np = subprocess.Popen(['sh', '-c', {TREE.format(file=file)!r}], start_new_session=True)\np.wait()"
    cell = client.send(target + code)
    processes = _processes(file)
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert all(map(is_running, processes))
    client.ok(f"{target}import os, signal\nos.killpg(p.pid, signal.SIGKILL)\np.wait()")


def test_a_process_that_ignores_the_interrupt_goes_on(client: Client, target: str, tmp_path: Path) -> None:
    file = tmp_path / "processes"
    script = f"trap '' INT; echo $$ >> {file}; sleep 1000"
    cell = client.send(f"{target}import subprocess\np = subprocess.Popen({script!r}, shell=True)\np.wait()")
    (process,) = _processes(file, 1)
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert is_running(process)
    client.ok(f"{target}p.kill()\np.wait()")


@pytest.mark.parametrize("method", ["forkserver", "spawn", "fork"])
def test_stop_ends_the_work_of_a_pool(client: Client, target: str, method: str, tmp_path: Path) -> None:
    if method == "fork" and target:
        pytest.skip("forks are main's")
    file = tmp_path / "processes"
    script = f"echo $$ >> {file}; exec sleep 1000"  # a worker says only in this way that it is at work
    code = f"""import multiprocessing, subprocess
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context({method!r})) as pool:
    work = [pool.submit(subprocess.call, ['sh', '-c', {script!r}]) for _ in range(2)]
    [each.result() for each in work]"""
    cell = client.send(target + code)
    processes = _processes(file)
    client.interrupt()
    assert client.result(cell).error.startswith("KeyboardInterrupt")
    _wait_for_their_end(processes)


def test_processes_of_a_fork_are_the_cells_too(fresh: Kernel, tmp_path: Path) -> None:
    client, file = fresh.client, tmp_path / "processes"
    code = f"""import os, time
if child := os.fork():
    os.waitpid(child, 0)
else:
    with open({str(file)!r}, 'w') as f: print(os.getpid(), file=f)
    time.sleep(1000)"""
    cell = client.send(code)
    (process,) = _processes(file, 1)
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    _wait_for_their_end([process])
