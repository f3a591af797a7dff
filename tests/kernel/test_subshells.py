"""Subshells (JEP 91): cells that run in main beside its own. What such a cell can do is in test_subshell_cells.py."""

from pathlib import Path

import pytest
from harness import Client, Kernel, wait_until

# --- requests


def test_the_kernel_promises_subshells(client: Client) -> None:
    info = client.reply(client.request("kernel_info_request"))
    assert "kernel subshells" in info["content"]["supported_features"]


def test_subshells_are_created_listed_and_deleted(client: Client) -> None:
    assert client.subshells() == []
    first, second = client.create_subshell(), client.create_subshell()
    assert first != second
    assert client.subshells() == [first, second]
    assert client.delete_subshell(first) == {"status": "ok"}
    assert client.subshells() == [second]


def test_subshells_are_made_while_main_is_busy(client: Client) -> None:
    client.ok("import threading\ngo = threading.Event()")
    cell = client.send("go.wait()")
    client.wait_for_start(cell)
    subshell = client.create_subshell()
    assert client.subshells() == [subshell]
    client.result(client.send("go.set()", subshell))
    assert client.result(cell).status == "ok"


def test_deleting_an_unknown_subshell_says_which_exist(client: Client, subshell: str) -> None:
    reply = client.delete_subshell("nobody")
    assert reply["status"] == "error"
    assert reply["evalue"] == (
        f"no subshell 'nobody'; there is {subshell}. "
        "Create one with a create_subshell_request, or leave subshell_id out."
    )


def test_a_cell_for_an_unknown_subshell_is_an_error(client: Client) -> None:
    result = client.result(client.send("print(1)", "nobody"))
    sentence = (
        "no subshell 'nobody'; there is none. Create one with a create_subshell_request, or leave subshell_id out."
    )
    assert result.error == f"UsageError: {sentence}"
    assert [m["msg_type"] for m in result.messages] == ["status", "error", "status"]
    assert result.states == ["busy", "idle"]
    assert result.traceback == sentence


def test_a_subshell_id_of_another_kind_is_refused(client: Client) -> None:
    message = client.client.session.msg("execute_request", {"code": "1"})
    message["header"]["subshell_id"] = 5
    client.client.shell_channel.send(message)
    result = client.result(message["header"]["msg_id"])
    assert result.error == "BadRequest: execute_request: its header's subshell_id must be a string or null, not number."


def test_a_null_subshell_id_is_mains_own_shell(client: Client) -> None:
    message = client.client.session.msg("execute_request", {"code": "__import__('threading').current_thread().name"})
    message["header"]["subshell_id"] = None
    client.client.shell_channel.send(message)
    assert client.result(message["header"]["msg_id"]).value == "'MainThread'"


# --- what runs there


def test_a_subshell_shares_mains_variables_and_numbers(client: Client, subshell: str) -> None:
    first = client.ok("x = 40; x")
    second = client.result(client.send("x += 2; x", subshell))
    assert second.value == "42"
    assert second.reply["content"]["execution_count"] == first.reply["content"]["execution_count"] + 1
    assert client.ok("x, Out[len(In) - 2], In[-2]").value == "(42, 42, 'x += 2; x')"


def test_a_subshell_runs_while_main_is_busy(client: Client, subshell: str) -> None:
    client.ok("import threading\ngo = threading.Event()")
    cell = client.send("go.wait(); 'main'")
    client.wait_for_start(cell)
    assert client.result(client.send("go.set(); 'subshell'", subshell)).value == "'subshell'"
    assert client.result(cell).value == "'main'"


def test_several_subshells_run_at_once(client: Client) -> None:
    subshells = [client.create_subshell() for _ in range(3)]
    client.ok("import threading\nall_there = threading.Barrier(4)")
    cells = [client.send(f"all_there.wait(); {i}", each) for i, each in enumerate([None, *subshells])]
    assert [client.result(cell).value for cell in cells] == ["0", "1", "2", "3"]


def test_a_subshells_cells_run_in_their_order(client: Client, subshell: str) -> None:
    client.ok("order = []")
    cells = [client.send(f"order.append({i})", subshell) for i in range(20)]
    for cell in cells:
        client.result(cell)
    assert client.ok("order == [*range(20)]").value == "True"


def test_results_at_the_same_time_do_not_get_mixed_up(client: Client, subshell: str) -> None:
    cells = [(i, client.send(f"{i}", None if i % 2 else subshell)) for i in range(200)]
    assert [client.result(cell).value for _, cell in cells] == [str(i) for i, _ in cells]


def test_an_error_aborts_its_own_subshell_alone(client: Client, subshell: str, other: str) -> None:
    client.ok("import threading\ngo = threading.Event()")
    places = [None, subshell, other]
    waiting = [client.send("go.wait()" + ("; 1/0" if place == subshell else ""), place) for place in places]
    behind = [client.send("'behind'", place) for place in places]
    for cell in waiting:
        client.wait_for_start(cell)
    once_more = client.create_subshell()
    client.result(client.send("go.set()", once_more))
    assert [client.result(cell).status for cell in waiting] == ["ok", "error", "ok"]
    assert [client.result(cell).status for cell in behind] == ["ok", "aborted", "ok"]
    assert client.result(client.send("'again'", subshell)).value == "'again'"


def test_all_messages_bear_their_request_with_its_subshell(client: Client, subshell: str) -> None:
    cell = client.send("print('out')\ndisplay('shown')\n'result'", subshell)
    result = client.result(cell)
    assert [m["msg_type"] for m in result.messages] == [
        "status",
        "execute_input",
        "stream",
        "display_data",
        "execute_result",
        "status",
    ]
    for message in [*result.messages, result.reply]:
        assert (message["parent_header"]["msg_id"], message["parent_header"]["subshell_id"]) == (cell, subshell)


def test_what_two_cells_print_at_once_lands_under_each(client: Client, subshell: str) -> None:
    client.ok("import threading\nboth = threading.Barrier(2)")
    code = (
        "import subprocess, sys, asyncio\nboth.wait()\n"
        "for i in range(2000): print('{0}', i)\n"
        "{0} = threading.Thread(target=print, args=('{0} thread',)); {0}.start(); {0}.join()\n"
        "subprocess.run(['echo', '{0} process'])\n"
        "async def {0}(): await asyncio.sleep(0); print('{0} task')\n"
        "await {0}()"
    )
    cells = {name: client.send(code.format(name), place) for name, place in (("m", None), ("s", subshell))}
    for name, cell in cells.items():
        result = client.result(cell)
        assert result.status == "ok", result.traceback
        assert result.stdout.splitlines() == [
            *(f"{name} {i}" for i in range(2000)),
            f"{name} thread",
            f"{name} process",
            f"{name} task",
        ]


def test_the_parent_that_code_sees_is_its_own(client: Client, subshell: str) -> None:
    client.ok("import threading\nfrom _xinterp_shell.kernel_object import kernel as k\nboth = threading.Barrier(2)")
    cells = [client.send("both.wait(); k.get_parent()['header']['msg_id']", place) for place in (None, subshell)]
    assert [client.result(cell).value for cell in cells] == [repr(cell) for cell in cells]


# --- threads


def test_subshells_threads_have_names(fresh: Kernel) -> None:
    client = fresh.client
    code = "import threading\nt = threading.current_thread(); t.name, t is threading.main_thread(), t.ident == threading.get_ident()"
    for number in (1, 2):
        subshell = client.create_subshell()
        assert client.result(client.send(code, subshell)).value == f"('subshell-{number}', False, True)"
        assert client.result(client.send("open(f'/proc/self/task/{t.native_id}/comm').read()", subshell)).value == (
            f"'subshell-{number}\\n'"
        )
    assert (
        client.ok("sorted(t.name for t in threading.enumerate())").value == "['MainThread', 'subshell-1', 'subshell-2']"
    )


def test_a_subshells_thread_stays_the_same(client: Client, subshell: str) -> None:
    client.result(client.send("import threading\nlocal = threading.local()\nlocal.x = 1", subshell))
    assert client.result(client.send("local.x", subshell)).value == "1"
    assert client.run("local.x").error.startswith("AttributeError")


def test_a_subshell_has_no_thread_before_its_first_cell_and_after_its_end(fresh: Kernel) -> None:
    client = fresh.client
    subshell = client.create_subshell()
    assert not [name for name in fresh.threads() if name.startswith("subshell")]
    client.result(client.send("1", subshell))
    assert [name for name in fresh.threads() if name.startswith("subshell")] == ["subshell-1"]
    client.delete_subshell(subshell)
    # The reply does not wait for the thread, in which a cell may be running.
    wait_until(lambda: "subshell-1" not in fresh.threads(), "the thread ends")
    assert client.ok("import threading\n[t.name for t in threading.enumerate()]").value == "['MainThread']"


def test_signals_are_mains_own(client: Client, subshell: str) -> None:
    result = client.result(client.send("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)", subshell))
    assert result.error == "ValueError: signal only works in main thread of the main interpreter"


def test_a_deleted_subshells_cell_runs_to_its_end(client: Client, subshell: str) -> None:
    client.ok("import threading\ngo = threading.Event()")
    running = client.send("go.wait(); 'done'", subshell)
    behind = client.send("1", subshell)
    client.wait_for_start(running)
    client.reply(client.request("kernel_info_request"))  # so `behind` has come, too: what comes on control is faster
    assert client.delete_subshell(subshell) == {"status": "ok"}
    assert client.result(behind).status == "aborted"
    assert client.subshells() == []
    assert client.result(client.send("1", subshell)).error.startswith("UsageError: no subshell")
    client.ok("go.set()")
    assert client.result(running).value == "'done'"


# --- the end


@pytest.mark.parametrize(
    "code",
    [
        "1",
        "while True: pass",
        "import time; time.sleep(1000)",
        "import asyncio; t = asyncio.create_task(asyncio.sleep(1000))",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
)
def test_the_kernel_ends_with_live_subshells(fresh: Kernel, code: str) -> None:
    client = fresh.client
    for place in [client.create_subshell() for _ in range(2)]:
        cell = client.send(f"print('begun')\n{code}", place)
        client.wait_for_text(cell, "begun")
    client.request("shutdown_request", {"restart": False}, "control")
    assert fresh.wait_for_end(5)


def test_exit_functions_run_at_the_end_of_a_kernel_with_subshells(fresh: Kernel, tmp_path: Path) -> None:
    client = fresh.client
    client.ok(f"import atexit\natexit.register(open, {str(tmp_path / 'end')!r}, 'w')")
    client.result(client.send("1", client.create_subshell()))
    client.request("shutdown_request", {"restart": False}, "control")
    assert fresh.wait_for_end(5)
    assert (tmp_path / "end").exists()
