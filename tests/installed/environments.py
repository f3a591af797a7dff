"""Virtual environments for the tests, and wheels to install there."""

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

REPO = Path(__file__).parents[2]
BUILD = REPO / os.environ.get("XINTERP_BUILD", "build")


def bare_environment(**more: str) -> dict[str, str]:
    """The environment variables of a process that has been told nothing about Python, Jupyter or this checkout."""
    ours = ("PYTHON", "JUPYTER", "XINTERP", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more


class VirtualEnvironment:
    """A venv in a folder, with pip."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.python = str(folder / "bin" / "python")
        subprocess.run([sys.executable, "-m", "venv", *options, folder], check=True, timeout=100)

    def run(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Its python, with arguments and environment variables."""
        command = [self.python, *arguments]
        return subprocess.run(command, env=bare_environment(**more), capture_output=True, text=True, timeout=100)

    def ok(self, *arguments: str | Path, **more: str) -> str:
        """What its python prints when all goes well."""
        done = self.run(*arguments, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def install(self, *wheels: Path) -> None:
        self.ok("-m", "pip", "install", "--no-index", *wheels)

    def files(self) -> set[str]:
        """All of its files, but for what Python compiles beside its sources."""
        paths = (path for path in self.folder.rglob("*") if not path.is_dir() and "__pycache__" not in path.parts)
        return {str(path.relative_to(self.folder)) for path in paths}


def built_wheel() -> Path:
    """The project's own."""
    wheels = list((BUILD / "dist").glob("xinterp-*.whl"))
    assert len(wheels) == 1, "there is no wheel to test: make wheel"
    return wheels[0]


def make_wheel(folder: Path, name: str, source: str) -> Path:
    """A pure Python wheel of one module."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return wheel
