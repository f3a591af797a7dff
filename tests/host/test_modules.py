"""Modules that a host adds are found before all others, in every interpreter, whoever created it."""

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / os.environ["XINTERP_BUILD"]
FOUND = "[True, True, True, True] True True"


def test_added_modules_shadow_standard_ones_in_every_interpreter(host: str) -> None:
    if host == "embedded":
        command = [BUILD / "tests" / "shadow", HERE / "imports.py"]
    else:
        code = f"import sys; sys.path.insert(0, {str(BUILD / 'tests')!r}); import _shadow, runpy; runpy.run_path(sys.argv[1])"
        command = [BUILD / "hosted" / "bin" / "python", "-c", code, HERE / "imports.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stderr == "" and done.returncode == 0
    assert done.stdout.splitlines() == [
        f"{place} {FOUND}" for place in ("main", "concurrent.interpreters", "isolated", "legacy")
    ]
