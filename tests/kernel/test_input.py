"""`input()` in every interpreter: routed by parent, one request at a time."""

import time
from typing import Any

import pytest
from harness import Client


def next_request(client: Client) -> dict[str, Any]:
    return client.client.get_stdin_msg(timeout=20)


def answer(client: Client, value: str, request: dict[str, Any] | None = None) -> None:
    message = client.client.session.msg("input_reply", {"value": value}, parent=request)
    client.client.stdin_channel.send(message)


@pytest.mark.parametrize(("where", "prefix"), [("main", ""), ("alice", "[alice] ")])
def test_input_asks_and_returns(client: Client, where: str, prefix: str) -> None:
    client.ok("%interp create alice")
    cell = client.send(f"%%interp {where}\nprint('before')\ninput('name? ')", allow_stdin=True)
    request = next_request(client)
    assert request["content"] == {"prompt": prefix + "name? ", "password": False}
    assert request["parent_header"]["msg_id"] == cell
    answer(client, "Ada\u00e9", request)
    result = client.result(cell)
    assert (result.stdout, result.value) == ("before\n", "'Ada\u00e9'")


def test_getpass_asks_for_a_password(client: Client) -> None:
    cell = client.send("from getpass import getpass\ngetpass()", allow_stdin=True)
    request = next_request(client)
    assert request["content"] == {"prompt": "Password: ", "password": True}
    answer(client, "secret")
    assert client.result(cell).value == "'secret'"


def test_two_lanes_ask_at_once_and_each_gets_its_answer(client: Client) -> None:
    client.ok("%interp create alice bob")
    cells = {name: client.send(f"%%interp {name} &\ninput('who? ')", allow_stdin=True) for name in ("alice", "bob")}
    by_parent = {cell: name for name, cell in cells.items()}
    for _ in cells:
        request = next_request(client)
        answer(client, by_parent[request["parent_header"]["msg_id"]], request)
    for name, cell in cells.items():
        assert client.result(cell).value == f"'{name}'"


def test_a_thread_asks_under_its_cell(client: Client) -> None:
    cell = client.send(
        "import threading\nt = threading.Thread(target=lambda: print(input('t? ')))\nt.start(); t.join()",
        allow_stdin=True,
    )
    request = next_request(client)
    assert request["parent_header"]["msg_id"] == cell
    answer(client, "x", request)
    assert client.result(cell).stdout == "x\n"


@pytest.mark.parametrize("where", ["main", "alice"])
def test_an_interrupt_frees_a_cell_that_asks_and_the_next_request_is_shown(client: Client, where: str) -> None:
    client.ok("%interp create alice bob")
    first = client.send(f"%%interp {where} &\ninput('first? ')", allow_stdin=True)
    assert "first?" in next_request(client)["content"]["prompt"]
    second = client.send("%%interp bob &\ninput('second? ')", allow_stdin=True)
    client._until(lambda: client.iopub[second], "busy", "iopub")
    stopped = time.monotonic()
    client.ok(f"import xinterp\nxinterp.interrupt('{where}')" if where != "main" else "%interp interrupt main")
    assert client.result(first).error == "KeyboardInterrupt: "
    assert time.monotonic() - stopped < 1.0
    request = next_request(client)
    assert request["content"]["prompt"] == "[bob] second? "
    answer(client, "ok", request)
    assert client.result(second).value == "'ok'"


def test_a_reply_to_a_request_that_is_over_is_ignored(client: Client) -> None:
    cell = client.send("input('a? ')", allow_stdin=True)
    old = next_request(client)
    answer(client, "1", old)
    client.result(cell)
    cell = client.send("input('b? ')", allow_stdin=True)
    request = next_request(client)
    answer(client, "late", old)
    answer(client, "2", request)
    assert client.result(cell).value == "'2'"
