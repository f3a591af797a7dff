"""What a cell does in a subshell: waits and interrupts, tasks, input, other interpreters, comms, IPython, pdb."""

import pytest
from harness import Client, Kernel

# --- interrupts

WAITS = {
    "python": "while True: pass",
    "sleep": "import time; time.sleep(1000)",
    "lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "with": "import threading; lock = threading.Lock(); lock.acquire()\nwith lock: pass",
    "event": "import threading; threading.Event().wait()",
    "join": "import threading; end = threading.Event(); thread = threading.Thread(target=end.wait); thread.start(); thread.join()",
    "queue": "import queue; queue.Queue().get()",
    "simple queue": "import queue; queue.SimpleQueue().get()",
    "future": "import concurrent.futures as c; c.Future().result()",
    "select": "import select; select.select([], [], [])",
    "read": "import os; os.read(os.pipe()[0], 1)",
    "recv": "import socket; a, b = socket.socketpair(); a.recv(1)",
    "process": "import subprocess; subprocess.run(['sleep', '1000'])",
    "await": "import asyncio; await asyncio.sleep(1000)",
    "asyncio.run": "import asyncio; asyncio.run(asyncio.sleep(1000))",
    "interpreter": "from concurrent import interpreters; i = interpreters.create(); i.exec('while True: pass')",
}


@pytest.mark.parametrize("what", WAITS)
def test_a_subshell_can_be_interrupted_while_it_waits(client: Client, subshell: str, what: str) -> None:
    cell = client.send(f"print('begun')\n{WAITS[what]}", subshell)
    client.wait_for_text(cell, "begun")
    assert client.interrupt(subshell)["content"] == {"status": "ok"}
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.result(client.send("'next'", subshell)).value == "'next'"
    client.ok("if 'thread' in globals(): end.set(); thread.join()")


def test_an_interrupt_of_one_subshell_leaves_the_others_alone(client: Client, subshell: str, other: str) -> None:
    client.ok(
        "import threading\ngo = threading.Event()\ndef wait():\n    print('begun'); go.wait(); return 'undisturbed'"
    )
    cells = [client.send("wait()", place) for place in (None, subshell, other)]
    for cell in cells:
        client.wait_for_text(cell, "begun")
    client.interrupt(subshell)
    assert client.result(cells[1]).error == "KeyboardInterrupt: "
    client.result(client.send("go.set()", subshell))
    assert [client.result(cells[i]).value for i in (0, 2)] == ["'undisturbed'"] * 2


def test_stop_is_for_mains_own_cell(client: Client, subshell: str) -> None:
    client.ok(
        "import threading\ngo = threading.Event()\ndef wait():\n    print('begun'); go.wait(); return 'undisturbed'"
    )
    cells = [client.send("wait()", place) for place in (None, subshell)]
    for cell in cells:
        client.wait_for_text(cell, "begun")
    client.interrupt()
    assert client.result(cells[0]).error == "KeyboardInterrupt: "
    client.ok("go.set()")
    assert client.result(cells[1]).value == "'undisturbed'"


def test_stop_is_for_subshells_if_nothing_else_runs(client: Client, subshell: str) -> None:
    cell = client.send("print('begun')\nwhile True: pass", subshell)
    client.wait_for_text(cell, "begun")
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "


def test_the_subshell_to_interrupt_may_stand_in_the_content(client: Client, subshell: str) -> None:
    cell = client.send("print('begun')\nwhile True: pass", subshell)
    client.wait_for_text(cell, "begun")
    assert client.control("interrupt_request", {"subshell_id": subshell}) == {"status": "ok"}
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.control("interrupt_request", {"subshell_id": "nobody"})["status"] == "error"


def test_mains_own_waits_are_as_they_were(client: Client, subshell: str) -> None:
    client.result(client.send("1", subshell))
    cell = client.send("import threading; print('begun'); threading.Event().wait()")
    client.wait_for_text(cell, "begun")
    client.interrupt()
    result = client.result(cell)
    assert result.error == "KeyboardInterrupt: "
    assert client.ok("threading.Lock().acquire(timeout=0.001), threading.Lock().acquire(False)").value == "(True, True)"


# --- what else a cell does


def test_cells_await_in_a_loop_of_their_subshell(client: Client, subshell: str) -> None:
    code = "import asyncio\nasync def f(): return asyncio.get_running_loop()\nloop_{0} = await f()"
    client.ok(code.format("m"))
    client.result(client.send(code.format("s"), subshell))
    assert client.ok("loop_m is loop_s").value == "False"
    client.result(client.send("task = asyncio.create_task(asyncio.sleep(0, 'slept'))", subshell))
    assert client.result(client.send("await task", subshell)).value == "'slept'"


def test_tasks_go_on_between_cells_of_a_subshell(client: Client, subshell: str) -> None:
    client.ok("import threading, asyncio\ndone = threading.Event()")
    client.result(
        client.send("async def f():\n    await asyncio.sleep(0.01); done.set()\nt = asyncio.create_task(f())", subshell)
    )
    client.ok("done.wait()")


def test_tasks_end_with_their_subshell(client: Client, subshell: str) -> None:
    client.ok("import asyncio\nended = []")
    code = """
async def f():
    try:
        await asyncio.sleep(1000)
    finally:
        ended.append(1)
t = asyncio.create_task(f()); await asyncio.sleep(0)
"""
    client.result(client.send(code, subshell))
    client.delete_subshell(subshell)
    client.ok("import time\nwhile not ended: time.sleep(0.01)")
    assert client.ok("ended").value == "[1]"


def test_a_subshell_asks_for_input_in_its_own_name(client: Client, subshell: str) -> None:
    cell = client.send("input('your name? ')", subshell, allow_stdin=True)
    question = client.client.get_stdin_msg(timeout=60)
    assert question["content"] == {"prompt": "your name? ", "password": False}
    assert (question["parent_header"]["msg_id"], question["parent_header"]["subshell_id"]) == (cell, subshell)
    client.client.input("Ada")
    assert client.result(cell).value == "'Ada'"


def test_main_goes_on_while_a_subshell_asks(client: Client, subshell: str) -> None:
    cell = client.send("input()", subshell, allow_stdin=True)
    client.client.get_stdin_msg(timeout=60)
    assert client.ok("6 * 7").value == "42"
    client.interrupt(subshell)
    assert client.result(cell).error == "KeyboardInterrupt: "


def test_payloads_are_their_own_cells(client: Client, subshell: str) -> None:
    client.ok("import threading\nboth = threading.Barrier(2)\nafter = threading.Barrier(2)")
    code = "both.wait(); {}; after.wait()"
    cells = [client.send(code.format("exit(True)"), subshell), client.send(code.format("1"))]
    payloads = [client.result(cell).reply["content"]["payload"] for cell in cells]
    assert payloads == [[{"source": "ask_exit", "keepkernel": True}], []]


def test_future_statements_stay_in_their_shell(client: Client, subshell: str) -> None:
    client.result(client.send("from __future__ import barry_as_FLUFL", subshell))
    assert client.result(client.send("1 <> 2", subshell)).value == "True"
    assert client.run("1 <> 2").error.startswith("SyntaxError")


def test_completion_and_inspection_work_through_a_subshell(client: Client, subshell: str) -> None:
    client.ok("def a_function_of_main(): 'its help'")
    reply = client.reply(client.request("complete_request", {"code": "a_function_o"}, subshell=subshell))
    assert reply["parent_header"]["subshell_id"] == subshell
    assert client.ask("complete", "a_function_o", subshell)["matches"] == ["a_function_of_main"]
    reply = client.ask("inspect", "a_function_of_main", subshell, detail_level=0)
    assert "its help" in reply["data"]["text/plain"]
    assert client.ask("is_complete", "if x:", subshell)["status"] == "incomplete"


# --- with other interpreters


def test_other_interpreters_are_reached_from_a_subshell(client: Client, subshell: str) -> None:
    client.ok("%interp create alice")
    client.ok("import threading\ngo = threading.Event()\nx = 41")
    busy = client.send("go.wait()")
    client.wait_for_start(busy)
    result = client.result(client.send("%%interp alice --in x --out y\ny = x + 1\ny", subshell))
    assert (result.status, result.value) == ("ok", "42")
    assert client.result(client.send("y", subshell)).value == "42"
    assert client.result(client.send("%interp share y --from main --to alice", subshell)).status == "ok"
    assert client.result(client.send("%interp vars main", subshell)).status == "ok"
    client.result(client.send("go.set()", subshell))
    assert client.result(busy).status == "ok"


def test_use_is_a_subshells_own(client: Client, subshell: str) -> None:
    client.ok("%interp create alice")
    client.result(client.send("%interp use alice", subshell))
    assert (
        client.result(
            client.send("import xinterp; xinterp.list()[0]['id']; __import__('_xinterp').interpreter", subshell)
        ).value
        != "0"
    )
    assert client.ok("__import__('_xinterp').interpreter").value == "0"


def test_detached_cells_of_a_subshell_are_waited_for(client: Client, subshell: str) -> None:
    client.ok("import threading\ngo = threading.Event()\ndone = []")
    cell = client.send("%%interp main &\ngo.wait(); done.append(1)", subshell)
    client.wait_for_start(cell)
    waiting = client.send("%interp wait main")
    client.wait_for_start(waiting)
    once_more = client.create_subshell()
    client.result(client.send("go.set()", once_more))
    assert client.result(waiting).status == "ok"
    assert client.ok("done").value == "[1]"
    client.result(cell)


def test_a_timeout_ends_a_subshells_cell(client: Client, subshell: str) -> None:
    result = client.result(client.send("%%interp main --timeout 0.05\nimport time; time.sleep(1000)", subshell))
    assert result.error == "TimeoutError: the cell ran longer than 0.05 s in main and was interrupted."


# --- comms


def test_comm_messages_run_in_mains_own_thread_whatever_subshell_they_come_through(
    client: Client, subshell: str
) -> None:
    client.ok(
        "import comm, threading\n"
        "def opened(c, m):\n    c.on_msg(lambda m: print(threading.current_thread().name, m['content']['data']))\n"
        "comm.get_comm_manager().register_target('t', opened)"
    )
    client.result(client.send("1", subshell))
    for number, through in enumerate([None, subshell, "nobody"]):
        opened = {"comm_id": f"c{number}", "target_name": "t", "data": {}}
        client.wait_for_idle(client.request("comm_open", opened, subshell=through))
        message = client.request("comm_msg", {"comm_id": f"c{number}", "data": number}, subshell=through)
        client.wait_for_idle(message)
        texts = [m["content"]["text"] for m in client.iopub[message] if m["msg_type"] == "stream"]
        assert "".join(texts) == f"MainThread {number}\n"
        assert client.iopub[message][0]["parent_header"].get("subshell_id") == through


# --- IPython


def test_ipythons_cells_run_at_the_same_time(ipython_client: Client) -> None:
    client, subshell = ipython_client, ipython_client.create_subshell()
    client.ok("import threading\nboth = threading.Barrier(2)\nafter = threading.Barrier(2)")
    code = "both.wait()\n{0} = !echo {0}\nprint('printed by {0}')\nafter.wait()\n{0}.s"
    cells = {name: client.send(code.format(name), place) for name, place in (("m", None), ("s", subshell))}
    for name, cell in cells.items():
        result = client.result(cell)
        assert (result.stdout, result.value) == (f"printed by {name}\n", f"'{name}'")
        assert result.of("execute_result")[0]["execution_count"] == result.reply["content"]["execution_count"]


def test_ipythons_errors_are_shown_once_and_under_their_cells(ipython_client: Client) -> None:
    client, subshell = ipython_client, ipython_client.create_subshell()
    client.ok("import threading\nboth = threading.Barrier(2)\nafter = threading.Barrier(2)")
    code = "both.wait()\ntry:\n    raise ValueError('{0}')\nfinally:\n    after.wait()"
    cells = {name: client.send(code.format(name), place) for name, place in (("m", None), ("s", subshell))}
    for name, cell in cells.items():
        result = client.result(cell)
        assert [error["evalue"] for error in result.of("error")] == [name]
        assert result.error == f"ValueError: {name}"


def test_streams_are_as_they_were_after_cells_that_overlap(ipython_client: Client) -> None:
    client, subshell = ipython_client, ipython_client.create_subshell()
    client.ok("import sys, threading\ngo = threading.Event()")
    client.result(client.send("before = sys.stdout.write", subshell))
    first = client.send("go.wait()", subshell)
    client.wait_for_start(first)
    client.result(client.send("go.set()"))
    client.result(first)
    assert client.result(client.send("sys.stdout.write == before", subshell)).value == "True"


def test_the_subshell_magic_tells_which_there_are(ipython_client: Client) -> None:
    client, subshell = ipython_client, ipython_client.create_subshell()
    lines = client.result(client.send("%subshell", subshell)).stdout.splitlines()
    assert lines[0] == f"subshell id: {subshell}"
    assert lines[-1] == f"subshell list: ['{subshell}']"
    assert client.ok("%subshell").stdout.splitlines()[0] == "subshell id: None"


@pytest.mark.needs("matplotlib.pyplot")
def test_figures_belong_to_the_shell_that_draws_them(fresh: Kernel) -> None:
    client = fresh.client
    subshell = client.create_subshell()
    client.ok("import threading, matplotlib.pyplot as plt\ngo = threading.Event()\ndrawn = threading.Event()")
    cell = client.send("plt.plot([1, 2])\ndrawn.set(); go.wait()\nplt.title('late');")
    assert client.result(client.send("drawn.wait(); plt.get_fignums()", subshell)).value == "[]"
    (figure,) = client.result(client.send("plt.plot([3, 4]);", subshell)).of("display_data")
    assert "image/png" in figure["data"]
    client.result(client.send("go.set()", subshell))
    result = client.result(cell)
    assert result.status == "ok"
    assert len(result.of("display_data")) == 1
    assert client.ok("plt.get_fignums()").value == "[]"


def test_the_first_cell_that_needs_ipython_may_be_a_subshells(fresh: Kernel) -> None:
    client = fresh.client
    subshell = client.create_subshell()
    client.ok("import threading\nboth = threading.Barrier(2)")
    cells = [client.send("both.wait(); get_ipython() is get_ipython()", place) for place in (None, subshell)]
    assert [client.result(cell).value for cell in cells] == ["True", "True"]
    assert client.result(client.send("words = !echo one two\nwords.s", subshell)).value == "'one two'"


# --- pdb


def test_pdb_in_a_subshell(client: Client, subshell: str) -> None:
    cell = client.send("x = 41\nbreakpoint()\nx += 1", subshell, allow_stdin=True)
    question = client.client.get_stdin_msg(timeout=60)
    assert question["parent_header"]["msg_id"] == cell
    client.client.input("x")
    client.client.get_stdin_msg(timeout=60)
    client.wait_for_text(cell, "41")
    assert client.ok("6 * 7").value == "42"
    client.client.input("continue")
    assert client.result(cell).status == "ok"
    assert client.ok("x").value == "42"


def test_the_end_of_a_subshells_cell_leaves_mains_debugger_alone(client: Client, subshell: str) -> None:
    cell = client.send("breakpoint()\nx = 1\nx = 2", allow_stdin=True)
    client.client.get_stdin_msg(timeout=60)
    assert client.result(client.send("'subshell'", subshell)).value == "'subshell'"
    client.client.input("next")
    client.client.get_stdin_msg(timeout=60)
    client.client.input("next")
    client.client.get_stdin_msg(timeout=60)
    client.client.input("p x")
    client.client.get_stdin_msg(timeout=60)
    client.wait_for_text(cell, "1")
    client.client.input("continue")
    assert client.result(cell).status == "ok"
