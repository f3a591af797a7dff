"""`%interp vars` and `%interp diff`: what interpreters hold, told without running their code."""

import time

import pytest
from harness import Client, Kernel, Result

BOUND = 1.0  # five times the 200 ms after which an interpreter counts as busy

VALUES = {
    "1": ("int", "1"),
    "-2.5": ("float", "-2.5"),
    "1 << 100_000": ("int", "<100001 bits>"),
    "None": ("NoneType", "None"),
    "'text'": ("str", "'text'"),
    "'a\\nb'": ("str", r"'a\nb'"),
    "b'bytes'": ("bytes", "b'bytes'"),
    "[1, 'two', [3, [4]]]": ("list", "[1, 'two', [3, […]]]"),
    "(1,)": ("tuple", "(1,)"),
    "list(range(10 ** 6))": ("list", "[0, 1, 2, 3, 4, 5, 6, 7, …]"),
    "set()": ("set", "set()"),
    "frozenset({1})": ("frozenset", "frozenset({1})"),
    "{'key': {'inner': 1}}": ("dict", "{'key': {'inner': 1}}"),
    "range(3)": ("range", "range(0, 3)"),
    "len": ("builtin_function_or_method", "len()"),
    "lambda a, b: a": ("function", "<lambda>(a, b)"),
    "__import__('math')": ("module", "math"),
    "int": ("type", "int"),
    "memoryview(bytearray(6)).cast('B', (2, 3))": ("memoryview", "2 x 3 B"),
    "__import__('decimal').Decimal(1)": ("decimal.Decimal", "<Decimal>"),
    "__import__('signal').SIGINT": ("signal.Signals", "<Signals>"),
}

# Every way in which an object can have a say in how it is shown; all of them end the kernel.
HOSTILE = """
import os
def end(*ignored): os._exit(1)
class Meta(type):
    __eq__ = __hash__ = __repr__ = __instancecheck__ = __subclasscheck__ = __getattribute__ = end
class Hostile(metaclass=Meta):
    __repr__ = __str__ = __len__ = __sizeof__ = __iter__ = __eq__ = __hash__ = __getattribute__ = end
    __class__ = property(end)
class List(list): __repr__ = __len__ = __iter__ = __sizeof__ = __getitem__ = end
hostile, nested, own_list = Hostile(), [Hostile(), {1: Hostile()}], List()
"""


def table(result: Result) -> list[str]:
    return result.of("display_data")[0]["data"]["text/plain"].splitlines()


def test_every_kind_of_value_is_told_in_a_few_words(client: Client, target: str) -> None:
    client.ok(target + "\n".join(f"v{i:02} = {code}" for i, code in enumerate(VALUES)))
    where = "alice" if target else "main"
    found = client.ok(
        f"import xinterp as _x\n[(v['type'], v['value']) for v in _x.vars('{where}') if v['name'][0] == 'v']"
    )
    expected = list(VALUES.values())
    assert client.ok(f"{found.value} == {expected!r}").value == "True", found.value
    client.ok(target + "for name in [n for n in globals() if n[0] == 'v' and n[1:].isdigit()]: del globals()[name]")


def test_nobody_s_code_runs(client: Client, target: str) -> None:
    client.ok(target + HOSTILE)
    where = "alice" if target else "main"
    rows = {row.split()[0]: row.split()[1:] for row in table(client.ok(f"%interp vars {where}"))}
    assert rows["hostile"][0] == "Hostile" and rows["hostile"][-1] == "<Hostile>"
    assert " ".join(rows["nested"]).endswith("[<Hostile>, {1: <Hostile>}]")
    assert rows["own_list"][-1] == "<List>"
    client.ok(target + "del hostile, nested, own_list, Hostile, List, Meta, end, os")


def test_numpy_arrays_are_told_by_shape_and_size(fresh: Kernel) -> None:
    if fresh.client.run("import numpy").status == "error":
        pytest.skip("the kernel's Python has no numpy")
    fresh.client.ok("array = numpy.zeros((1000, 250))\ndel numpy")
    assert table(fresh.client.ok("%interp vars main"))[1:] == ["array  numpy.ndarray  1.9 MB  1000 x 250 float64"]


def test_two_interpreters_are_compared_side_by_side(client: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("%%interp alice\nsame, other, hers, long = 1, [1], None, 'x' * 200")
    client.ok("%%interp bob\nsame, other, his, long = 1, [2], None, 'x' * 200")
    shown = client.ok("%interp diff alice bob")
    assert [row.split() for row in table(shown)] == [
        ["name", "alice", "bob"],
        ["hers", "NoneType", "None", "only", "in", "alice"],
        ["his", "NoneType", "None", "only", "in", "bob"],
        ["long", "str", "'" + "x" * 34 + "…", "str", "'" + "x" * 34 + "…", "looks", "equal"],
        ["other", "list", "[1]", "list", "[2]", "differs"],
        ["same", "int", "1", "int", "1", "equal"],
    ]
    code = "import xinterp as _x\n[(d['name'], d['same'], d['a'] and d['a']['value']) for d in _x.diff('alice', 'bob')][:3]"
    assert client.ok(code).value == (
        "[('hers', 'only in alice', 'None'),\n ('his', 'only in bob', None),\n"
        f" ('long',\n  'looks equal',\n  \"'{'x' * 78}…\")]"
    )


def test_an_interpreter_without_variables_says_so(client: Client) -> None:
    client.ok("%interp create alice bob")
    assert client.ok("%interp vars alice").stdout == "alice has no variables.\n"
    assert client.ok("%interp diff alice bob").stdout == "alice and bob have no variables.\n"


def test_code_reads_the_interpreter_that_it_runs_in(client: Client, target: str) -> None:
    where = "alice" if target else "main"
    other = "main" if target else "bob"
    client.ok("%interp create bob")
    code = f"own = 1\nimport xinterp\n[v['value'] for v in xinterp.vars('{where}') if v['name'] == 'own']"
    assert client.ok(target + code).value == "['1']"
    inside = f"t = %interp diff {where} {other}\n[d['same'] for d in t if d['name'] == 'own']"
    assert client.ok(target + inside).value == f"['only in {where}']"
    client.ok(target + "del own, t")


@pytest.mark.parametrize("code", ["while True: pass", "sum(range(10 ** 12))"], ids=["in Python", "in C"])
def test_a_busy_interpreter_is_said_to_be_busy(fresh: Kernel, code: str) -> None:
    client = fresh.client
    client.ok("%interp create alice")
    cell = client.send(f"%%interp alice &\nprint('on')\n{code}")
    client.wait_for_text(cell, "on")
    begun = time.monotonic()
    result = client.run("%interp vars alice")
    assert time.monotonic() - begun < BOUND
    assert result.error == (
        "UsageError: alice is busy: its variables can be read when its cell has ended. "
        "To end it: %interp interrupt alice"
    )
    assert client.run("import xinterp; xinterp.diff('main', 'alice')").error.startswith("UsageError: alice is busy")


def test_main_is_said_to_be_busy_too(fresh: Kernel) -> None:
    client = fresh.client
    cell = client.send("%%interp main &\nprint('on')\nwhile True: pass")
    client.wait_for_text(cell, "on")
    assert client.run("%interp vars main").error.startswith("UsageError: main is busy")
    client.ok("%interp interrupt main")


def test_a_task_that_holds_its_loop_does_not_hold_up_the_asker(client: Client) -> None:
    client.ok("go = memoryview(bytearray(2))\n%interp create alice")
    hold = "async def hold():\n    while not go[0]: await asyncio.sleep(0.001)\n    print('on')\n    while not go[1]: time.sleep(0.001)"
    task = "await asyncio.sleep(0)\ntask = asyncio.create_task(hold())"
    cell = client.send(f"%%interp alice --in go\nimport asyncio, time\n{hold}\n{task}")
    assert client.result(cell).status == "ok"
    client.ok("go[0] = 1")
    client.wait_for_text(cell, "on")
    begun = time.monotonic()
    assert client.run("%interp vars alice").error == (
        "UsageError: alice is busy, though no cell runs there: a task of its event loop may hold it. "
        "Its variables can be read when that has ended."
    )
    assert time.monotonic() - begun < 5 * BOUND
    assert "exists in" not in client.run("hold").traceback
    client.ok("go[1] = 1\ndel go")
    assert "hold" in [row.split()[0] for row in table(client.ok("%interp vars alice"))]


def test_what_is_left_out_is_told(client: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("%%interp alice,bob\nglobals().update({f'v{i:04}': i for i in range(1500)})")
    rows = table(client.ok("%interp vars alice"))
    assert rows[-2].split()[0] == "v0999" and rows[-1] == "... and 500 more."
    rows = table(client.ok("%interp diff alice bob"))
    assert rows[-2].split()[0] == "v0999" and rows[-1] == "One of them has more: the first 1000 of each are compared."


def test_mistakes_are_told(client: Client) -> None:
    client.ok("%interp create alice")
    assert (
        client.run("%interp vars").error
        == "UsageError: vars needs a target: a name, an id or a list.\nUsage: %interp vars TARGET"
    )
    assert (
        client.run("%interp vars main alice").error
        == "UsageError: vars shows one interpreter.\nUsage: %interp vars TARGET"
    )
    assert (
        client.run("%interp diff main main").error
        == "UsageError: diff compares two interpreters.\nUsage: %interp diff A B"
    )
    assert client.run("%interp vars alcie").error.startswith(
        "UsageError: no interpreter 'alcie'; there are main, alice. Did you mean alice?"
    )
