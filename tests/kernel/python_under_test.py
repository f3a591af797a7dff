"""The Python that the kernel under test is built for. `make test-315` tests one that is not the tests' own."""

import functools
import os
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).parents[2] / os.environ["XINTERP_BUILD"]
PYTHON = BUILD / "hosted/bin/python"
VERSION = tuple(map(int, PYTHON.resolve().name.removeprefix("python").split(".")))


def said_by_python(code: str) -> str:
    """What a plain Python of that version prints."""
    return subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True).stdout.rstrip("\n")


@functools.cache
def lacks(module: str) -> bool:
    """Whether that Python has no such module: a distribution compiles its packages for one Python before the next.

    The tests' own Python has them all.
    """
    if sys.version_info[:2] == VERSION:
        return False
    return subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True, check=False).returncode != 0
