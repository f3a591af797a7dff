"""`%interp share`: variables that cross from one interpreter to another, how, and what refuses to."""

import time

import pytest
from harness import Client, Kernel

CROSSING = {
    "12": "copied",
    "'text'": "copied",
    "b'bytes'": "copied",
    "None": "copied",
    "1.5j": "copied",
    "[1, {'two': (3, {4})}]": "pickled",
    "bytearray(b'abc')": "pickled",
    "__import__('decimal').Decimal('1.5')": "pickled",
    "__import__('datetime').date(2026, 1, 2)": "pickled",
    "__import__('math').hypot": "pickled",
    "ValueError('said')": "pickled",
}


@pytest.mark.parametrize("code", CROSSING)
def test_values_cross_in_both_directions(client: Client, code: str) -> None:
    client.ok("%interp create alice bob")
    client.ok(f"value = {code}")
    assert client.ok("%interp share value --to alice").stdout == f"value: {CROSSING[code]}, main to alice.\n"
    assert client.ok("%interp share value --from alice --to bob").stdout == f"value: {CROSSING[code]}, alice to bob.\n"
    client.ok("%%interp alice\ndel value")
    client.ok("%%interp bob\nback = value")
    client.ok("%interp share back --from bob")
    assert client.ok("type(back) is type(value) and repr(back) == repr(value)").value == "True"
    client.ok("del value, back")


def test_a_memoryview_is_the_same_memory_in_both(client: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("data = bytearray(12)\nview = memoryview(data).cast('B', (3, 4))[::2]")
    assert client.ok("%interp share view --to alice,bob").stdout == "view: shared buffer, main to alice, bob.\n"
    client.ok("%%interp alice\nview[1, 3] = 7")
    assert (
        client.ok("%%interp bob\nview.shape, view.strides, view.readonly, view[1, 3]").value
        == "((2, 4), (8, 1), False, 7)"
    )
    assert client.ok("data[11]").value == "7"
    client.ok("%%interp bob\nlate = view[0:1]\ndel view")
    assert client.run("view.release()").error == "BufferError: memoryview has 1 exported buffer", "others still use it"
    client.ok("%interp close alice bob")
    assert client.ok("view.release()\ndel view, _\ndata.append(1)\nlen(data)").value == "13"
    client.ok("del data")


def test_read_only_memory_stays_read_only(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("view = memoryview(b'constant')")
    client.ok("%interp share view --to alice")
    assert client.run("%%interp alice\nview[0] = 1").error == "TypeError: cannot modify read-only memory"
    client.ok("del view")


def test_memory_outlives_the_interpreter_that_lent_it(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\nview = memoryview(bytearray(b'abc'))")
    client.ok("%interp share view --from alice")
    assert client.ok("%interp close alice").stdout == (
        "closed alice. But other interpreters use its memory; it stays in use until the kernel stops.\n"
    )
    assert client.ok("bytes(view)").value == "b'abc'"
    client.ok("del view")


def test_a_numpy_array_is_shared_or_lent_as_a_memoryview(fresh: Kernel) -> None:
    client = fresh.client
    if client.run("import numpy").status == "error":
        pytest.skip("the kernel's Python has no numpy")
    client.ok("array = numpy.arange(6.0).reshape(2, 3)\n%interp create alice")
    assert client.ok("%interp share array --to alice").stdout == "array: shared array, main to alice.\n"
    assert client.ok("%%interp alice\narray[1, 2] = 9\narray.format, array.shape").value == "('d', (2, 3))"
    assert client.ok("array[1, 2]").value == "np.float64(9.0)"


def test_what_cannot_cross_is_named_and_nothing_is_bound(client: Client, target: str) -> None:
    client.ok("%interp create bob")
    where = "alice" if target else "main"
    client.ok(
        target
        + "import threading\nfine, lock, g = 1, threading.Lock(), (i for i in [])\ndef f(): return lock\nclass C: pass\nc = [C()]\nc[0].f = f\ngone = memoryview(b'x')\ngone.release()"
    )
    result = client.run(f"%interp share fine f c lock g gone nowhere --from {where} --to bob")
    assert result.error.removeprefix("UsageError: ").splitlines() == [
        "f (function) cannot cross: it uses lock, a _thread.lock, which cannot be pickled.",
        "c (list) cannot cross: it uses lock, a _thread.lock, which cannot be pickled.",
        "lock (lock) cannot cross: cannot pickle '_thread.lock' object.",
        "g (generator) cannot cross: cannot pickle 'generator' object.",
        "gone (memoryview) cannot cross: operation forbidden on released memoryview object.",
        "nowhere cannot cross: there is no such variable.",
    ]
    assert client.run("%%interp bob\nfine").error == "NameError: name 'fine' is not defined"
    client.ok(target + "del fine, f, C, c, lock, g, gone")


def test_functions_and_classes_of_cells_cross_by_value(client: Client, target: str) -> None:
    client.ok("%interp create bob")
    where = "alice" if target else "main"
    client.ok(
        target
        + "import math\nlimit = 5\nclass C:\n    def __init__(self, x): self.x = x\ndef f(x): return C(min(limit, math.isqrt(x)))\nc = C(1)"
    )
    assert client.ok(f"%interp share f C c --from {where} --to bob").stdout == (
        f"f: by value, {where} to bob.\nC: by value, {where} to bob.\nc: by value, {where} to bob.\n"
    )
    assert client.ok("%%interp bob\nr = f(9)\ntype(r) is C is type(c), r.x, c.x, f.__module__").value == (
        "(True, 3, 1, '__main__')"
    )
    client.ok(f"%interp share r f --from bob --to {where}")
    assert client.ok(target + "type(r) is C, r.x, type(f(100)) is C, f(100).x").value == "(True, 3, True, 5)"
    client.ok(target + "del math, limit, C, f, c, r")


def test_a_function_that_has_crossed_shows_its_lines_in_tracebacks(client: Client) -> None:
    client.ok("%interp create bob")
    client.ok("def f(x):\n    return 1 / x  # the line")
    client.ok("%interp share f --to bob")
    assert "return 1 / x  # the line" in client.run("%%interp bob\nf(0)").traceback
    client.ok("del f")


def test_a_module_that_the_other_interpreter_cannot_import_is_told(client: Client, tmp_path: object) -> None:
    client.ok("%interp create alice")
    client.ok(
        "import sys, types\nsys.modules['ours'] = ours = types.ModuleType('ours')\nexec('class T: pass', ours.__dict__)\nours.T.__module__ = 'ours'\nthing, one = ours.T(), 1"
    )
    assert client.run("%interp share thing one --to alice").error == (
        "UsageError: alice: thing cannot cross: ModuleNotFoundError: No module named 'ours'."
    )
    assert client.run("%%interp alice\none").status == "error"
    client.ok("del sys.modules['ours'], ours, thing, one")


def test_a_library_that_refuses_the_other_interpreter_is_told_in_a_line(fresh: Kernel) -> None:
    fresh.client.ok("import pandas\ndf = pandas.DataFrame({'a': [1]})\n%interp create alice")
    refusal = "module numpy._core._multiarray_umath does not support loading in subinterpreters"
    sentence = f"UsageError: alice: df cannot cross: ImportError: {refusal}."
    assert fresh.client.run("%%interp alice --in df\n1").error == sentence
    assert fresh.client.run("%interp share df --to alice").error == sentence


def test_a_page_of_advice_is_told_by_its_first_line(client: Client) -> None:
    client.ok("%interp create bob")
    client.ok(
        "import xinterp\nclass Advised:\n    def __reduce__(self):\n"
        "        return exec, ('raise ImportError(\"it cannot be loaded:\\\\n\\\\nread this\\\\nand that\")',)\nthing = Advised()"
    )
    sentence = "UsageError: bob: thing cannot cross: ImportError: it cannot be loaded ..."
    assert client.run("%interp share thing --to bob").error.rstrip(".") == sentence.rstrip(".")
    client.ok("del thing, Advised")


def test_code_shares_from_and_to_its_own_interpreter(client: Client, target: str) -> None:
    client.ok("%interp create bob")
    where = "alice" if target else "main"
    client.ok("%%interp bob\nhis = {'a': 1}")
    code = f"import xinterp\nmine = 'hers'\nxinterp.share('mine', from_='{where}', to='bob'), xinterp.share('his', from_='bob', to='{where}'), his"
    assert client.ok(target + code).value == "({'mine': 'copied'}, {'his': 'pickled'}, {'a': 1})"
    assert client.ok("%%interp bob\nmine").value == "'hers'"
    inside = f"how = %interp share mine --from {where} --to bob\nhow"
    assert client.ok(target + inside).value == "{'mine': 'copied'}"
    client.ok(target + "del mine, his, how, xinterp")


def test_sharing_waits_for_the_cell_that_runs_there_and_can_be_interrupted(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("x = 1")
    cell = client.send("%%interp alice &\nprint('on')\nimport time; time.sleep(0.5); seen = 'x' in globals()")
    client.wait_for_text(cell, "on")
    assert client.ok("%interp share x --to alice").stdout == "x: copied, main to alice.\n"
    assert client.ok("%%interp alice\nseen, x").value == "(False, 1)"
    endless = client.send("%%interp alice &\nprint('on')\nwhile True: pass")
    client.wait_for_text(endless, "on")
    sharing = client.send("import xinterp\nprint('on')\nxinterp.share('x', to='alice')")
    client.wait_for_text(sharing, "on")
    time.sleep(0.1)
    client.interrupt()
    assert client.result(sharing).error == "KeyboardInterrupt: "
    client.ok("%interp interrupt alice\ndel x, xinterp")


def test_an_interpreter_that_is_closed_meanwhile_is_told(client: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("x = 1")
    endless = client.send("%%interp alice &\nprint('on')\nwhile True: pass")
    client.wait_for_text(endless, "on")
    sharing = client.send("%%interp bob &\nimport xinterp\nprint('on')\nxinterp.share('x', to='alice')")
    client.wait_for_text(sharing, "on")
    client.ok("import _xinterp\nwhile not _xinterp.parcel_count(): pass")
    client.ok("%interp close alice --force")
    assert client.result(sharing).error == "UsageError: alice was closed before the variables had crossed."
    client.ok("del x")


def test_mistakes_are_told(client: Client) -> None:
    client.ok("%interp create alice")
    usage = "\nUsage: %interp share NAMES --from A --to B"
    assert client.run("%interp share --to alice").error == f"UsageError: share needs the names of variables.{usage}"
    assert client.run("%interp share x").error == (
        f"UsageError: the variables are in main already: name another with --from or --to.{usage}"
    )
    assert client.run("%interp share x --to alcie").error.startswith("UsageError: no interpreter 'alcie'; there are")
    assert client.run("%interp share x --form alice").error.startswith("UsageError: %interp share")


ENDLESS = "%%interp {} &\nprint('on')\nwhile True: pass"
ON_THE_WAY = "import _xinterp; _xinterp.parcel_count()"
INTERRUPTED = {
    # What waits for alice, who is busy, has packed memory before that, or has it packed by bob.
    "a cell of commands": "%interp share view --to alice",
    "a cell of commands, from elsewhere": "%interp share view --from bob --to alice",
    "code that packs": "import xinterp\nxinterp.share('view', to='alice')",
    "code that unpacks": "import xinterp\nxinterp.share('view', from_='bob', to=['main', 'alice'])",
    "code that neither packs nor unpacks": "import xinterp\nxinterp.share('view', from_='bob', to='alice')",
    "code that still packs": "import xinterp\nxinterp.share('view', 'slow', to='bob')",
}


@pytest.mark.parametrize("code", INTERRUPTED.values(), ids=INTERRUPTED)
def test_an_interrupted_share_keeps_no_memory_and_binds_nothing_later(kernel: Kernel, code: str) -> None:
    client = kernel.client
    client.ok("%interp create alice bob carol")
    for target in ("main", "bob"):
        client.ok(f"%%interp {target}\nview = memoryview(bytearray(3))")
    client.ok(
        "class Slow:\n    def __reduce__(self):\n        print('packing')\n        while True: pass\nslow = Slow()"
    )
    endless = client.send(ENDLESS.format("alice"))
    client.wait_for_text(endless, "on")
    sharing = client.send(code)
    if "slow" in code:
        client.wait_for_text(sharing, "packing")
    else:
        with kernel.connect() as other:
            other.ok("%%interp carol\nimport _xinterp, time\nwhile _xinterp.parcel_count() == 0: time.sleep(0.001)")
    client.interrupt()
    assert client.result(sharing).error == "KeyboardInterrupt: "
    assert client.ok(ON_THE_WAY).value == "0"
    client.ok("%interp interrupt alice")
    assert client.run("%%interp alice\nview").error == "NameError: name 'view' is not defined"
    client.ok("del slow, Slow, view")


SLOW = "import time\nclass Slow:\n    def __{0}__(self{1}):\n        print('{0}')\n        time.sleep(1000)\n"


@pytest.mark.parametrize("source", ["main", "alice"])
def test_an_interrupted_share_stops_the_code_that_packs(client: Client, source: str) -> None:
    client.ok("%interp create alice bob")
    client.ok(f"%%interp {source}\n" + SLOW.format("reduce", "") + "x = Slow()")
    cell = client.send(f"%interp share x --from {source} --to bob")
    client.read_available(0.3)
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.ok(f"%%interp {source}\n'free'").value == "'free'"


def test_an_interrupted_share_stops_the_code_that_unpacks(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok(SLOW.format("setstate", ", state") + "    def __getstate__(self): return 1\nx = Slow()")
    cell = client.send("%interp share x --from main --to alice")
    client.read_available(0.3)
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.ok("%%interp alice\n'free'").value == "'free'"
