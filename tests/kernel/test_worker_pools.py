"""What worker processes write belongs to the cell that has given them work."""

from pathlib import Path

import pytest
from harness import Client, Kernel, is_running, wait_until

METHODS = ["forkserver", "spawn", "fork"]
BUFFERED = (
    "import os; os.environ.pop('PYTHONUNBUFFERED', None)"  # as for most people: workers would keep what they print
)


def _target(client: Client, where: str, method: str) -> str:
    if where == "main":
        return ""
    if method == "fork":
        pytest.skip("forks are main's")
    client.ok("%interp create alice")
    return "%%interp alice\n"


@pytest.mark.parametrize("where", ["main", "alice"])
@pytest.mark.parametrize("method", METHODS)
def test_output_of_a_pool_belongs_to_the_cell_that_gives_the_work(fresh: Kernel, where: str, method: str) -> None:
    client = fresh.client
    target = _target(client, where, method)
    context = f"multiprocessing.get_context({method!r})"
    client.ok(target + BUFFERED)
    client.ok(f"{target}import multiprocessing, os, subprocess\npool = {context}.Pool(2)\npool.apply(os.getpid);")
    first = client.ok(target + "pool.map(print, ['one', 'two']);")
    assert sorted(first.stdout.split()) == ["one", "two"]
    assert client.ok(target + "'between'").stdout == ""
    assert (
        client.ok(
            target + "pool.apply_async(subprocess.call, [['sh', '-c', 'echo three; echo four >&2']]).get();"
        ).stdout
        == "three\n"
    )
    assert client.ok(target + "[*pool.imap(print, ['five'])];").stdout == "five\n"
    client.ok(target + "pool.close(); pool.join()")


@pytest.mark.parametrize("where", ["main", "alice"])
@pytest.mark.parametrize("method", METHODS)
def test_output_of_an_executor_belongs_to_the_cell_that_gives_the_work(fresh: Kernel, where: str, method: str) -> None:
    client = fresh.client
    target = _target(client, where, method)
    context = f"multiprocessing.get_context({method!r})"
    client.ok(target + BUFFERED)
    client.ok(
        f"{target}import multiprocessing\nfrom concurrent.futures import ProcessPoolExecutor\n"
        f"pool = ProcessPoolExecutor(2, mp_context={context})\npool.submit(len, 'x').result()"
    )
    for text in ("one", "two"):
        assert client.ok(f"{target}pool.submit(print, {text!r}).result()").stdout == f"{text}\n"
    client.ok(target + "pool.shutdown()")


@pytest.mark.parametrize("where", ["main", "alice"])
@pytest.mark.parametrize("method", METHODS)
def test_output_of_a_process_belongs_to_the_cell_that_starts_it(fresh: Kernel, where: str, method: str) -> None:
    client = fresh.client
    target = _target(client, where, method)
    context = f"multiprocessing.get_context({method!r})"
    for text in ("one", "two"):
        code = f"import multiprocessing\np = {context}.Process(target=print, args=[{text!r}]); p.start(); p.join()"
        assert client.ok(target + code).stdout == f"{text}\n"


def test_output_of_jobs_of_joblib_belongs_to_the_cell_that_gives_them(fresh: Kernel) -> None:
    pytest.importorskip("joblib")
    client = fresh.client
    client.ok(BUFFERED)
    client.ok("from joblib import Parallel, delayed\nParallel(2)(delayed(len)('x') for _ in range(2))")
    for text in ("one", "two"):
        result = client.ok(f"Parallel(2)(delayed(print)(f'{text} {{i}}\\n', end='') for i in range(20));")
        assert sorted(result.stdout.splitlines()) == sorted(f"{text} {i}" for i in range(20))


def test_stop_interrupts_the_workers_of_a_kept_pool_in_the_cell_that_gives_the_work(
    fresh: Kernel, tmp_path: Path
) -> None:
    client, file = fresh.client, tmp_path / "process"
    client.ok("import subprocess\nfrom concurrent.futures import ProcessPoolExecutor")
    client.ok("pool = ProcessPoolExecutor(1)\npool.submit(len, 'x').result()")
    script = f"echo $$ > {file}; exec sleep 1000"
    cell = client.send(f"work = pool.submit(subprocess.call, ['sh', '-c', {script!r}])\nwork.result()")
    wait_until(lambda: file.exists() and file.read_text(), "the work to begin")
    client.interrupt()
    assert client.result(cell).error.startswith("KeyboardInterrupt")
    assert client.ok("type(work.exception(10)).__name__").value == "'KeyboardInterrupt'"
    wait_until(lambda: not is_running(int(file.read_text())), "the end of the worker's process")
    client.ok("pool.shutdown()")


@pytest.mark.parametrize("where", ["main", "alice"])
def test_what_is_called_when_work_is_done_belongs_to_the_cell_that_asked_for_it(fresh: Kernel, where: str) -> None:
    client = fresh.client
    target = _target(client, where, "spawn")
    client.ok(f"{target}from concurrent.futures import Future\nimport threading\nf, g = Future(), threading.Event()")
    client.ok(f"{target}threading.Thread(target=lambda: (g.wait(), f.set_result(1))).start()")
    asked = client.send(f"{target}f.add_done_callback(lambda f: print('done')); g.set()")
    client.wait_for_text(asked, "done\n")
