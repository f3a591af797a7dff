"""IPython's history file: the cells of all sessions of a person, whichever kernel or console ran them.

Main alone writes, when the kernel asks it to; every interpreter may read. This session's own cells come from the
kernel, which has them before they are in the file.
"""

import functools
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from typing import Any

    Request = dict[str, Any]
    # line, source (as IPython has transformed it), source as typed, output
    Entry = Sequence[Any]
    Row = tuple[int, int, Any]

_TABLES = (
    "CREATE TABLE IF NOT EXISTS sessions (session integer primary key autoincrement,"
    " start timestamp, end timestamp, num_cmds integer, remark text)",
    "CREATE TABLE IF NOT EXISTS history (session integer, line integer, source text, source_raw text,"
    " PRIMARY KEY (session, line))",
    "CREATE TABLE IF NOT EXISTS output_history (session integer, line integer, output text,"
    " PRIMARY KEY (session, line))",
)
_CONFIGURATION = ("ipython_config.py", "ipython_kernel_config.py")  # the last one that says something counts
# Seconds to wait for others that write. Cells wait for a write, and it is tried again: see history_file.cpp.
_WRITE_PATIENCE = 0.1
_READ_PATIENCE = 2.0

_own_number: int | None = None  # the row of this kernel; in main


def path() -> str:
    """Where IPython has it; empty if its configuration wants none. OSError's text is a sentence."""
    folder = os.environ.get("IPYTHONDIR") or "~/.ipython"
    folder = os.path.expanduser(folder)
    if folder.startswith("~"):
        raise OSError("there is no home folder; IPYTHONDIR may name another one.")
    file, problem = _configured(os.path.join(os.path.abspath(folder), "profile_default"))
    if problem:
        raise OSError(problem)
    return file


@functools.cache  # configuration is code: it runs once
def _configured(folder: str) -> tuple[str, str]:
    """The file that the profile in the folder wants, empty for none; and why that cannot be known, or empty."""
    enabled, file = True, os.path.join(folder, "history.sqlite")
    for name in _CONFIGURATION:
        try:
            section = _section(folder, name)
            enabled = section.get("enabled", enabled)
            file = os.fspath(section.get("hist_file", file))
        except (Exception, SystemExit) as error:  # it is the person's code
            return "", f"{os.path.join(folder, name)}: {type(error).__name__}: {error}."
    if not enabled or file in ("", ":memory:"):
        return "", ""
    return os.path.abspath(os.path.expanduser(file)), ""


def _section(folder: str, name: str) -> dict[str, Any]:
    """What a file of IPython's configuration says about the history."""
    import re

    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            text = file.read()
    except FileNotFoundError, NotADirectoryError:
        return {}
    if not re.search(r"(?m)^[^#\n]*\bHistoryManager\b", text):  # the usual file has comments only
        return {}
    from traitlets.config.loader import PyFileConfigLoader

    section: dict[str, Any] = PyFileConfigLoader(name, path=folder).load_config().HistoryManager
    return section


def write(request: Request) -> Request:
    """Add cells to the session, which begins with its first ones; with "lines", it ends.

    The answer has the session's "number", None if no file is wanted; or a "problem", after which it is no use to try
    again; or neither: the file is locked.
    """
    try:
        file = path()
        if not file:
            return {"status": "ok", "number": None}
        import sqlite3

        try:
            os.makedirs(os.path.dirname(file), exist_ok=True)
            connection = sqlite3.connect(file, timeout=_WRITE_PATIENCE, isolation_level=None)
            try:
                number = _write(connection, request)
            finally:
                connection.close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return {"status": "locked"}
            return {"status": "error", "problem": f"{file}: {error}."}
        except sqlite3.Error as error:
            return {"status": "error", "problem": f"{file}: {error}."}
        return {"status": "ok", "number": number}
    except Exception as error:
        return {"status": "error", "problem": str(error) or type(error).__name__}


def _write(connection: sqlite3.Connection, request: Request) -> int:
    import datetime

    global _own_number
    number, started = request["session"]["number"] or _own_number, request["session"]["started"]
    connection.execute("BEGIN IMMEDIATE")
    for table in _TABLES:
        connection.execute(table)
    # Somebody may have removed or emptied the file: its numbers then begin anew.
    own = "SELECT 1 FROM sessions WHERE session == ? AND start == ?"
    if not number or not connection.execute(own, (number, started)).fetchone():
        number = connection.execute("INSERT INTO sessions VALUES (NULL, ?, NULL, NULL, '')", (started,)).lastrowid
        assert number
    connection.executemany(
        "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?)",
        [(number, line, source, typed) for line, source, typed, _ in request["entries"]],
    )
    if "lines" in request:
        ended = datetime.datetime.now(datetime.UTC).isoformat(" ")
        values = (ended, request["lines"], number)
        connection.execute("UPDATE sessions SET end = ?, num_cmds = ? WHERE session == ?", values)
    _own_number = number  # first: the kernel may be ending, whose interrupt then comes as the commit returns
    connection.execute("COMMIT")
    return number


def answer(request: Request) -> Request:
    """What a history_request asks for, as IPython's kernel answers it; "problem" if the file cannot be read."""
    asked = request["request"]
    raw, output = bool(asked.get("raw", True)), bool(asked.get("output", False))
    with Sessions(request["session"], request["entries"]) as sessions:
        if asked["hist_access_type"] == "tail":
            count = asked.get("n")
            rows = sessions.tail(10 if count is None else count, raw, output)
        elif asked["hist_access_type"] == "range":
            session, start, stop = asked.get("session") or 0, asked.get("start") or 0, asked.get("stop")
            rows = sessions.range(session, start, stop, raw, output)
        else:
            pattern, count, unique = asked.get("pattern", "*"), asked.get("n"), bool(asked.get("unique", False))
            rows = sessions.search(pattern, raw, True, output, count, unique)
    reply: Request = {"status": "ok", "history": rows}
    if sessions.problem:
        reply["problem"] = sessions.problem
    return reply


class Sessions:
    """All sessions, to be read: the file's, and this kernel's own in place of what the file has of it.

    Rows are (session, line, source), or (session, line, (source, output)). A file that cannot be read is empty, and
    ``problem`` says why.
    """

    def __init__(self, session: Request | None, entries: Sequence[Entry]) -> None:
        self.problem = ""
        self._entries = entries
        self._file = self._open()
        self.number: int = self._own_number(session["started"] if session else None)
        if self.problem:  # every other look at it would say the same, or wait as long
            self.close()
        if session and session["number"]:
            self.number = session["number"]

    def __enter__(self) -> Sessions:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> sqlite3.Connection | None:
        from urllib.parse import quote

        try:
            file = path()
            if not os.path.exists(file):
                return None
            import sqlite3

            return sqlite3.connect(
                f"file:{quote(file)}?mode=rw", uri=True, timeout=_READ_PATIENCE, isolation_level=None
            )
        except Exception as error:
            self.problem = str(error)
            return None

    def _own_number(self, started: str | None) -> int:
        """The number of this session, also if main has just given it one; else of the next one to be written."""
        own = "SELECT session FROM sessions WHERE start == ?"
        following = "SELECT seq + 1 FROM sqlite_sequence WHERE name == 'sessions'"
        rows = self._read(f"SELECT COALESCE(({own}), ({following}), 1)", (started,))
        return rows[0][0] if rows else 1

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        if self._file is None:
            return []
        try:
            return self._file.execute(query, values).fetchall()
        except Exception as error:
            if "no such table" in str(error):  # nobody has written into it
                return []
            self.problem = f"{path()}: {error}."
            return []

    def _select(self, clause: str, values: tuple[object, ...], raw: bool, output: bool) -> list[Row]:
        source = "source_raw" if raw else "source"
        tables = "history"
        if output:
            source, tables = f"{source}, output", "history LEFT JOIN output_history USING (session, line)"
        rows = self._read(f"SELECT session, line, {source} FROM {tables} {clause}", values)
        return [(row[0], row[1], tuple(row[2:4]) if output else row[2]) for row in rows]

    def _own(self, session: int, raw: bool, output: bool) -> list[Row]:
        """This session's. Results are told where it is asked for on its own, as in IPython, whose file has none."""
        rows: list[Row] = []
        for line, source, typed, result in self._entries:
            text = typed if raw else source
            rows.append((session, line, (text, None if session else result) if output else text))
        return rows

    def tail(self, count: int, raw: bool, output: bool) -> list[Row]:
        """The last cells: of this session, before them of others."""
        if count <= 0:
            return []
        own = self._own(self.number, raw, output)[-count:]
        clause = "WHERE session != ? ORDER BY session DESC, line DESC LIMIT ?"
        return self._select(clause, (self.number, count - len(own)), raw, output)[::-1] + own

    def range(self, session: int, start: int, stop: int | None, raw: bool, output: bool) -> list[Row]:
        """A session's cells: 0 is this one, -1 the one before. Negative lines count from the end of this session."""
        if session <= 0:
            session += self.number
        if session != self.number:
            clause = "WHERE session == ? AND line >= ?"
            values: tuple[object, ...] = (session, start)
            if stop:
                clause, values = f"{clause} AND line < ?", (*values, stop)
            return self._select(f"{clause} ORDER BY line", values, raw, output)
        end = self._entries[-1][0] + 1 if self._entries else 1
        start = start + end if start < 0 else start
        stop = end if not stop else stop + end if stop < 0 else stop
        return [row for row in self._own(0, raw, output) if start <= row[1] < stop]

    def information(self, session: int) -> tuple[Any, ...] | None:
        """A session's row: its number, start, end, how many cells, remark."""
        if session <= 0:
            session += self.number
        rows = self._read("SELECT * FROM sessions WHERE session == ?", (session,))
        return rows[0] if rows else None

    def search(
        self, pattern: str, raw: bool, search_raw: bool, output: bool, count: int | None, unique: bool
    ) -> list[Row]:
        """Cells that match a pattern with * and ?, as SQLite understands it."""
        searched = "source_raw" if search_raw else "source"
        clause = f"WHERE {searched} GLOB ?"
        if unique:  # of equal ones the last
            clause += f" GROUP BY {searched}"
        values: tuple[object, ...] = (pattern,)
        if count is not None:
            clause, values = f"{clause} ORDER BY session DESC, line DESC LIMIT ?", (pattern, count)
        else:
            clause += " ORDER BY session, line"
        rows = self._search(clause, values, "source_raw" if raw else "source")
        if count is not None:
            rows.reverse()
        return [(row[0], row[1], (row[2], row[3]) if output else row[2]) for row in rows]

    def _search(self, clause: str, values: tuple[object, ...], source: str) -> list[tuple[Any, ...]]:
        import sqlite3

        if self._file is None:
            self._file = sqlite3.connect(":memory:", isolation_level=None)
        self._file.execute("PRAGMA temp_store = MEMORY")
        self._file.execute("CREATE TEMP TABLE own (line, source, source_raw, output)")
        self._file.executemany("INSERT INTO own VALUES (?, ?, ?, NULL)", [entry[:3] for entry in self._entries])
        own = f"SELECT {self.number} AS session, line, source, source_raw, output FROM own"
        others = (
            "SELECT session, line, source, source_raw, output"
            f" FROM history LEFT JOIN output_history USING (session, line) WHERE session != {self.number}"
        )
        latest = ", MAX(session * 131072 + line)" if "GROUP BY" in clause else ""
        has_others = self._read("SELECT 1 FROM sqlite_master WHERE name == 'output_history'", ())
        tables = f"{others} UNION ALL {own}" if has_others else own
        return self._read(f"SELECT session, line, {source}, output{latest} FROM ({tables}) {clause}", values)
