"""The debugger beside what else runs: interpreters, threads, subshells, interrupts, pdb, the kernel's end."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from debuggers import CELL, Debugger, label
from dialogues import Session
from harness import Client, Kernel


@pytest.fixture
def client(debug_client: Client) -> Client:
    return debug_client


MAKE = "from concurrent import interpreters\nmade = interpreters.create()\n"
POOL = "from concurrent.futures import InterpreterPoolExecutor\nwith InterpreterPoolExecutor(1) as pool: value = pool."


def test_a_thread_of_a_cell_stops_alone(debugger: Debugger, place: str) -> None:
    code = f"""{place}import threading
def work():
    done = 1
    return done
thread = threading.Thread(target=work, name="worker")
thread.start()
print("goes on", flush=True)
thread.join()"""
    cell = debugger.run(code, 5)
    stop = debugger.stop()
    assert stop.places == [(label(place) + "work", 5)]
    debugger.client.wait_for_text(cell, "goes on")
    names = debugger.threads()
    assert names[stop.thread] == label(place) + "worker"
    assert label(place) + "MainThread" in names.values()
    stop.go_on()
    assert debugger.client.result(cell).status == "ok"


def test_an_async_cell_and_its_tasks_stop(debugger: Debugger, place: str) -> None:
    code = f"""{place}import asyncio
async def work(n):
    await asyncio.sleep(0)
    return n * 2
total = sum(await asyncio.gather(work(1), work(2)))
print(total)"""
    cell = debugger.run(code, 5)
    values = []
    for _ in range(2):
        stop = debugger.stop()
        assert stop.places[0] == (label(place) + "work", 5)
        values.append(stop.variables()["n"])
        stop.go_on()
    assert sorted(values) == ["1", "2"]
    assert debugger.client.result(cell).stdout == "6\n"


def test_a_stopped_interpreter_leaves_everything_else_alive(debugger: Debugger, client: Client) -> None:
    client.ok("%interp create alice bob")
    alice = debugger.run("%%interp alice &\nx = 1\ny = 2", 3)
    stop = debugger.stop()
    assert stop.places == [("[alice] <module>", 3)]
    assert client.ok("1 + 1").value == "2"
    assert client.ok("%%interp bob\n2 + 2").value == "4"
    for code in ("prin", "%%interp bob\nprin", "%%interp alice\nprin"):
        assert "print" in client.ask("complete", code)["matches"], code
    assert "running" in client.ok("%interp").of("display_data")[0]["data"]["text/plain"]
    assert stop.variables("Globals")["x"] == "1"
    stop.go_on()
    assert client.result(alice).status == "ok"


def test_two_stopped_interpreters_go_on_one_by_one(debugger: Debugger, client: Client) -> None:
    client.ok("%interp create alice bob")
    code = "%%interp alice bob\nname = 'somebody'\nname = name.upper()"
    cell = debugger.run(code, 3)
    stops = [debugger.stop(), debugger.stop()]
    assert {stop.places[0] for stop in stops} == {("[alice] <module>", 3), ("[bob] <module>", 3)}
    assert stops[0].thread != stops[1].thread
    stopped = debugger.do("debugInfo")["stoppedThreads"]
    assert stopped == [stops[1].thread, stops[0].thread]
    stops[1].go_on()
    again = debugger.stop()  # JupyterLab has forgotten it
    assert again.thread == stops[0].thread
    assert again.places == stops[0].places
    again.go_on()
    assert client.result(cell).status == "ok"
    assert debugger.do("debugInfo")["stoppedThreads"] == []


@pytest.mark.parametrize("how", ["the stop button", "%interp interrupt"])
def test_an_interrupt_ends_a_stopped_cell(debug_kernel: Kernel, debugger: Debugger, place: str, how: str) -> None:
    client = debugger.client
    code = f"{place}try:\n    x = 1\nfinally:\n    print('finally')"
    cell = debugger.run(code, 3)
    stop = debugger.stop()
    if how == "the stop button":
        client.interrupt()
    else:
        with debug_kernel.connect() as second:
            second.ok(f"%interp interrupt {'alice' if label(place) else 'main'}")
    result = client.result(cell)
    assert result.error == "KeyboardInterrupt: "
    assert result.stdout == "finally\n"
    assert "pydevd" not in result.traceback
    assert debugger.event("continued")["threadId"] == stop.thread
    assert debugger.do("debugInfo")["stoppedThreads"] == []
    assert debugger.events == []  # it does not stop again
    assert client.ok(f"{place}x = 5\nx").value == "5"


def test_interpreters_that_run_when_it_is_switched_on_stop_too(client: Client) -> None:
    client.ok("%interp create alice")
    code = (
        "%%interp alice &\nimport time\nturn = 0\nwhile turn >= 0:\n    turn += 1\n    time.sleep(0.01)\nprint('over')"
    )
    cell = client.send(code)
    client.wait_for_start(cell)
    debugger = Debugger(client)
    debugger.switch_on()
    debugger.set_breakpoints(code, 5)
    stop = debugger.stop()
    assert stop.places == [("[alice] <module>", 5)]
    debugger.do("setExpression", expression="turn", value="-5", frameId=stop.frames[0]["id"])
    debugger.set_breakpoints(code)
    stop.go_on()
    assert client.result(cell).stdout == "over\n"


def test_breakpoints_that_are_set_while_an_interpreter_is_being_connected_count_there(
    client: Client, tmp_path: Path
) -> None:
    client.ok("%interp create alice")
    functions = [f"%%interp alice\ndef f{n}():\n    return {n}" for n in range(60)]
    for function in functions:
        client.ok(function)
    code = f"%%interp alice &\nimport os, time\nwhile not os.path.exists('{tmp_path}/go'): time.sleep(0.01)\n"
    cell = client.send(code + "for n in range(60): globals()[f'f{n}']()")
    client.wait_for_start(cell)
    debugger = Debugger(client)
    paths = [debugger.do("dumpCell", code=function)["sourcePath"] for function in functions]
    debugger.do("initialize")
    debugger.send("attach")
    for n, path in enumerate(paths):  # for half a second: longer than it takes
        debugger.send("setBreakpoints", source={"path": path}, breakpoints=[{"line": 3, "logMessage": f"in f{n}"}])
        time.sleep(0.008)
    debugger.until(lambda: "[alice] MainThread" in debugger.threads().values(), "alice is connected")
    (tmp_path / "go").touch()
    client.result(cell)
    assert [debugger.event("output")["output"] for _ in paths] == [f"in f{n}\n" for n in range(60)]


def test_an_interpreter_that_is_visited_when_it_is_switched_on_stops_too(client: Client) -> None:
    function = (
        "def work():\n    import time\n    turn = 0\n    while turn >= 0:\n        turn += 1\n        time.sleep(0.01)"
    )
    client.ok(function)
    client.ok(MAKE + "thread = made.call_in_thread(work)")
    debugger = Debugger(client)
    debugger.switch_on()
    debugger.set_breakpoints(function, 5)
    stop = debugger.stop()
    debugger.do("setExpression", expression="turn", value="-5", frameId=stop.frames[0]["id"])
    debugger.set_breakpoints(function)
    stop.go_on()
    client.ok("thread.join()")


def test_an_interrupt_ends_a_thread_that_is_stopped_in_an_interpreter(debugger: Debugger, client: Client) -> None:
    function = "def work(n):\n    m = n + 1\n    return m"
    debugger.set_breakpoints(function, 3)
    client.ok(function)
    cell = client.send(MAKE + "thread = made.call_in_thread(work, 4)\nthread.join()")
    debugger.stop()
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    debugger.event("continued")
    assert debugger.do("debugInfo")["stoppedThreads"] == []
    client.ok("thread.join()")


def test_interpreters_that_are_connected_are_closed_without_a_word(
    spec: str, capfd: pytest.CaptureFixture[str]
) -> None:
    kernel = Kernel(spec)
    try:
        debugger = Debugger(kernel.client)
        debugger.switch_on()
        kernel.client.ok("%interp create alice")
        kernel.client.ok("%%interp alice\n1")
        kernel.client.ok("%interp close alice")
        kernel.client.ok(MAKE + "made.call(len, 'abc')\nmade.close()")
        kernel.client.ok("import time; time.sleep(0.5)")  # twice the patience of a question
    finally:
        kernel.stop()
    assert capfd.readouterr().err == ""


def test_interpreters_that_are_created_later_stop_too(debugger: Debugger) -> None:
    cell = debugger.run("%%interp carol --create\nx = 1\ny = 2", 3)
    stop = debugger.stop()
    assert stop.places == [("[carol] <module>", 3)]
    names = debugger.threads().values()
    assert {"MainThread", "[carol] MainThread"} <= {*names}
    stop.go_on()
    assert debugger.client.result(cell).status == "ok"


def test_a_function_of_main_stops_where_it_is_called(debugger: Debugger, client: Client) -> None:
    client.ok("%%interp alice --create\npass")
    function = "def work(n):\n    m = n + 1\n    return m"
    debugger.set_breakpoints(function, 3)
    client.ok(function)
    caller = "from concurrent import interpreters\n"
    caller += "alice = next(i for i in interpreters.list_all() if i.id == 1)\nalice.call(work, 4)"
    caller = caller.replace("i.id == 1", "i != interpreters.get_main()")
    cell = client.send(caller)
    stop = debugger.stop()
    assert (stop.places[0], stop.variables()) == (("[alice] work", 3), {"n": "4", "m": "5"})
    stop.go_on()
    assert client.result(cell).value == "5"


@pytest.mark.parametrize(
    "call",
    [
        MAKE + "value = made.call(work, 4)",
        MAKE + "thread = made.call_in_thread(work, 4)\nthread.join()\nvalue = 5",
        POOL + "submit(work, 4).result()",
    ],
    ids=["call", "call_in_thread", "pool"],
)
def test_an_interpreter_that_has_run_no_cell_stops_where_code_of_main_enters_it(
    debugger: Debugger, client: Client, call: str
) -> None:
    function = "def work(n):\n    m = n + 1\n    return m"
    debugger.set_breakpoints(function, 3)
    client.ok(function)
    cell = client.send(call + "\nvalue")
    stop = debugger.stop()
    assert stop.places[0][0].endswith("] work")
    assert (stop.places[0][1], stop.variables()) == (3, {"n": "4", "m": "5"})
    stop.go_on()
    assert client.result(cell).value == "5"


TEXT = "'def f():\\n    a = 1\\n    breakpoint()\\n    return a\\nf()'"


@pytest.mark.parametrize(
    "run",
    [
        f"made.exec({TEXT})",
        f"import _interpreters; _interpreters.run_string(made.id, {TEXT})",
        f"import _interpreters; _interpreters.run_string_unrestricted(made.id, {TEXT})",
    ],
    ids=["exec", "run_string", "run_string_unrestricted"],
)
def test_text_that_enters_an_interpreter_stops_at_its_breakpoint_function(
    debugger: Debugger, client: Client, run: str
) -> None:
    cell = client.send(MAKE + run)
    stop = debugger.stop()
    assert stop.variables() == {"a": "1"}
    stop.go_on()
    assert client.result(cell).status == "ok"


def test_an_interpreter_without_threads_says_once_that_it_cannot_be_debugged(
    debugger: Debugger, client: Client
) -> None:
    client.ok(
        "import _interpreters\nmade = _interpreters.create(_interpreters.new_config('isolated', allow_threads=False))\n"
        "for _ in range(3): _interpreters.run_string(made, 'x = 1')"
    )
    assert debugger.event("output")["output"].endswith(
        " cannot be debugged: RuntimeError: thread is not supported for isolated subinterpreters\n"
    )
    client.ok("_interpreters.destroy(made)")
    assert [event for event in debugger.events if event["event"] == "output"] == []


def test_an_interrupt_while_an_interpreter_is_being_connected_ends_the_cell(debugger: Debugger, client: Client) -> None:
    cell = client.send(
        MAKE + "print('made')\nwhile True:\n    made.exec('1'); made.close(); made = interpreters.create()"
    )
    client.wait_for_text(cell, "made")
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    cell = client.send(MAKE + f"made.exec({TEXT})")
    debugger.stop().go_on()
    assert client.result(cell).status == "ok"


@pytest.mark.parametrize("how", ["the stop button", "%interp interrupt alice"])
def test_an_interrupt_ends_code_of_main_s_cell_that_is_stopped_in_alice(
    debug_kernel: Kernel, debugger: Debugger, client: Client, how: str
) -> None:
    client.ok("%%interp alice --create\npass")
    code = "def work(n):\n    m = n + 1\n    return m"
    debugger.set_breakpoints(code, 3)
    client.ok(code)
    find = "next(i for i in interpreters.list_all() if i != interpreters.get_main())"
    cell = client.send(f"from concurrent import interpreters\n{find}.call(work, 4)")
    stop = debugger.stop()
    assert stop.places[0][1] == 3
    if how == "the stop button":
        client.interrupt()
    else:
        with debug_kernel.connect() as second:
            second.ok(how)
    assert "KeyboardInterrupt" in client.result(cell).error
    debugger.event("continued")
    assert debugger.do("debugInfo")["stoppedThreads"] == []


def test_an_interpreter_whose_server_was_ended_is_debugged_again_from_a_later_cell(
    debugger: Debugger, place: str
) -> None:
    client = debugger.client
    client.ok(f"{place}1")
    before = len(debugger.threads())
    client.ok(f"{place}import pydevd\npydevd.stoptrace()")
    debugger.until(lambda: len(debugger.threads()) < before, "the end of the server")
    client.ok(f"{place}2")
    cell = debugger.run(place + CELL, 8)
    debugger.stop().go_on()
    assert client.result(cell).stdout == "done 4\n"


def test_what_waits_for_a_comm_s_message_stops(debugger: Debugger, client: Client, place: str) -> None:
    code = f"""{place}from comm import create_comm
def heard(message):
    data = message["content"]["data"]
    print(data)
own = create_comm(target_name="t", comm_id="own")
own.on_msg(heard)"""
    debugger.set_breakpoints(code, 5)
    client.ok(code)
    parent = client.request("comm_msg", {"comm_id": "own", "data": {"n": 1}})
    stop = debugger.stop()
    assert (stop.places[0], stop.variables()["data"]) == ((label(place) + "heard", 5), "{'n': 1}")
    stop.go_on()
    client._until(lambda: client.idle(parent), "idle", "iopub")
    client.ok(f"{place}own.close()")


def test_the_child_of_a_fork_does_not_stop(debugger: Debugger, client: Client) -> None:
    code = """import os
pid = os.fork()
if pid == 0:
    os._exit(7)
os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"""
    cell = debugger.run(code, 4)
    assert client.result(cell).value == "7"


def test_a_stopped_interpreter_is_closed(debugger: Debugger, client: Client) -> None:
    cell = debugger.run("%%interp alice --create &\nx = 1\ny = 2", 3)
    stop = debugger.stop()
    client.ok("%interp close alice --force")
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert debugger.event("continued")["threadId"] == stop.thread
    assert "that thread has ended." in debugger.refusal("stackTrace", threadId=stop.thread)


def test_a_subshell_stops_and_is_interrupted_alone(debugger: Debugger, client: Client) -> None:
    subshell = client.create_subshell()
    code = "shell = 'sub'\nlast = 1"
    debugger.set_breakpoints(code, 2)
    in_subshell = client.send(code, subshell)
    stop = debugger.stop()
    assert stop.places == [("<module>", 2)]
    assert client.ok("6 * 7").value == "42"
    in_main = debugger.run("own = 'main'\nlast = 2", 2)
    own = debugger.stop()
    names = debugger.threads()
    assert (names[own.thread], names[stop.thread].rstrip("0123456789")) == ("MainThread", "subshell-")
    client.interrupt(subshell)
    assert client.result(in_subshell).error == "KeyboardInterrupt: "
    debugger.event("continued")
    assert debugger.do("debugInfo")["stoppedThreads"] == [own.thread]
    own.go_on()
    assert client.result(in_main).status == "ok"
    client.delete_subshell(subshell)


def test_pdb_s_own_prompt_works_beside_it(debugger: Debugger, place: str) -> None:
    target = place if label(place) else ""
    session = Session(debugger.client, "import pdb\nx = 1\npdb.set_trace()\nx = 2", target)
    session.say("p x + 40", "n", "c")
    assert "41\n" in session.result().stdout
    cell = debugger.run(place + CELL, 8)
    debugger.stop().go_on()
    assert debugger.client.result(cell).stdout == "done 4\n"


def test_it_is_not_switched_on_where_pdb_has_stopped(client: Client) -> None:
    session = Session(client, "x = 1\nbreakpoint()\nx = 2")
    session.asked()
    why = "RuntimeError: pdb is in use in this interpreter: end that first (c or q at its prompt)"
    assert Debugger(client).refusal("initialize") == why
    client.client.input("c")
    assert session.result().status == "ok"
    Debugger(client).switch_on()


@pytest.mark.parametrize("restart", [False, True])
def test_the_kernel_ends_while_interpreters_are_stopped(fresh: Kernel, restart: bool) -> None:
    debugger = Debugger(fresh.client)
    debugger.switch_on()
    debugger.run("%%interp alice --create &\nx = 1\ny = 2", 3)
    debugger.stop()
    debugger.run("z = 3", 1)
    debugger.stop()
    folder = Path(debugger.do("debugInfo")["tmpFilePrefix"])
    assert folder.stat().st_mode & 0o777 == 0o700
    fresh.client.reply(fresh.client.request("shutdown_request", {"restart": restart}, "control"), "control")
    assert fresh.wait_for_end(10)
    assert not folder.exists()


def test_plain_cpython_refuses_debugpy_in_an_interpreter_of_its_own() -> None:
    """What docs/debugging.md says of it."""
    script = """from concurrent import interpreters

interpreters.create().exec("import debugpy; debugpy.listen(0, in_process_debug_adapter=True)")"""
    assert script in (Path(__file__).parents[2] / "docs/debugging.md").read_text()
    plain = subprocess.run(["python3.14", "-c", script], capture_output=True, text=True, check=False)
    assert "RuntimeError: daemon threads are disabled in this interpreter" in plain.stderr


def test_an_interpreter_in_c_code_misses_off_and_on_and_is_debugged_afterwards(
    debugger: Debugger, client: Client, tmp_path: Path
) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\n1")  # connected
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    in_c = client.send(
        "%%interp alice &\nimport ctypes, os\nprint('held')\n"
        f"descriptor = os.open({str(pipe)!r}, os.O_RDONLY)\n"
        "_ = ctypes.PyDLL(None).read(descriptor, ctypes.create_string_buffer(1), 1)"
    )
    client.wait_for_text(in_c, "held\n")
    writer = os.open(pipe, os.O_WRONLY)  # until she has opened it
    debugger.switch_off()
    debugger.switch_on()
    os.write(writer, b".")
    os.close(writer)
    assert client.result(in_c).status == "ok"
    cell = debugger.run("%%interp alice\nx = 1\ny = 2", 3)
    stop = debugger.stop()
    assert stop.places == [("[alice] <module>", 3)]
    stop.go_on()
    assert client.result(cell).status == "ok"
