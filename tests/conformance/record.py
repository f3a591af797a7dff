"""Runs tests as `python -m unittest -v` does, and writes what became of each to a file: record.py FILE NAMES...

Started by the python under test, with the folder to run in as its working directory.
"""

import json
import os
import sys
import unittest
from pathlib import Path


class Record(unittest.TextTestResult):
    """For each test's id the outcomes of it and of its subtests, in order; and the tracebacks."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.outcomes = {}
        self.tracebacks = {}

    def note(self, test, outcome, error=None):
        test = getattr(test, "test_case", test)  # a subtest counts for its test
        # Some tests have an attribute of that name.
        name = unittest.TestCase.id(test) if isinstance(test, unittest.TestCase) else test.id()
        self.outcomes.setdefault(name, []).append(outcome)
        if error is not None:
            self.tracebacks.setdefault(name, []).append(self._exc_info_to_string(error, test))

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "ok")

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "error", err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "failure", err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, f"skipped: {reason}")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "unexpected success")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(test, "failure" if issubclass(err[0], test.failureException) else "error", err)

    def stopTestRun(self):
        super().stopTestRun()
        import _interpreters

        found = {
            "executable": sys.executable,
            "_interpreters": _interpreters.__spec__.origin,
            "run": self.testsRun,
            "failures": len(self.failures),
            "errors": len(self.errors),
            "skipped": len(self.skipped),
            "expected failures": len(self.expectedFailures),
            "unexpected successes": len(self.unexpectedSuccesses),
            "outcomes": self.outcomes,
            "tracebacks": self.tracebacks,
        }
        Path(sys.argv[1]).write_text(json.dumps(found))


class Runner(unittest.TextTestRunner):
    resultclass = Record


if __name__ == "__main__":
    sys.path[0] = os.getcwd()
    unittest.main(module=None, argv=["python -m unittest", "-v", *sys.argv[2:]], testRunner=Runner)
