"""What the panel is told and can do, by the protocol of docs/panel-protocol.md."""

import re
import time

import pytest
from harness import Client, Kernel, wait_until
from panels import COMM, Panel

BOUND = 1.0  # five times the 200 ms in which every change shows
# C code that keeps the GIL of its interpreter, and cannot be interrupted.
IN_C = "import ctypes\nprint('on')\nctypes.PyDLL(None).system(b'sleep %s')"


@pytest.fixture
def panel(client: Client) -> Panel:
    return Panel(client)


def occupy(client: Client, target: str, seconds: float, detached: bool = True) -> str:
    """A cell that is in C code now."""
    cell = client.send(f"%%interp {target}{' &' if detached else ''}\n" + IN_C % seconds)
    client.wait_for_text(cell, "on\n")
    return cell


def test_a_snapshot_tells_everything(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\n1")
    before = time.time()
    panel = Panel(client)
    assert [*panel.interpreters] == sorted(panel.interpreters)
    main, alice = panel.row("main"), panel.row("alice")
    assert main is not None and alice is not None
    assert main["id"] == 0 and main["preset"] == main["origin"] == "main"
    assert before - 60 < alice.pop("created") < time.time()
    assert alice.pop("memory") > 1_000_000
    assert re.fullmatch("#[0-9a-f]{6}", alice["colour"]) and alice.pop("colour") != main["colour"]
    assert alice == {
        "id": int(client.ok("import xinterp\nxinterp.get('alice').id").value or ""),
        "name": "alice",
        "label": "alice",
        "preset": "notebook",
        "gil": "own",
        "state": "idle",
        "run": None,
        "asks": False,
        "queued": 0,
        "cells": 1,
        "origin": "%interp",
    }


def test_every_way_of_creating_and_closing_is_told(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice")
    assert panel.until_row("alice")["origin"] == "%interp"
    identity = client.ok("import _interpreters\ni = _interpreters.create('legacy')\ni").value or ""
    row = panel.until_row(identity)
    assert (row["name"], row["origin"], row["preset"], row["gil"]) == (None, "Python", "shared", "with main")
    assert row["memory"] is None
    client.ok("_interpreters.destroy(i)")
    panel.until_gone(identity)
    client.ok("%interp rename alice bob")
    assert panel.until_row("bob")["name"] == "bob"
    assert panel.row("alice") is None
    client.ok("%interp close bob")
    panel.until_gone("bob")


def test_a_cell_is_told_when_it_begins_and_when_it_has_ended(client: Client, panel: Panel, target: str) -> None:
    label = "alice" if target else "main"
    cell = client.request("execute_request", {"code": f"{target}input('?')", "allow_stdin": True})
    row = panel.until_row(label, state="running", asks=True)
    run = panel.until_run(cell)
    assert row["run"] == run["id"]
    count = run["count"]
    client.client.input("")
    client.result(cell)
    ended = panel.until_run(cell, status="ok")
    assert ended["start"] <= ended["end"] <= time.time() + 0.001
    assert ended == run | {"end": ended["end"], "status": "ok"}
    assert (run["label"], run["kind"], run["count"], run["detached"]) == (label, "cell", count, False)
    assert run["colour"] == row["colour"]
    after = panel.until_row(label, state="idle")
    assert (after["run"], after["asks"], after["cells"]) == (None, False, row["cells"] + 1)


def test_a_run_names_the_notebook_s_cell(client: Client, panel: Panel) -> None:
    raw = client.client.session.msg("execute_request", {"code": "1/0"}, metadata={"cellId": "a1b2"})
    client.client.shell_channel.send(raw)
    assert panel.until_run(raw["header"]["msg_id"], status="error")["cell"] == "a1b2"
    client.result(raw["header"]["msg_id"])


def test_what_waits_in_a_lane_is_counted(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice")
    first = client.send("%%interp alice &\nimport time\nwhile True: time.sleep(0.01)", stop_on_error=False)
    others = [client.send("%%interp alice &\n1") for _ in range(3)]
    panel.until_row("alice", state="running", queued=3)
    client.ok("%interp interrupt alice")
    panel.until_row("alice", state="idle", queued=0)
    for cell in (first, *others):
        client.result(cell)


def test_cells_that_run_at_once_overlap(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice bob")
    meet = "import os, time\nos.write({w}, b'x')\nos.read({r}, 1)"
    one, two = (eval(client.ok("import os\nos.pipe()").value or "") for _ in range(2))
    cells = [
        client.send("%%interp alice &\n" + meet.format(w=one[1], r=two[0])),
        client.send("%%interp bob &\n" + meet.format(w=two[1], r=one[0])),
    ]
    a, b = (panel.until_run(cell, status="ok") for cell in cells)
    assert a["detached"] and b["detached"] and a["colour"] != b["colour"]
    assert a["start"] <= b["end"] and b["start"] <= a["end"]
    for cell in cells:
        client.result(cell)


def test_everything_is_told_while_all_interpreters_are_in_c_code(fresh: Kernel) -> None:
    client = fresh.client
    panel = Panel(client)
    client.ok("%interp create alice")
    client.ok("%%interp main,alice\n" + IN_C % 0)  # ctypes is there
    cells = [occupy(client, "alice", 5), occupy(client, "main", 5)]
    panel.until_row("alice", state="running")
    panel.until_row("main", state="running")
    for command, label, state in (
        ({"command": "rename", "target": "alice", "name": "carol"}, "carol", "running"),
        ({"command": "rename", "target": "carol", "name": "alice"}, "alice", "running"),
    ):
        begun = time.monotonic()
        identity = panel.start(command)
        panel.until_row(label, state=state)
        assert panel.result(identity)["ok"]
        assert time.monotonic() - begun < BOUND
    result = panel.command("vars", targets=["alice"])
    assert result["error"].startswith("alice is busy: its variables can be read when its cell has ended.")
    identity = panel.start({"command": "interrupt", "targets": ["alice"]})
    panel.until_row("alice", state="not stopping")
    assert "has not stopped yet" in panel.result(identity)["text"]
    assert panel.row("main")["state"] == "running"  # type: ignore[index]
    for cell in cells:
        client.result(cell)
    panel.until_row("alice", state="idle")


def test_code_that_another_interpreter_runs_there_is_told(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice")
    cell = client.send(
        "import xinterp\nxinterp.get('alice').exec('print(\"on\")\\nimport time\\nwhile True: time.sleep(0.01)')"
    )
    row = panel.until_row("alice", state="running")
    run = panel.runs[row["run"]]
    assert (run["kind"], run["count"], run["message"], run["cell"]) == ("code", None, None, None)
    client.interrupt()
    client.result(cell)
    panel.until_row("alice", state="idle", run=None)
    assert panel.until(lambda: panel.runs[run["id"]]["end"], "its end") >= run["start"]


def test_a_callback_is_told(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice")
    client.ok(
        "%%interp alice\nimport comm\n"
        "def opened(c, message):\n    c.on_msg(lambda message: print('told'))\ncomm.get_comm_manager().register_target('t', opened)"
    )
    comm_id, _ = panel.page.open("t")
    message = panel.page.post(comm_id, {})
    assert panel.until_run(message, status="ok")["kind"] == "callback"
    panel.page.close(comm_id)


def test_closing_is_told_and_what_had_run_stays(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\nimport ctypes")
    cell = occupy(client, "alice", 1.5)
    identity = panel.start({"command": "close", "targets": ["alice"], "force": True})
    panel.until_row("alice", state="closing")
    panel.until_gone("alice")
    assert panel.result(identity)["ok"]
    run = panel.until_run(cell)
    assert (run["label"], run["end"] is not None) == ("alice", True)
    client.result(cell)


def test_a_name_keeps_its_colour(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice bob")
    colours = [panel.until_row(label)["colour"] for label in ("alice", "bob")]
    assert colours[0] != colours[1]
    old = panel.until_row("alice")["id"]
    client.ok("%interp reset alice")
    assert (
        panel.until(lambda: (row := panel.row("alice")) and row["id"] != old and row, "a new alice")["colour"]
        == colours[0]
    )
    client.ok("%interp close bob")
    client.ok("%interp create carol bob")
    assert panel.until_row("bob")["colour"] == colours[1]


# --- commands


def test_commands_are_those_of_interp_with_the_same_sentences(client: Client, panel: Panel) -> None:
    created = panel.command("create", names=["alice"], preset="isolated")
    assert (created["ok"], created["value"], created["text"]) == (
        True,
        [panel.row("alice")["id"]],  # type: ignore[index]
        f"created alice (id {panel.row('alice')['id']}, isolated).\n",  # type: ignore[index]
    )
    assert "html" not in panel.command("list")
    refused = panel.command("create", names=["alice"])
    assert not refused["ok"] and refused["error"] == client.run("%interp create alice").error.removeprefix(
        "UsageError: "
    )
    assert panel.command("close", targets=["nobody"])["error"].startswith(
        "no interpreter 'nobody'; there are main, alice."
    )
    assert panel.command("explode")["error"] == "no command 'explode'."
    assert panel.command("rename", target="alice", name=5)["error"].startswith("arguments of the wrong type:")
    line = panel.result(panel.start({"line": "rename alice bob"}))
    assert line["text"] == "alice is called bob now.\n"


def test_use_is_of_the_client_that_asks(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice")
    alice = panel.until_row("alice")["id"]
    assert panel.command("use", targets=["alice"])["ok"]
    assert panel.uses == {client.client.session.session: [alice]}
    assert client.ok("import _xinterp\n_xinterp.interpreter").value == str(alice)
    client.ok("%interp use main")
    panel.until(lambda: panel.uses == {}, "main in use")
    panel.command("use", targets=["alice"])
    panel.command("close", targets=["alice"])
    panel.until(lambda: panel.uses == {}, "main in use again")


def test_use_in_a_subshell_is_told_under_the_subshells_id(client: Client, subshell: str) -> None:
    panel = Panel(client)
    client.ok("%interp create alice")
    alice = panel.until_row("alice")["id"]
    beside = f"{client.client.session.session}/{subshell}"
    client.result(client.send("%interp use alice", subshell))
    panel.until(lambda: panel.uses == {beside: [alice]}, "alice in use in the subshell")
    panel.page.subshell = subshell
    assert panel.command("use", targets=["main"])["ok"]
    panel.until(lambda: panel.uses == {}, "main in use again")
    assert client.result(client.send("import _xinterp\n_xinterp.interpreter", subshell)).value == "0"
    assert panel.command("use", targets=["alice"])["ok"]
    assert client.result(client.send("import _xinterp\n_xinterp.interpreter", subshell)).value == str(alice)
    assert client.ok("import _xinterp\n_xinterp.interpreter").value == "0"


def test_where_plain_cells_of_a_subshell_go_ends_with_it(fresh: Kernel) -> None:
    client = fresh.client
    subshell = client.create_subshell()
    panel = Panel(client)
    panel.page.subshell = subshell
    client.ok("%interp create alice")
    assert panel.command("use", targets=["alice"])["ok"]
    assert [*panel.uses] == [f"{client.client.session.session}/{subshell}"]
    panel.page.subshell = None
    client.delete_subshell(subshell)
    panel.until(lambda: panel.uses == {}, "no use")


def test_the_memory_is_what_the_table_says_once_a_cell_has_ended(client: Client, panel: Panel, target: str) -> None:
    label = "alice" if target else "main"
    before = panel.until_row(label)["memory"]
    client.ok(target + "kept = [object() for _ in range(300_000)]")
    table = client.ok("%interp").of("display_data")[0]["data"]["text/plain"]
    row = panel.until_row(label, state="idle")
    panel.until(lambda: (row := panel.row(label)) and row["memory"] > before + 1_000_000 and row, "its memory")
    shown = panel.row(label)["memory"] / 1024 / 1024  # type: ignore[index]
    assert f"{shown:.1f} MB" in next(line for line in table.splitlines() if f" {label} " in line), row
    client.ok(target + "del kept")


def test_a_command_that_waits_can_be_cancelled(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice")
    cell = client.send("%%interp alice &\nimport time\nwhile True: time.sleep(0.01)")
    panel.until_row("alice", state="running")
    cancelled, waiting = (panel.start({"command": "wait", "targets": ["alice"]}) for _ in range(2))
    panel.page.tell(COMM, {"type": "cancel", "id": cancelled})
    assert panel.command("interrupt", targets=["alice"])["value"] == [True]
    assert panel.result(waiting)["ok"]
    assert cancelled not in panel.results
    client.result(cell)


def test_a_forced_close_frees_a_cell_that_asks_for_input(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice")
    cell = client.request("execute_request", {"code": "%%interp alice &\ninput('?')", "allow_stdin": True})
    panel.until_row("alice", asks=True)
    refused = panel.command("close", targets=["alice"])
    assert refused["error"] == "alice is running a cell. To interrupt it first: %interp close alice --force"
    assert panel.command("interrupt", targets=["alice"])["value"] == [True]
    assert client.result(cell).error == "KeyboardInterrupt: "
    panel.until_row("alice", asks=False, state="idle")


def test_variables_and_what_two_have_in_common(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice bob")
    client.ok("%%interp alice\nshared = memoryview(bytearray(b'12345678'))\nx, y, only = 1, 2, 3")
    client.ok("%%interp bob\nx, y = 1, 'two'\nclass Evil:\n    def __repr__(self): 1/0\ne = Evil()")
    client.ok("%interp share shared --from alice --to bob")
    variables = {each["name"]: each for each in panel.command("vars", targets=["alice"])["value"]}
    assert variables["x"] == {"name": "x", "type": "int", "size": 28, "value": "1"}
    assert variables["shared"].pop("address") > 0
    assert variables["shared"]["value"] == "8 B"
    rows = {row["name"]: row["same"] for row in panel.command("diff", targets=["alice", "bob"])["value"]}
    assert rows == {
        "shared": "same memory",
        "x": "equal",
        "y": "differs",
        "only": "only in alice",
        "e": "only in bob",
        "Evil": "only in bob",
    }


def test_memory_that_is_not_shared_is_not_the_same(client: Client, target: str) -> None:
    client.ok("%interp create bob")
    make = "from array import array\nv = memoryview(bytes(8))\na = array('d', [1.0])\nnone = memoryview(b'')\ngone = memoryview(b'1'); gone.release()"
    client.ok(target + make)
    client.ok("%%interp bob\n" + make)
    code = f"import xinterp\n{{each['name']: each['same'] for each in xinterp.diff('{'alice' if target else 'main'}', 'bob')}}"
    told = eval(client.ok("%%interp bob\n" + code).value or "")
    assert [told[name] for name in ("v", "a", "none", "gone")] == ["equal", "looks equal", "equal", "looks equal"]


def test_a_kernel_whose_cells_run_stays_busy_in_sight_of_front_ends(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice")
    cell = client.send("%%interp alice &\ninput()", allow_stdin=True)
    panel.until_row("alice", asks=True)
    assert panel.command("list")["ok"]
    client._until(lambda: len([m for m in client.iopub[cell] if m["msg_type"] == "status"]) == 2, "busy again", "iopub")
    client.client.input("")
    assert client.result(cell).states == ["busy", "busy", "idle"]


# --- clients


def test_all_clients_are_told_the_same(kernel: Kernel, panel: Panel) -> None:
    with kernel.connect() as other:
        kernel.client.ok("%interp create alice")
        panel.until_row("alice")
        second = Panel(other)
        wait_until(lambda: panel.state() == second.state(), "both know the same")
        assert second.row("alice") is not None
        assert second.command("use", targets=["alice"])["ok"]
        assert kernel.client.ok("import _xinterp\n_xinterp.interpreter").value == "0"
        panel.until(lambda: panel.uses == second.uses != {}, "what the other uses")
        second.page.send("comm_close", {"comm_id": COMM, "data": {}})
        kernel.client.ok("%interp rename alice bob")
        panel.until_row("bob")
        second.until_row("bob")
        other.ok("%interp use main")


def test_who_has_missed_an_event_asks_for_a_snapshot(client: Client, panel: Panel) -> None:
    client.ok("%interp create alice")
    client.ok("1")
    panel.until_row("alice")
    panel.interpreters, panel.runs = {}, {}
    panel.page.post(COMM, {"type": "snapshot"})
    panel.until_row("alice")
    assert panel.row("main") is not None and panel.runs


def test_another_version_is_refused_in_a_sentence(client: Client, panel: Panel) -> None:
    panel.open(version=7)
    refusal = panel.until(lambda: panel.refusals, "a refusal")[-1]
    assert refusal["session"] == client.client.session.session
    assert refusal["error"] == (
        "this kernel speaks version 1 of the panel's protocol, not 7: install the extension that has come with it."
    )


def test_names_are_coloured_for_a_client_that_says_so(kernel: Kernel) -> None:
    cell = "%%interp alice,bob\nprint('text')\n1/0"
    with kernel.connect() as coloured:
        panel = Panel(coloured, colours=True)
        coloured.ok("%interp create alice bob")
        codes = {}
        for label in ("alice", "bob"):
            colour = panel.until_row(label)["colour"]
            codes[label] = ";".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
        result = coloured.run(cell)
        for label, code in codes.items():
            head = f"\x1b[38;2;{code}m[{label}]\x1b[0m"
            assert f"{head} text\n" in result.stdout
            assert head in [error["traceback"][0] for error in result.of("error")]
        rich = "%%interp alice,bob\nclass Rich:\n    def _repr_html_(self): return '<i>rich</i>'\nRich()"
        heads = {each["data"]["text/html"] for each in coloured.ok(rich).of("execute_result")}
        assert heads == {
            f'<div><b style="color: {panel.until_row(label)["colour"]}">[{label}]</b></div><i>rich</i>'
            for label in codes
        }
        assert "[alice] text\n" in kernel.client.run(cell).stdout
        panel.page.close(COMM)
        assert "[alice] text\n" in coloured.run(cell).stdout


@pytest.mark.parametrize(
    "data",
    [None, 5, {}, {"type": 3}, {"type": "command"}, {"type": "command", "id": 5, "request": {}}, {"type": "cancel"}],
)
def test_a_message_that_says_nothing_is_passed_over(client: Client, panel: Panel, data: object) -> None:
    panel.page.tell(COMM, data)
    assert panel.command("list")["ok"]


@pytest.mark.parametrize(
    "request_", [None, 5, [], {}, {"command": 5}, {"line": 5}, {"line": "explode"}, {"command": "vars"}]
)
def test_a_command_that_is_none_is_answered(panel: Panel, request_: object) -> None:
    panel.page.post(COMM, {"type": "command", "id": "x", "request": request_})
    result = panel.result("x")
    assert not result["ok"] and result["error"]


def test_the_comm_has_one_id(client: Client, panel: Panel) -> None:
    result = panel.open(comm_id="another")
    assert [content["comm_id"] for content in result.of("comm_close")] == ["another"]


def test_nothing_is_told_when_nothing_changes(client: Client, panel: Panel) -> None:
    panel.until_row("main", state="idle")
    client.ok("1")
    panel.until_row("main", state="idle")
    panel.page.post(COMM, {"type": "snapshot"})
    panel.command("list")
    panel.events.clear()
    known = dict(panel.interpreters)
    for _ in range(20):
        panel.command("list")
    for event in panel.events:  # of memory alone, which changes by itself
        assert event.keys() == {"type", "sequence", "interpreters"}
        for row in event["interpreters"]:
            assert {field for field in row if row[field] != known[row["id"]][field]} == {"memory"}
            known[row["id"]] = row
