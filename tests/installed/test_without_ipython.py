"""A Python that has xinterp and nothing else: what IPython would do is refused in a sentence, all the rest works."""

from collections.abc import Iterator

import pytest
from environments import VirtualEnvironment, built_wheel
from harness import Client, Kernel


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VirtualEnvironment, Client]]:
    environment = VirtualEnvironment(tmp_path_factory.mktemp("alone") / "venv")
    environment.install(built_wheel())
    kernel = Kernel([environment.python, "-m", "xinterp"])
    yield environment, kernel.client
    kernel.stop()


@pytest.mark.parametrize("target", ["", "%%interp alice --create\n"])
@pytest.mark.parametrize("cell", ["%time 1", "!ls", "len?", "x = !ls", "%%bash\nls"])
def test_the_cell_says_what_is_missing_and_how_to_get_it(
    alone: tuple[VirtualEnvironment, Client], target: str, cell: str
) -> None:
    environment, client = alone
    result = client.run(target + cell)
    assert result.error.startswith("UsageError: ")
    assert result.traceback == (
        "this cell needs IPython, and ipython and xeus-python-shell are not installed in this Python.\n"
        f"To install: {environment.python} -m pip install ipython xeus-python-shell"
    )


@pytest.mark.parametrize("target", ["", "%%interp alice --create\n"])
def test_everything_else_goes_on(alone: tuple[VirtualEnvironment, Client], target: str) -> None:
    _, client = alone
    assert client.ok(target + "get_ipython()").value is None
    assert client.ok(target + "import asyncio\nawait asyncio.sleep(0, 6)").value == "6"
    assert client.ok(target + "display(1)").of("display_data")[0]["data"] == {"text/plain": "1"}
    assert client.ok("%interp list").of("display_data")
    result = client.run(target + "import IPython")
    assert result.error == "ModuleNotFoundError: No module named 'IPython'"
    assert client.run(target + "x = = 2").error.startswith("SyntaxError: invalid syntax")
