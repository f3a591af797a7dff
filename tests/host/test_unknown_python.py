"""A Python that differs from the one that the kernel was compiled for is refused at start, with a sentence.

`sitecustomize.py` makes it differ: Python runs that before the kernel looks.
"""

import os
import subprocess
from pathlib import Path

import pytest
from jupyter_client.connect import write_connection_file

BUILD = Path(__file__).parents[2] / os.environ["XINTERP_BUILD"]
KERNELS = {
    "embedded": [BUILD / "bin/xinterp"],
    "hosted": [BUILD / "hosted/bin/python", "-m", "xinterp"],
}

# What the runtime tells debuggers of itself: numbers of 64 bits.
RUNTIME = """
import ctypes
runtime = (ctypes.c_uint64 * 32).in_dll(ctypes.pythonapi, "_PyRuntime")
"""
# The method table of CPython's own _interpreters.
METHODS = """
import ctypes, importlib.machinery
class Method(ctypes.Structure):
    _fields_ = ("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p)
library = ctypes.PyDLL(importlib.machinery.PathFinder.find_spec("_interpreters").origin)
library.PyInit__interpreters.restype = ctypes.c_void_p
methods = ctypes.POINTER(Method).from_address(library.PyInit__interpreters() + 64)
place = next(i for i in range(100) if methods[i].name == b"incref")
"""
LAYOUT = (
    "is built differently from the {version} that xinterp was compiled for, in {part}. Compile xinterp with this one"
)
DIFFERENCES = {
    "another minor version": (f"{RUNTIME}runtime[1] += 1 << 16", LAYOUT, "its version or its offsets"),
    "an alpha": (f"{RUNTIME}runtime[1] = runtime[1] & ~0xff | 0xa1", LAYOUT, "its version or its offsets"),
    "no GIL": (f"{RUNTIME}runtime[2] = 1", LAYOUT, "its version or its offsets"),
    "the list of interpreters": (f"{RUNTIME}runtime[5] += 8", LAYOUT, "its version or its offsets"),
    "an interpreter's threads": (f"{RUNTIME}runtime[9] += 8", LAYOUT, "its version or its offsets"),
    "a thread's next": (f"{RUNTIME}runtime[24] += 8", LAYOUT, "its version or its offsets"),
    "the handlers of signals": ("import _signal; _signal.getsignal = lambda number: None", LAYOUT, "its runtime"),
    "the import lock": ("import _imp; _imp.acquire_lock = _imp.release_lock = lambda: None", LAYOUT, "its import lock"),
    "a calling convention": (
        f"{METHODS}methods[place].flags = 0x400",
        "{part}. It works in Python 3.14 and 3.15.",
        "_interpreters.incref cannot be called: its calling convention is unknown",
    ),
    "a function": (
        f"{METHODS}methods[place].name = b'incref_v2'",
        "{part}. It works in Python 3.14 and 3.15.",
        "_interpreters has no function incref",
    ),
}


def start(host: str, folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The kernel (or what else the arguments ask for) in a Python to which the code has done something."""
    (folder / "sitecustomize.py").write_text(code)
    return subprocess.run(
        [*KERNELS[host], *arguments],
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_python_that_differs_is_refused_at_start(host: str, difference: str, tmp_path: Path) -> None:
    code, sentence, part = DIFFERENCES[difference]
    connection, _ = write_connection_file(str(tmp_path / "connection.json"), ip=str(tmp_path / "s"), transport="ipc")
    done = start(host, tmp_path, code, "-f", connection)
    version = subprocess.run([BUILD / "hosted/bin/python", "-c", "import platform; print(platform.python_version())"], capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert sentence.format(part=part, version=version) in line


def test_xinterp_as_a_python_refuses_it_too(tmp_path: Path) -> None:
    code, sentence, part = DIFFERENCES["another minor version"]
    done = start("embedded", tmp_path, code, "--python", "-c", "print('unreachable')")
    assert (done.returncode, done.stdout) == (1, "")
    assert part in done.stderr and done.stderr.startswith("xinterp: this Python (")
