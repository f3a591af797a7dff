"""Write the tables of docs/compatibility.md by trying everything in them."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "kernel"), str(ROOT / "tests" / "compatibility")]
from cases import CELL_MAGICS, DISPLAYS, LINE_MAGICS, PACKAGES, Case  # noqa: E402
from harness import Kernel  # noqa: E402
from table import COLUMNS, PAGE, run_all, written  # noqa: E402


def tried(cases: list[Case], column: str) -> dict[str, str]:
    """What happens in a kernel of its own."""
    with tempfile.TemporaryDirectory() as folder:
        kernel = Kernel("xinterp-hosted", cwd=folder)
        try:
            target = ""
            if column != "main":
                kernel.client.ok(f"%interp create tried --preset {column}")
                target = "%%interp tried\n"
            return run_all(kernel.client, target, cases)
        finally:
            kernel.stop()


def table(title: str, groups: list[list[Case]]) -> str:
    """One table; each group is tried in a kernel of its own."""
    rows: dict[str, list[str]] = {case.name: [] for cases in groups for case in cases}
    for column in COLUMNS:
        for cases in groups:
            for name, result in tried(cases, column).items():
                rows[name].append(result)
    return written(title, rows)


def main() -> None:
    head = PAGE.read_text().partition("\n## ")[0]
    tables = [
        table("Packages", [[case] for case in PACKAGES]),
        table("Display", [DISPLAYS]),
        table("Line magics", [LINE_MAGICS]),
        table("Cell magics", [CELL_MAGICS]),
    ]
    PAGE.write_text("\n".join([head, *tables]))


main()
