"""What belongs to a cell while it runs: several run in main at once, if it has subshells."""

import _xinterp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class RunningCell:
    """One cell, from its start to its end."""

    def __init__(self, count: int = 0, silent: bool = False, typed: str = "") -> None:
        self.count = count
        self.silent = silent
        self.typed = typed
        self.payloads: list[dict[str, Any]] = []
        self.ipython: dict[str, Any] = {}  # what IPython keeps of it


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
