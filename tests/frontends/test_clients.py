"""Several clients of one kernel at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import PATIENCE, WAIT, Client, Kernel, joined


@pytest.fixture
def other(kernel: Kernel) -> Iterator[Client]:
    with kernel.connect() as connected:
        yield connected


def test_each_sees_what_the_other_runs(client: Client, other: Client) -> None:
    cell = client.send("print('to all')\n5")
    mine = client.result(cell)
    other._until(lambda: other.idle(cell), "idle", "iopub")
    theirs = joined(other.iopub[cell])
    assert [(m["msg_type"], m["content"]) for m in theirs] == [(m["msg_type"], m["content"]) for m in mine.messages]
    assert cell not in other.replies


def test_they_share_variables_and_the_count(client: Client, other: Client) -> None:
    counts = [
        each.ok(f"shared = {i}").reply["content"]["execution_count"] for i, each in enumerate([client, other, client])
    ]
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]
    assert other.ok("shared").value == "2"


def test_each_keeps_its_own_order(client: Client, other: Client) -> None:
    client.ok("seen = []")
    cells = [(each, each.send(f"seen.append(('{name}', {i}))"))
             for i in range(20) for name, each in (("one", client), ("other", other))]  # fmt: skip
    for each, cell in cells:
        assert each.result(cell).status == "ok"
    for name in ("one", "other"):
        assert client.ok(f"[i for n, i in seen if n == '{name}'] == [*range(20)]").value == "True"


def test_an_error_aborts_only_the_cells_of_its_client(client: Client, other: Client, tmp_path: Path) -> None:
    failing = client.send(WAIT.format(go=tmp_path / "go") + "1/0")
    mine, theirs = client.send("1"), other.send("2")
    client.let_go(tmp_path / "go")
    assert client.result(failing).status == "error"
    assert client.result(mine).status == "aborted"
    assert other.result(theirs).value == "2"


def test_each_is_asked_for_its_own_input(client: Client, other: Client) -> None:
    other.ok("%interp create alice")
    cells = []
    for each, code in ((client, "input('one? ')"), (other, "%%interp alice\ninput('other? ')")):
        cells.append(each.send(code, allow_stdin=True))
        each.wait_for_start(cells[-1])
        if each is client:
            first = each.client.get_stdin_msg(timeout=PATIENCE)
    assert first["parent_header"]["msg_id"] == cells[0]
    client.client.input("1")
    assert client.result(cells[0]).value == "'1'"
    second = other.client.get_stdin_msg(timeout=PATIENCE)  # one request at a time
    assert second["parent_header"]["msg_id"] == cells[1]
    other.client.input("2")
    assert other.result(cells[1]).value == "'2'"
    assert not client.client.stdin_channel.msg_ready() and not other.client.stdin_channel.msg_ready()


def test_each_may_use_another_interpreter(client: Client, other: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("%interp use alice")
    other.ok("%interp use bob")
    client.ok("name = 'alice'")
    other.ok("name = 'bob'")
    assert (client.ok("name").value, other.ok("name").value) == ("'alice'", "'bob'")
    other.ok("%interp use main")


def test_one_leaves_and_the_other_goes_on(kernel: Kernel, client: Client) -> None:
    leaving = kernel.connect()
    cell = leaving.send("left = True\nprint('x' * 100_000)\nlen(input())", allow_stdin=True)
    leaving.client.get_stdin_msg(timeout=PATIENCE)
    leaving.client.stop_channels()
    client.interrupt()  # what waits for the one that has gone
    client._until(lambda: client.idle(cell), "idle", "iopub")
    assert client.ok("left").value == "True"


def test_many_come_and_go(kernel: Kernel, client: Client) -> None:
    for i in range(10):
        with kernel.connect() as visitor:
            assert visitor.ok(f"{i}").value == str(i)
    assert client.ok("'here'").value == "'here'"
