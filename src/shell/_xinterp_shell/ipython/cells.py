"""Cells that run through IPython."""

import builtins
import sys


from ..display import Bundle, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..execution import Request, Shell


class Cells:
    """Made when IPython is first needed in the interpreter; imports it."""

    def __init__(self, shell: Shell) -> None:
        from . import shell as ipython_shell

        self._shell = shell
        last_results = {name: shell.namespace.get(name, "") for name in ("_", "__", "___")}
        # tqdm and others look for this module, and some import the class from it.
        sys.modules.setdefault("ipykernel.zmqshell", ipython_shell)
        self.ipython = ipython_shell.IPKernelApp().start_in(shell)
        self.ipython.loop_runner = shell.run_in_loop
        shell.namespace.update(last_results)
        vars(self.ipython.displayhook).update(last_results)
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
        ipython.begin_cell()
        try:
            result = ipython.run_cell(source, store_history=request["store_history"], silent=request["silent"])
        finally:
            ipython.end_cell()
            ipython.execution_count = request["count"]
        error: BaseException | None = result.error_before_exec or result.error_in_exec
        shown, ipython.shown_error = ipython.shown_error, None
        return error, shown[1] if shown is not None and shown[0] is error else None

    def finish_plain_cell(self) -> None:
        """IPython has come up in the midst of a cell: what it has been asked to do at a cell's end."""
        from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult

        events = self.ipython.events
        events.trigger("post_execute")
        events.trigger("post_run_cell", ExecutionResult(ExecutionInfo("", False, False, True, None)))

    def evaluate(self, expressions: dict[str, str]) -> dict[str, Any]:
        """The cell's user_expressions."""
        values: dict[str, Any] = self.ipython.user_expressions(expressions)
        return values
