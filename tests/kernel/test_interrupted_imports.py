"""Stop during an import or while IPython comes up: it is done, or has not begun, and the next cell works."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Client, Kernel, Result

WAIT_IN_IMPORT = """
import os, sys, time
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            open({begun!r}, "w").close()
            while not os.path.exists({stopped!r}):
                time.sleep(0.001)
sys.meta_path.insert(0, Finder())
"""


@pytest.fixture(params=["main", "alice"])
def place(request: pytest.FixtureRequest) -> str:
    """The magic line of an interpreter without IPython."""
    return "" if request.param == "main" else "%%interp alice\n"


@pytest.fixture
def client(fresh: Kernel) -> Client:
    """One of a new kernel with alice."""
    fresh.client.ok("%interp create alice")
    return fresh.client


def stop_when(client: Client, cell: str, begun: Path, stopped: Path) -> Result:
    """Run a cell, and interrupt it when it has made the file."""
    sent = client.send(cell)
    while not begun.exists():
        client.read_available(0.01)
        assert not client.idle(sent), client.result(sent).messages
    client.interrupt()
    stopped.touch()
    return client.result(sent)


@pytest.mark.parametrize(
    ("cell", "module"),
    [
        ("%time x = 1", "IPython"),
        ("%time x = 1", "IPython.core.completer"),
        ("!true", "IPython.core.debugger"),
        ("import IPython", "IPython.core.interactiveshell"),
        ("import ipywidgets", "ipywidgets.widgets.widget_int"),
        ("from tqdm.auto import tqdm", "tqdm.notebook"),
        ("import asyncio\nawait asyncio.sleep(0)", "asyncio.tasks"),
    ],
)
def test_stop_while_something_is_imported_leaves_nothing_broken(
    client: Client, place: str, cell: str, module: str, tmp_path: Path
) -> None:
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"
    client.ok(place + WAIT_IN_IMPORT.format(module=module, begun=str(begun), stopped=str(stopped)))
    assert stop_when(client, place + cell, begun, stopped).error == "KeyboardInterrupt: "
    client.ok(place + cell)
    client.ok(place + "%time y = 1\nimport IPython.core.display\nIPython.core.display.HTML")
    assert client.ok(place + "!echo it runs").stdout == "it runs\n"
    assert client.ok(place + "get_ipython().user_ns is globals()").value == "True"


def test_a_timeout_while_ipython_comes_up_leaves_nothing_broken(client: Client, place: str, tmp_path: Path) -> None:
    client.ok(place + WAIT_IN_IMPORT.format(module="IPython", begun=str(tmp_path / "begun"), stopped="/"))
    client.ok(place + "import sys\nsys.meta_path[0].find_spec = lambda *_: time.sleep(0.05)")
    name = "main" if place == "" else "alice"
    result = client.run(f"%%interp {name} --timeout 0.1\n%time x = 1")
    assert result.error.startswith("TimeoutError: the cell ran longer than 0.1 s")
    client.ok(place + "sys.meta_path.pop(0)")
    client.ok(place + "%time x = 1")
    assert client.ok(place + "!echo it runs").stdout == "it runs\n"


@pytest.fixture
def configured(spec: str, tmp_path: Path) -> Iterator[tuple[Client, Path]]:
    """A kernel, and the folder of the person's IPython profile."""
    profile = tmp_path / "ipython" / "profile_default"
    (profile / "startup").mkdir(parents=True)
    kernel = Kernel(spec, env={**os.environ, "IPYTHONDIR": str(profile.parent)})
    yield kernel.client, profile
    kernel.stop()


def test_stop_in_a_startup_file_ends_the_cell_and_ipython_is_up(
    configured: tuple[Client, Path], place: str, tmp_path: Path
) -> None:
    client, profile = configured
    client.ok("%interp create alice")
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"
    (profile / "startup" / "0.py").write_text(f"first = 1\nopen({str(begun)!r}, 'w')\nimport time\ntime.sleep(1000)")
    (profile / "startup" / "1.py").write_text("second = 1")
    result = stop_when(client, place + "%time x = 1", begun, stopped)
    assert [content["ename"] for content in result.of("error")] == ["KeyboardInterrupt"]
    assert "time.sleep" in result.traceback
    assert client.ok(place + "%time 'x' in globals(), first, 'second' in globals()").value == "(False, 1, False)"


def test_stop_in_ipythons_configuration_leaves_it_for_the_next_cell(
    configured: tuple[Client, Path], place: str, tmp_path: Path
) -> None:
    client, profile = configured
    client.ok("%interp create alice")
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"
    file = profile / "ipython_config.py"
    file.write_text(f"open({str(begun)!r}, 'w')\nimport time\ntime.sleep(1000)")
    assert stop_when(client, place + "%time x = 1", begun, stopped).error == "KeyboardInterrupt: "
    file.write_text("c.InteractiveShell.ast_node_interactivity = 'all'")
    results = client.ok(place + "1\n%time 2").of("execute_result")
    assert [content["data"]["text/plain"] for content in results] == ["1", "2"]


PACKAGE = {
    "__init__.py": "from . import first\nfrom .first import value\nfrom . import second\nfrom .third import last",
    "first.py": "import package\nvalue = 1\ndef both(): return package.value, package.last",
    "second.py": "from package import first\n{wait}",
    "third.py": "import package.second\nlast = package.first.value + 1",
}


@pytest.mark.parametrize("fails", [False, True], ids=["interrupted", "failed"])
def test_a_package_whose_import_has_ended_early_can_be_imported_again(
    client: Client, place: str, fails: bool, tmp_path: Path
) -> None:
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"
    (tmp_path / "package").mkdir()
    wait = f"import os, time\nopen({str(begun)!r}, 'w')\nwhile not os.path.exists({str(stopped)!r}): time.sleep(0.001)"
    if fails:
        wait = f"import os\nif not os.path.exists({str(stopped)!r}): raise ImportError('not yet')"
    for name, text in PACKAGE.items():
        (tmp_path / "package" / name).write_text(text.format(wait=wait))
    client.ok(place + f"import sys\nsys.path.insert(0, {str(tmp_path)!r})")
    if fails:
        assert client.run(place + "import package").error == "ImportError: not yet"
        stopped.touch()
    else:
        assert stop_when(client, place + "import package", begun, stopped).error == "KeyboardInterrupt: "
    client.ok(place + "import package")
    assert client.ok(place + "package.first.both(), package.first.package is package").value == "((1, 2), True)"


# In main only: numpy does not load in other interpreters.
@pytest.mark.parametrize("module", ["numpy._core._methods", "numpy.linalg"])
def test_stop_while_numpy_is_imported_leaves_it_whole(fresh: Kernel, module: str, tmp_path: Path) -> None:
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"
    client = fresh.client
    client.ok(WAIT_IN_IMPORT.format(module=module, begun=str(begun), stopped=str(stopped)))
    assert stop_when(client, "import numpy", begun, stopped).error == "KeyboardInterrupt: "
    result = client.ok("import numpy\nnumpy.linalg.det(numpy.array([[2.0]]))\nint(numpy.array([1, 2]).sum())")
    assert (result.value, result.stderr) == ("3", "")
