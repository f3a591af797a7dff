"""What a cell asks its front end to do with its reply: leave, show a page, fill the next cell."""

import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .running import RunningCells


class Payloads:
    """Those of the cell that runs. A newer one takes the place of an older one for the same thing."""

    def __init__(self, cells: RunningCells) -> None:
        self._cells = cells

    def write(self, payload: dict[str, Any], single: bool = True) -> None:
        """Add one: a dict with a "source"; unless it is ``single``, older ones for the same thing stay."""
        cell = self._cells.current
        replaces = single and "source" in payload
        others = [other for other in cell.payloads if not replaces or other.get("source") != payload["source"]]
        cell.payloads = [*others, payload]

    def read(self) -> list[dict[str, Any]]:
        """All of them until now."""
        return self._cells.current.payloads

    def take(self) -> list[dict[str, Any]]:
        """All of them, at the cell's end."""
        cell = self._cells.current
        payloads, cell.payloads = cell.payloads, []
        return payloads


class Exit:
    """``exit`` and ``quit``, with or without parentheses: ask the front end to leave and end the kernel."""

    def __init__(self, name: str, payloads: Payloads) -> None:
        self._name = name
        self._payloads = payloads

    def __call__(self, keep_kernel: object = False) -> None:
        """With a true argument the kernel goes on."""
        self._payloads.write({"source": "ask_exit", "keepkernel": bool(keep_kernel)})

    def __repr__(self) -> str:
        return f"<{self._name}: leave the front end and end the kernel; {self._name}(True) leaves the kernel alive>"


def install(payloads: Payloads) -> None:
    """The builtins of ``site`` would end the cell with SystemExit."""
    for name in ("exit", "quit"):
        setattr(builtins, name, Exit(name, payloads))
