"""What `make check` runs for a change: the tests of the rooms that it touches."""

import sys
import tomllib
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
sys.path.append(str(REPO / "tools/commands"))
from check import named, needed_tests  # noqa: E402

ROOMS = tomllib.loads((REPO / "tests/rooms.toml").read_text())


def test_every_room_has_tests_and_every_name_is_a_test_file() -> None:
    rooms = {str(path.relative_to(REPO)) for path in (REPO / "src").iterdir() if path.is_dir()} - {"src/typing"}
    assert rooms <= ROOMS["rooms"].keys()
    assert [room for room in ROOMS["rooms"] if not (REPO / room).is_dir()] == []
    shell = {path.stem for path in (REPO / "src/shell/_xinterp_shell").glob("*.py")}
    assert ROOMS["files"].keys() <= shell
    names = {name for part in ROOMS.values() for tests in part.values() for name in tests}
    files = {path.stem.removeprefix("test_") for path in (REPO / "tests/kernel").glob("test_*.py")}
    assert (names - files, files - names) == (set(), set()), "each test belongs to a room"


@pytest.mark.parametrize(
    ("file", "tests"),
    [
        ("src/protocol/wire.cpp", ["echo", "floods", "protocol", "starting"]),
        ("include/xinterp/protocol/wire.hpp", ["echo", "floods", "protocol", "starting"]),
        ("src/shell/_xinterp_shell/queues.py", ["queues"]),
        ("src/shell/_xinterp_shell/ipython/history.py", ["ipython", "ipython_cells", "ipython_debugging", "kernel_object", "parents"]),
        ("README.md", []),
    ],
)  # fmt: skip
def test_a_file_is_tested_by_the_tests_of_its_room(file: str, tests: list[str]) -> None:
    assert needed_tests([Path(file)]) == [Path(f"tests/kernel/test_{name}.py") for name in tests]


def test_a_changed_test_and_a_changed_page_are_run() -> None:
    changed = [Path("tests/kernel/test_input.py"), Path("docs/panel.md"), Path("notebooks/3-gil.ipynb")]
    assert needed_tests(changed) == [Path("tests/docs"), Path("tests/kernel/test_input.py"), Path("tests/notebooks")]


def test_a_test_may_be_called_by_its_short_name() -> None:
    assert named("routing") == "tests/kernel/test_routing.py"
    assert named("routing::test_x") == "tests/kernel/test_routing.py::test_x"
    assert named("tests/docs") == "tests/docs"
