"""The magics that a kernel adds to IPython's or does in its own way."""

import builtins
import os
import threading
from pathlib import Path
from typing import Any

from IPython.core import page
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class
from IPython.core.magics import CodeMagics, MacroToEdit
from IPython.core.display_functions import clear_output

from .. import commands
from ..kernel_object import kernel

FIRST_LINE = (
    "%%interp must be the first line of a cell, with nothing above it: it says where all of the cell runs.\n"
    "Within a cell: xinterp.get('NAME').exec('...')."
)


@magics_class
class KernelMagics(Magics):
    """Those that ipykernel has too."""

    @line_magic
    def edit(self, parameter_s: str = "", last_call: Any = None) -> None:
        """Open code in the front end's editor, where it has one."""
        options, arguments = self.parse_options(parameter_s, "prn:")
        code_magics = CodeMagics(self.shell)
        try:
            filename, line, _ = code_magics._find_edit_target(self.shell, arguments, options, last_call or ["", ""])
        except MacroToEdit as error:
            message = "a macro cannot be edited here: %macro defines it anew."
            raise UsageError(message) from error
        if filename is not None:
            payload = {"source": "edit_magic", "filename": str(filename), "line_number": line}
            self.shell.payload_manager.write_payload(payload)

    @line_magic
    def clear(self, line: str) -> None:
        """Clear the cell's output."""
        clear_output()

    @line_magic
    def cls(self, line: str) -> None:
        """Clear the cell's output."""
        clear_output()

    @line_magic
    def less(self, line: str) -> None:
        """Show a file in the pager."""
        self._show_file(line.strip(), "less")

    def _show_file(self, name: str, magic: str) -> None:
        if not name:
            message = f"%{magic}: which file? Type %{magic} FILE."
            raise UsageError(message)
        with open(name, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            content = file.read()
        if name.endswith(".py"):
            content = str(self.shell.pycolorize(content))
        page.page(content)

    @line_magic
    def more(self, line: str) -> None:
        """Show a file in the pager."""
        self._show_file(line.strip(), "more")

    @line_magic
    def man(self, line: str) -> None:
        """Show a manual page in the pager."""
        from IPython.utils.process import getoutput

        page.page(getoutput(f"man {line} | col -b"))

    @line_magic
    def connect_info(self, line: str) -> None:
        """Show how another front end connects to this kernel."""
        file = Path(kernel.about["connection_file"])
        print(
            f"{file.read_text()}\n\n"
            "Put the above into a file, and connect with:\n    jupyter console --existing FILE\n"
            f"On this machine:\n    jupyter console --existing {file}\n"
            "If no kernel was started after this one:\n    jupyter console --existing"
        )

    @line_magic
    def subshell(self, line: str) -> None:
        """Tell which subshell this is, and which there are."""
        told = commands.ask_kernel({"command": "subshells"})
        print(f"subshell id: {told['own']}")
        print(f"thread id: {threading.get_ident()}")
        print(f"main thread id: {threading.main_thread().ident}")
        print(f"pid: {os.getpid()}")
        print(f"thread count: {threading.active_count()}")
        print(f"subshell list: {told['all']}")

    @line_cell_magic
    def interp(self, line: str, cell: str | None = None) -> Any:
        """List and manage interpreters: %interp help. The first line %%interp NAME runs a cell in one of them."""
        if cell is not None:
            raise UsageError(FIRST_LINE)
        return vars(builtins)[commands.FUNCTION](line, True, {})


def describe_interp() -> None:
    """What `%interp?` and `%%interp?` show: the kernel's own table of commands."""
    try:
        text = commands.run({"line": "help"})["text"]
    except Exception:  # in the child of a fork
        return
    KernelMagics.interp.__doc__ = f"{KernelMagics.interp.__doc__}\n\n{text}"
