"""Several prompts of the debugger at once: in lanes, in threads, in code of other interpreters, and what else goes on."""

from typing import Any

import pytest
from dialogues import Session, debug
from harness import PATIENCE, Client, Kernel, Result

STOPPED = "here = '{0}'\nbreakpoint()\nhere"
ALICE = "from concurrent import interpreters\nalice = [i for i in interpreters.list_all() if i.id != 0][0]\n"


def request(client: Client) -> dict[str, Any]:
    return client.client.get_stdin_msg(timeout=PATIENCE)


def matches(client: Client, code: str) -> list[str]:
    return client.ask("complete", code)["matches"]


def lines(result: Result) -> list[str]:
    return sorted(result.stdout.splitlines())


def test_both_interpreters_of_a_cell_stop_and_each_prompt_names_its_own(client: Client) -> None:
    client.ok("%interp create alice bob")
    cell = client.send("%%interp alice bob\nimport _xinterp\nbreakpoint()\n_xinterp.interpreter", allow_stdin=True)
    for name in ("alice", "bob"):
        client.wait_for_text(cell, f"[{name}] -> breakpoint()\n")
    commands = {f"[{name}] (Pdb) ": ["p 40 + 2", "c"] for name in ("alice", "bob")}
    for _ in range(4):
        client.client.input(commands[request(client)["content"]["prompt"]].pop(0))
    result = client.result(cell)
    assert lines(result)[:3] == [
        "[alice] -> breakpoint()",
        "[alice] 42",
        f"[alice] > <In [{count(result)}]>(3)<module>()",
    ]
    assert lines(result)[3:] == ["[bob] -> breakpoint()", "[bob] 42", f"[bob] > <In [{count(result)}]>(3)<module>()"]


def count(result: Result) -> int:
    return result.reply["content"]["execution_count"]


def test_tab_at_a_prompt_completes_the_frame_that_asks(client: Client) -> None:
    client.ok("%interp create alice bob")
    code = "def stopped(names_of):\n    name_in_{0} = 1\n    breakpoint()\nimport _xinterp\nstopped(1)"
    for name in ("alice", "bob"):
        cell = client.send(f"%%interp {name}\n" + code.format(name), allow_stdin=True)
        assert request(client)["content"]["prompt"] == f"[{name}] (Pdb) "
        assert matches(client, "p name") == [f"name_in_{name}", "names_of"]
        assert matches(client, "contin") == ["continue"]
        client.client.input("c")
        assert client.result(cell).status == "ok"


def test_with_two_prompts_open_tab_completes_the_one_that_is_shown(client: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("%%interp alice\nname_in_alice = 1")
    client.ok("%%interp bob\nname_in_bob = 1")
    cell = client.send("%%interp alice bob\nbreakpoint()", allow_stdin=True)
    for _ in range(2):
        shown = request(client)["content"]["prompt"]
        name = shown.removeprefix("[").partition("]")[0]
        assert matches(client, "p name_in") == [f"name_in_{name}"]
        client.client.input("c")
    assert client.result(cell).status == "ok"


def test_cells_complete_in_their_own_interpreter_while_another_is_stopped(client: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("name_in_main = 1")
    client.ok("%%interp bob\nname_in_bob = 1")
    cell = client.send("%%interp alice\nname_in_alice = 1\nbreakpoint()", allow_stdin=True)
    request(client)
    assert matches(client, "x = 1\nname_in") == ["name_in_main"]
    assert matches(client, "name_in_m") == ["name_in_main"]  # alice has none that begins like that
    assert matches(client, "%%interp bob\nname_in") == ["name_in_bob"]
    assert matches(client, "%%interp alice\nname_in") == ["name_in_alice"]
    client.client.input("c")
    assert client.result(cell).status == "ok"


def test_a_detached_cell_at_a_prompt_leaves_completion_to_the_cells(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("name_in_main = 1")
    cell = client.send("%%interp alice &\nname_in_alice = 1\nbreakpoint()", allow_stdin=True)
    request(client)
    assert matches(client, "name_in") == ["name_in_main"]
    client.client.input("c")
    assert client.result(cell).status == "ok"


def test_an_interpreter_at_a_prompt_leaves_the_others_alone(client: Client) -> None:
    client.ok("%interp create alice bob")
    cell = client.send("%%interp alice &\n" + STOPPED.format("alice"), allow_stdin=True)
    request(client)
    assert client.ok("1 + 1").value == "2"
    assert client.ok("%%interp bob\n1 + 2").value == "3"
    assert "alice" in client.ok("%interp").of("display_data")[0]["data"]["text/plain"]
    client.client.input("c")
    assert client.result(cell).value == "'alice'"


def test_an_interrupt_by_name_ends_the_prompt_of_that_interpreter_only(client: Client) -> None:
    client.ok("%interp create alice bob")
    cells = {}
    for name in ("alice", "bob"):
        cells[name] = client.send(f"%%interp {name} &\n" + STOPPED.format(name), allow_stdin=True)
        client.wait_for_text(cells[name], "-> breakpoint()\n")
    assert request(client)["content"]["prompt"] == "[alice] (Pdb) "
    client.ok("%interp interrupt alice")
    assert client.result(cells["alice"]).error == "KeyboardInterrupt: "
    assert request(client)["content"]["prompt"] == "[bob] (Pdb) "
    client.client.input("c")
    assert client.result(cells["bob"]).value == "'bob'"


def test_an_interpreter_at_a_prompt_can_be_closed(client: Client) -> None:
    client.ok("%interp create alice")
    cell = client.send("%%interp alice &\nbreakpoint()", allow_stdin=True)
    request(client)
    client.ok("%interp close alice --force")
    assert client.result(cell).error == "KeyboardInterrupt: "


def test_two_front_ends_have_a_prompt_each(kernel: Kernel) -> None:
    with kernel.connect() as other:
        kernel.client.ok("%interp create alice bob")
        first = kernel.client.send("%%interp alice\n" + STOPPED.format("alice"), allow_stdin=True)
        assert request(kernel.client)["content"]["prompt"] == "[alice] (Pdb) "
        second = other.send("%%interp bob\n" + STOPPED.format("bob"), allow_stdin=True)
        assert request(other)["content"]["prompt"] == "[bob] (Pdb) "
        other.client.input("p here")
        request(other)
        kernel.client.client.input("c")
        assert kernel.client.result(first).value == "'alice'"
        other.client.input("c")
        assert other.result(second).value == "'bob'"


def test_code_that_main_runs_in_another_interpreter_stops_there(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\nname_in_alice = 1")
    session = Session(client, ALICE + "alice.exec('y = 5\\nbreakpoint()\\nz = y + 1')")
    session.prompt = "[alice] (Pdb) "
    session.asked()
    assert matches(client, "p name_in") == ["name_in_alice"]
    client.client.input("p y")
    session.say("w", "n", "n", "n")
    shown = "> <script>({})<module>()"
    result = session.result()
    assert result.stdout.splitlines() == [
        shown.format(2), "5", shown.format(2), shown.format(3), "--Return--", shown.format(3) + "->None"
    ]  # fmt: skip
    assert client.ok("alice.exec('z += 1')").stdout == ""  # stepping ended with the code
    assert client.ok("%%interp alice\nz, '__return__' in globals()").value == "(7, False)"


def test_an_interrupt_at_the_prompt_of_such_code_ends_the_cell(client: Client) -> None:
    client.ok("%interp create alice")
    cell = client.send(ALICE + "alice.exec('breakpoint()')", allow_stdin=True)
    request(client)
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.ok("%%interp alice\n1").value == "1"


def test_a_called_function_is_debugged_in_its_interpreter(client: Client) -> None:
    client.ok("%interp create alice")
    session = Session(client, ALICE + "def half(n):\n    breakpoint()\n    return n / 2\nalice.call(half, 9)")
    session.prompt = "[alice] (Pdb) "
    session.say("p n", "!n = 8", "c")
    result = session.result()
    assert (result.value, result.stdout.splitlines()[-1]) == ("4.0", "9")


@pytest.fixture
def work(client: Client, target: str) -> str:
    """The file name of a function that stops in threads."""
    code = "def work(n):\n    value = n * 10\n    breakpoint()\n    value += 1\n    return value"
    return f"<In [{count(client.ok(target + code))}]>"


def test_a_thread_is_debugged_to_its_end(client: Client, target: str, work: str) -> None:
    first = 2 if target else 1
    run = "import threading\nt = threading.Thread(target=work, args=(2,))\nt.start(); t.join()\n'joined'"
    result = debug(client, target, run, "w", "n", "p value", "n", "n", "n")
    assert result.stdout.splitlines() == [
        *(f"> {work}({first + 2})work()", "-> breakpoint()") * 2,
        *(f"> {work}({first + 3})work()", "-> value += 1", "20"),
        *(f"> {work}({first + 4})work()", "-> return value"),
        *("--Return--", f"> {work}({first + 4})work()->21", "-> return value"),
    ]
    assert result.value == "'joined'"


def test_threads_that_stop_at_once_do_not_disturb_each_other(client: Client, target: str, work: str) -> None:
    first = 2 if target else 1
    run = (
        "import threading\nthreads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3)]\n"
        "for t in threads: t.start()\nfor t in threads: t.join()"
    )
    session = Session(client, run, target)
    client._until(lambda: text_of(client, session.cell).count(f"> {work}") == 3, "three stops", "iopub")
    while not client.idle(session.cell):  # a thread may stop at the line after its breakpoint: it has fewer steps then
        if client.client.stdin_channel.msg_ready():
            session.say("n")
        client.read_available(0.05)
    returns = [f"> {work}({first + 4})work()->{value}" for value in (11, 21, 31)]
    assert [line for line in lines(session.result()) if "()->" in line] == returns


def text_of(client: Client, cell: str) -> str:
    return Result({}, client.iopub[cell]).stdout


def test_stepping_in_one_interpreter_leaves_another_untraced(client: Client) -> None:
    client.ok("%interp create alice")
    session = Session(client, "import pdb, sys\npdb.set_trace()\nx = 1\nx = 2", "%%interp alice &\n")
    session.say("n")
    session.asked()
    traced = (
        "import sys\nE = sys.monitoring.events\nsys.gettrace(), sys.monitoring.get_tool(sys.monitoring.DEBUGGER_ID)"
    )
    assert client.ok(traced).value == "(None, None)"
    code = "def spin(n):\n    for i in range(n):\n        pass\n    return n\nspin(1000)"
    assert client.ok(code).value == "1000"
    client.client.input("p sys.monitoring.get_tool(sys.monitoring.DEBUGGER_ID)")
    session.say("c")
    assert session.result().stdout.splitlines()[-1] == "'bdbtracer'"
