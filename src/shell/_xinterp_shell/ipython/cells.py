"""Cells that run through IPython.

Imports IPython: to be imported when it is needed.
"""

import builtins
import sys

from . import shell as ipython_shell
from ..display import Bundle, encode
from .shell import IPKernelApp, ZMQInteractiveShell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..execution import Request, Shell


class Cells:
    """Made when IPython is first needed in the interpreter."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.app: IPKernelApp | None = None  # when the shell is there

    @property
    def ipython(self) -> ZMQInteractiveShell:
        """IPython's shell."""
        assert self.app is not None
        return self.app.shell

    def start(self) -> None:
        """Make the shell, and run what the person has configured.

        Configuration, extensions and startup files are other people's code, and can be interrupted: in those that come
        before the shell nothing has been made yet, in the others everything has.
        """
        # tqdm and others look for this module, and some import the class from it.
        sys.modules.setdefault("ipykernel.zmqshell", ipython_shell)
        IPKernelApp().start_in(self._shell, self._take_over)

    def _take_over(self, app: IPKernelApp) -> None:
        self.app = app
        self.ipython.loop_runner = self._shell.run_in_loop
        self._take_over_display()

    def _take_over_display(self) -> None:
        """One set of formatters, and what captures output (%%capture) sees all of it."""
        from IPython.display import clear_output, display, update_display

        builtins.display = display  # type: ignore[attr-defined]
        builtins.update_display = update_display  # type: ignore[attr-defined]
        builtins.clear_output = clear_output  # type: ignore[attr-defined]
        self._shell.displayer.formatter = self._format

    def _format(self, value: object, include: object, exclude: object) -> Bundle:
        data, metadata = self.ipython.display_formatter.format(value, include, exclude)
        return {kind: encode(made) for kind, made in data.items()}, metadata

    def run(self, request: Request, source: str) -> tuple[BaseException | None, list[str] | None]:
        """Run a cell. Its error, and the error's traceback as IPython shows it."""
        ipython = self.ipython
        ipython.execution_count = request["count"]
        try:
            result, shown = ipython.run_own_cell(
                source, store_history=request["store_history"], silent=request["silent"]
            )
        finally:
            ipython.execution_count = request["count"]
        error: BaseException | None = result.error_before_exec or result.error_in_exec
        return error, shown[1] if shown is not None and shown[0] is error else None

    def take_hooks(self) -> list[Callable[[], None]]:
        """What the cell's end is to call: after its error has been shown."""
        return self.ipython.take_hooks()

    def evaluate(self, expressions: dict[str, str]) -> dict[str, Any]:
        """The cell's user_expressions."""
        values: dict[str, Any] = self.ipython.user_expressions(expressions)
        return values
