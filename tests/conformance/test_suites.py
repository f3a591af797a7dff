"""CPython's own suites with this kernel's modules, beside the stock python: the same tests with the same outcomes.

docs/conformance.md tells how to run one of them, and why a few of their tests are listed here.
"""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
REPO = HERE.parents[1]
BUILD = REPO / os.environ["XINTERP_BUILD"]
STOCK = (BUILD / "hosted/bin/python").resolve()
OWN = [str(BUILD / "bin/xinterp"), "--python"]
PATIENCE = 240

SUBINTERPRETERS = ["-k", "*nterp*"]
# The slowest first: they are shared out in this order.
SUITES = {
    "test_concurrent_futures.test_interpreter_pool": [],
    "test_interpreters": [],
    "test__interpreters": [],
    "test__interpchannels": [],
    "test_crossinterp": [],
    "test_capi.test_misc": SUBINTERPRETERS,
    "test_import": SUBINTERPRETERS,
    "test_threading": SUBINTERPRETERS,
}

RAISED = (
    "If the code results in an exception then that exception is raised in the thread in which run_string() was called, "
    "similar to how exec() works."
)
# What of the suites wants run_string() to return the exception, against that sentence of its documentation.
LISTED = {
    "test__interpreters": [
        "RunFailedTests.test_AttributeError",
        "RunFailedTests.test_ExceptionGroup",
        "RunFailedTests.test_NameError",
        "RunFailedTests.test_exit",
        "RunFailedTests.test_invalid_syntax",
        "RunFailedTests.test_plain_exception",
        "RunFailedTests.test_user_defined_exception",
    ],
    "test__interpchannels": [
        "ChannelTests.test_close_multiple_users",
        "ChannelTests.test_send_recv_same_interpreter",
    ],
    "test_import": [
        "SubinterpImportTests.test_disallowed_reimport",
        "SubinterpImportTests.test_pyinit_function_raises_exception",
    ],
}
SWITCH = {"XINTERP_RUN_STRING_RETURNS": "1"}


def listed(suite: str) -> list[str]:
    return [f"test.{suite}.{name}" for name in LISTED.get(suite, [])]


class Run:
    """Tests that run in a process and a folder of their own."""

    def __init__(self, python: list[str], folder: Path, names: list[str], variables: dict[str, str] | None = None):
        self.folder = folder
        (folder / "run").mkdir(parents=True)
        self.process = subprocess.Popen(
            [*python, HERE / "record.py", folder / "record.json", *names],
            cwd=folder / "run",
            env=os.environ | {"TMPDIR": str(folder / "run")} | (variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=(folder / "log").open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    def record(self) -> dict[str, Any]:
        """What became of them, when they have ended."""
        try:
            self.process.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):  # whatever it has left behind
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        said = (self.folder / "log").read_text(errors="replace")
        assert (self.folder / "record.json").exists(), f"exit status {self.process.returncode}: {said[-3000:]}"
        return json.loads((self.folder / "record.json").read_text())


def counts(record: dict[str, Any], without: list[str]) -> dict[str, int]:
    """As unittest counts, without some tests."""
    found = dict.fromkeys(("tests", "ok", "failure", "error", "skipped", "expected failure", "unexpected success"), 0)
    for test, outcomes in record["outcomes"].items():
        if test not in without:
            found["tests"] += 1
            for outcome in outcomes:
                found[outcome.split(":")[0]] += 1
    return found


pytestmark = pytest.mark.needs("test.test_interpreters")


@pytest.mark.timeout(PATIENCE + 30)
@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_has_the_outcomes_that_it_has_with_stock(suite: str, tmp_path: Path) -> None:
    names, exceptions = [f"test.{suite}", *SUITES[suite]], listed(suite)
    runs = [Run([str(STOCK)], tmp_path / "stock", names), Run(OWN, tmp_path / "own", names)]
    if exceptions:
        runs.append(Run(OWN, tmp_path / "switched", exceptions, SWITCH))
    stock, own, *switched = [run.record() for run in runs]
    assert own["executable"] == str(BUILD / "python/bin" / STOCK.name)
    if switched:
        assert list(switched[0]["outcomes"]) == exceptions
        own["outcomes"] |= switched[0]["outcomes"]
        own["tracebacks"] |= switched[0]["tracebacks"]
    different = {
        test: (stock["outcomes"].get(test), own["outcomes"].get(test), own["tracebacks"].get(test))
        for test in stock["outcomes"] | own["outcomes"]
        if stock["outcomes"].get(test) != own["outcomes"].get(test)
    }
    assert different == {}
    assert counts(own, []) == counts(stock, [])
    assert own["run"] == stock["run"] > 0
    assert (stock["failures"], stock["errors"]) == (0, 0)


@pytest.mark.parametrize("suite", LISTED)
def test_the_listed_tests_fail_without_the_switch(suite: str, tmp_path: Path) -> None:
    record = Run(OWN, tmp_path / "own", listed(suite)).record()
    assert record["_interpreters"] == "built-in", "this is not the kernel's own module"
    passed = {test for test, outcomes in record["outcomes"].items() if not {"failure", "error"} & {*outcomes}}
    assert passed == set(), "these need no exception any more: take them off the list"


def test_the_documentation_has_the_list() -> None:
    page = " ".join((REPO / "docs/conformance.md").read_text().replace("`", "").split())
    assert RAISED in page
    assert [name for names in LISTED.values() for name in names if name not in page] == []
    assert [suite for suite in SUITES if suite not in page] == []
