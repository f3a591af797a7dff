"""What belongs to a cell while it runs: several run in main at once, if it has subshells."""

import _xinterp

from . import tracebacks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class RunningCell:
    """One cell, from its start to its end."""

    def __init__(
        self, count: int = 0, silent: bool = False, typed: str = "", source: str = "", stored: bool = False
    ) -> None:
        self.count = count  # IPython changes it while the cell runs
        self.silent = silent
        self.typed = typed
        self._number = count
        self._own_source = source if stored and not silent else None
        self.payloads: list[dict[str, Any]] = []
        self.ipython: dict[str, Any] = {}  # what IPython keeps of it

    def code_name(self, source: str) -> str:
        """The name of code that the cell compiles: its own, or one that it gives to IPython."""
        return tracebacks.cell_filename(self._number, None if source == self._own_source else source)


class RunningCells:
    """Those of one interpreter."""

    def __init__(self) -> None:
        self._cells: dict[int, RunningCell] = {}
        self._last = RunningCell()

    @property
    def current(self) -> RunningCell:
        """The one that the calling code belongs to, on any thread; the last one for what no running cell has begun."""
        return self._cells.get(_xinterp.current_cell(), self._last)

    def begin(self, cell: RunningCell) -> None:
        """The calling thread runs it from now on."""
        self._last = self._cells[_xinterp.current_cell()] = cell

    def end(self) -> None:
        """It has run."""
        self._cells.pop(_xinterp.current_cell(), None)
