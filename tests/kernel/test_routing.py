"""`%%interp`: which interpreter runs a cell, in which order, and under which cell its output lands."""

import os
from pathlib import Path

import pytest
from harness import WAIT, Client, Kernel


def parents(client: Client) -> set[str]:
    return {parent for parent, messages in client.iopub.items() if messages}


def test_names_are_separate(client: Client) -> None:
    client.ok("%interp create alice")
    assert client.ok("%%interp alice\nhers = 42\nhers").value == "42"
    assert client.run("hers").error == "NameError: name 'hers' is not defined"
    assert client.ok("%%interp alice\nhers").value == "42"


def test_the_magic_stands_on_the_first_line_that_is_no_comment(client: Client) -> None:
    client.ok("%interp create alice")
    name = "import _xinterp; _xinterp.interpreter"
    first = client.ok(f"%%interp alice\n{name}").value
    assert client.ok(f"\n# a comment\n\n  %%interp alice  # another\n{name}").value == first
    assert client.ok(f"{name}").value == "0"
    assert client.ok(f"%%interp {first}\n{name}").value == first
    assert client.ok(f"%%interp main\n{name}").value == client.ok(f"%%interp 0\n{name}").value == "0"
    assert client.ok("%%interp alice").status == "ok"


def test_a_line_number_is_that_of_the_typed_cell(client: Client) -> None:
    client.ok("%interp create alice")
    assert ", line 4, in <module>" in client.run("# one\n%%interp alice\n\n1/0").traceback


def test_percent_percent_interp_alone_prints_help(client: Client) -> None:
    assert client.ok("%%interp").stdout.startswith("%%interp TARGET [&] [--create]")


def test_an_unknown_target_names_what_exists_the_nearest_and_how_to_create_it(client: Client) -> None:
    client.ok("%interp create alice bob")
    result = client.run("%%interp alic\nopen('/tmp/never', 'x')")
    assert result.reply["content"]["evalue"] == (
        "no interpreter 'alic'; there are main, alice, bob. Did you mean alice?\n"
        "Create it with: %interp create alic   or: %%interp alic --create"
    )
    assert result.reply["content"]["ename"] == "UsageError"
    assert len(result.of("error")[0]["traceback"]) == 2


def test_bad_options_are_plain_sentences(client: Client) -> None:
    client.ok("%interp create alice")
    usage = "\nUsage: %%interp TARGET [&] [--create] [--preset P] [--in NAMES] [--out NAMES] [--timeout SECONDS]"
    wrong = {
        "%%interp alice --creat\n1": "%%interp has no option '--creat'; did you mean --create?" + usage,
        "%%interp alice --timeout soon\n1": "--timeout takes seconds, a number above 0, not 'soon'.",
        "%%interp new --create --preset notbook\n1": (
            "no preset 'notbook'; did you mean notebook? The presets are isolated, notebook and shared."
        ),
        "%%interp main,all\n1": "'all' stands for every interpreter but main: it cannot be part of a list.",
        "%%interp --create\n1": "%%interp needs a target: a name, an id, a list such as alice,bob, or all." + usage,
        "%%interp if --create\n1": "'if' cannot be a name: a name is a Python identifier, such as alice or worker_2.",
        "%%interp 'alice\n1": "a quote (') is not closed:  'alice",
    }
    for code, message in wrong.items():
        result = client.run(code)
        assert (result.status, result.reply["content"]["evalue"]) == ("error", message)
    assert client.ok("%interp").of("display_data")[0]["data"]["text/plain"].count("\n") == 3


def test_create_makes_a_missing_target_and_keeps_one_that_exists(client: Client) -> None:
    client.ok("%%interp alice --create\nx = 1")
    assert client.ok("%%interp alice --create\nx").value == "1"
    client.ok("%%interp carl,dora --create --preset isolated\n1")
    table = client.ok("import xinterp\nfor i in xinterp.list(): print(i['name'], i['preset'])").stdout
    assert table == "main main\nalice notebook\ncarl isolated\ndora isolated\n"


def test_several_targets_run_at_the_same_time(client: Client, tmp_path: object) -> None:
    client.ok("%interp create alice bob")
    a, b = f"{tmp_path}/a", f"{tmp_path}/b"
    code = f"""%%interp alice, bob
import _xinterp, os, time, xinterp
name = [i['name'] for i in xinterp.list() if i['id'] == _xinterp.interpreter][0]
mine, other = ({a!r}, {b!r}) if name == 'alice' else ({b!r}, {a!r})
open(mine, 'w').close()
while not os.path.exists(other): time.sleep(0.001)
print('met')
"""
    assert sorted(client.ok(code).stdout.splitlines()) == ["[alice] met", "[bob] met"]


def test_output_of_several_targets_is_attributed(client: Client) -> None:
    client.ok("%interp create alice bob")
    result = client.ok("%%interp all\nimport sys\nprint('a\\nb'); print('e', file=sys.stderr); display('d'); 5")
    assert sorted(result.stdout.splitlines()) == ["[alice] a", "[alice] b", "[bob] a", "[bob] b"]
    assert sorted(result.stderr.splitlines()) == ["[alice] e", "[bob] e"]
    for kind, text in (("display_data", "'d'"), ("execute_result", "5")):
        shown = [content["data"]["text/plain"] for content in result.of(kind)]
        assert sorted(shown) == [f"[alice] {text}", f"[bob] {text}"]


def test_an_unfinished_line_shows_under_its_prefix(client: Client) -> None:
    client.ok("%interp create alice bob")
    cell = client.send("%%interp alice,bob &\nprint('wait', end='', flush=True)\nimport time; time.sleep(30)")
    client.wait_for_text(cell, "[alice] wait")
    client.wait_for_text(cell, "[bob] wait")
    client.interrupt()
    assert "\n" in client.result(cell).stdout


@pytest.mark.parametrize("targets", ["alice,bob", "main,alice"])
def test_progress_bars_of_several_targets_are_redrawn_in_place(client: Client, tmp_path: Path, targets: str) -> None:
    client.ok("%interp create alice bob")
    names = targets.split(",")
    for name in names:
        client.ok(f"%%interp {name}\ngate = {str(tmp_path / name)!r}")
        os.mkfifo(tmp_path / name)
    cell = client.send(
        f"%%interp {targets}\nimport sys\nsys.stderr.write('\\r10%')\nopen(gate).read()\n"
        "sys.stderr.write('\\r50%\\r90%')\nsys.stderr.write('\\n')\nprint('done')"
    )

    def shown(kind: str) -> dict[str, str]:
        """Texts by display."""
        contents = [message["content"] for message in client.iopub[cell] if message["msg_type"] == kind]
        return {each["transient"]["display_id"]: each["data"]["text/plain"] for each in contents}

    client._until(lambda: len(shown("display_data")) == 2, "both bars", "iopub")
    begun = shown("display_data")
    assert sorted(begun.values()) == sorted(f"[{name}] 10%" for name in names)
    for name in names:
        (tmp_path / name).write_text("")
    result = client.result(cell)
    assert shown("update_display_data") == {bar: text.replace("10%", "90%") for bar, text in begun.items()}
    assert sorted(result.stdout.splitlines()) == sorted(f"[{name}] done" for name in names)
    assert result.stderr == ""


def test_errors_of_several_targets_are_grouped_and_fail_the_cell(client: Client) -> None:
    client.ok("%interp create alice bob")
    result = client.run("%%interp alice,bob\n1/0")
    assert result.error == "ZeroDivisionError: in alice: division by zero; in bob: division by zero"
    assert [error["traceback"][0] for error in result.of("error")] == ["[alice]", "[bob]"]
    client.ok("%%interp bob\nx = 1")
    result = client.run("%%interp alice,bob\nprint(x)")
    assert result.error == "NameError: in alice: name 'x' is not defined"
    assert result.stdout == "[bob] 1\n"


def test_a_detached_cell_does_not_hold_up_the_next(client: Client, tmp_path: object) -> None:
    client.ok("%interp create alice")
    flag = f"{tmp_path}/flag"
    detached = client.send(
        f"%%interp alice &\nimport os, time\nwhile not os.path.exists({flag!r}): time.sleep(0.001)\nprint('free')"
    )
    following = client.ok(f"open({flag!r}, 'w').close()\n'next'")
    assert following.value == "'next'"
    assert client.result(detached).stdout == "free\n"


def test_without_ampersand_the_notebook_keeps_its_order(client: Client) -> None:
    client.ok("%interp create alice")
    cells = [
        client.send(f"{line}import time; time.sleep(0.05); time.monotonic()")
        for line in ("%%interp alice\n", "", "%%interp alice\n")
    ]
    times = [float(client.result(cell).value or "nan") for cell in cells]
    assert times == sorted(times)


def test_cells_of_one_interpreter_run_in_order(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\nseen = []")
    for i in range(20):
        client.send(f"%%interp alice &\nseen.append({i})")
    assert client.ok("%%interp alice\nseen").value == str(list(range(20)))


def test_a_detached_cell_that_fails_aborts_only_its_own_lane(client: Client, tmp_path: object) -> None:
    client.ok("%interp create alice bob")
    flag = f"{tmp_path}/flag"
    wait = f"import os, time\nwhile not os.path.exists({flag!r}): time.sleep(0.001)\n"
    failing = client.send(f"%%interp alice &\n{wait}1/0")
    behind = client.send("%%interp alice &\n'behind'")
    elsewhere = client.send(f"%%interp bob &\n{wait}'elsewhere'")
    plain_cell = client.send("'plain'")
    client.ok(f"open({flag!r}, 'w').close()")
    assert client.result(failing).status == "error"
    aborted = client.result(behind)
    assert aborted.status == "aborted"
    assert aborted.states == ["busy", "idle"]
    assert client.result(elsewhere).value == "'elsewhere'"
    assert client.result(plain_cell).value == "'plain'"


def test_a_foreground_cell_that_fails_aborts_what_waits(client: Client, tmp_path: Path) -> None:
    failing = client.send(WAIT.format(go=tmp_path / "go") + "1/0")
    waiting = [client.send("1"), client.send("%interp")]
    client.let_go(tmp_path / "go")
    assert client.result(failing).status == "error"
    for cell in waiting:
        result = client.result(cell)
        assert (result.status, result.states) == ("aborted", ["busy", "idle"])
    assert client.ok("2").value == "2"


def test_stop_on_error_false_goes_on(client: Client, tmp_path: Path) -> None:
    failing = client.send(WAIT.format(go=tmp_path / "go") + "1/0", stop_on_error=False)
    waiting = client.send("1")
    client.let_go(tmp_path / "go")
    assert client.result(failing).status == "error"
    assert client.result(waiting).value == "1"


def test_the_target_is_decided_when_the_cell_starts(client: Client) -> None:
    client.ok("%interp create alice")
    cells = [
        client.send(code)
        for code in ("import time; time.sleep(0.2)", "%interp use alice", "import _xinterp; _xinterp.interpreter")
    ]
    assert client.result(cells[2]).value == client.ok("%%interp alice\nimport _xinterp; _xinterp.interpreter").value
    client.ok("%interp use main")
    assert client.ok("import _xinterp; _xinterp.interpreter").value == "0"


def test_a_timeout_interrupts_the_cell_and_says_so(client: Client) -> None:
    client.ok("%interp create alice")
    result = client.run("%%interp alice --timeout 0.2\nwhile True: pass")
    assert result.error == "TimeoutError: the cell ran longer than 0.2 s in alice and was interrupted."
    assert client.ok("%%interp alice --timeout 30\n1").value == "1"


def test_another_client_has_its_own_order(fresh: Kernel, tmp_path: object) -> None:
    first, second = fresh.client, fresh.connect()
    flag = f"{tmp_path}/flag"
    with second:
        first.ok("%interp create alice")
        busy = first.send(f"import os, time\nwhile not os.path.exists({flag!r}): time.sleep(0.001)")
        assert second.ok("%%interp alice\n'free'").value == "'free'"
        assert "alice" in second.ok("%interp").of("display_data")[0]["data"]["text/plain"]
        second.ok(f"%%interp alice\nopen({flag!r}, 'w').close()")
        assert first.result(busy).status == "ok"


def test_parents_are_right_under_stress(fresh: Kernel) -> None:
    client = fresh.client
    names = [f"lane{i}" for i in range(8)]
    client.ok("%interp create " + " ".join(names))
    for _ in range(10):
        cells = {name: client.send(f"%%interp {name} &\nfor i in range(2000): print('{name}', i)") for name in names}
        for name, cell in cells.items():
            result = client.result(cell)
            assert result.stdout == "".join(f"{name} {i}\n" for i in range(2000))
            assert {m["parent_header"]["msg_id"] for m in result.messages} == {cell}
        assert parents(client) >= set(cells.values())
        client.iopub.clear()


def test_each_interpreter_has_its_own_gil(fresh: Kernel) -> None:
    # Two detached cells are in C calls that hold their GILs for as long as the test lasts; a third computes beside them.
    # With one GIL it would not get a turn. What two at once cost, against one alone, is measured by `make bench`.
    client = fresh.client
    client.ok("%interp create alice bob carol")
    busy = [client.send(f"%%interp {name} &\nprint('on')\nsum(range(10 ** 12))") for name in ("alice", "bob")]
    for cell in busy:
        client.wait_for_text(cell, "on")
    computed = client.ok("%%interp carol\nn = 0\nwhile n < 300_000: n += 1\nn")
    assert computed.value == "300000"
    assert client.ok("sum(range(1000))").value == "499500"
    states = {line.split()[1]: line.split()[4] for line in table_lines(client)}
    assert states == {"main": "idle", "alice": "running", "bob": "running", "carol": "idle"}


def table_lines(client: Client) -> list[str]:
    """The rows of `%interp`, without the head."""
    return client.ok("%interp").of("display_data")[0]["data"]["text/plain"].splitlines()[1:]
