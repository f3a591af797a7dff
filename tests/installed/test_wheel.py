"""The wheel and its kernelspecs: installed, found, run, removed, and what goes wrong told in a sentence."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from environments import REPO, VirtualEnvironment, bare_environment, built_wheel
from harness import Kernel, free_port, wait_until_listening


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> VirtualEnvironment:
    """An environment with Jupyter, and xinterp installed from its wheel."""
    environment = VirtualEnvironment(tmp_path_factory.mktemp("jupyter") / "venv", "--system-site-packages")
    environment.install(built_wheel())
    return environment


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The variables of a person whose home is empty."""
    return {"HOME": str(tmp_path / "home"), "IPYTHONDIR": str(tmp_path / "ipython")}


def kernelspecs(environment: VirtualEnvironment, **variables: str) -> dict[str, Path]:
    """What `jupyter kernelspec list` of that environment shows."""
    said = environment.ok("-m", "jupyter_client.kernelspecapp", "list", "--json", **variables)
    return {name: Path(spec["resource_dir"]) for name, spec in json.loads(said)["kernelspecs"].items()}


def test_the_wheel_holds_what_it_should(jupyter: VirtualEnvironment) -> None:
    files = jupyter.ok("-m", "pip", "show", "-f", "xinterp").split("Files:\n")[1]
    names = {Path(line.strip()).name for line in files.splitlines()}
    assert {"__init__.py", "__main__.py", "kernel.json", "logo-svg.svg", "py.typed", "LICENSE"} <= names
    libraries = sorted(name.split("-")[0] for name in names if name.startswith("lib"))
    assert {"libxeus", "libzmq", "libcrypto"} <= set(libraries) and "libc" not in libraries
    assert all(re.fullmatch(r"lib[\w.-]+-[0-9a-f]{8}\.so[\d.]*", name) for name in names if name.startswith("lib"))


def test_the_environment_s_jupyter_finds_the_kernel(jupyter: VirtualEnvironment, home: dict[str, str]) -> None:
    assert kernelspecs(jupyter, **home)["xinterp"] == jupyter.folder / "share/jupyter/kernels/xinterp"


def test_the_environment_s_lab_has_the_extension_enabled(jupyter: VirtualEnvironment, home: dict[str, str]) -> None:
    extensions = jupyter.folder / "share/jupyter/labextensions"
    listed = jupyter.run("-m", "jupyterlab.labextensions", "list", **home).stderr
    ours = listed.split(f"{extensions}\n")[1].splitlines()[0]
    assert re.fullmatch(r" +jupyterlab-xinterp v0\.1\.0 \S*enabled\S* \S*OK\S* \(python, xinterp\)", ours), listed
    package = json.loads((extensions / "jupyterlab-xinterp/package.json").read_text())
    assert (extensions / "jupyterlab-xinterp" / package["jupyterlab"]["_build"]["load"]).exists()


def test_the_environment_s_console_runs_it_in_this_very_python(
    jupyter: VirtualEnvironment, home: dict[str, str]
) -> None:
    arguments = ["-m", "jupyter_console", "--kernel", "xinterp", "--simple-prompt"]
    environment = bare_environment(TERM="dumb", **home)
    console = pexpect.spawn(jupyter.python, arguments, encoding="utf-8", timeout=60, env=environment)
    console.expect(r"In \[1\]: ")
    console.sendline("import sys; sys.executable")
    console.expect_exact(f"'{jupyter.python}'")
    console.expect(r"In \[2\]: ")
    console.sendline("exit()")
    console.close(force=True)


def test_the_environment_s_lab_offers_it(jupyter: VirtualEnvironment, home: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    arguments = ["-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", str(tmp_path)]
    lab = pexpect.spawn(jupyter.python, arguments, encoding="utf-8", timeout=60, env=bare_environment(**home))
    try:
        lab.expect(r"(http://(?:localhost|127\.0\.0\.1):\d+)/lab\?token=(\w+)")
        assert lab.match is not None
        url, token = lab.match.groups()
        wait_until_listening(port)
        request = urllib.request.Request(f"{url}/api/kernelspecs", headers={"Authorization": f"token {token}"})
        with urllib.request.urlopen(request, timeout=30) as response:
            specs = json.load(response)["kernelspecs"]
        assert specs["xinterp"]["spec"]["display_name"] == f"Python 3.{sys.version_info.minor} (xinterp)"
        assert specs["xinterp"]["resources"].keys() == {"logo-svg"}
    finally:
        lab.close(force=True)


@pytest.mark.parametrize("place", ["--user", "--sys-prefix", "--prefix"])
def test_install_makes_further_kernelspecs(
    jupyter: VirtualEnvironment, home: dict[str, str], tmp_path: Path, place: str
) -> None:
    name = f"own{place}".replace("--", ".")
    option = [place, str(tmp_path / "prefix")] if place == "--prefix" else [place]
    folder = (
        {
            "--user": tmp_path / "home/.local/share",
            "--sys-prefix": jupyter.folder / "share",
            "--prefix": tmp_path / "prefix/share",
        }[place]
        / "jupyter/kernels"
        / name
    )
    variables = home | ({"JUPYTER_PATH": str(tmp_path / "prefix/share/jupyter")} if place == "--prefix" else {})
    install = ["-m", "xinterp", "install", *option, "--name", name, "--display-name", "My own"]
    assert jupyter.ok(*install, **home) == f"installed the kernelspec {name} in {folder}\n"
    assert jupyter.ok(*install, **home) == f"replaced the kernelspec {name} in {folder}\n"
    assert kernelspecs(jupyter, **variables)[name] == folder
    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["display_name"] == "My own"
    has_debugpy = jupyter.ok("-c", "import importlib.util\nprint(importlib.util.find_spec('debugpy') is not None)")
    assert f"{spec['metadata']['debugger']}\n" == has_debugpy
    kernel = Kernel([str(folder / "launch")], env=bare_environment())
    try:
        assert kernel.client.ok("import sys; print(sys.executable)").stdout == f"{jupyter.python}\n"
    finally:
        kernel.stop()
    jupyter.ok("-m", "jupyter_client.kernelspecapp", "remove", "-y", name, **variables)
    assert not folder.exists()


def test_a_kernelspec_whose_python_is_gone_says_what_to_do(jupyter: VirtualEnvironment, tmp_path: Path) -> None:
    jupyter.ok("-m", "xinterp", "install", "--prefix", tmp_path, "--name", "orphan")
    launcher = tmp_path / "share/jupyter/kernels/orphan/launch"
    launcher.write_text(launcher.read_text().replace(jupyter.python, "/gone/bin/python"))
    done = subprocess.run([launcher, "-f", "x.json"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        [
            "xinterp: the Python of this kernel is gone: /gone/bin/python",
            "Install the kernel from another one:  python -m xinterp install --name orphan",
            "or remove it:  jupyter kernelspec remove orphan",
        ],
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--prefix", "/proc/nowhere"], "xinterp: cannot write to /proc/nowhere: No such file or directory."),
        (
            ["--prefix", "/dev/null"],
            "xinterp: cannot write to /dev/null/share/jupyter/kernels/xinterp: Not a directory.",
        ),
        (["--name", "two words"], "xinterp: 'two words' cannot be a kernel's name: letters, digits and . _ - only"),
        (["--name", ".."], "xinterp: '..' cannot be a kernel's name"),
        (["--name", "."], "xinterp: '.' cannot be a kernel's name"),
        (["--user", "--sys-prefix"], "error: argument --sys-prefix: not allowed with argument --user"),
        (["--nmae", "x"], "error: unrecognized arguments: --nmae x"),
    ],
    ids=str,
)
def test_install_says_what_is_wrong(
    jupyter: VirtualEnvironment, home: dict[str, str], arguments: list[str], sentence: str
) -> None:
    done = jupyter.run("-m", "xinterp", "install", *arguments, **home)
    assert done.returncode != 0 and sentence in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--connection-file is required"),
        (["-f", "/nowhere/kernel.json"], "xinterp: there is no connection file /nowhere/kernel.json. Jupyter"),
        (["-f", "/etc/hosts"], "xinterp: /etc/hosts is not a connection file as Jupyter writes them: "),
        (["--frobnicate", "-f", "/etc/hosts"], "--frobnicate"),
    ],
    ids=str,
)
def test_a_wrong_command_line_is_told(jupyter: VirtualEnvironment, arguments: list[str], sentence: str) -> None:
    done = jupyter.run("-m", "xinterp", *arguments)
    assert done.returncode != 0 and sentence in done.stderr and "Traceback" not in done.stderr


@pytest.fixture
def damaged(jupyter: VirtualEnvironment, tmp_path: Path) -> Iterator[Path]:
    """A copy of the installed package that a test may break, on PYTHONPATH."""
    installed = Path(jupyter.ok("-c", "import xinterp; print(xinterp.__file__)").strip()).parent
    return shutil.copytree(installed, tmp_path / "damaged" / "xinterp")


def test_a_missing_library_is_told(jupyter: VirtualEnvironment, damaged: Path) -> None:
    for library in (damaged / "libraries").glob("libzmq-*"):
        library.unlink()
    done = jupyter.run("-m", "xinterp", "-f", "x", PYTHONPATH=str(damaged.parent))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert re.fullmatch(
        r"xinterp: the kernel could not be loaded: libzmq-\S+: cannot open shared object file: No such file or directory. "
        rf"Install it again, with all that belongs to it, from its wheel or its sources: {jupyter.python} -m pip install --force-reinstall PATH\n",
        done.stderr,
    )


def test_a_python_of_another_version_is_told(jupyter: VirtualEnvironment, damaged: Path) -> None:
    for module in damaged.glob("_kernel.*"):
        module.rename(module.with_name("_kernel.cpython-313-x86_64-linux-gnu.so"))
    done = jupyter.run("-m", "xinterp", "-f", "x", PYTHONPATH=str(damaged.parent))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert done.stderr == (
        f"xinterp: this xinterp was built for Python 3.13, and this is Python {version}. "
        f"Install it for this one, from its wheel or its sources: {jupyter.python} -m pip install --force-reinstall PATH\n"
    )


@pytest.mark.timeout(400)  # where the compiler cache has not seen these sources
def test_pip_install_of_the_sources_and_uninstalling_leaves_nothing(tmp_path: Path) -> None:
    environment = VirtualEnvironment(tmp_path / "venv", "--system-site-packages")
    before = environment.files()
    install = [environment.python, "-m", "pip", "install", "--no-index", "--no-build-isolation", REPO]
    subprocess.run(install, env=bare_environment(), capture_output=True, timeout=350, check=True)
    assert "xinterp" in kernelspecs(environment, HOME=str(tmp_path))
    environment.ok("-m", "pip", "install", "--no-index", "--force-reinstall", built_wheel())
    assert environment.ok("-m", "xinterp", "--version") == environment.ok("-c", VERSION)
    environment.ok("-m", "pip", "uninstall", "-y", "xinterp")
    assert environment.files() == before


VERSION = "import importlib.metadata as m; print(m.version('xinterp'))"
