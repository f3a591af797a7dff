"""pdb in cells: asked through the front end, in main and in another interpreter."""

import pytest
from dialogues import Session, debug
from harness import PATIENCE, Client

FUNCTION = """
def add(number):
    total = number + 1
    breakpoint()
    return total
"""


@pytest.fixture
def first(target: str) -> int:
    """The number of the code's first line in its cell."""
    return 2 if target else 1


@pytest.fixture
def function(client: Client, target: str) -> str:
    """Its file name: the cell's."""
    return f"<In [{client.ok(target + FUNCTION).reply['content']['execution_count']}]>"


def test_breakpoint_stops_and_goes_on(client: Client, target: str, function: str, first: int) -> None:
    result = debug(client, target, "add(1)", "p number", "pp total", "c")
    assert result.stdout == f"> {function}({first + 3})add()\n-> breakpoint()\n1\n2\n"
    assert result.value == "2"


def test_list_shows_the_cells_lines(client: Client, target: str, function: str) -> None:
    result = debug(client, target, "add(1)", "list", "c")
    listed = result.stdout.split("\n")[2:]
    cell = [*target.split("\n")[1:], *FUNCTION.rstrip("\n").split("\n")]  # the magic line is empty
    assert [line.split("\t")[1] for line in listed if "\t" in line] == cell
    assert [line for line in listed if "->" in line][0].endswith("->\t    breakpoint()")


def test_the_stack_ends_with_the_cell(client: Client, target: str, function: str, first: int) -> None:
    result = debug(client, target, "add(1)", "w", "up", "up", "down", "c")
    count = result.reply["content"]["execution_count"]
    cell = f"<In [{count}]>({first})<module>()\n-> add(1)\n"
    inner = f"> {function}({first + 3})add()\n-> breakpoint()\n"
    assert result.stdout == f"{inner}  {cell}{inner}> {cell}*** Oldest frame\n{inner}"


def test_statements_and_errors_at_the_prompt(client: Client, target: str, function: str) -> None:
    result = debug(client, target, "add(1)", "!total = 40", "p nothing", "1/0", "total + 2", "c")
    assert result.stdout.split("\n")[2:] == [
        "*** NameError: name 'nothing' is not defined",
        "*** ZeroDivisionError: division by zero",
        "42",
        "",
    ]
    assert result.value == "40"


def test_quit_ends_the_cell(client: Client, target: str, function: str) -> None:
    result = debug(client, target, "add(1)\nprint('never')", "q")
    assert (result.status, result.error) == ("error", "BdbQuit: ")
    assert result.traceback == "BdbQuit"
    assert "never" not in result.stdout
    assert client.ok(target + "1").value == "1"


def test_the_end_of_input_quits(client: Client, target: str, function: str) -> None:
    assert debug(client, target, "add(1)", "\x04").error == "BdbQuit: "


def test_stop_at_the_prompt_ends_the_cell(client: Client, target: str, function: str, first: int) -> None:
    session = Session(client, "add(1)", target)
    session.asked()
    client.interrupt()
    result = session.result()
    count = result.reply["content"]["execution_count"]
    assert result.error == "KeyboardInterrupt: "
    assert result.traceback.split("\n") == [
        "Traceback (most recent call last):",
        f"  Cell In[{count}], line {first}, in <module>",
        "    add(1)",
        "    ~~~^^^",
        f"  Cell In[{function[5:-2]}], line {first + 3}, in add",
        "    breakpoint()",
        "    ~~~~~~~~~~^^",
        "KeyboardInterrupt",
    ]
    assert client.ok(target + "2").value == "2"


def test_stop_at_the_prompt_lets_the_cells_below_run(client: Client, target: str) -> None:
    for code in ("import pdb; pdb.set_trace()", "def f():\n    breakpoint()\nf()"):
        session = Session(client, code, target)
        below = client.send(f"{target}3 + 4")
        session.asked()
        client.interrupt()
        assert session.result().error == "KeyboardInterrupt: "
        assert client.result(below).value == "7"


def test_stop_after_continue_ends_the_cell(client: Client, target: str) -> None:
    session = Session(client, "import time\nbreakpoint()\nprint('on')\ntime.sleep(60)", target)
    session.say("c")
    client.wait_for_text(session.cell, "on\n")
    client.interrupt()
    assert session.result().error == "KeyboardInterrupt: "


def test_stepping_past_the_end_of_a_cell_stops_neither_in_the_kernel_nor_in_the_next_cell(
    client: Client, target: str, first: int
) -> None:
    result = debug(client, target, "import pdb\npdb.set_trace()\nx = 5", "n", "n", "n")
    where = f"<In [{result.reply['content']['execution_count']}]>"
    assert result.stdout == (
        f"> {where}({first + 1})<module>()\n-> pdb.set_trace()\n"
        f"> {where}({first + 2})<module>()\n-> x = 5\n"
        f"--Return--\n> {where}({first + 2})<module>()->None\n-> x = 5\n"
    )
    assert client.ok(target + "'__return__' in globals()").value == "False"
    assert client.ok(target + "def f():\n    return x\nf()").value == "5"


def test_stepping_into_functions(client: Client, target: str, first: int) -> None:
    code = "def twice(n):\n    return 2 * n\nimport pdb\npdb.set_trace()\ntwice(4)"
    result = debug(client, target, code, "n", "s", "r", "c")
    where = f"<In [{result.reply['content']['execution_count']}]>"
    assert result.stdout == (
        f"> {where}({first + 3})<module>()\n-> pdb.set_trace()\n"
        f"> {where}({first + 4})<module>()\n-> twice(4)\n"
        f"--Call--\n> {where}({first})twice()\n-> def twice(n):\n"
        f"--Return--\n> {where}({first + 1})twice()->8\n-> return 2 * n\n"
    )
    assert result.value == "8"


def test_breakpoints_last_over_cells(client: Client, target: str, first: int) -> None:
    count = client.ok(target + "def third(n):\n    return n / 3").reply["content"]["execution_count"]
    set_up = debug(client, target, "breakpoint()", "b third", "c")
    assert set_up.stdout.endswith(f"Breakpoint 1 at <In [{count}]>:{first + 1}\n")
    stopped = debug(client, target, "third(6)", "p n", "clear 1", "c")
    assert stopped.stdout.split("\n")[2:] == ["6", f"Deleted breakpoint 1 at <In [{count}]>:{first + 1}", ""]
    assert client.ok(target + "third(9)").value == "3.0"


def test_post_mortem(client: Client, target: str, first: int) -> None:
    failed = client.run(target + "def f(d):\n    return 1 / d\nf(0)")
    where = f"<In [{failed.reply['content']['execution_count']}]>"
    result = debug(client, target, "import pdb; pdb.pm()", "p d", "w", "q")
    inner = f"> {where}({first + 1})f()\n-> return 1 / d\n"
    assert result.stdout == f"{inner}0\n  {where}({first + 2})<module>()\n-> f(0)\n{inner}"
    assert result.status == "ok"


def test_post_mortem_of_what_is_being_handled(client: Client, target: str) -> None:
    code = "import pdb\ntry:\n    1/0\nexcept Exception:\n    pdb.post_mortem()\n'after'"
    result = debug(client, target, code, "p 1 + 1", "q")
    assert result.stdout.split("\n")[1:] == ["-> 1/0", "2", ""]
    assert result.value == "'after'"


def test_run_and_runcall(client: Client, target: str) -> None:
    result = debug(client, target, "import pdb\npdb.run('x = 1\\nprint(x)')", "n", "c")
    assert result.stdout == "> <string>(1)<module>()\n> <string>(2)<module>()\n1\n"
    result = debug(client, target, "def three():\n    return 3\npdb.runcall(three)", "c")
    assert result.stdout.endswith("three()\n-> return 3\n")
    assert result.value == "3"


def test_interact(client: Client, target: str, function: str) -> None:
    session = Session(client, "add(1)", target)
    session.say("interact")
    prompt = session.prompt.replace("(Pdb) ", "In : ")
    session.asked(prompt)
    client.client.input("total + 5")
    session.asked(prompt)
    client.client.input("\x04")
    session.say("c")
    result = session.result()
    assert [content["data"]["text/plain"] for content in result.of("execute_result")] == ["7", "2"]
    assert "*pdb interact start*\n" in result.stdout and "*exit from pdb interact command*\n" in result.stdout


def test_a_coroutine_is_debugged_to_its_end(client: Client, target: str, first: int) -> None:
    code = "async def f():\n    breakpoint()\n    return 4\nawait f()"
    result = debug(client, target, code, "w", "n", "n", "n")
    where = f"<In [{result.reply['content']['execution_count']}]>"
    assert result.stdout.startswith(
        f"> {where}({first + 1})f()\n-> breakpoint()\n"
        f"  {where}({first + 3})<module>()\n-> await f()\n> {where}({first + 1})f()\n-> breakpoint()\n"
        f"> {where}({first + 2})f()\n-> return 4\n"
    )
    assert "_xinterp" not in result.stdout and "asyncio" not in result.stdout
    assert result.value == "4"


def test_a_debugger_is_refused_where_the_front_end_cannot_answer(client: Client, target: str, function: str) -> None:
    assert client.run(target + "add(1)").error == (
        "StdinNotImplementedError: input() was called, but this front end does not support input requests."
    )
    assert client.ok(target + "1").value == "1"


COMPLETE = """
from _xinterp_shell import debugging, prompts
def complete(code):
    reply = debugging.complete({"code": code, "cursor_pos": len(code)})
    return reply["matches"], reply["cursor_start"], reply["cursor_end"]
def local(variable_of_the_frame):
    breakpoint()
"""


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("p varia", (["variable_of_the_frame"], 2, 7)),
        ("  pp varia", (["variable_of_the_frame"], 5, 10)),
        ("whe", (["whereis", "where"][1:], 0, 3)),
        ("!print(varia", (["variable_of_the_frame"], 7, 12)),
        ("p variable_of_the_frame.as_integer_", (["variable_of_the_frame.as_integer_ratio"], 2, 35)),
        ("p variable_of_the_frame.nothing.at_a", ([], 2, 36)),
    ],
)
def test_commands_and_the_frames_names_complete(
    client: Client, target: str, typed: str, answer: tuple[list[str], int, int]
) -> None:
    client.ok(target + COMPLETE)
    result = debug(client, target, "local(5)", f"p complete({typed!r})", "p prompts.active()", "c")
    assert result.stdout.split("\n")[-3:] == [repr(answer), "True", ""]
    assert client.ok(target + "prompts.active()").value == "False"


@pytest.mark.parametrize(("begun", "matches"), [("cont", ["cont", "continue"]), ("p long_na", ["long_name"])])
def test_the_front_end_completes_at_the_prompt(client: Client, target: str, begun: str, matches: list[str]) -> None:
    cell = client.send(target + "long_name = 3\nbreakpoint()\n1", allow_stdin=True)
    client.client.get_stdin_msg(timeout=PATIENCE)
    assert client.ask("complete", target + begun)["matches"] == matches
    client.client.input("c")
    assert client.result(cell).status == "ok"


def test_commands_of_breakpoints_displays_and_the_like(client: Client, target: str, first: int) -> None:
    numbered_afresh = "import bdb; bdb.Breakpoint.clearBreakpoints()"
    client.ok(target + numbered_afresh)
    code = "import pdb\ndef h(x):\n    for i in range(3):\n        x += i\n    return x\npdb.runcall(h, 5)"
    session = Session(client, code, target)
    session.say(f"b {first + 3}, i == 1", "commands 1")
    for line in ("silent", "p x * 100", "end"):
        session.asked(session.prompt.replace("Pdb", "com"))
        client.client.input(line)
    session.say("display x", "c", f"until {first + 4}", "clear 1", "source h", f"j {first + 4}", "!x = 77", "c")
    result = session.result()
    client.ok(target + numbered_afresh)
    where = f"<In [{result.reply['content']['execution_count']}]>"
    assert result.value == "77"
    shown = result.stdout.splitlines()[2:]
    assert shown[:3] == [f"Breakpoint 1 at {where}:{first + 3}", "display x: 5", "500"]
    assert shown[3:6] == [f"> {where}({first + 4})h()", "-> return x", "display x: 8  [old: 5]"]
    assert [line.split("\t")[1].strip() for line in shown if "\t" in line] == [
        line.strip() for line in code.splitlines()[1:5]
    ]


def test_the_debug_command_asks_at_a_prompt_of_its_own(client: Client, target: str, function: str) -> None:
    session = Session(client, "add(1)", target)
    session.say("debug add(5)")
    for command in ("p 2 + 2", "q"):
        session.asked(session.prompt.replace("(Pdb)", "((Pdb))"))
        client.client.input(command)
    session.say("p number", "c")
    result = session.result()
    assert [line for line in result.stdout.splitlines() if line.isdigit()] == ["4", "1"]
    assert result.value == "2"


def test_awaiting_at_a_prompt(client: Client, target: str) -> None:
    code = "import asyncio, pdb\nasync def f():\n    await pdb.set_trace_async()\n    return 4\nawait f()"
    result = debug(client, target, code, "await asyncio.sleep(0)", "print(await asyncio.sleep(0, 'slept'))", "c")
    assert "slept" in result.stdout
    assert result.value == "4"
