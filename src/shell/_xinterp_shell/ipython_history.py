"""IPython's history manager over the kernel's history: `%history`, `%recall`, `%save` and the like in any interpreter.

It writes no file: the kernel does. Its current session is the notebook's, with the cells of all interpreters.
"""

import _xinterp

from .history import Sessions, path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .history import Row


def create(shell: Any) -> Any:
    """For ``init_history`` of an InteractiveShell over the interpreter's ``__main__``: its history manager."""
    import __main__
    from pathlib import Path

    from IPython.core.history import HistoryManager

    class NotebookHistory(HistoryManager):  # type: ignore[misc]
        """The history of the notebook, and of all sessions in IPython's file."""

        _known_number = (-1, 0)

        @property
        def session_number(self) -> int:  # type: ignore[override]
            """What the kernel's session has in the file, or will have; asked once a cell."""
            if self._known_number[0] != self.shell.execution_count:
                with sessions() as opened:
                    self._known_number = (self.shell.execution_count, opened.number)
            return self._known_number[1]

        def _get_hist_file_name(self, profile: str | None = None) -> Path:
            try:
                return Path(path())
            except OSError:
                return Path(":memory:")

        def new_session(self, conn: object = None) -> None:
            """The session is the kernel's."""

        def end_session(self) -> None:
            """It ends with the kernel."""

        def writeout_cache(self, conn: object = None) -> None:
            """There is none."""

        def reset(self, new_session: bool = True) -> None:
            """Forget results and inputs; the notebook's numbers, and its session, go on."""
            super().reset(new_session=False)
            if new_session:
                for inputs in (self.input_hist_parsed, self.input_hist_raw):
                    inputs[:] = [""] * len(inputs)

        def get_session_info(self, session: int = 0) -> Any:
            with sessions() as opened:
                return opened.information(session)

        def get_tail(
            self, n: int = 10, raw: bool = True, output: bool = False, include_latest: bool = False
        ) -> list[Row]:
            with sessions() as opened:
                if include_latest:
                    return opened.tail(n, raw, output)
                return opened.tail(n + 1, raw, output)[:-1]

        def search(
            self,
            pattern: str = "*",
            raw: bool = True,
            search_raw: bool = True,
            output: bool = False,
            n: int | None = None,
            unique: bool = False,
        ) -> list[Row]:
            with sessions() as opened:
                return opened.search(pattern, raw, search_raw, output, n, unique)

        def get_range(
            self, session: int = 0, start: int = 1, stop: int | None = None, raw: bool = True, output: bool = False
        ) -> Iterator[Row]:
            with sessions() as opened:
                return iter(opened.range(session, start, stop, raw, output))

        def store_inputs(self, line_num: int, source: str, source_raw: str | None = None) -> None:
            """The kernel has the cell already, as typed; `In` has a place for every cell of the notebook."""
            raw = (source if source_raw is None else source_raw).rstrip("\n")
            source = source.rstrip("\n")
            if source != raw:
                tell(line_num, source)
            for inputs, text in ((self.input_hist_parsed, source), (self.input_hist_raw, raw)):
                inputs.extend([""] * (line_num + 1 - len(inputs)))
                inputs[line_num] = text
            names = self.shell.user_ns
            if f"_i{line_num}" not in names:  # else the cell that has brought IPython up
                names["_iii"], names["_ii"], names["_i"] = names.get("_ii", ""), names.get("_i", ""), self._i00
            self._i00 = names[f"_i{line_num}"] = raw

    inputs = __main__.__dict__.get("In", [""])
    manager = NotebookHistory(shell=shell, parent=shell, enabled=False)
    manager.input_hist_parsed = inputs
    manager.input_hist_raw = list(inputs)
    manager.output_hist = __main__.__dict__.get("Out", {})
    manager._i00 = inputs[-1]
    return manager


def sessions() -> Sessions:
    """All sessions, with the cells that this one has had until now."""
    try:
        told = _xinterp.command({"command": "history"}, _no_part)
    except RuntimeError:  # in the child of a fork
        return Sessions(None, [])
    return Sessions(told["session"], told["entries"])


def tell(line: int, transformed: str) -> None:
    """What IPython has made of a cell."""
    try:
        _xinterp.command({"command": "history", "line": line, "transformed": transformed}, _no_part)
    except RuntimeError:
        pass


def _no_part(wish: dict[str, Any], shipment: int) -> dict[str, object]:
    """The kernel answers these on its own."""
    raise AssertionError(wish)
