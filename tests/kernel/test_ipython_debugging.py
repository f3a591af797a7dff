"""The debuggers of an interpreter in which IPython is loaded: pdb and IPython's own."""

from pathlib import Path

import pytest
from dialogues import Session, debug
from harness import Client, plain

IPDB = "ipdb> "
SET_TRACE = "from IPython.core.debugger import set_trace\n"


@pytest.fixture
def target(ipython_target: str) -> str:
    return ipython_target


@pytest.fixture
def first(target: str) -> int:
    """The number of the code's first line in its cell."""
    return 2 if target else 1


@pytest.fixture(autouse=True)
def fresh_debugger(target: str, ipython_client: Client) -> None:
    """`breakpoint()` goes on with the debugger of the thread, which may be another test's."""
    ipython_client.ok(target + "from _xinterp_shell import prompts\nprompts.of_threads.clear()")


def test_the_stack_begins_with_the_cell(ipython_client: Client, target: str, first: int) -> None:
    result = debug(ipython_client, target, "def f():\n    breakpoint()\nf()", "w", "c")
    where = f"<In [{result.reply['content']['execution_count']}]>"
    inner = f"> {where}({first + 1})f()\n-> breakpoint()\n"
    assert plain(result.stdout) == f"{inner}  {where}({first + 2})<module>()\n-> f()\n{inner}"


def test_stepping_goes_from_statement_to_statement_and_ends_with_the_cell(
    ipython_client: Client, target: str, first: int
) -> None:
    code = (
        "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 3\nbreakpoint()\ny = await f()\ny += 1"
    )
    result = debug(ipython_client, target, code, *["n"] * 5)
    where = f"> <In [{result.reply['content']['execution_count']}]>"
    assert plain(result.stdout).splitlines() == [
        *(f"{where}({first + 4})<module>()", "-> breakpoint()"),
        *("--Return--", f"{where}({first + 4})<module>()->None", "-> breakpoint()"),
        *(f"{where}({first + 5})<module>()", "-> y = await f()"),
        *(f"{where}({first + 6})<module>()", "-> y += 1"),
        *("--Return--", f"{where}({first + 6})<module>()->None", "-> y += 1"),
    ]
    assert ipython_client.ok(target + "y, '__return__' in globals()").value == "(4, False)"


def test_stepping_ends_with_an_error(ipython_client: Client, target: str) -> None:
    result = debug(ipython_client, target, "breakpoint()\n1/0\nis_reached = 1", *["n"] * 5)
    assert result.error == "ZeroDivisionError: division by zero"
    assert ipython_client.ok(target + "'is_reached' in globals()").value == "False"


@pytest.mark.parametrize("module", ["IPython.core.debugger", "IPython.terminal.debugger"])
def test_ipythons_debuggers_ask_through_the_front_end(ipython_client: Client, target: str, module: str) -> None:
    code = f"from {module} import set_trace\ndef f(number):\n    set_trace()\n    return number\nf(7)"
    result = debug(ipython_client, target, code, "p number + 1", "ll", "u", "d", "n", "c", prompt=IPDB)
    assert "\n8\n" in plain(result.stdout)
    assert "----> " in plain(result.stdout)
    assert result.value == "7"


def test_breakpoint_after_ipythons_set_trace(ipython_client: Client, target: str) -> None:
    debug(ipython_client, target, SET_TRACE + "set_trace()\nx = 1", "n", "n", "n", "n", prompt=IPDB)
    result = debug(ipython_client, target, "breakpoint()\nx += 1\nx", "p x", "c", prompt=IPDB)
    assert result.value == "2"


def test_pythonbreakpoint_chooses_the_debugger(ipython_client: Client, target: str) -> None:
    code = "import os\nos.environ['PYTHONBREAKPOINT'] = '{}'\ntry:\n    breakpoint()\nfinally:\n    del os.environ['PYTHONBREAKPOINT']"
    result = debug(ipython_client, target, code.format("IPython.core.debugger.set_trace"), "p 5", "c", prompt=IPDB)
    assert "\n5\n" in plain(result.stdout)
    assert ipython_client.ok(target + code.format("0")).stdout == ""


def test_completion_at_ipythons_prompt(ipython_client: Client, target: str) -> None:
    session = Session(ipython_client, SET_TRACE + "def f(some_number):\n    set_trace()\nf(1)", target, IPDB)
    session.asked()
    for begun, matches in (("p some_n", ["some_number"]), ("contin", ["continue"])):
        assert ipython_client.ask("complete", begun)["matches"] == matches
    ipython_client.client.input("c")
    assert session.result().status == "ok"


def test_stop_at_ipythons_prompt_ends_the_cell(ipython_client: Client, target: str) -> None:
    session = Session(ipython_client, SET_TRACE + "set_trace()\nis_reached = 1", target, IPDB)
    session.asked()
    ipython_client.interrupt()
    result = session.result()
    assert result.error == "KeyboardInterrupt: "
    assert "bdb.py" not in result.traceback and "_xinterp" not in result.traceback
    assert ipython_client.ok(target + "'is_reached' in globals()").value == "False"


def test_debug_looks_at_the_last_error(ipython_client: Client, target: str) -> None:
    ipython_client.run(target + "def f(divisor):\n    return 1 / divisor\nf(0)")
    result = debug(ipython_client, target, "%debug", "p divisor", "u", "q", prompt=IPDB)
    assert "\n0\n" in plain(result.stdout)
    assert result.status == "ok"


def test_debug_runs_a_statement(ipython_client: Client, target: str) -> None:
    ipython_client.ok(target + "def f(number):\n    return number + 1")
    result = debug(ipython_client, target, "%debug f(41)", "s", "p number", "c", prompt=IPDB)
    assert "\n41\n" in plain(result.stdout)
    result = debug(ipython_client, target, "%%debug\nx = 5\ny = 6", "n", "p x", "c", prompt=IPDB)
    assert "\n5\n" in plain(result.stdout)


def test_pdb_is_called_for_errors_when_it_is_on(ipython_client: Client, target: str) -> None:
    ipython_client.ok(target + "%pdb on")
    result = debug(ipython_client, target, "def f(divisor):\n    1 / divisor\nf(0)", "p divisor", "q", prompt=IPDB)
    ipython_client.ok(target + "%pdb off")
    assert "\n0\n" in plain(result.stdout)
    assert result.error == "ZeroDivisionError: division by zero"


def test_run_d_debugs_a_script(ipython_client: Client, target: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("x = 1\nfor i in range(3):\n    x += i\nprint(x)\n", encoding="utf-8")
    result = debug(ipython_client, target, f"%run -d {script}", "n", "b 4", "c", "p x * 10", "c", prompt=IPDB)
    assert "\n40\n" in plain(result.stdout)
    assert plain(result.stdout).endswith("4\n")
