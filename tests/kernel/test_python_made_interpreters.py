"""Interpreters that Python code makes and those of `%interp` are the same kind of thing; how long they live (SPEC 4.1)."""

import os
from pathlib import Path

import pytest
from harness import Client, Kernel, wait_until

MAKE = "from concurrent import interpreters\nimport _interpreters, gc\ninterp = interpreters.create()\n"
IDS = "[n for n, _ in _interpreters.list_all()]"


def rows(client: Client) -> list[list[str]]:
    """The table's rows as words; what is being closed has gone for everybody."""
    text = client.ok("%interp").of("display_data")[0]["data"]["text/plain"]
    return [words for line in text.splitlines()[1:] if "closing" not in (words := line.split())]


def test_one_that_python_made_is_in_the_table_and_a_target(client: Client) -> None:
    client.ok(MAKE)
    label = client.ok("interp.id").value or ""
    row = rows(client)[-1]
    assert (row[0], row[1], row[-1]) == (label, "isolated", "Python")
    assert client.ok(f"%%interp {label}\nx = 5\nx").value == "5"
    assert client.ok("interp.exec('print(x)')").stdout == "5\n"
    assert client.ok("%%interp all\nprint(x)").stdout == "5\n"


@pytest.mark.parametrize("what", ["use {0}", "rename {0} bob", "interrupt {0}", "wait {0}", "vars {0}", "close {0}"])
def test_every_command_takes_it(client: Client, what: str) -> None:
    client.ok(MAKE)
    client.ok("%interp " + what.format(client.ok("interp.id").value))


def test_reset_makes_a_fresh_one_with_the_same_preset(client: Client) -> None:
    client.ok(MAKE + "interp.exec('x = 1')")
    client.ok(f"%interp rename {client.ok('interp.id').value} bob")
    client.ok("%interp reset bob")
    assert client.run("%%interp bob\nx").error.startswith("NameError")
    assert rows(client)[-1][2] == "isolated"


def test_one_of_interp_is_an_interpreter_object_with_everything(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("import xinterp\nfrom concurrent import interpreters\na = xinterp.get('alice')")
    client.ok("a.exec('y = 6')\na.prepare_main(z=7)")
    assert client.ok("%%interp alice\ny, z").value == "(6, 7)"
    assert client.ok("a.whence, a.is_running(), a.call(len, 'abc'), a in interpreters.list_all()").value == (
        "('_interpreters module', False, 3, True)"
    )
    client.ok("interpreters.Interpreter(a.id).close()")
    assert len(rows(client)) == 1
    assert client.run("%%interp alice\n1").error.startswith("UsageError: no interpreter 'alice'")


def test_is_running_is_true_while_a_cell_runs_and_closing_is_refused(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("import xinterp\na = xinterp.get('alice')")
    cell = client.send("%%interp alice &\nprint('on')\nwhile True: pass")
    client.wait_for_text(cell, "on\n")
    assert client.ok("a.is_running()").value == "True"
    assert client.run("a.close()").error == "UnusableInterpreterError: interpreter running"
    waiting = client.send("%%interp alice &\nprint('waited')")
    client.ok("%interp interrupt alice")
    assert client.result(waiting).status in ("ok", "aborted")
    client.result(cell)
    client.ok("a.close()")


def test_each_interpreter_can_make_and_run_others(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\n" + MAKE)
    assert client.ok("%%interp alice\ninterp.exec('print(1)')\ninterp.call(len, 'abc')").value == "3"
    inner = "from concurrent import interpreters\nj = interpreters.create()\nj.exec('print(2)')\nj.close()"
    assert client.ok(f"%%interp alice\ninterp.exec({inner!r})").stdout == "2\n"
    client.ok("%%interp alice\ninterp.close()")
    assert len(rows(client)) == 2


def test_the_last_reference_destroys_an_idle_one_that_python_made(client: Client) -> None:
    client.ok(MAKE + "i = interp.id\ninterp.exec('x = 1')")
    client.ok(f"interp = None\ngc.collect()\nwhile i in {IDS}: pass")
    assert len(rows(client)) == 1


def test_it_does_not_destroy_one_that_was_made_without_counting(client: Client) -> None:
    client.ok("import _interpreters, gc\nfrom concurrent import interpreters\ni = _interpreters.create()")
    client.ok("interp = interpreters.Interpreter(i)\ninterp = None\ngc.collect()")
    assert client.ok("_interpreters.run_string(i, 'print(1)')").stdout == "1\n"


def test_it_does_not_destroy_one_of_interp(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("import xinterp, gc\na = xinterp.get('alice')\ndel a\ngc.collect()")
    assert client.ok("%%interp alice\n1").value == "1"
    client.ok("%interp create -n 1")
    label = rows(client)[-1][0]
    client.ok(f"a = xinterp.get({label})\ndel a\ngc.collect()")
    assert client.ok(f"%%interp {label}\n1").value == "1"


def test_it_does_not_destroy_one_that_has_got_a_name(client: Client) -> None:
    client.ok(MAKE)
    client.ok(f"%interp rename {client.ok('interp.id').value} bob")
    client.ok("interp = None\ngc.collect()")
    assert client.ok("%%interp bob\n1").value == "1"


def test_one_that_runs_a_cell_goes_when_the_cell_has_ended(client: Client) -> None:
    client.ok(MAKE + "i = interp.id")
    label = client.ok("i").value
    cell = client.send(f"%%interp {label} &\nprint('on')\nwhile True: pass")
    client.wait_for_text(cell, "on\n")
    queued = client.send(f"%%interp {label} &\nprint('queued')", stop_on_error=False)
    assert client.ok(f"interp = None\ngc.collect()\ni in {IDS}").value == "True"
    client.ok(f"%interp interrupt {label}")
    assert client.result(cell).error == "KeyboardInterrupt: "
    client.result(queued)
    assert client.ok(f"i in {IDS}").value == "False"


def test_one_that_a_thread_runs_goes_when_the_thread_has_left(client: Client) -> None:
    client.ok(MAKE + "import os\nr, w = os.pipe()\ni = interp.id")
    client.ok(
        "import threading\nt = threading.Thread(target=_interpreters.exec, args=(i, f'import os; os.read({r}, 1)'))\nt.start()"
    )
    client.ok("while not interp.is_running(): pass")
    assert client.ok(f"interp = None\ngc.collect()\ni in {IDS}").value == "True"
    client.ok("os.write(w, b'.')\nt.join()")
    assert client.ok(f"while i in {IDS}: pass").status == "ok"


def test_a_new_reference_while_it_runs_keeps_it(client: Client) -> None:
    client.ok(MAKE + "import os\nr, w = os.pipe()\ni = interp.id")
    client.ok(
        "import threading\nt = threading.Thread(target=_interpreters.exec, args=(i, f'import os; os.read({r}, 1)'))\nt.start()"
    )
    client.ok("while not interp.is_running(): pass\ninterp = None\ngc.collect()\ninterp = interpreters.Interpreter(i)")
    client.ok("os.write(w, b'.')\nt.join()")
    assert client.ok("interp.exec('print(1)')").stdout == "1\n"


def test_spares_are_invisible(fresh: Kernel) -> None:
    client = fresh.client
    client.ok("import _interpreters")
    # what is idle for long enough has a spare: its lane's thread is there
    wait_until(lambda: "lane 1" in fresh.threads(), "a spare is made")
    assert client.ok(IDS).value == "[0]"
    assert len(rows(client)) == 1
    refused = "[_interpreters.is_running(n) for n in range(1, 9)]"
    assert client.run(refused).error == "UnknownInterpreterError: unrecognized interpreter ID 1"
    for function in ("exec({}, 'x')", "destroy({})", "run_string_unrestricted({}, 'x')", "whence({})", "incref({})"):
        assert (
            client.run(f"_interpreters.{function.format(1)}").error
            == "UnknownInterpreterError: unrecognized interpreter ID 1"
        )
    assert client.ok("_interpreters.create()").value == "1"


def test_who_asks_while_a_spare_is_being_made_gets_that_one(fresh: Kernel, tmp_path: Path) -> None:
    client = fresh.client
    os.mkfifo(tmp_path / "pipe")
    # C code in a thread keeps main's GIL: main's lane is idle, and the spare that is begun then is not there yet.
    client.ok(
        f"import ctypes, os, threading, time\npipe = os.open({str(tmp_path / 'pipe')!r}, os.O_RDWR)\n"
        "def hold():\n    time.sleep(0.5)\n    ctypes.PyDLL(None).read(pipe, ctypes.create_string_buffer(1), 1)\n"
        "threading.Thread(target=hold).start()"
    )
    wait_until(lambda: "new lane" in fresh.threads(), "a spare is begun")
    cells = [client.send(f"%interp create {name}") for name in ("alice", "bob")]
    client.wait_for_start(cells[0])
    assert fresh.threads().count("new lane") == 1
    (tmp_path / "pipe").write_bytes(b".")
    assert [client.result(cell).stdout for cell in cells] == [
        "created alice (id 1, notebook).\n",
        "created bob (id 2, notebook).\n",
    ]


def test_spares_are_made_only_while_main_is_idle(fresh: Kernel) -> None:
    client = fresh.client
    client.ok(
        "import os, time\n"
        "def lanes():\n"
        "    names = [open(f'/proc/self/task/{t}/comm').read() for t in os.listdir('/proc/self/task')]\n"
        "    return sum('lane' in name for name in names)"
    )
    client.ok("%interp create alice")  # from now on four are kept, made 300 ms after main's last cell
    busy = "time.sleep(0.2); before = lanes(); time.sleep(1); lanes() == before"
    assert client.ok(busy).value == "True"
    wait_until(lambda: len([name for name in fresh.threads() if name.startswith("lane")]) == 5, "four spares are made")


def test_an_executor_of_interpreters_runs_and_leaves_none(client: Client) -> None:
    code = (
        "from concurrent.futures import InterpreterPoolExecutor\nimport math\n"
        "with InterpreterPoolExecutor(3) as pool: roots = list(pool.map(math.sqrt, [1, 4, 9, 16]))\nroots"
    )
    assert client.ok(code).value == "[1.0, 2.0, 3.0, 4.0]"
    assert len(rows(client)) == 1


def test_force_closes_one_that_a_thread_runs(client: Client) -> None:
    client.ok(MAKE)
    label = client.ok("interp.id").value
    cell = client.send("t = interp.call_in_thread(exec, 'print(\"on\")\\nwhile True: pass')")
    client.wait_for_text(cell, "on\n")
    assert client.run(f"%interp close {label}").error == (
        f"UsageError: {label} is running code. To interrupt it first: %interp close {label} --force"
    )
    assert client.ok(f"%interp close {label} --force").stdout == f"closed {label}.\n"
    client.ok("t.join()")
