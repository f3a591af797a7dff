"""`%%interp --in` and `--out`: variables that cross with a cell."""

import pytest
from harness import Client, Kernel

ENDLESS = "print('on')\nwhile True: pass"
ENDLESS_IN_C = "print('on')\nsum(range(10 ** 12))"
LACKING = "NameError: name '{}' is not defined"
ON_THE_WAY = "import _xinterp; _xinterp.parcel_count()"


@pytest.fixture
def pair(kernel: Kernel) -> Client:
    """A client of a kernel with alice and bob."""
    kernel.client.ok("%interp create alice bob")
    yield kernel.client
    assert kernel.client.ok(ON_THE_WAY).value == "0"


def start(client: Client, code: str) -> str:
    """Send a cell that prints 'on', and wait until it has."""
    cell = client.send(code)
    client.wait_for_text(cell, "on")
    return cell


@pytest.mark.parametrize(
    "options", ["--in x,y", "--in x y", "--in=x,y", "--in x, y", "--in x --in y", "--in=x --in y,x"]
)
def test_variables_of_main_are_there_before_the_cell(pair: Client, options: str) -> None:
    pair.ok("x, y = 1, {'a': [2]}")
    result = pair.ok(f"%%interp alice {options}\nx, y")
    assert result.value == "(1, {'a': [2]})" and result.stdout == ""
    pair.ok("%%interp alice\nx = 5\ny['a'].append(3)")
    assert pair.ok("x, y").value == "(1, {'a': [2]})", "they are copies"


@pytest.mark.parametrize("line", ["--in x --out y", "--out=y --in=x --timeout 50", "--timeout 50 --out y --in x"])
def test_variables_of_the_target_are_there_after_the_cell(pair: Client, line: str) -> None:
    pair.ok("x = 20")
    result = pair.ok(f"%%interp alice {line}\ny = x + 1\ny")
    assert result.value == "21" and result.stdout == ""
    assert pair.ok("y").value == "21"


def test_several_targets_get_the_same_and_return_a_dict_by_name(pair: Client) -> None:
    pair.ok("x = 20\n%interp create -n 1")
    unnamed = pair.ok("import xinterp\nxinterp.list()[-1]['id']").value
    pair.ok(f"%%interp bob,alice,{unnamed} --in x --out y,x\nimport xinterp, _xinterp\ny = x + _xinterp.interpreter")
    assert pair.ok("ids = {i['name'] or i['id']: i['id'] for i in xinterp.list()[1:]}\nlist(y)").value == (
        f"['bob', 'alice', {unnamed}]"
    )
    assert pair.ok("{k: v - 20 for k, v in y.items()} == ids, x").value == (
        f"(True, {{'bob': 20, 'alice': 20, {unnamed}: 20}})"
    )


def test_all_returns_a_dict_even_if_there_is_one_only(pair: Client) -> None:
    pair.ok("%interp close bob")
    pair.ok("%%interp all --out y\ny = 1")
    assert pair.ok("y").value == "{'alice': 1}"


def test_memory_is_lent_both_ways(pair: Client) -> None:
    pair.ok("view = memoryview(bytearray(3))")
    pair.ok("%%interp alice --in view --out own\nview[0] = 7\nown = memoryview(bytearray(b'her'))")
    assert pair.ok("bytes(view), bytes(own)").value == r"(b'\x07\x00\x00', b'her')"
    pair.ok("%%interp alice\nown[0] = 72")
    assert pair.ok("bytes(own)").value == "b'Her'"
    pair.ok("%%interp alice\ndel view")
    pair.ok("view.release()")


def test_a_target_is_created_first(pair: Client) -> None:
    pair.ok("x = 1")
    assert pair.ok("%%interp carol --create --in x --out y\ny = x").status == "ok"
    assert pair.ok("y").value == "1"


def test_an_empty_cell_moves_variables(pair: Client) -> None:
    pair.ok("x = 1")
    pair.ok("%%interp alice --in x")
    pair.ok("del x")
    pair.ok("%%interp alice --out x")
    assert pair.ok("x").value == "1"


@pytest.mark.parametrize("targets", ["alice", "alice,bob", "alice &"])
def test_what_cannot_come_in_is_named_and_nothing_runs(pair: Client, targets: str) -> None:
    pair.ok("import threading\nfine, lock, numbers = 1, threading.Lock(), (i for i in [])")
    result = pair.run(f"%%interp {targets} --in fine lock numbers nowhere\nprint('runs')")
    assert result.error.removeprefix("UsageError: ").splitlines() == [
        "lock (lock) cannot cross: cannot pickle '_thread.lock' object.",
        "numbers (generator) cannot cross: cannot pickle 'generator' object.",
        "nowhere cannot cross: there is no such variable.",
    ]
    assert result.stdout == "" and len(result.of("error")) == 1
    assert pair.run("%%interp alice\nfine").error == LACKING.format("fine")


def test_what_one_target_cannot_take_in_keeps_the_cell_from_running_in_any(pair: Client) -> None:
    pair.ok("class Ours: pass\nimport sys, types\nsys.modules['ours'] = ours = types.ModuleType('ours')")
    pair.ok("Ours.__module__ = 'ours'\nours.Ours = Ours\nthing = Ours()")
    pair.ok(
        "%%interp bob\nimport sys, types\nsys.modules['ours'] = ours = types.ModuleType('ours')\nours.Ours = type('Ours', (), {})"
    )
    result = pair.run("%%interp alice,bob --in thing\nprint('runs')")
    assert result.error == "UsageError: alice: thing cannot cross: ModuleNotFoundError: No module named 'ours'."
    assert result.stdout == "" and len(result.of("error")) == 1
    pair.ok("%%interp bob --in thing\nprint(type(thing))")
    pair.ok("del sys.modules['ours']")


def test_what_cannot_go_out_is_named_and_the_rest_arrives(pair: Client) -> None:
    result = pair.run(
        "%%interp alice --out fine lock nowhere\nimport threading\nfine, lock = 1, threading.Lock()\n'value'"
    )
    assert result.value == "'value'", "the code itself has run"
    assert result.error.removeprefix("UsageError: ").splitlines() == [
        "alice: lock (lock) cannot cross: cannot pickle '_thread.lock' object.",
        "alice: nowhere cannot cross: there is no such variable.",
    ]
    assert pair.ok("fine").value == "1"
    assert pair.run("lock").error == LACKING.format("lock")


def test_what_cannot_go_out_of_one_of_several_targets_is_missing_in_the_dict(pair: Client) -> None:
    pair.ok("%%interp alice\nmine = 1")
    result = pair.run("%%interp alice,bob --out mine both\nboth = 2")
    assert result.error == "UsageError: bob: mine cannot cross: there is no such variable."
    assert pair.ok("mine, both").value == "({'alice': 1}, {'alice': 2, 'bob': 2})"


def test_what_main_cannot_take_is_told(pair: Client) -> None:
    code = "import sys, types\nsys.modules['ours'] = ours = types.ModuleType('ours')\nours.Ours = Ours = type('Ours', (), {'__module__': 'ours'})\nthing, fine = Ours(), 1"
    result = pair.run("%%interp alice --out thing,fine\n" + code)
    assert result.error == "UsageError: main: thing cannot cross: ModuleNotFoundError: No module named 'ours'."
    assert pair.ok("fine").value == "1"


@pytest.mark.parametrize("targets", ["alice", "bob,alice"])
def test_a_cell_that_fails_returns_nothing(pair: Client, targets: str) -> None:
    pair.ok("%%interp bob\nraises = False")
    pair.ok("%%interp alice\nraises = True")
    result = pair.run(f"%%interp {targets} --out y\ny = 1\nif raises: 1 / 0")
    assert result.error.endswith("division by zero")
    assert pair.run("y").error == LACKING.format("y")


def test_a_cell_that_is_interrupted_or_times_out_returns_nothing(pair: Client) -> None:
    cell = start(pair, f"%%interp alice --out y\ny = 1\n{ENDLESS}")
    pair.interrupt()
    assert pair.result(cell).error == "KeyboardInterrupt: "
    assert pair.run(f"%%interp alice --out y --timeout 0.1\n{ENDLESS}").error.startswith("TimeoutError: ")
    assert pair.run("y").error == LACKING.format("y")


def test_a_detached_cell_takes_what_is_there_when_it_starts(pair: Client) -> None:
    pair.ok("x, go = 'when it started', memoryview(bytearray(1))")
    busy = start(pair, "%%interp alice & --in go\nprint('on')\nimport time\nwhile not go[0]: time.sleep(0.001)")
    waiting = pair.send("%%interp alice & --in x --out y\ny = x")
    pair.ok("x = 'later'")
    pair.ok("go[0] = 1")
    assert pair.result(busy).status == "ok"
    assert pair.result(waiting).status == "ok"
    assert pair.ok("x, y").value == "('later', 'when it started')"


def test_a_detached_cell_returns_between_main_s_cells_and_before_its_reply(pair: Client) -> None:
    pair.ok("import time, _xinterp\ngo = memoryview(bytearray(1))")
    wait = "print('on')\nimport time\nwhile not go[0]: time.sleep(0.001)"
    cell = start(pair, f"%%interp alice & --in go --out y\n{wait}\ny = 1")
    under_way = (
        "before = _xinterp.parcel_count()\ngo[0] = 1\nwhile _xinterp.parcel_count() == before: time.sleep(0.001)"
    )
    assert pair.ok(f"{under_way}\n'y' in globals()").value == "False", "not while a cell of main runs"
    assert pair.result(cell).status == "ok"
    assert pair.ok("y").value == "1"
    pair.send("%%interp alice & --out z\nz = 2")
    pair.ok("%interp wait alice")
    assert pair.ok("z").value == "2"


def test_code_of_main_that_waits_for_the_cell_is_not_waited_for(pair: Client) -> None:
    start(pair, "%%interp alice & --out y\nprint('on')\nimport time; time.sleep(0.2)\ny = 1")
    pair.ok("import xinterp\nxinterp.wait('alice')")
    assert pair.ok("y").value == "1"


def test_a_foreground_cell_waits_until_main_is_between_cells(kernel: Kernel, pair: Client) -> None:
    pair.ok("x = 'old'")
    with kernel.connect() as other:
        busy = start(other, "print('on')\nimport time; time.sleep(0.3)\nx = 'new'")
        assert pair.ok("%%interp alice --in x\nx").value == "'new'"
        assert other.result(busy).status == "ok"


@pytest.mark.parametrize("code", [ENDLESS, ENDLESS_IN_C], ids=["in Python", "in C"])
@pytest.mark.parametrize("options", ["--in x", "--out y"])
def test_stop_ends_the_wait_for_main(fresh: Kernel, options: str, code: str) -> None:
    client = fresh.client
    client.ok("x = 1\n%interp create alice")
    with fresh.connect() as other:
        start(other, f"%%interp main &\n{code}")
        cell = client.send(f"%%interp alice {options}\ny = 1\nprint('ran')")
        if options == "--out y":
            client.wait_for_text(cell, "ran")
        client.wait_for_start(cell)
        behind = client.send("%%interp alice\n'behind'")
        client.interrupt()
        result = client.result(cell)
        assert result.error == "KeyboardInterrupt: "
        assert result.stdout == ("" if options == "--in x" else "ran\n")
        assert client.result(behind).status == "aborted"
        assert client.ok("%%interp alice\n'goes on'").value == "'goes on'"
        if code is ENDLESS:
            client.ok("%interp interrupt main")
            assert client.run("y").error == LACKING.format("y")
            assert client.ok(ON_THE_WAY).value == "0"


def test_interrupting_one_target_ends_its_wait_alone(kernel: Kernel, pair: Client) -> None:
    pair.ok("x = 1")
    with kernel.connect() as other:
        busy = start(other, f"%%interp main &\n{ENDLESS}")
        cell = pair.send("%%interp alice,bob & --in x\nprint(x)")
        assert pair.ok("%interp interrupt alice").stdout == "interrupted alice.\n"
        other.ok("%interp interrupt main")
        assert other.result(busy).status == "error"
        result = pair.result(cell)
        assert result.stdout == "[bob] 1\n" and result.error == "KeyboardInterrupt: in alice: "


@pytest.mark.parametrize("where", ["main", "alice"])
def test_packing_and_unpacking_can_be_interrupted(pair: Client, where: str) -> None:
    pair.ok(
        "%%interp alice\nclass Slow:\n    def __reduce__(self):\n        print('on')\n        while True: pass\nslow = Slow()"
    )
    pair.ok("class Slow:\n    def __reduce__(self):\n        print('on')\n        while True: pass\nslow = Slow()")
    cell = start(pair, f"%%interp alice --{'in' if where == 'main' else 'out'} slow")
    pair.interrupt()
    assert pair.result(cell).error == "KeyboardInterrupt: "
    assert pair.ok("%%interp alice\n'goes on'").value == "'goes on'"
    assert pair.ok("'goes on'").value == "'goes on'"


def test_the_timeout_counts_the_code_alone(kernel: Kernel, pair: Client) -> None:
    pair.ok("x = 1")
    with kernel.connect() as other:
        busy = start(other, "print('on')\nimport time; time.sleep(1.5)")
        assert pair.ok("%%interp alice --in x --timeout 1\nx").value == "1"
        assert other.result(busy).status == "ok"
        busy = start(other, "print('on')\nimport time; time.sleep(1.5)")
        pair.ok("%%interp alice --out y --timeout 1\ny = 2")
        assert other.result(busy).status == "ok"
        assert pair.ok("y").value == "2"


def test_a_target_that_is_closed_meanwhile_ends_the_cell(kernel: Kernel, pair: Client) -> None:
    pair.ok("x = 1")
    with kernel.connect() as other:
        busy = start(other, f"%%interp main &\n{ENDLESS}")
        cell = pair.send("%%interp alice & --in x\nprint(x)")
        assert pair.run("%interp close alice").error.startswith("UsageError: alice is running a cell.")
        pair.ok("%interp close alice --force")
        assert pair.result(cell).error == "KeyboardInterrupt: "
        delivered = start(pair, "%%interp bob & --out view\nview = memoryview(bytearray(b'bob'))\nprint('on')")
        other.ok("%interp wait bob\n%interp close bob")
        other.ok("%interp interrupt main")
        assert other.result(busy).status == "error"
        assert pair.result(delivered).status == "ok"
    assert pair.ok("bytes(view)").value == "b'bob'"


def test_cells_of_one_interpreter_keep_their_order_while_one_waits_for_main(kernel: Kernel, pair: Client) -> None:
    pair.ok("x = 1")
    with kernel.connect() as other:
        busy = start(other, f"%%interp main &\n{ENDLESS}")
        first = pair.send("%%interp alice & --in x\nseen = x")
        second = pair.send("%%interp alice &\nprint(seen)")
        assert pair.ok("%%interp bob\n'others go on'").value == "'others go on'"
        other.ok("%interp interrupt main")
        assert other.result(busy).status == "error"
        assert pair.result(first).status == "ok"
        assert pair.result(second).stdout == "1\n"


def test_a_detached_cell_whose_variables_are_refused_aborts_what_waits_in_its_lane(
    kernel: Kernel, pair: Client
) -> None:
    with kernel.connect() as other:
        busy = start(other, f"%%interp main &\n{ENDLESS}")
        first = pair.send("%%interp alice & --in nowhere\n1")
        second = pair.send("%%interp alice &\nprint('runs')")
        other.ok("%interp interrupt main")
        assert other.result(busy).status == "error"
        assert pair.result(first).error == "UsageError: nowhere cannot cross: there is no such variable."
        assert pair.result(second).status == "aborted"


MISTAKES = {
    "alice --in": "--in needs the names of variables.\n{usage}",
    "alice --in --out x": "--in needs the names of variables.\n{usage}",
    "alice --out=": "--out needs the names of variables.\n{usage}",
    "alice --in ,": "--in needs the names of variables.\n{usage}",
    "alice --in 3x": "--in takes names of variables, not '3x'.",
    "alice --out a.b": "--out takes names of variables, not 'a.b'.",
    "alice --out class": "--out takes names of variables, not 'class'.",
    "main --in x": "main has its variables already: --in and --out are for cells in other interpreters alone.",
    "0 --out x": "main has its variables already: --in and --out are for cells in other interpreters alone.",
    "alice,main --in x": "main has its variables already: --in and --out are for cells in other interpreters alone.",
    "--in x alice": "%%interp needs a target, before --in and --out: what follows those are names of variables.\n{usage}",
    "alice --ni x": "%%interp has no option '--ni'; did you mean --in?\n{usage}",
    "alice --uot x": "%%interp has no option '--uot'; did you mean --out?\n{usage}",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_are_told_and_nothing_runs(pair: Client, line: str) -> None:
    usage = "Usage: %%interp TARGET [&] [--create] [--preset P] [--in NAMES] [--out NAMES] [--timeout SECONDS]"
    result = pair.run(f"%%interp {line}\nprint('runs')")
    assert result.error == "UsageError: " + MISTAKES[line].format(usage=usage)
    assert result.stdout == ""
