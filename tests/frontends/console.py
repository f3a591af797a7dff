"""`jupyter console` in a terminal: what a person types and reads."""

import os
import re
import time
from types import TracebackType
from typing import Any, Self

import pexpect
from harness import PATIENCE

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])")


class Console:
    """One that has started a kernel of its own."""

    def __init__(self, spec: str = "xinterp") -> None:
        self.seen = ""  # since the last wait_for
        self.greeting = ""  # above the first cell
        self._process: Any = pexpect.spawn(
            "jupyter",
            # On a slow machine its second for is_complete is too little, and it never asks again.
            ["console", "--kernel", spec, f"--ZMQTerminalInteractiveShell.kernel_is_complete_timeout={PATIENCE}"],
            encoding="utf-8",
            timeout=PATIENCE,
            dimensions=(50, 160),
            # There is no terminal that could say where its cursor is.
            env=os.environ | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "PAGER": "cat"},
        )

    def __enter__(self) -> Self:
        self.greeting = self.wait_for("In [1]: ")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.close(force=True)

    def wait_for(self, text: str) -> str:
        """Until the text has appeared; what was shown before it, without colours and movements of the cursor."""
        deadline = time.monotonic() + PATIENCE
        raw = ""
        while text not in self.seen + (plain := _ESCAPES.sub("", raw)).replace("\r", ""):
            assert time.monotonic() < deadline, f"{text!r} did not come: {self.seen + plain}"
            try:
                raw += self._process.read_nonblocking(65536, timeout=0.2)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                raise AssertionError(f"the console has ended: {self.seen + plain}") from None
        before, _, self.seen = (self.seen + plain.replace("\r", "")).partition(text)
        return before

    def press(self, keys: str) -> None:
        """Keys as a terminal sends them."""
        self._process.send(keys)

    def run(self, code: str, number: int) -> str:
        """Run the cell with that number, of one line; what it shows."""
        self.press(code + "\r")
        return self.wait_for(f"In [{number + 1}]: ")

    def leave(self) -> None:
        """Ctrl-D: the console ends, and its kernel."""
        self.press("\x04")
        self.wait_for("exit ([y]/n)? ")
        self.press("y\r")
        self._process.expect(pexpect.EOF)
        self._process.wait()


UP, TAB, CONTROL_C = "\x1b[A", "\t", "\x03"
