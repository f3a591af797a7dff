"""Files in the notebook's folder that have the names of installed modules: the user's code alone imports them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import Client, Kernel, Result

NOT_GUARDED = ("sitecustomize", "_distutils_hack")  # of the machine's: imported when a python starts
FILE = "import sys\nwhere = 'here'\nsys.stderr.write(f'{__name__} was imported\\n')\n"
LOADED = """
import sys
print(*{name.partition(".")[0] for name, module in [*sys.modules.items()] if getattr(module, "__spec__", None) and
        module.__spec__.has_location and module.__spec__.origin.endswith(".py")})
"""
# What the shell does in an interpreter, without IPython and with it.
PLAIN = [
    "1/0",
    "raise ExceptionGroup('g', [KeyError(1)])",
    "def f(:",
    "[{1: 2}, {3}]",
    "display({'text/plain': 'x', 'image/png': b'x'}, raw=True, display_id='1');",
    "async def three(): return 3\nawait three()",
    "globals().pop('no_such_name', 4)",
    "for i in range(2):\n    %interp vars main\n",
]
MAGICS = [
    "%time 1",
    "!echo said",
    "%%capture c\nprint(1)",
    "c.stdout",
    "%xmode Context",
    "%precision 3",
    "input?",
    "get_ipython().kernel.get_parent()['msg_type']",
    "%%bash\necho bash",
    "%timeit -n1 -r1 -q 1",
    "%pinfo str",
    "1/0",
]


def session(client: Client, target: str, cells: list[str]) -> list[tuple[str, str | None, str, str, str]]:
    """What these cells show, with IPython's times left out."""

    def shown(result: Result) -> tuple[str, str | None, str, str, str]:
        text = "" if "Wall time" in result.stdout else result.stdout
        traceback = result.traceback.replace(f"In[{result.reply['content']['execution_count']}]", "In[n]")
        return result.status, result.value, text, result.stderr, traceback

    answers = [shown(client.run(target + cell)) for cell in cells]
    for kind, code in (("complete", "asyncio.slee"), ("inspect", "print"), ("is_complete", "for i in x:")):
        answers.append((kind, client.ask(kind, target + code)["status"], "", "", ""))
    return answers


@pytest.fixture
def kernel_in(spec: str) -> Iterator[Callable[[Path], Client]]:
    """Starts a kernel in a folder."""
    kernels: list[Kernel] = []

    def start(folder: Path) -> Client:
        kernels.append(Kernel(spec, cwd=str(folder)))
        return kernels[-1].client

    yield start
    for kernel in kernels:
        assert kernel.is_alive()
        kernel.stop()


@pytest.fixture(scope="session")
def undisturbed(spec: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """In an empty folder: what the session shows, and which modules it imports, without IPython and with it."""
    kernel = Kernel(spec, cwd=str(tmp_path_factory.mktemp("empty")))
    client = kernel.client
    shown: dict[str, list] = {"plain": [], "magics": []}
    for target in ("", "%%interp alice\n"):
        if target:
            client.ok("%interp create alice")
        shown["plain"].append(session(client, target, PLAIN))
        shown.setdefault("plain modules", client.ok(target + LOADED).stdout.split())
        shown["magics"].append(session(client, target, MAGICS))
        shown.setdefault("modules", client.ok(target + LOADED).stdout.split())
    kernel.stop()
    return shown


def fill(folder: Path, names: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.py").write_text(FILE)
    return folder


def test_the_guarded_packages_are_those_that_ipython_imports(client: Client, undisturbed: dict[str, list]) -> None:
    guarded = client.ok("from _xinterp_shell.shadows import _is_guarded\n_is_guarded").value
    assert guarded is not None
    names = [name for name in undisturbed["modules"] if name not in NOT_GUARDED]
    assert client.ok(f"[name for name in {names} if not _is_guarded(name)]").value == "[]"


def test_with_a_file_for_every_module_the_session_is_the_same_and_the_user_gets_the_files(
    undisturbed: dict[str, list], kernel_in: Callable[[Path], Client], tmp_path: Path
) -> None:
    names = sorted({*undisturbed["modules"], "xinterp", "runpy", "json", "antigravity"} - {*NOT_GUARDED})
    client = kernel_in(fill(tmp_path, names))
    own = ("xinterp", "runpy")  # the kernel's, and one that is compiled into Python
    for place, target in enumerate(("", "%%interp alice\n")):
        if target:
            client.ok("%interp create alice")
        assert session(client, target, PLAIN) == undisturbed["plain"][place]
        assert session(client, target, MAGICS) == undisturbed["magics"][place]
        users = [name for name in names if name not in own and name.isidentifier()]
        code = "\n".join(f"import {name}; assert {name}.where == 'here', {name}" for name in users)
        result = client.ok(target + code)
        assert result.stderr.splitlines() == [f"{name} was imported" for name in users]
        assert session(client, target, MAGICS) == undisturbed["magics"][place]
        assert client.ok(target + "import queue, sys; sys.modules['queue'] is queue and queue.where").value == "'here'"


def test_with_a_file_for_one_of_the_modules_alone(undisturbed: dict[str, list], client: Client, tmp_path: Path) -> None:
    for name in undisturbed["plain modules"]:
        folder = fill(tmp_path / name, [name])
        client.ok("%interp create alice --fresh")
        client.ok(f"%%interp alice\nimport sys\nsys.path.insert(0, {str(folder)!r})")
        assert (
            session(client, "%%interp alice\n", PLAIN[:4]) == undisturbed["plain"][1][:4] + undisturbed["plain"][1][-3:]
        )


@pytest.mark.parametrize("name", ["random", "queue", "string", "copy", "code", "socket", "logging", "token", "comm"])
def test_magics_with_a_file_for_one_of_the_modules_alone(
    name: str, undisturbed: dict[str, list], kernel_in: Callable[[Path], Client], tmp_path: Path
) -> None:
    client = kernel_in(fill(tmp_path, [name]))
    assert client.ok(f"import {name}\n{name}.where").stderr == f"{name} was imported\n"
    assert session(client, "", MAGICS) == undisturbed["magics"][0]
    assert client.ok(f"import {name}\n{name}.where").value == "'here'"


def test_a_file_that_appears_later(client: Client, target: str, tmp_path: Path) -> None:
    client.ok(f"{target}import os, sys\nhome = os.getcwd()\nos.chdir({str(tmp_path)!r})")
    (tmp_path / "quopri.py").write_text("where = 'here'")
    code = "import email.mime.text, quopri\n'quopri' in str(email.encoders._encodestring.__module__), quopri.where"
    assert client.ok(target + code).value == "(True, 'here')"
    assert client.ok(f"{target}os.chdir(home)").status == "ok"


def test_installed_modules_that_are_not_hidden_are_the_user_s_as_well(client: Client, target: str) -> None:
    code = "import _xinterp_shell.tracebacks, linecache, sys\nlinecache.cache.keys() >= {'<In [%d]>' % (len(In) - 1)}"
    assert client.ok(target + code).value == "True"


def test_objects_of_a_user_s_module_with_such_a_name_are_pickled(
    kernel_in: Callable[[Path], Client], tmp_path: Path
) -> None:
    (tmp_path / "queue.py").write_text("import random\nclass Thing: pass\n")
    client = kernel_in(tmp_path)
    for target in ("", "%%interp alice\n"):
        if target:
            client.ok("%interp create alice")
        code = (
            "import queue, pickle, concurrent.futures\ntype(pickle.loads(pickle.dumps(queue.Thing()))) is queue.Thing"
        )
        assert client.ok(target + code).value == "True"
        assert client.ok(target + "%time pickle.loads(pickle.dumps(queue.Thing()))").status == "ok"
        code = "import random, importlib\nimportlib.reload(queue) is queue, type(pickle.loads(pickle.dumps(random.Random(3))))"
        assert client.ok(target + code).value == "(True, random.Random)"


def test_the_user_s_getpass_is_left_alone(kernel_in: Callable[[Path], Client], tmp_path: Path) -> None:
    (tmp_path / "getpass.py").write_text("def getpass(): return 'mine'\n")
    client = kernel_in(tmp_path)
    assert client.ok("import getpass\ngetpass.getpass()").value == "'mine'"


@pytest.mark.parametrize("package", [False, True], ids=["file", "folder"])
def test_the_kernel_starts_beside_a_module_called_xinterp(
    package: bool, kernel_in: Callable[[Path], Client], tmp_path: Path
) -> None:
    place = tmp_path / "xinterp.py"
    if package:
        (tmp_path / "xinterp").mkdir()
        place = tmp_path / "xinterp" / "__init__.py"
    place.write_text("raise SystemExit('not the kernel')")
    client = kernel_in(tmp_path)
    assert client.ok("import sys, xinterp\nxinterp.list()[0]['name'], sys.flags.safe_path, sys.path[0]").value == (
        "('main', False, '')"
    )
    client.ok("%interp create alice")
    assert client.ok("%%interp alice\nimport sys\nsys.flags.safe_path, sys.path[0]").value == "(False, '')"
    assert client.ok("import subprocess\n'-P' in subprocess._args_from_interpreter_flags()").value == "False"


def test_tracebacks_of_failing_imports_show_no_frames_of_the_shell(
    kernel_in: Callable[[Path], Client], tmp_path: Path
) -> None:
    (tmp_path / "textwrap.py").write_text("1/0")
    client = kernel_in(tmp_path)
    code = "import traceback\ntry:\n    import textwrap\nexcept ZeroDivisionError:\n    print(traceback.format_exc())"
    assert client.ok(code).stdout.count("File") == 2
