"""`await` in cells and tasks that outlive them, each in main and in another interpreter; test_event_loop.py has more."""

import pytest
from harness import Client, plain

SETUP = """
import asyncio, time
async def work(seconds=0.0, value=4):
    await asyncio.sleep(seconds)
    print('worked')
    return value
"""
SPIN = SETUP + "async def spin():\n    print('spinning')\n    while True: pass\n"


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("await work(value=7)", "7"),
        ("[i async for i in numbers()]", "[0, 1, 2]"),
        ("[await work(value=i) for i in range(2)]", "[0, 1]"),
        ("total = 0\nasync for i in numbers():\n    total += i\ntotal", "3"),
        ("async with asyncio.timeout(10):\n    x = await work()\nx", "4"),
        ("async with asyncio.TaskGroup() as group:\n    t = group.create_task(work())\nt.result()", "4"),
        ("await asyncio.gather(work(value=1), work(value=2))", "[1, 2]"),
        ("await asyncio.to_thread(lambda: 5)", "5"),
        ("await asyncio.wait_for(work(), 10)", "4"),
        ("f'{await work()}'", "'4'"),
        ("(await work()) if True else 0", "4"),
        ("asyncio.get_running_loop() is asyncio.get_event_loop() and await work()", "4"),
    ],
)
def test_a_cell_awaits(client: Client, target: str, code: str, value: str) -> None:
    client.ok(target + SETUP + "async def numbers():\n    for i in range(3): yield i")
    assert client.ok(target + code).value == value


def test_async_with_leaves_in_order_when_its_body_fails(client: Client, target: str) -> None:
    code = """
class Room:
    async def __aenter__(self): print('in')
    async def __aexit__(self, kind, *rest): print('out', kind.__name__)
async with Room():
    1/0
"""
    result = client.run(target + code)
    assert (result.stdout, result.error) == ("in\nout ZeroDivisionError\n", "ZeroDivisionError: division by zero")


def test_a_traceback_begins_at_the_cells_own_line(client: Client, target: str) -> None:
    result = client.run(target + "async def fails():\n    return 1/0\nawait fails()")
    first = 2 if target else 1
    count = result.reply["content"]["execution_count"]
    assert result.traceback.split("\n") == [
        "Traceback (most recent call last):",
        f"  Cell In[{count}], line {first + 2}, in <module>",
        "    await fails()",
        f"  Cell In[{count}], line {first + 1}, in fails",
        "    return 1/0",
        "           ~^~",
        "ZeroDivisionError: division by zero",
    ]


def test_an_exception_group_names_its_members(client: Client, target: str) -> None:
    code = """
import asyncio
async def bad(error): raise error
async with asyncio.TaskGroup() as group:
    group.create_task(bad(ValueError('one')))
    group.create_task(bad(KeyError('two')))
"""
    result = client.run(target + code)
    assert result.error == "ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)"
    lines = [line.strip(" |") for line in result.traceback.split("\n")]
    assert "ValueError: one" in lines and "KeyError: 'two'" in lines
    assert "base_events.py" not in result.traceback


@pytest.mark.parametrize(
    "start",
    [
        "t = asyncio.create_task(work())",
        "t = asyncio.ensure_future(work())",
        "t = asyncio.get_event_loop().create_task(work())",
        "t = asyncio.gather(work(), work())",
        "t = asyncio.get_event_loop().call_later(0.01, print, 'worked')",
        "t = asyncio.get_event_loop().call_soon(print, 'worked')",
    ],
)
def test_a_cell_without_await_starts_tasks_that_go_on_after_it(client: Client, target: str, start: str) -> None:
    client.ok(target + SETUP)
    started = client.send(target + start + "\nprint('ends')")
    client.wait_for_text(started, "worked\n")
    assert client.result(started).stdout.startswith("ends\n")


def test_a_task_of_a_plain_cell_can_be_awaited_in_the_next(client: Client, target: str) -> None:
    client.ok(target + SETUP + "t = asyncio.create_task(work(0.05), name='mine')")
    assert client.ok(target + "(t.get_name(), await t)").value == "('mine', 4)"


def test_an_event_and_a_queue_of_a_plain_cell_are_the_loops(client: Client, target: str) -> None:
    client.ok(target + "import asyncio\nq = asyncio.Queue(); e = asyncio.Event(); f = asyncio.Future()")
    client.ok(target + "async def feed():\n    await e.wait(); await q.put('fed'); f.set_result('done')")
    client.ok(target + "t = asyncio.create_task(feed())\ne.set()")
    assert client.ok(target + "(await q.get(), await f)").value == "('fed', 'done')"


def test_asyncio_run_has_a_loop_of_its_own_while_tasks_are_alive(client: Client, target: str) -> None:
    client.ok(target + SETUP + "t = asyncio.create_task(work(0.05))")
    result = client.ok(
        target + "before = asyncio.get_event_loop()\nasyncio.run(work()), asyncio.get_event_loop() is before"
    )
    assert result.value == "(4, True)"
    assert client.ok(target + "with asyncio.Runner() as runner:\n    x = runner.run(work())\nx").value == "4"
    assert client.ok(target + "await t").value == "4"


def test_other_threads_have_no_loop(client: Client, target: str) -> None:
    code = """
import asyncio, threading
def ask():
    try: asyncio.get_event_loop()
    except RuntimeError as error: print(error)
t = threading.Thread(target=ask, name='other'); t.start(); t.join()
"""
    assert client.ok(target + code).stdout == "There is no current event loop in thread 'other'.\n"


def test_subprocesses_of_asyncio_write_under_their_cell(client: Client, target: str) -> None:
    code = """
import asyncio
p = await asyncio.create_subprocess_exec('echo', 'direct')
q = await asyncio.create_subprocess_shell('echo read', stdout=asyncio.subprocess.PIPE)
(await p.wait(), (await q.communicate())[0])
"""
    result = client.ok(target + code)
    assert (result.stdout, result.value) == ("direct\n", r"(0, b'read\n')")


def test_an_exception_that_nobody_retrieves_is_told_once_under_its_task(client: Client, target: str) -> None:
    code = "import asyncio\nasync def boom(): raise KeyError('lost')\nt = asyncio.create_task(boom())\nawait asyncio.sleep(0)"
    started = client.send(target + code)
    client.result(started)
    dropped = client.ok(target + "import gc\ndel t\ngc.collect();")
    client.wait_for_text(started, "KeyError: 'lost'\n")
    told = "".join(m["content"]["text"] for m in client.iopub[started] if m["msg_type"] == "stream")
    assert told.startswith("Task exception was never retrieved\nfuture: <Task finished ")
    assert told.count("Traceback") == 1
    assert dropped.stderr == ""


def test_an_interrupt_shows_where_the_cell_waited_and_cancels_it(client: Client, target: str) -> None:
    code = "import asyncio\nprint('on')\ntry:\n    await asyncio.sleep(60)\nfinally:\n    print('left')"
    cell = client.send(target + code)
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    result = client.result(cell)
    assert (result.error, result.stdout) == ("KeyboardInterrupt: ", "on\nleft\n")
    first = 2 if target else 1
    count = result.reply["content"]["execution_count"]
    lines = result.traceback.split("\n")
    assert lines[1:3] == [f"  Cell In[{count}], line {first + 3}, in <module>", "    await asyncio.sleep(60)"]
    assert lines[-1] == "KeyboardInterrupt"
    assert "Cancelled" not in result.traceback


def test_a_cell_may_handle_the_cancellation(client: Client, target: str) -> None:
    code = "import asyncio\nprint('on')\ntry:\n    await asyncio.sleep(60)\nexcept asyncio.CancelledError:\n    pass\n'handled'"
    cell = client.send(target + code)
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    assert client.result(cell).value == "'handled'"


def test_an_interrupt_of_a_cell_leaves_the_tasks_of_others_alone(client: Client, target: str) -> None:
    client.ok(target + SETUP + "gate = asyncio.Event()\nasync def wait():\n    await gate.wait()\n    return 'open'")
    client.ok(target + "t = asyncio.create_task(wait())")
    cell = client.send(target + "print('on')\nawait asyncio.sleep(60)")
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.ok(target + "gate.set()\nawait t").value == "'open'"


def test_stop_ends_a_task_that_spins_between_cells(client: Client, target: str) -> None:
    started = client.send(target + SPIN + "t = asyncio.create_task(spin(), name='spinner')")
    client.wait_for_text(started, "spinning\n")
    client.result(started)
    client.interrupt()
    client.wait_for_text(started, "KeyboardInterrupt")
    told = plain("".join(m["content"]["text"] for m in client.iopub[started] if m["msg_type"] == "stream"))
    assert told.startswith("spinning\nspinner was stopped:\nTraceback (most recent call last):\n")
    assert "in spin\n    while True: pass\n" in told
    assert client.ok(target + "type(t.exception())").value == "KeyboardInterrupt"


def test_stop_ends_the_cell_that_waits_behind_such_a_task_and_the_task(client: Client, target: str) -> None:
    started = client.send(target + SPIN + "t = asyncio.create_task(spin())")
    client.wait_for_text(started, "spinning\n")
    client.result(started)
    behind = client.send(target + "print('never')")
    client.wait_for_start(behind)
    client.interrupt()
    result = client.result(behind)
    assert (result.error, result.stdout) == ("KeyboardInterrupt: ", "")
    assert client.ok(target + "t.done()").value == "True"


def test_stop_between_cells_leaves_tasks_that_wait_alone(client: Client, target: str) -> None:
    client.ok(target + SETUP + "gate = asyncio.Event()\nt = asyncio.create_task(gate.wait())")
    client.interrupt()
    assert client.ok(target + "gate.set()\nawait t").value == "True"


def test_debug_mode_can_be_switched(client: Client, target: str) -> None:
    client.ok(target + "import asyncio\nasyncio.get_event_loop().set_debug(True)")
    assert client.ok(target + "asyncio.get_running_loop().get_debug() or await asyncio.sleep(0)").value == "True"
    client.ok(target + "asyncio.get_event_loop().set_debug(False)")


def test_closing_an_interpreter_with_tasks_says_nothing_of_them(client: Client) -> None:
    client.ok("%interp create bob")
    started = client.ok("%%interp bob\n" + SETUP + "t = asyncio.create_task(work(60))")
    closed = client.ok("%interp close bob")
    assert closed.stderr == started.stderr == ""
