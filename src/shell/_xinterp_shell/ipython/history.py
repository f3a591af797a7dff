"""IPython's history over the kernel's: `%history`, `%recall`, `%save` and the like, in any interpreter.

It writes no file: the kernel does. The current session is the notebook's, with the cells of all interpreters.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.history import HistoryManager

from ..commands import ask_kernel
from ..history import Sessions, path

if TYPE_CHECKING:
    from ..history import Row


class SessionHistory(HistoryManager):
    """``In`` has a place for every cell of the notebook; those that ran elsewhere leave theirs empty."""

    def __init__(self, shell: Any, **options: Any) -> None:
        super().__init__(shell=shell, enabled=False, **options)
        notebook = shell.notebook
        self.input_hist_parsed = notebook.inputs
        self.input_hist_raw = list(notebook.inputs)
        self.output_hist = notebook.outputs
        self._known_number = (-1, 0)

    # --- one session, which the kernel begins, writes and ends

    @property
    def session_number(self) -> int:  # type: ignore[override]
        """What the session has in the file, or will have; looked up once a cell."""
        if self._known_number[0] != self.shell.execution_count:
            with _sessions() as sessions:
                self._known_number = (self.shell.execution_count, sessions.number)
        return self._known_number[1]

    def _get_hist_file_name(self, profile: str | None = None) -> Path:
        try:
            return Path(path() or ":memory:")
        except OSError:
            return Path(":memory:")

    def new_session(self, conn: object = None) -> None:
        pass

    def end_session(self) -> None:
        pass

    def writeout_cache(self, conn: object = None) -> None:
        pass

    def reset(self, new_session: bool = True) -> None:
        """Forget results and inputs; the notebook's numbers go on."""
        super().reset(new_session=False)
        if new_session:
            for inputs in (self.input_hist_parsed, self.input_hist_raw):
                inputs[:] = [""] * len(inputs)

    def store_inputs(self, line_num: int, source: str, source_raw: str | None = None) -> None:
        """The kernel has the cell as typed; it is told what IPython has made of it."""
        source = source.strip("\n")  # an empty first line stands for the %%interp line
        if source_raw is not None and source != source_raw.strip("\n"):
            _tell(line_num, source)
        typed = self.shell.notebook.cells.current.typed
        for inputs, text in ((self.input_hist_parsed, source), (self.input_hist_raw, typed)):
            inputs.extend([""] * (line_num + 1 - len(inputs)))
            inputs[line_num] = text
        names = self.shell.user_ns
        before = self.input_hist_raw[line_num - 1]
        names["_iii"], names["_ii"], names["_i"] = names.get("_ii", ""), names.get("_i", ""), before
        names[f"_i{line_num}"] = typed

    # --- what has been run

    def get_session_info(self, session: int = 0) -> Any:
        with _sessions() as sessions:
            return sessions.information(session)

    def get_tail(self, n: int = 10, raw: bool = True, output: bool = False, include_latest: bool = False) -> list[Row]:
        """The last cells; without ``include_latest`` those before the one that asks."""
        with _sessions() as sessions:
            return sessions.tail(n, raw, output) if include_latest else sessions.tail(n + 1, raw, output)[:-1]

    def search(
        self,
        pattern: str = "*",
        raw: bool = True,
        search_raw: bool = True,
        output: bool = False,
        n: int | None = None,
        unique: bool = False,
    ) -> list[Row]:
        with _sessions() as sessions:
            return sessions.search(pattern, raw, search_raw, output, n, unique)

    def get_range(  # type: ignore[override]
        self, session: int = 0, start: int = 1, stop: int | None = None, raw: bool = True, output: bool = False
    ) -> Iterator[Row]:
        with _sessions() as sessions:
            return iter(sessions.range(session, start, stop, raw, output))


def _sessions() -> Sessions:
    """All sessions, with the cells that this one has had until now."""
    try:
        told = ask_kernel({"command": "history"})
    except RuntimeError:  # in the child of a fork
        return Sessions(None, [])
    return Sessions(told["session"], told["entries"])


def _tell(line: int, transformed: str) -> None:
    """What IPython has made of a cell."""
    try:
        ask_kernel({"command": "history", "line": line, "transformed": transformed})
    except RuntimeError:
        pass
