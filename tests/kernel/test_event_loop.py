"""Cells that do not await are inside their event loop too, and may run other loops. Each in main and in a lane."""

from pathlib import Path

import pytest
from harness import Client, Kernel

SETUP = """
import asyncio
async def work(value=4):
    await asyncio.sleep(0)
    return value
def here():
    return asyncio.current_task(), asyncio.get_running_loop(), asyncio.get_running_loop().is_running()
"""
# What runs a loop; the result is in `x`.
RUNS = {
    "run": "x = asyncio.run(work())",
    "Runner": "with asyncio.Runner() as runner: x = runner.run(work())",
    "a new loop": "loop = asyncio.new_event_loop()\nx = loop.run_until_complete(work())\nloop.close()",
    "run_forever": """
loop = asyncio.new_event_loop()
t = loop.create_task(work())
t.add_done_callback(lambda _: loop.stop())
loop.run_forever()
loop.close()
x = t.result()
""",
    "IsolatedAsyncioTestCase": """
import unittest
class Case(unittest.IsolatedAsyncioTestCase):
    async def test(self): self.value = await work()
case = Case('test')
case.run()
x = case.value
""",
    "anyio": "import anyio\nx = anyio.run(work)",
    "tornado": "import tornado.ioloop\nx = tornado.ioloop.IOLoop(make_current=False).run_sync(work)",
}
ITS_OWN = "x = asyncio.get_event_loop().run_until_complete(work())"


def test_the_first_cell_that_imports_asyncio_is_inside_the_loop(fresh: Kernel) -> None:
    code = (
        "import sys\nbefore = 'asyncio' in sys.modules\nimport asyncio\n"
        "t = asyncio.create_task(asyncio.sleep(0, 3))\nbefore"
    )
    client = fresh.client
    assert client.ok(code).value == "False"
    assert client.ok("await t").value == "3"
    client.ok("%interp create alice")
    assert client.ok("%%interp alice\n" + code).value == "False"
    assert client.ok("%%interp alice\nawait t").value == "3"


def test_a_cell_is_inside_the_loop_when_another_thread_imports_asyncio(fresh: Kernel) -> None:
    code = """
import sys, threading
assert 'asyncio' not in sys.modules
def load():
    import asyncio
t = threading.Thread(target=load); t.start(); t.join()
import asyncio
t = asyncio.create_task(asyncio.sleep(0, 3))
(asyncio.current_task() is not t, asyncio.get_running_loop().is_running(), asyncio.run(asyncio.sleep(0, 4)))
"""
    client = fresh.client
    client.ok("%interp create alice")
    for target in ("", "%%interp alice\n"):
        assert client.ok(target + code).value == "(True, True, 4)"
        assert client.ok(target + "await t").value == "3"


def test_a_module_that_a_cell_imports_finds_the_loop(client: Client, target: str, tmp_path: Path) -> None:
    (tmp_path / "needs_loop.py").write_text("import asyncio\nloop = asyncio.get_running_loop()\n")
    client.ok(target + f"import sys\nsys.path.insert(0, {str(tmp_path)!r})")
    assert client.ok(target + "import needs_loop\nneeds_loop.loop.is_running()").value == "True"
    client.ok(target + "import sys\ndel sys.path[0], sys.modules['needs_loop']")


def test_a_plain_cell_has_a_running_loop_and_a_current_task(client: Client, target: str) -> None:
    client.ok(target + SETUP + "loop = asyncio.get_running_loop()")
    task = "isinstance(asyncio.current_task(), asyncio.Task), loop.is_running()"
    assert client.ok(target + task).value == "(True, True)"
    assert client.ok(target + "[t is asyncio.current_task() for t in asyncio.all_tasks()]").value == "[True]"
    assert client.ok(target + "(await work(), loop is asyncio.get_running_loop())").value == "(4, True)"
    assert client.ok(target + "loop is asyncio.get_running_loop() is asyncio.get_event_loop()").value == "True"
    assert client.run(target + "loop.close()").error == "RuntimeError: Cannot close a running event loop"


def test_a_plain_cell_makes_what_needs_a_running_loop(client: Client, target: str) -> None:
    code = """
q, b, f = asyncio.Queue(), asyncio.Barrier(2), asyncio.get_running_loop().create_future()
threaded = asyncio.get_running_loop().run_in_executor(None, int)
awaited = asyncio.gather(work(), work())
"""
    client.ok(target + SETUP + code)
    assert client.ok(target + "await awaited, await threaded").value == "([4, 4], 0)"


def test_the_current_task_of_a_plain_cell_ends_with_it(client: Client, target: str) -> None:
    started = client.send(
        target + SETUP + "mine = asyncio.current_task()\n"
        "mine.add_done_callback(lambda t: print('ended'))\nmine.cancel();"
    )
    client.wait_for_text(started, "ended\n")
    state = "(mine.done(), mine in asyncio.all_tasks(), mine is asyncio.current_task())"
    assert client.ok(target + state).value == "(True, False, False)"


@pytest.mark.parametrize("run", [*RUNS.values(), ITS_OWN], ids=[*RUNS, "the cell's loop"])
def test_a_plain_cell_runs_a_loop_and_is_inside_its_own_again(client: Client, target: str, run: str) -> None:
    client.ok(target + SETUP)
    assert client.ok(target + f"before = here()\n{run}\nx, here() == before").value == "(4, True)"
    assert client.ok(target + "await work(5)").value == "5"


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_cell_that_awaits_runs_another_loop(client: Client, target: str, run: str) -> None:
    client.ok(target + SETUP)
    code = f"await work()\nbefore = here()\n{run}\n(x, here() == before, await work(5))"
    assert client.ok(target + code).value == "(4, True, 5)"


def test_the_loop_is_put_back_after_errors(client: Client, target: str) -> None:
    code = """
async def fail(): 1/0
async def leave(): raise SystemExit(3)
before = here()
for coroutine in (fail(), leave(), None):
    try: asyncio.run(coroutine)
    except (ZeroDivisionError, SystemExit, TypeError, ValueError) as error: print(type(error).__name__, here() == before)
"""
    result = client.ok(target + SETUP + code)
    assert result.stdout == "ZeroDivisionError True\nSystemExit True\nTypeError True\n"


def test_a_loop_in_another_loop_is_refused_as_in_python(client: Client, target: str) -> None:
    code = "async def nested():\n    await asyncio.run(work())\nasyncio.run(nested())"
    result = client.run(target + SETUP + code)
    assert result.error == "RuntimeError: asyncio.run() cannot be called from a running event loop"
    assert "_xinterp_shell" not in result.traceback
    running = "async def again(): asyncio.get_event_loop().run_until_complete(work())\nawait again()"
    assert client.run(target + running).error == "RuntimeError: This event loop is already running"
    assert client.ok(target + "await work()").value == "4"


@pytest.mark.parametrize("awaits", ["", "await work()\n"], ids=["plain", "awaits"])
def test_the_loop_is_put_back_after_an_interrupt(client: Client, target: str, awaits: str) -> None:
    client.ok(target + SETUP)
    code = (
        "async def wait():\n    print('on')\n    await asyncio.sleep(60)\n"
        f"{awaits}before = here()\ntry: asyncio.run(wait())\nexcept KeyboardInterrupt: print('stopped')\n"
        "here() == before"
    )
    cell = client.send(target + code)
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    result = client.result(cell)
    assert (result.stdout, result.value) == ("on\nstopped\n", "True")
    assert client.ok(target + "await work()").value == "4"


def test_threads_have_loops_of_their_own(client: Client, target: str) -> None:
    code = """
import threading
def ask():
    try: asyncio.get_running_loop()
    except RuntimeError as error: print(error)
    print(asyncio.run(work()))
thread = threading.Thread(target=ask); thread.start(); thread.join()
here()[2]
"""
    result = client.ok(target + SETUP + code)
    assert (result.stdout, result.value) == ("no running event loop\n4\n", "True")


def test_a_server_answers_between_cells(client: Client, target: str) -> None:
    code = """
async def answer(reader, writer):
    writer.write(b'hello'); writer.close()
server = await asyncio.start_server(answer, '127.0.0.1', 0)
server.sockets[0].getsockname()[1]
"""
    port = client.ok(target + SETUP + code).value
    client.ok("%interp create bob --if-missing")
    asking = f"import socket\nwith socket.create_connection(('127.0.0.1', {port}), timeout=30) as s: print(s.recv(9))"
    assert client.ok("%%interp bob\n" + asking).stdout == "b'hello'\n"
    client.ok(target + "server.close()")


def test_a_thread_calls_into_the_loop_between_cells(client: Client, target: str) -> None:
    code = """
import threading
gate = threading.Event()
def later():
    gate.wait()
    print(asyncio.run_coroutine_threadsafe(work('from a thread'), loop).result(30))
loop = asyncio.get_running_loop()
threading.Thread(target=later).start()
"""
    started = client.send(target + SETUP + code)
    client.result(started)
    client.ok(target + "gate.set()")
    client.wait_for_text(started, "from a thread\n")


def test_context_variables_that_cells_set_stay_set(client: Client, target: str) -> None:
    client.ok(target + SETUP + "import contextvars, decimal\nv = contextvars.ContextVar('v')\ntoken = v.set('plain')")
    code = "await work()\nx = v.get()\nv.set('awaits')\ndecimal.getcontext().prec = 5\nx"
    assert client.ok(target + code).value == "'plain'"
    assert client.ok(target + "v.get(), str(decimal.Decimal(1) / 3)").value == "('awaits', '0.33333')"
    assert client.ok(target + "v.reset(token)\nv.get('unset')").value == "'unset'"
    client.ok(target + "decimal.getcontext().prec = 28")


def test_a_task_has_the_context_variables_of_its_creation(client: Client, target: str) -> None:
    code = """
import contextvars
v = contextvars.ContextVar('v')
async def get():
    x = v.get()
    v.set(9)
    return x
v.set(1)
t = asyncio.create_task(get())
v.set(2);
"""
    client.ok(target + SETUP + code)
    assert client.ok(target + "await t, v.get()").value == "(1, 2)"
    assert client.ok(target + "asyncio.run(get()), v.get()").value == "(2, 2)"


def test_numpy_keeps_the_print_options_of_a_cell_that_awaits(client: Client) -> None:
    client.ok(SETUP + "import numpy\nawait work()\nnumpy.set_printoptions(precision=2)")
    assert client.ok("numpy.array([1/3])").value == "array([0.33])"
    client.ok("numpy.set_printoptions(precision=8)")


def test_a_visit_has_no_running_loop(client: Client) -> None:
    code = """
from concurrent import interpreters
bob = interpreters.create()
bob.exec('''
import asyncio
try: asyncio.get_running_loop()
except RuntimeError as error: print(error)
print(asyncio.run(asyncio.sleep(0, 3)))
''')
bob.close()
here()[2]
"""
    result = client.ok(SETUP + code)
    assert (result.stdout, result.value) == ("no running event loop\n3\n", "True")


def test_a_forked_child_is_outside_the_loop(client: Client) -> None:
    code = """
import os, warnings
with warnings.catch_warnings(action='ignore'):
    pid = os.fork()
if pid == 0:
    print(asyncio._get_running_loop(), asyncio.run(work()), flush=True)
    os._exit(0)
_ = os.waitpid(pid, 0)
here()[2]
"""
    result = client.ok(SETUP + code)
    assert (result.stdout, result.value) == ("None 4\n", "True")


def test_forked_workers_run_loops(client: Client) -> None:
    code = """
import multiprocessing, warnings
def run(value): return asyncio.run(work(value))
with warnings.catch_warnings(action='ignore'), multiprocessing.get_context('fork').Pool(1) as pool:
    x = pool.map(run, [1, 2])
x
"""
    assert client.ok(SETUP + code).value == "[1, 2]"


def test_a_subshell_has_a_loop_and_a_context_of_its_own(client: Client, subshell: str) -> None:
    client.ok(SETUP + "import contextvars\nv = contextvars.ContextVar('v', default=0)\nv.set(1)\nmains = here()[1];")
    code = "here()[1] is mains, v.get(), asyncio.run(work())"
    assert client.ok(code, subshell=subshell).value == "(False, 0, 4)"
    client.ok("t = asyncio.create_task(work(7))\nv.set(2)", subshell=subshell)
    assert client.ok("await t, v.get()", subshell=subshell).value == "(7, 2)"
    assert client.ok("v.get()").value == "1"


IPYTHON = {
    "%%time": "%%time\nt = asyncio.create_task(work())\nassert asyncio.run(work(3)) == 3",
    "%time": "%time t = asyncio.create_task(work())",
    "%run": "%run {file}",
    "run_cell": "get_ipython().run_cell('t = asyncio.create_task(work())');",
    "run_cell that awaits": "get_ipython().run_cell('await work(); t = asyncio.create_task(work())');",
    "%gui": "%gui asyncio\nt = asyncio.create_task(work())",
}


@pytest.mark.parametrize("code", IPYTHON.values(), ids=IPYTHON)
def test_cells_that_run_through_ipython_are_inside_the_loop(
    ipython_client: Client, ipython_target: str, code: str, tmp_path: Path
) -> None:
    client, target = ipython_client, ipython_target
    file = tmp_path / "script.py"
    file.write_text(SETUP + "t = asyncio.create_task(work())\n")
    client.ok(target + SETUP)
    client.ok(target + code.format(file=file))
    assert client.ok(target + "await t").value == "4"
    assert client.ok(target + "asyncio.run(work(5))").value == "5"


def test_other_runners_of_ipython_work(fresh: Kernel) -> None:
    client = fresh.client
    client.ok(SETUP + "get_ipython();")
    client.ok("%autoawait asyncio")
    assert client.ok("t = asyncio.create_task(work(6))\nawait work(5)").value == "5"
    assert client.ok("await t").value == "6"
    client.ok("%autoawait False")
    assert client.run("await work()").error.startswith("SyntaxError: ")
    assert client.ok("asyncio.run(work())").value == "4"


def test_nest_asyncio_works_as_in_ipykernel(fresh: Kernel) -> None:
    client = fresh.client
    client.ok(SETUP + "import nest_asyncio; nest_asyncio.apply()")
    assert client.ok("asyncio.get_event_loop().run_until_complete(work())").value == "4"
    assert client.ok("async def nested(): return asyncio.run(work(3))\nasyncio.run(nested())").value == "3"
    assert client.ok("await nested()").value == "3"
    client.ok("t = asyncio.create_task(work(6))")
    assert client.ok("await t").value == "6"
