#!/usr/bin/env python3
"""check.py [TEST...]: what a developer runs before each commit, after the build.

The unit tests, the style of the changed files, and the kernel tests of the rooms that have changed since the last push
(tests/rooms.toml). With TEST (`routing`, or a path, maybe with ::NAME) that test alone.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

REPO = Path(__file__).parents[2]
SHELL = Path("src/shell/_xinterp_shell")
# Where tests/rooms.toml names test_NAME.py.
TESTS = Path("tests/kernel")


def lines(*command: str) -> list[str]:
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout.splitlines()


def changed_files() -> list[Path]:
    """What differs from the branch that this one is pushed to (else from the last commit), new files included."""
    upstream = subprocess.run(
        ["git", "merge-base", "HEAD", "@{upstream}"], cwd=REPO, capture_output=True, text=True, check=False
    ).stdout.strip()
    names = lines("git", "diff", "--name-only", "--diff-filter=d", upstream or "HEAD")
    names += lines("git", "ls-files", "--others", "--exclude-standard")
    return sorted({Path(name) for name in names})


def needed_tests(files: Iterable[Path]) -> list[Path]:
    """The test files that would notice a change of these."""
    known = tomllib.loads((REPO / "tests/rooms.toml").read_text())
    found: set[Path] = set()
    for file in files:
        path = Path(str(file).replace("include/xinterp", "src", 1))
        if path.parts[0] == "tests" and path.name.startswith("test_") and path.suffix == ".py":
            found.add(file)
            continue
        rooms = [room for room in known["rooms"] if path.is_relative_to(room)]
        names = known["files"].get(path.stem) if path.parent == SHELL else None
        if names is None and rooms:
            names = known["rooms"][max(rooms, key=len)]
        found.update(TESTS / f"test_{name}.py" for name in names or [])
        if path.parts[0] == "docs" and path.suffix == ".md":
            found.add(Path("tests/docs"))
        if path.parts[0] == "notebooks":
            found.add(Path("tests/notebooks"))
    return sorted(found)


def named(test: str) -> str:
    """`routing` and `routing::test_x` mean tests/kernel/test_routing.py."""
    name, separator, rest = test.partition("::")
    path = TESTS / f"test_{name}.py"
    return f"{path}{separator}{rest}" if (REPO / path).exists() else test


def run(title: str, *command: str, **environment: str) -> bool:
    print(f"check: {title}", flush=True)
    return subprocess.run(command, cwd=REPO, env=os.environ | environment, check=False).returncode == 0


def pytest(tests: Iterable[str], jobs: int) -> bool:
    return run("pytest", sys.executable, "-m", "pytest", *tests, "-q", "-n", str(jobs), "--dist", "loadgroup")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "tests", nargs="*", metavar="TEST", help="run this alone: routing, or a path, maybe with ::NAME"
    )
    parser.add_argument("--jobs", type=int, default=4, help="how many tests at once")
    options = parser.parse_args()
    if options.tests:
        return 0 if pytest(map(named, options.tests), options.jobs) else 1
    files = changed_files()
    if not files:
        print("check: nothing has changed since the last push")
        return 0
    cpp = [str(file) for file in files if file.suffix in (".cpp", ".hpp")]
    python = [str(file) for file in files if file.suffix == ".py"]
    passed = run("style", "tools/commands/lint.sh", *cpp, *python)
    if cpp:
        passed = run("unit tests", "build/tests/unit_tests", "--minimal") and passed
    if any(file.parts[0] == "labextension" for file in files):
        passed = run("the extension", "npm", "--prefix", "labextension", "run", "--silent", "test") and passed
    if tests := needed_tests(files):
        passed = pytest(map(str, tests), options.jobs) and passed
    print(f"check: {'passed' if passed else 'failed'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
