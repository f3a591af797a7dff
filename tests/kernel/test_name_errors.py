"""The line that a NameError adds when another interpreter has the name."""

import time

import pytest
from harness import Client, Kernel, Result, plain

BOUND = 1.0  # five times the 200 ms that an interpreter has to answer


def advice(result: Result) -> list[str]:
    """What follows the error's own line in each traceback."""
    lines = []
    for error in result.of("error"):
        text = [plain(line) for line in error["traceback"]]
        own = [i for i, line in enumerate(text) if line.startswith("NameError: ")]
        lines += text[own[-1] + 1 :]
    return lines


def test_main_is_told_who_has_the_name(client: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("%%interp bob\nx = 42")
    result = client.run("print(x)")
    assert result.error == "NameError: name 'x' is not defined"
    assert advice(result) == ["x exists in bob: %interp share x --from bob --to main"]
    client.ok("%interp share x --from bob --to main")
    assert client.ok("x").value == "42"
    client.ok("del x")


def test_a_lane_is_told_who_has_the_name(client: Client) -> None:
    client.ok("x = 1\n%interp create alice bob")
    assert advice(client.run("%%interp alice\nx")) == ["x exists in main: %interp share x --from main --to alice"]
    client.ok("%%interp bob\nx = 2")
    assert advice(client.run("%%interp alice\nx")) == [
        "x exists in main and bob: %interp share x --from main --to alice"
    ]
    client.ok("del x")


def test_all_who_have_it_are_named_in_the_order_of_the_table(client: Client) -> None:
    client.ok("%interp create zoe bob\n%interp create -n 1")
    unnamed = client.ok("import xinterp\nxinterp.list()[-1]['id']").value
    client.ok(f"%%interp {unnamed},bob,zoe\nx = 1")
    assert advice(client.run("x")) == [f"x exists in zoe, bob and {unnamed}: %interp share x --from zoe --to main"]
    client.ok("%interp close zoe bob")
    assert advice(client.run("x")) == [f"x exists in {unnamed}: %interp share x --from {unnamed} --to main"]


def test_each_of_several_targets_is_told(client: Client) -> None:
    client.ok("x = 1\n%interp create alice bob")
    assert sorted(advice(client.run("%%interp alice,bob\nx"))) == [
        "x exists in main: %interp share x --from main --to alice",
        "x exists in main: %interp share x --from main --to bob",
    ]
    client.ok("del x")


INSIDE = {
    "a statement": "y = x + 1",
    "a function of the cell": "def f():\n    return x\nf()",
    "del": "del x",
    "top-level await": "async def f(): return x\nawait f()",
    "a call from a library": "sorted([1], key=lambda one: x)",
}


@pytest.mark.parametrize("code", INSIDE.values(), ids=INSIDE)
def test_it_counts_wherever_the_cell_s_own_code_looks(client: Client, target: str, code: str) -> None:
    where = "alice" if target else "main"
    client.ok("%interp create bob")
    client.ok("%%interp bob\nx = 1")
    assert advice(client.run(target + code)) == [f"x exists in bob: %interp share x --from bob --to {where}"]


ELSEWHERE = {
    "an attribute": "import math\nmath.x",
    "an unbound local": "def f():\n    x\n    x = 1\nf()",
    "an unbound variable of an enclosing function": "def f():\n    def g(): return x\n    g()\n    x = 1\nf()",
    "other globals": "exec('x', {})",
    "one that somebody raises": "raise NameError('x')",
    "one that is caught": "try: x\nexcept NameError: raise ValueError('x') from None",
    "a name that nobody has": "nobody_has_it",
    "a name of the kernel's own": "del In\nIn",
}


@pytest.mark.parametrize("code", ELSEWHERE.values(), ids=ELSEWHERE)
def test_nothing_else_counts(fresh: Kernel, code: str) -> None:
    fresh.client.ok("%interp create bob")
    fresh.client.ok("%%interp bob\nx = 1")
    result = fresh.client.run(code)
    assert result.status == "error" and "exists in" not in result.traceback


def test_one_that_is_busy_is_not_waited_for(fresh: Kernel) -> None:
    client = fresh.client
    client.ok("%interp create alice bob")
    client.ok("%%interp alice,bob\nx = 1")
    for code in ("while True: pass", "sum(range(10 ** 12))"):
        cell = client.send(f"%%interp alice &\nprint('on')\n{code}")
        client.wait_for_text(cell, "on")
        begun = time.monotonic()
        result = client.run("x")
        assert time.monotonic() - begun < BOUND
        assert advice(result) == ["x exists in bob: %interp share x --from bob --to main"]
        client.ok("%interp interrupt alice")


def test_nobody_s_code_runs_for_it(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok(
        "%%interp alice\nimport os\nclass Key:\n    __hash__ = lambda self: hash('x')\n    __eq__ = lambda *ignored: os._exit(1)\n"
        "globals()[Key()] = 1\nx_too = 1"
    )
    assert advice(client.run("x")) == []
    assert advice(client.run("x_too")) == ["x_too exists in alice: %interp share x_too --from alice --to main"]
