"""The tables of docs/compatibility.md are true: each cell is tried again. `make compatibility` writes them anew.

In main; in an interpreter of preset notebook, which has a GIL of its own; and in one of preset shared.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import CELL_MAGICS, DISPLAYS, LINE_MAGICS, NOT_TRIED, PACKAGES, Case
from harness import Kernel
from table import COLUMNS, read, run, run_all

TABLES = {"Line magics": LINE_MAGICS, "Cell magics": CELL_MAGICS, "Display": DISPLAYS}


def _enter(kernel: Kernel, column: str) -> str:
    if column == "main":
        return ""
    kernel.client.ok(f"%interp create tried --preset {column}")
    return "%%interp tried\n"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel whose cells may write into their folder."""
    kernel = Kernel("xinterp-hosted", cwd=str(tmp_path))
    yield kernel
    kernel.stop()


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("title", TABLES)
def test_magics_and_displays(kernel: Kernel, title: str, column: str) -> None:
    said = {name: cells[COLUMNS.index(column)] for name, cells in read(title).items()}
    assert run_all(kernel.client, _enter(kernel, column), TABLES[title]) == said


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("case", PACKAGES, ids=lambda case: case.name)
def test_packages(kernel: Kernel, case: Case, column: str) -> None:
    assert run(kernel.client, _enter(kernel, column), case) == read("Packages")[case.name][COLUMNS.index(column)]


def test_the_tables_have_all_magics(kernel: Kernel) -> None:
    names = kernel.client.ok(
        "m = get_ipython().magics_manager.magics\nprint(*['%' + n for n in m['line']], *['%%' + n for n in m['cell']])"
    ).stdout.split()
    assert set(names) - {case.name for case in LINE_MAGICS + CELL_MAGICS} == NOT_TRIED
