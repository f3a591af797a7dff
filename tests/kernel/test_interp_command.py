"""`%interp` and `import xinterp`: managing interpreters."""

import re
from pathlib import Path

import pytest
from harness import Client, Kernel, Result, wait_until


def table(client: Client) -> list[list[str]]:
    return [line.split() for line in client.ok("%interp").of("display_data")[0]["data"]["text/plain"].splitlines()]


def test_the_list_is_a_table_rich_and_plain(client: Client) -> None:
    client.ok("%interp create alice --preset shared")
    data = client.ok("%interp list").of("display_data")[0]["data"]
    lines = data["text/plain"].splitlines()
    assert lines[0].split() == ["id", "name", "preset", "GIL", "state", "cells", "memory", "age", "from"]
    assert lines[1].split()[:5] == ["0", "main", "main", "own", "idle"]
    assert "alice  shared  with main  idle   0" in lines[2]
    assert lines[2].endswith("%interp")
    assert data["text/html"].startswith("<table>") and '<td style="text-align: left">alice</td>' in data["text/html"]


def test_create_says_what_it_made(client: Client) -> None:
    created = client.ok("%interp create alice bob --preset isolated").stdout.splitlines()
    assert [line.split(" (id")[0] for line in created] == ["created alice", "created bob"]
    assert all(line.endswith(", isolated).") for line in created)
    assert client.ok("%interp create -n 2").stdout.count("created interpreter ") == 2


def test_a_name_that_is_taken_names_both_ways_out(client: Client) -> None:
    ident = client.ok("%interp create alice").stdout.split("id ")[1].split(",")[0]
    assert client.run("%interp create bob alice").reply["content"]["evalue"] == (
        f"interpreter 'alice' exists already (id {ident}).\n"
        "--if-missing keeps it, --fresh resets it: %interp create alice --if-missing"
    )
    assert [row[1] for row in table(client)[1:]] == ["main", "alice"], "nothing is made when one name is wrong"
    client.ok("%%interp alice\nx = 1")
    client.ok("%interp create alice --if-missing")
    assert client.ok("%%interp alice\nx").value == "1"
    client.ok("%interp create alice --fresh")
    assert client.run("%%interp alice\nx").reply["content"]["ename"] == "NameError"


def run_cell(client: Client, cell: str, code: str) -> Result:
    """A cell of a notebook, whose front end gives it an id."""
    message = client.client.session.msg("execute_request", {"code": code}, metadata={"cellId": cell})
    client.client.shell_channel.send(message)
    return client.result(message["header"]["msg_id"])


@pytest.mark.parametrize("line", ["%interp create alice bob", "import xinterp\nxinterp.create('alice', 'bob');"])
def test_a_notebooks_cell_that_is_run_again_keeps_what_it_made(client: Client, line: str) -> None:
    assert run_cell(client, "first", line).status == "ok"
    before = [row[:2] for row in table(client)]
    client.ok("%%interp alice\nx = 1")
    again = run_cell(client, "first", line)
    assert again.status == "ok"
    assert [row[:2] for row in table(client)] == before
    assert client.ok("%%interp alice\nx").value == "1"
    if line.startswith("%"):
        ident = before[2][0]
        assert again.stdout.splitlines()[0] == f"alice exists already (id {ident}): this cell made it."
    assert run_cell(client, "second", line).error.startswith("UsageError: interpreter 'alice' exists already")


def test_a_cell_that_is_run_again_makes_what_is_missing_and_keeps_what_was_reset(client: Client) -> None:
    run_cell(client, "first", "%interp create alice bob")
    client.ok("%interp close bob\n%interp reset alice")
    text = run_cell(client, "first", "%interp create alice bob").stdout
    assert re.fullmatch(
        r"alice exists already \(id \d+\): this cell made it\.\ncreated bob \(id \d+, notebook\)\.\n", text
    )
    client.ok("%interp close alice")
    client.ok("%interp create alice")
    assert run_cell(client, "first", "%interp create alice").status == "error", "another cell made this one"


def test_a_cell_that_now_wants_another_preset_is_told_that_the_name_is_taken(client: Client) -> None:
    run_cell(client, "first", "%interp create alice")
    wants = run_cell(client, "first", "%interp create alice --preset shared")
    assert wants.error.startswith("UsageError: interpreter 'alice' exists already")


def test_help_is_a_table_in_a_notebook(client: Client) -> None:
    result = client.ok("%interp help")
    text, html = (result.of("display_data")[0]["data"][kind] for kind in ("text/plain", "text/html"))
    assert "%interp rename TARGET NAME" in text and text.endswith("take `all`.\n")
    assert html.startswith("<table><thead><tr>") and html.endswith("take `all`.</p>")
    assert client.ok("%%interp main\nhelp = %interp help\nhelp").value is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("create main", "'main' is taken: it is the kernel's own word."),
        ("create 1x", "'1x' cannot be a name: a name is a Python identifier, such as alice or worker_2."),
        (
            "create",
            "create needs a name, or -n and how many.\nUsage: %interp create NAME... [--preset P] [--if-missing] [--fresh]",
        ),
        ("create -n 0", "-n takes a whole number from 1 to 1000, not '0'."),
        ("close main", "main cannot be closed: it is the kernel itself. Shut the kernel down instead."),
        ("reset main", "main cannot be reset. Restart the kernel instead."),
        ("rename main boss", "main keeps its name."),
        ("close all", "there is no interpreter but main.\nCreate some with: %interp create alice bob"),
        ("close", "close needs a target: a name, an id or a list.\nUsage: %interp close TARGET... [--force]"),
        (
            "clos alice",
            "no command '%interp clos'; did you mean %interp close?\n"
            "The commands are list, create, use, close, reset, rename, interrupt, wait, share, vars, diff, help.",
        ),
        (
            "close alice --forse",
            "%interp close has no option '--forse'; did you mean --force?\nUsage: %interp close TARGET... [--force]",
        ),
        (
            "use nobody",
            "no interpreter 'nobody'; there is main.\nCreate it with: %interp create nobody   or: %%interp nobody --create",
        ),
    ],
)
def test_mistakes_are_one_or_two_plain_lines(client: Client, line: str, message: str) -> None:
    result = client.run(f"%interp {line}")
    assert result.reply["content"]["evalue"] == message
    assert result.of("error")[0]["traceback"] == message.split("\n")


def test_use_sends_plain_cells_elsewhere_and_returns(client: Client) -> None:
    client.ok("%interp create alice bob")
    assert client.ok("%interp use alice").stdout == "plain cells run in alice from now on.\n"
    client.ok("where = 'alice'")
    assert client.ok("%%interp main\n'where' in globals()").value == "False"
    client.ok("%interp use alice,bob")
    assert sorted(client.ok("print(1)").stdout.splitlines()) == ["[alice] 1", "[bob] 1"]
    client.ok("%interp use alice")
    client.ok("%interp close alice")
    result = client.ok("'where' in globals()")
    assert result.value == "False"
    assert result.stderr == "alice has been closed; plain cells run in main again.\n"
    assert client.ok("1").stderr == ""


def test_close_refuses_what_runs_and_force_interrupts_it(client: Client) -> None:
    client.ok("%interp create alice")
    running = client.send("%%interp alice &\nprint('on')\nwhile True: pass")
    client.wait_for_text(running, "on")
    assert client.run("%interp close alice").reply["content"]["evalue"] == (
        "alice is running a cell. To interrupt it first: %interp close alice --force"
    )
    waiting = client.send("%%interp alice &\n1")
    assert client.ok("%interp close alice --force").stdout == "closed alice.\n"
    assert client.result(running).error == "KeyboardInterrupt: "
    aborted = client.result(waiting)
    assert (aborted.status, aborted.stderr) == ("aborted", "alice was closed before this cell could run there.\n")
    assert [row[1] for row in table(client)[1:]] == ["main"]


def test_reset_gives_a_fresh_interpreter_under_the_same_name(client: Client) -> None:
    before = client.ok("%interp create alice --preset shared").stdout.split("id ")[1].split(",")[0]
    client.ok("%%interp alice\nx = 1")
    client.ok("%interp use alice")
    said = client.ok("%interp reset alice").stdout
    after = said.split("id ")[1].split(",")[0]
    assert said == f"alice is a fresh interpreter now (id {after}, shared).\n" and after != before
    assert client.run("x").reply["content"]["ename"] == "NameError", "who used the old one uses the new one"
    client.ok("%interp use main")
    running = client.send("%%interp alice &\nprint('on')\nwhile True: pass")
    client.wait_for_text(running, "on")
    waiting = client.send("%%interp alice &\n1")
    assert client.run("%interp reset alice").status == "error"
    client.ok("%interp reset alice --force")
    assert client.result(waiting).stderr == "alice was reset before this cell could run there.\n"


def test_rename(client: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("%%interp alice\nx = 5")
    assert client.ok("%interp rename alice carol").stdout == "alice is called carol now.\n"
    assert client.ok("%%interp carol\nx").value == "5"
    assert client.run("%%interp alice\n1").status == "error"
    assert (
        client.run("%interp rename carol bob").reply["content"]["evalue"].startswith("interpreter 'bob' exists already")
    )


def test_interrupt_reaches_one_interpreter_and_no_other(client: Client, tmp_path: object) -> None:
    client.ok("%interp create alice bob")
    flag = f"{tmp_path}/flag"
    alice = client.send("%%interp alice &\nprint('on')\nwhile True: pass")
    bob = client.send(
        f"%%interp bob &\nprint('on')\nimport os, time\nwhile not os.path.exists({flag!r}): time.sleep(0.001)\n'whole'"
    )
    client.wait_for_text(alice, "on")
    client.wait_for_text(bob, "on")
    assert client.ok("%interp interrupt alice").stdout == "interrupted alice.\n"
    assert client.result(alice).error == "KeyboardInterrupt: "
    client.ok(f"open({flag!r}, 'w').close()")
    assert client.result(bob).value == "'whole'"
    assert client.ok("%interp interrupt alice").stdout == "nothing runs in alice.\n"


def test_wait_returns_when_detached_cells_have_ended(client: Client) -> None:
    client.ok("%interp create alice bob")
    detached = client.send("%%interp alice &\nimport time; time.sleep(0.2)\nprint('done')")
    client.ok("%interp wait")
    client.read_available()
    assert client.idle(detached)
    busy = client.send("%%interp bob &\nimport time; time.sleep(60)")
    assert (
        client.run("%interp wait bob --timeout 0.1").reply["content"]["evalue"]
        == "detached cells still run after 0.1 s."
    )
    client.ok("%interp wait alice")
    waiting = client.send("%interp wait")
    client._until(
        lambda: any(m["msg_type"] == "execute_input" for m in client.iopub[waiting]), "execute_input", "iopub"
    )
    client.interrupt()
    assert client.result(waiting).error == "KeyboardInterrupt: "
    client.interrupt()
    assert client.result(busy).error == "KeyboardInterrupt: "


def test_all_stands_for_every_interpreter_but_main(client: Client) -> None:
    client.ok("%interp create alice bob")
    cells = [client.send(f"%%interp {name} &\nprint('on')\nwhile True: pass") for name in ("alice", "bob")]
    for cell in cells:
        client.wait_for_text(cell, "on")
    assert client.run("%interp reset all").status == "error", "they run"
    assert client.ok("%interp interrupt all").stdout == "interrupted alice.\ninterrupted bob.\n"
    assert [client.result(cell).error for cell in cells] == ["KeyboardInterrupt: "] * 2
    client.ok("%interp wait all")
    client.ok("%%interp all\nhers = 1")
    assert client.ok("%interp reset all").stdout.count(" is a fresh interpreter now ") == 2
    assert client.run("%%interp all\nhers").error.count("name 'hers' is not defined") == 2
    assert client.ok("%interp close all").stdout == "closed alice.\nclosed bob.\n"


def test_commands_inside_other_code(client: Client) -> None:
    code = """
names = ['alice', 'bob']
for name in names:
    %interp create {name}
t = %interp list
first = names[0]
%interp rename $first carol
text = '''
%interp create never
'''
[row['name'] for row in t], text
"""
    result = client.ok(code)
    assert result.value == "(['main', 'alice', 'bob'], '\\n%interp create never\\n')"
    assert [row[1] for row in table(client)[1:]] == ["main", "carol", "bob"]
    failed = client.run("x = 1\n%interp close nobody")
    assert failed.error.startswith("UsageError: no interpreter 'nobody'; there are main, carol, bob.")
    assert len(failed.of("error")[0]["traceback"]) == 2


@pytest.mark.parametrize("target", ["main", "alice"])
def test_the_module_does_the_same_in_every_interpreter(client: Client, target: str) -> None:
    client.ok("%interp create alice")
    magic = f"%%interp {target}\n"
    ident = client.ok(magic + "import xinterp\nids = xinterp.create('bob', preset='isolated')\nids[0]").value
    assert client.ok(magic + "found = xinterp.get('bob')\n(found.id, found.name)").value == f"({ident}, 'bob')"
    assert client.ok(magic + "[i['name'] for i in xinterp.list()]").value == "['main', 'alice', 'bob']"
    client.ok(magic + "xinterp.rename('bob', 'carol')")
    assert client.run(magic + "xinterp.get('bob')").reply["content"]["evalue"].startswith("no interpreter 'bob'")
    assert (
        client.ok(magic + "xinterp.interrupt('carol'), xinterp.wait(), xinterp.reset('carol') != ids").value
        == "([False], None, True)"
    )
    client.ok(magic + "xinterp.close('carol')")
    mistake = "try: xinterp.create('main')\nexcept xinterp.CommandError as e: print(isinstance(e, RuntimeError), e)"
    assert client.ok(magic + mistake).stdout == "True 'main' is taken: it is the kernel's own word.\n"
    own = f"try: xinterp.close('{target}', force=True)\nexcept RuntimeError as e: print(e)"
    expected = {
        "main": "main cannot be closed: it is the kernel itself. Shut the kernel down instead.\n",
        "alice": "this cell runs in alice: close or reset it from another interpreter.\n",
    }
    assert client.ok(magic + own).stdout == expected[target]


def test_a_cell_of_commands_needs_no_gil(fresh: Kernel) -> None:
    # Main is in one C call that holds its GIL for as long as the test lasts.
    client = fresh.client
    other = fresh.connect()
    with other:
        client.ok("%interp create alice")
        # main is idle for long enough that spares are made; the third is begun when the second is there
        wait_until(lambda: sum(name.startswith("lane") for name in fresh.threads()) >= 4, "spares are made")
        busy = client.send("print('in')\nimport sys; sys.stdout.flush()\nsum(range(10 ** 12))")
        client.wait_for_text(busy, "in")
        assert "running" in other.ok("%interp").of("display_data")[0]["data"]["text/plain"]
        assert other.ok("%interp create bob").stdout.startswith("created bob")
        other.ok("%interp rename bob carl")
        assert other.ok("%%interp carl\n1 + 1").value == "2"
        assert other.ok("%interp close alice").status == "ok"
        assert "running" in other.ok("%interp").of("display_data")[0]["data"]["text/plain"], (
            "main was busy all the time"
        )


def test_closing_and_creating_leaves_no_memory_behind(fresh: Kernel) -> None:
    client = fresh.client

    def resident() -> int:
        return int(Path(f"/proc/{fresh.pid}/statm").read_text().split()[1]) * 4096

    cycle = "import xinterp\nfor i in range({}):\n    xinterp.create('x'); xinterp.close('x')"
    run = "%%interp x --create\nimport json; y = json.dumps(list(range(1000)))"
    for _ in range(50):
        client.ok(run)
        client.ok("%interp close x")
    client.ok(cycle.format(50))
    before = resident()
    for _ in range(10):
        for _ in range(45):
            client.ok(run)
            client.ok("%interp close x")
        client.ok(cycle.format(55))
        client.iopub.clear()
        client.replies.clear()
    assert resident() - before < 20 * 1024 * 1024


def test_what_cells_have_left_ends_while_its_modules_are_there(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok(
        "%%interp alice\nimport json\nclass Last:\n    def __init__(self, name): self.name = name\n"
        "    def __del__(self): print(json.dumps([self.name, known]))\nknown = 1\nlast = Last('variable')\nLast('result')"
    )
    client.run("%%interp alice\ndef f():\n    local = Last('of a traceback')\n    1/0\nf()")
    closed = client.ok("%interp close alice")
    assert sorted(closed.stdout.splitlines()) == [
        '["of a traceback", 1]',
        '["result", 1]',
        '["variable", 1]',
        "closed alice.",
    ]
    assert closed.stderr == ""


def test_the_name_of_one_that_is_closing_is_not_free_yet(client: Client, tmp_path: Path) -> None:
    end = tmp_path / "end"
    client.ok("%interp create alice")
    client.ok("%%interp alice\nimport ctypes")
    cell = client.send(
        f"%%interp alice &\nprint('on')\nctypes.PyDLL(None).system(b'while [ ! -e {end} ]; do sleep 0.05; done')"
    )  # C code that no signal ends
    client.wait_for_text(cell, "on\n")
    assert client.ok("%interp close alice --force").stdout == (
        "alice has not stopped yet; it will be closed as soon as it does.\n"
    )
    refusal = "UsageError: interpreter 'alice' is closing: its name is free when what runs there has ended. Until then choose another."
    for options in ("", " --if-missing", " --fresh"):
        assert client.run(f"%interp create alice{options}").error == refusal
    end.touch()
    client.result(cell)
    client.ok("%interp create bob")
