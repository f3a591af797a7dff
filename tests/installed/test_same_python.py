"""What a python has, its kernel has: path, packages, options, variables and the processes that are started from it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from environments import BUILD, VirtualEnvironment, bare_environment, built_wheel, make_wheel
from harness import Client, Kernel

PROBE = """
import json, site, sys, time
print(json.dumps({
    "executable": sys.executable, "prefix": sys.prefix, "base_prefix": sys.base_prefix, "exec_prefix": sys.exec_prefix,
    "path": sys.path, "flags": repr(sys.flags), "X": repr(sorted(sys._xoptions.items())), "warnings": sys.warnoptions,
    "user site": [site.ENABLE_USER_SITE, site.getusersitepackages()], "bytecode": sys.pycache_prefix,
    "hash": [hash("xinterp"), sys.hash_info.algorithm] if sys.flags.hash_randomization == 0 else None,
    "encodings": [sys.getfilesystemencoding(), sys.getdefaultencoding(), sys.stdout.encoding],
    "digits": sys.get_int_max_str_digits(), "own": __import__("own").__file__, "by pth": __import__("by_pth").__file__,
    "names": sorted(name for name in globals() if name.startswith("__")),
    "main": [__name__, repr(__spec__), repr(__loader__), repr(sys.modules["__main__"])],
}))
"""
VARIABLES = {
    "nothing": {},
    "PYTHONPATH": {"PYTHONPATH": "/somewhere:/else"},
    "optimization": {"PYTHONOPTIMIZE": "1"},
    "hash seed": {"PYTHONHASHSEED": "0"},
    "UTF-8 mode": {"PYTHONUTF8": "1", "LC_ALL": "C"},
    "warnings": {"PYTHONWARNINGS": "error::UserWarning,ignore::BytesWarning"},
    "safe path": {"PYTHONSAFEPATH": "1"},
    "user site": {"PYTHONUSERBASE": "/users/base", "PYTHONNOUSERSITE": "1"},
    "development": {"PYTHONDEVMODE": "1"},
    "memory": {"PYTHONMALLOC": "debug"},
    "bytecode": {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/cache"},
    "digits": {"PYTHONINTMAXSTRDIGITS": "5000"},
}


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> VirtualEnvironment:
    """An environment with the kernel, a package of its own, and another one that a .pth file names."""
    folder = tmp_path_factory.mktemp("own")
    environment = VirtualEnvironment(folder / "venv")
    environment.install(built_wheel(), make_wheel(folder, "own", "def double(number): return 2 * number\n"))
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "by_pth.py").write_text("")
    site_packages = Path(environment.ok("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site_packages / "elsewhere.pth").write_text(f"{folder / 'elsewhere'}\n")
    return environment


def command(host: str, environment: VirtualEnvironment, *options: str) -> list[str]:
    """What starts the kernel on that environment, with -X options."""
    flags = [word for option in options for word in ("-X", option)]
    if host == "embedded":
        return [str(BUILD / "bin" / "xinterp"), "--environment", environment.python, *flags]
    return [environment.python, *flags, "-P", "-m", "xinterp"]


@pytest.fixture
def kernel_in(host: str, own: VirtualEnvironment, tmp_path: Path) -> Iterator[object]:
    """Starts a kernel on the environment, in an empty folder."""
    kernels: list[Kernel] = []

    def start(*options: str, **variables: str) -> Client:
        environment = bare_environment(**variables)
        kernels.append(Kernel(command(host, own, *options), env=environment, cwd=str(tmp_path)))
        return kernels[-1].client

    yield start
    for kernel in kernels:
        assert kernel.is_alive()
        kernel.stop()


@pytest.fixture
def client(kernel_in) -> Client:
    return kernel_in()


@pytest.fixture(params=["main", "alice"])
def target(request: pytest.FixtureRequest, client: Client) -> str:
    return _target(client, request.param)


def _target(client: Client, name: str) -> str:
    if name == "main":
        return ""
    client.ok(f"%interp create {name}")
    return f"%%interp {name}\n"


def assert_same(own: VirtualEnvironment, client: Client, options: list[str], variables: dict[str, str]) -> None:
    """Main and a lane of the kernel tell of themselves what the plain python does."""
    flags = [word for option in options for word in ("-X", option)]
    expected = json.loads(own.ok(*flags, "-c", PROBE, **variables))
    for name in ("main", "alice"):
        found = json.loads(client.ok(_target(client, name) + PROBE).stdout)
        found["names"] = [dunder for dunder in found["names"] if dunder not in ("__", "___")]  # the last results
        assert found == expected
        assert client.ok(_target_line(name) + "sys.argv").value == "['']"


def _target_line(name: str) -> str:
    return "" if name == "main" else f"%%interp {name}\n"


@pytest.mark.parametrize("variables", VARIABLES.values(), ids=VARIABLES.keys())
def test_the_kernel_is_configured_as_its_python(own: VirtualEnvironment, kernel_in, variables: dict[str, str]) -> None:
    assert_same(own, kernel_in(**variables), [], variables)


@pytest.mark.parametrize("options", [["dev"], ["utf8=0", "own_option=value"], ["frozen_modules=off"]], ids=str)
def test_x_options_are_python_s_own(own: VirtualEnvironment, kernel_in, options: list[str]) -> None:
    assert_same(own, kernel_in(*options), options, {})


def test_interpreters_that_python_code_makes_are_configured_alike(client: Client) -> None:
    code = "import concurrent.interpreters as ci; ci.create().exec('import sys; print(sys.argv, sys.path[0] == str(), sys.prefix)')"
    prefix = client.ok("import sys; print(sys.prefix)").stdout
    assert client.ok(code).stdout == f"[''] True {prefix}"


def test_the_kernel_imports_little_that_its_python_has_not(own: VirtualEnvironment, client: Client) -> None:
    plain = set(own.ok("-c", "import sys; print(*sys.modules)").split())
    found = set(client.ok("import sys; print(*sys.modules)").stdout.split())
    slow = {"argparse", "ast", "asyncio", "inspect", "json", "pathlib", "re", "subprocess", "traceback", "typing"}
    assert (found - plain) & slow == set()


def test_imports_look_in_the_current_folder_first(client: Client, target: str, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("where = 'here'")
    assert client.ok(f"{target}import beside; beside.where").value == "'here'"


def test_the_python_starts_nothing_of_ours_outside_the_kernel(own: VirtualEnvironment) -> None:
    code = "import xinterp\ntry: xinterp.list()\nexcept xinterp.CommandError as error: print(error)"
    assert own.ok("-c", code).startswith("there are no interpreters to manage here: this is a plain Python")


def test_subprocesses_of_the_same_python(client: Client, target: str) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import own, sys; print(own.double(21), sys.prefix)'])"
    prefix = client.ok("import sys; print(sys.prefix)").stdout
    assert client.ok(target + code).stdout == f"42 {prefix}"


def test_pip_from_a_cell_installs_what_the_next_line_imports(client: Client, target: str, tmp_path: Path) -> None:
    name = "late" if target == "" else "later"
    wheel = make_wheel(tmp_path, name, "answer = 42\n")
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'install', '--no-index', {str(wheel)!r}], check=True)\nimport {name}\n{name}.answer"
    try:
        result = client.ok(target + code)
        assert f"Successfully installed {name}-1.0" in result.stdout and result.value == "42"
    finally:
        client.ok(
            f"import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'uninstall', '-qy', '{name}'])"
        )


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_multiprocessing_starts_processes(client: Client, target: str, method: str) -> None:
    code = f"import multiprocessing, own\nwith multiprocessing.get_context('{method}').Pool(2) as pool: print(pool.map(own.double, [1, 2, 3]))"
    assert client.ok(target + code).stdout == "[2, 4, 6]\n"


def test_multiprocessing_forks_main_with_what_cells_have_defined(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok(
        "import multiprocessing, warnings\nwarnings.simplefilter('ignore')\ndef triple(number): return 3 * number"
    )
    code = "with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(triple, [1, 2, 3]))"
    assert client.ok(code).stdout == "[3, 6, 9]\n"
    assert client.ok("%%interp alice\n1 + 1").value == "2"


def test_the_startup_file_of_interactive_pythons_runs_in_main(kernel_in, tmp_path: Path) -> None:
    startup = tmp_path / "startup.py"
    startup.write_text("import sys\nwelcome = 'from ' + __file__\nsys.path.append('added')\n")
    client = kernel_in(PYTHONSTARTUP=str(startup))
    assert client.ok("print(welcome, sys.path[-1], '__file__' in globals())").stdout == f"from {startup} added False\n"
