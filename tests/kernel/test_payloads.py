"""What a reply tells the front end: payloads, user expressions, and what follows an error. In main and in another one."""

from pathlib import Path

import pytest
from harness import WAIT, Client


def payload(client: Client, code: str) -> list[dict[str, object]]:
    return client.ok(code).reply["content"]["payload"]


LEAVE = {"source": "ask_exit", "keepkernel": False}


@pytest.mark.parametrize("code", ["exit", "quit", "exit()", "quit()", "x = 1\nexit", "exit; "])
def test_exit_asks_the_front_end_to_leave(client: Client, target: str, code: str) -> None:
    result = client.ok(target + code)
    assert result.reply["content"]["payload"] == [LEAVE]
    assert result.of("execute_result", "stream", "error") == []


@pytest.mark.parametrize("code", ["exit(1)", "quit(True)", "exit(keep_kernel=True)"])
def test_exit_may_keep_the_kernel(client: Client, target: str, code: str) -> None:
    assert payload(client, target + code) == [{"source": "ask_exit", "keepkernel": True}]


def test_what_follows_exit_still_runs_and_the_next_cell_has_no_payload(client: Client, target: str) -> None:
    result = client.ok(target + "exit(); quit()\nprint('more')")
    assert (result.stdout, result.reply["content"]["payload"]) == ("more\n", [LEAVE])
    assert payload(client, target + "1") == []


def test_the_payload_of_a_cell_that_fails_is_sent(client: Client, target: str) -> None:
    assert client.run(target + "exit()\n1/0").reply["content"]["payload"] == [LEAVE]
    assert payload(client, target + "1") == []


def test_exit_says_what_it_does(client: Client, target: str) -> None:
    shown = client.ok(target + "print(exit)").stdout
    assert shown == "<exit: leave the front end and end the kernel; exit(True) leaves the kernel alive>\n"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import sys; sys.exit()", "SystemExit: "),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import asyncio, sys\nawait asyncio.sleep(0)\nsys.exit(4)", "SystemExit: 4"),
    ],
)
def test_sys_exit_is_an_error_of_the_cell(client: Client, target: str, code: str, error: str) -> None:
    result = client.run(target + code)
    assert (result.error, result.reply["content"]["payload"]) == (error, [])
    assert client.ok(target + "1").value == "1"


def test_user_expressions_have_all_representations(client: Client, target: str) -> None:
    code = "class Rich:\n    def __repr__(self): return 'plain'\n    def _repr_html_(self): return '<b>'"
    reply = client.ok(target + code, user_expressions={"rich": "Rich()", "none": "None"}).reply["content"]
    assert reply["user_expressions"] == {
        "rich": {"status": "ok", "data": {"text/plain": "plain", "text/html": "<b>"}, "metadata": {}},
        "none": {"status": "ok", "data": {"text/plain": "None"}, "metadata": {}},
    }


@pytest.mark.parametrize(
    ("expression", "ename", "evalue"),
    [
        ("1/0", "ZeroDivisionError", "division by zero"),
        ("x +", "SyntaxError", "invalid syntax (<string>, line 1)"),
        ("__import__('sys').exit(1)", "SystemExit", "1"),
    ],
)
def test_a_user_expression_that_fails_fails_alone(
    client: Client, target: str, expression: str, ename: str, evalue: str
) -> None:
    result = client.ok(target + "x = 3", user_expressions={"bad": expression, "good": "x"})
    expressions = result.reply["content"]["user_expressions"]
    assert expressions["bad"]["status"] == "error"
    assert (expressions["bad"]["ename"], expressions["bad"]["evalue"]) == (ename, evalue)
    assert expressions["bad"]["traceback"][-1].replace("\x1b[0m", "").endswith(evalue.split(" (")[0])
    assert expressions["good"]["data"] == {"text/plain": "3"}
    assert result.of("error") == []


def test_user_expressions_of_a_cell_that_fails_are_not_evaluated(client: Client, target: str) -> None:
    reply = client.run(target + "1/0", user_expressions={"one": "1"}).reply["content"]
    assert reply["user_expressions"] == {}


def test_a_silent_cell_runs_and_shows_only_what_it_prints(client: Client, target: str) -> None:
    count = client.ok(target + "1").reply["content"]["execution_count"]
    result = client.ok(target + "silent = 5\nprint('p')\nsilent", silent=True, user_expressions={"s": "silent"})
    assert (result.stdout, result.of("execute_input", "execute_result")) == ("p\n", [])
    assert result.reply["content"]["user_expressions"]["s"]["data"] == {"text/plain": "5"}
    assert client.ok(target + "_").reply["content"]["execution_count"] == count + 1


def test_a_cell_that_is_not_stored_leaves_no_trace_in_the_history(client: Client, target: str) -> None:
    before = client.ok(target + "len(In)")
    result = client.ok(target + "6 * 7", store_history=False)
    assert result.value == "42"
    after = client.ok(target + "'6 * 7' in [i.rpartition(chr(10))[2] for i in In]")
    assert after.value == "False"
    counts = [each.reply["content"]["execution_count"] for each in (before, after)]
    assert counts[1] == counts[0] + 1


@pytest.mark.parametrize(("stop", "status"), [(True, "aborted"), (False, "ok")])
def test_what_waits_behind_an_error_is_aborted_unless_it_is_not_to(
    client: Client, target: str, tmp_path: Path, stop: bool, status: str
) -> None:
    fails = client.send(target + WAIT.format(go=tmp_path / "go") + "1/0", stop_on_error=stop)
    behind = client.send(target + "'behind'")
    client.let_go(tmp_path / "go")
    assert client.result(fails).status == "error"
    assert client.result(behind).status == status
    assert client.ok(target + "1").value == "1"
