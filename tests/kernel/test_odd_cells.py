"""What a cell means does not depend on whether IPython is up, and is what it means in ipykernel."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from harness import Client, Kernel, plain
from odd_cells import CELLS, OTHERWISE_IN_IPYKERNEL

CLEAN = (
    "[globals().pop(n) for n in [*globals()] if n not in ('In', 'Out', 'exit', 'quit', 'get_ipython') and n[0] != '_' "
    "or n == '__doc__'];"
)
LOADED = "'IPython' in __import__('sys').modules"


@pytest.fixture(scope="module")
def ipykernel() -> Iterator[Client]:
    kernel = Kernel("python3")
    yield kernel.client
    kernel.stop()


class Lanes:
    """A kernel with `up`, where IPython is, and another interpreter, where it is not."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.client.ok("%interp create up")
        self.client.ok("%%interp up\nget_ipython()")
        self._names = (f"plain{number}" for number in itertools.count())
        self._create_plain()

    def _create_plain(self) -> None:
        self.plain = next(self._names)
        self.client.ok(f"%interp create {self.plain}")

    def clean(self) -> None:
        self.client.ok(f"%%interp up,{self.plain}\n{CLEAN}")
        if self.client.ok(f"%%interp {self.plain}\n{LOADED}").value == "True":
            self.client.ok(f"%interp close {self.plain} --force")
            self._create_plain()


@pytest.fixture(scope="module")
def all_lanes(spec: str) -> Iterator[Lanes]:
    kernel = Kernel(spec)
    yield Lanes(kernel.client)
    kernel.stop()


@pytest.fixture
def lanes(all_lanes: Lanes) -> Iterator[Lanes]:
    yield all_lanes
    all_lanes.clean()


def meaning(client: Client, cell: str) -> dict[str, Any]:
    """What can be told of a cell but for the names of its code, how long it took, and warnings, which IPython filters."""
    result = client.run(cell)
    reply = result.reply["content"]
    text = plain(result.stdout).replace("\r", "")
    found: dict[str, Any] = {
        "status": reply["status"],
        "stdout": re.sub(r"[\d.e+]+ [μmn]?s", "time", text),
        "value": result.value,
        "pages": [part["data"]["text/plain"][:20] for part in reply.get("payload", []) if part["source"] == "page"],
    }
    if reply["status"] == "error":
        evalue = re.sub(r"\(.*?(?:, line \d+)?\)$", "", reply["evalue"])
        found["error"] = reply["ename"], re.sub(r"on line \d+", "", evalue).strip()
    return found


@pytest.mark.parametrize("name", CELLS)
def test_an_odd_cell_means_the_same_with_and_without_ipython_and_in_ipykernel(
    lanes: Lanes, ipykernel: Client, name: str
) -> None:
    cell = CELLS[name]
    ipykernel.ok(CLEAN)
    reference = meaning(ipykernel, cell)
    without, with_ipython = (meaning(lanes.client, f"%%interp {lane}\n{cell}") for lane in (lanes.plain, "up"))
    assert without == with_ipython
    assert (with_ipython == reference) == (name not in OTHERWISE_IN_IPYKERNEL)


@pytest.mark.parametrize("loaded", [False, True])
def test_odd_cells_mean_that_in_main_too(spec: str, loaded: bool) -> None:
    names = ["indented", "form feed and indentation", "return after a statement", "spaces in a string", "future later"]
    kernel = Kernel(spec)
    try:
        if loaded:
            kernel.client.ok("get_ipython()")
        told = [meaning(kernel.client, CELLS[name]) for name in names]
        assert kernel.client.ok(LOADED).value == str(loaded)
    finally:
        kernel.stop()
    assert [each["value"] for each in told] == ["1", "1", None, repr("a\n   \nb"), "1"]
    assert (told[2]["stdout"], told[2]["error"]) == ("before\n", ("SyntaxError", "'return' outside function"))
