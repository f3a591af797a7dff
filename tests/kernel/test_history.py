"""The history of all sessions, in IPython's own file."""

import contextlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE, Client, Kernel, wait_until

Session = Callable[..., Any]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """IPython's folder for the kernels of the test."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return tmp_path / "ipython"


@pytest.fixture
def file(folder: Path) -> Path:
    return folder / "profile_default/history.sqlite"


@pytest.fixture
def session(spec: str) -> Iterator[Session]:
    """A kernel of its own, a `with` block; it then ends as when a person shuts it down."""

    @contextlib.contextmanager
    def make(*cells: str, spec: str = spec, **options: Any) -> Iterator[Kernel]:
        kernel = Kernel(spec, **options)
        try:
            for cell in cells:
                kernel.client.run(cell)
            yield kernel
            if kernel.is_alive():
                kernel.client.client.stop_channels()
                kernel.manager.shutdown_kernel()
        finally:
            kernel.stop()

    return make


def ask(client: Client, access: str, **content: Any) -> list[Any]:
    request = client.request("history_request", {"hist_access_type": access, "raw": True, "output": False} | content)
    result = client.result(request)
    assert result.states == ["busy", "idle"]
    assert result.reply["content"]["status"] == "ok"
    return result.reply["content"]["history"]


def rows(file: Path, query: str = "SELECT session, line, source, source_raw FROM history") -> list[Any]:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name == 'history'").fetchone():
            return []  # a kernel is just making it
        return connection.execute(query).fetchall()


def wait_until_written(file: Path, cells: list[Any]) -> None:
    wait_until(
        lambda: file.exists() and [row[:2] + row[3:] for row in rows(file)] == cells, f"these are in the file: {cells}"
    )


def test_cells_are_remembered_as_typed_under_the_notebooks_numbers(session: Session, file: Path) -> None:
    with session("%interp create alice", "x = 1", "%%interp alice\n22\n") as kernel:
        assert ask(kernel.client, "tail", n=2) == [[1, 2, "x = 1"], [1, 3, "%%interp alice\n22"]]
        assert ask(kernel.client, "range", session=0, start=2, stop=3) == [[0, 2, "x = 1"]]
    assert rows(file) == [
        (1, 1, "%interp create alice", "%interp create alice"),
        (1, 2, "x = 1", "x = 1"),
        (1, 3, "%%interp alice\n22", "%%interp alice\n22"),
    ]


def test_earlier_sessions_are_recalled(session: Session) -> None:
    with session("first = 1", "print(first)"):
        pass
    with session("second = 2") as kernel:
        client = kernel.client
        assert ask(client, "tail", n=2) == [[1, 2, "print(first)"], [2, 1, "second = 2"]]
        assert ask(client, "range", session=-1) == [[1, 1, "first = 1"], [1, 2, "print(first)"]]
        assert ask(client, "range", session=1, start=2) == [[1, 2, "print(first)"]]
        assert ask(client, "search", pattern="*first*") == [[1, 1, "first = 1"], [1, 2, "print(first)"]]
        assert ask(client, "search", pattern="*=*", n=1) == [[2, 1, "second = 2"]]


def test_a_session_that_runs_no_cell_leaves_no_trace(session: Session, file: Path) -> None:
    with session("one = 1"):
        pass
    with session() as kernel:
        assert ask(kernel.client, "tail", n=5) == [[1, 1, "one = 1"]]
    assert rows(file, "SELECT session FROM sessions") == [(1,)]


def test_what_is_no_input_is_not_remembered(session: Session, file: Path) -> None:
    with session() as kernel:
        client = kernel.client
        client.ok("hidden = 1", silent=True)
        client.ok("unstored = 1", store_history=False)
        blank = client.ok(" \n ")
        assert (blank.reply["content"]["execution_count"], blank.of("execute_input")[0]["execution_count"]) == (0, 1)
        assert client.ok("1").reply["content"]["execution_count"] == 1
        client.run("1/0")
    assert [row[1:3] for row in rows(file)] == [(1, "1"), (2, "1/0")]


REQUESTS: list[dict[str, Any]] = [
    {"hist_access_type": "tail", "n": 1},
    {"hist_access_type": "tail", "n": 3, "raw": False},
    {"hist_access_type": "tail", "n": 100},
    {"hist_access_type": "range", "session": 0, "start": 1},
    {"hist_access_type": "range", "session": 0, "start": 2, "stop": 3},
    {"hist_access_type": "range", "session": 0, "start": -2, "stop": -1},
    {"hist_access_type": "range", "session": 0, "start": 1, "output": True},
    {"hist_access_type": "range", "session": -1, "start": 1},
    {"hist_access_type": "range", "session": -1, "start": 1, "stop": 3, "output": True},
    {"hist_access_type": "range", "session": 1, "start": 2},
    {"hist_access_type": "range", "session": 7, "start": 1},
    {"hist_access_type": "range", "session": -7, "start": 1},
    {"hist_access_type": "search", "pattern": "*"},
    {"hist_access_type": "search", "pattern": "x*"},
    {"hist_access_type": "search", "pattern": "x = ?", "n": 1},
    {"hist_access_type": "search", "pattern": "x*", "unique": True},
    {"hist_access_type": "search", "pattern": "*x*", "unique": True, "n": 2},
    {"hist_access_type": "search", "pattern": "[xy] = [!3]"},
    {"hist_access_type": "search", "pattern": "*x*", "output": True, "n": 3},
    {"hist_access_type": "search", "pattern": "nothing*"},
]


def test_the_answers_are_ipykernels(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str
) -> None:
    answers = []
    for each in ("python3", spec):
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path / each))
        with session("x = 1", "x = 2", "x", spec=each):
            pass
        with session("x = 2", "y = 3\n", "x", "x\n+ 1", spec=each) as kernel:
            answers.append([ask(kernel.client, **{"access": r["hist_access_type"], **r}) for r in REQUESTS])
    for request, expected, given in zip(REQUESTS, *answers, strict=True):
        assert given == expected, request


def test_ipython_reads_it(session: Session, file: Path) -> None:
    from IPython.core.history import HistoryAccessor

    with session("a = 1\nb = 2", "a"):
        pass
    accessor = HistoryAccessor(hist_file=str(file))
    assert list(accessor.get_tail(5, include_latest=True)) == [(1, 1, "a = 1\nb = 2"), (1, 2, "a")]
    number, start, end, cells, remark = accessor.get_session_info(1)
    assert (number, cells, remark) == (1, 2, "")
    assert start is not None and end is not None
    accessor.db.close()


def test_it_reads_what_ipython_has_written(session: Session, folder: Path) -> None:
    subprocess.run(
        ["python3", "-m", "IPython", "--simple-prompt", "--quiet"],
        input="first = 1\n%time first\n",
        env=os.environ | {"IPYTHONDIR": str(folder)},
        text=True,
        capture_output=True,
        check=True,
    )
    with session() as kernel:
        assert ask(kernel.client, "tail", n=5) == [[1, 1, "first = 1"], [1, 2, "%time first"]]
        transformed = ask(kernel.client, "tail", n=1, raw=False)
        assert transformed == [[1, 2, "get_ipython().run_line_magic('time', 'first')"]]


def test_a_killed_kernel_leaves_what_it_ran(session: Session, file: Path) -> None:
    with session("x = 1", "x + 1") as kernel:
        wait_until_written(file, [(1, 1, "x = 1"), (1, 2, "x + 1")])
        kernel.client.ok("x + 2")
        wait_until_written(file, [(1, 1, "x = 1"), (1, 2, "x + 1"), (1, 3, "x + 2")])
        os.kill(kernel.pid, signal.SIGKILL)
        assert kernel.wait_for_end(PATIENCE)
    assert rows(file, "SELECT session, end FROM sessions") == [(1, None)]


def test_kernels_share_the_file(session: Session, file: Path) -> None:
    with session() as one, session() as other:
        for i in range(10):
            one.client.ok(f"one = {i}")
            other.client.ok(f"other = {i}")
    by_session: dict[int, list[Any]] = {1: [], 2: []}
    for number, line, _, source in rows(file):
        by_session[number].append((line, source))
    assert sorted(by_session.values(), key=lambda cells: cells[0][1]) == [
        [(i + 1, f"{name} = {i}") for i in range(10)] for name in ("one", "other")
    ]


def test_main_that_is_busy_leaves_this_session(session: Session) -> None:
    with session("earlier = 1"):
        pass
    with session("now = 1") as kernel:
        other = kernel.connect()
        cell = kernel.client.send("input()", allow_stdin=True)
        kernel.client.client.get_stdin_msg(timeout=PATIENCE)
        assert ask(other, "search", pattern="*=*") == [[0, 1, "now = 1"]]
        kernel.client.interrupt()
        assert kernel.client.result(cell).error == "KeyboardInterrupt: "
        assert ask(other, "search", pattern="*=*") == [[1, 1, "earlier = 1"], [2, 1, "now = 1"]]
        other.client.stop_channels()


def test_a_locked_file_holds_no_cell_up(session: Session, file: Path) -> None:
    with session("x = 1") as kernel:
        wait_until_written(file, [(1, 1, "x = 1")])
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            kernel.client.ok("x = 2")
            kernel.client.ok("import time; time.sleep(2)")  # main would have written
            assert kernel.client.ok("x").value == "2"
            lock.execute("ROLLBACK")
        wait_until_written(file, [(1, 1, "x = 1"), (1, 2, "x = 2"), (1, 3, "import time; time.sleep(2)"), (1, 4, "x")])


def test_who_reads_while_main_writes_knows_which_session_is_its_own(
    session: Session, file: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    hold = (
        "import os, time, _xinterp_shell.history as history\n"
        "write = history._write\n"
        "def write_and_wait(*arguments):\n"
        "    number = write(*arguments)\n"
        f"    while not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        "    return number\n"
        "history._write = write_and_wait"
    )
    with session("earlier = 1"):
        pass
    with session("%interp create alice", hold) as kernel:
        wait_until_written(file, [(1, 1, "earlier = 1"), (2, 1, "%interp create alice"), (2, 2, hold)])
        # The kernel has not heard of it.
        assert kernel.client.ok("%%interp alice\n%history ~1/1 1").stdout == "earlier = 1\n%interp create alice\n"
        go.touch()
    assert rows(file, "SELECT session, num_cmds FROM sessions") == [(1, 1), (2, 3)]


def test_a_file_that_is_gone_is_begun_anew(session: Session, file: Path) -> None:
    with session("x = 1") as kernel:
        wait_until_written(file, [(1, 1, "x = 1")])
        file.unlink()
        kernel.client.ok("x = 2")
        wait_until_written(file, [(1, 2, "x = 2")])
        assert ask(kernel.client, "tail", n=5) == [[1, 1, "x = 1"], [1, 2, "x = 2"]]


def test_an_unknown_access_is_refused(session: Session) -> None:
    with session() as kernel:
        request = kernel.client.request("history_request", {"hist_access_type": "nothing"})
        content = kernel.client.result(request).reply["content"]
        assert (content["status"], content["ename"]) == ("error", "BadRequest")
        assert content["evalue"] == "history_request: hist_access_type is tail, range or search, not 'nothing'."


BROKEN = {
    "configuration": ("ipython_config.py: ZeroDivisionError: division by zero.", None),
    "corrupt": ("file is not a database", "no database, but more than sixteen bytes"),
    "no place": ("File exists", None),
    "no sqlite3": ("No module named 'sqlite3'", None),
}


@pytest.mark.parametrize("how", BROKEN)
def test_without_the_file_there_is_this_session(
    session: Session, folder: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    reason, content = BROKEN[how]
    if content is not None:
        file.parent.mkdir(parents=True)
        file.write_text(content)
    elif how == "configuration":
        configure(file, "c.HistoryManager.enabled = 1 / 0")
    elif how == "no place":
        folder.mkdir()
        file.parent.write_text("no folder")
    else:
        (tmp_path / "sqlite3.py").write_text("raise ModuleNotFoundError(\"No module named 'sqlite3'\")")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    log = tmp_path / "log"
    with log.open("w") as stderr, session("x = 1", stderr=stderr) as kernel:
        assert [row[1:] for row in ask(kernel.client, "tail", n=5)] == [[1, "x = 1"]]
        assert kernel.client.ok("x").value == "1"
        assert [row[1:] for row in ask(kernel.client, "search", pattern="x*")] == [[1, "x = 1"], [2, "x"]]
        wait_until(lambda: reason in log.read_text(), f"{reason} is in the log")
    lines = [line for line in log.read_text().splitlines() if "history" in line]
    assert len(lines) == 1 and reason in lines[0], lines
    if content is not None:
        assert file.read_text() == content


# --- what the person's configuration of IPython says


def configure(file: Path, text: str, name: str = "ipython_config.py") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    (file.parent / name).write_text(text)


@pytest.mark.parametrize("setting", ["enabled = False", "hist_file = ':memory:'"], ids=["not enabled", "in memory"])
def test_configuration_may_want_no_file(session: Session, file: Path, tmp_path: Path, setting: str) -> None:
    configure(file, f"c = get_config()\nc.HistoryManager.{setting}\n")
    log = tmp_path / "log"
    with log.open("w") as stderr, session("x = 1", "%time x", stderr=stderr) as kernel:
        assert ask(kernel.client, "tail", n=5) == [[1, 1, "x = 1"], [1, 2, "%time x"]]
        assert kernel.client.ok("%history 1").stdout == "x = 1\n"
    assert [path.name for path in file.parent.iterdir() if "history" in path.name] == []
    assert "history" not in log.read_text()


@pytest.mark.parametrize("name", ["ipython_config.py", "ipython_kernel_config.py"])
@pytest.mark.parametrize("made", ["{!r}", "__import__('pathlib').Path({!r})"], ids=["text", "path"])
def test_configuration_may_name_another_file(
    session: Session, file: Path, tmp_path: Path, name: str, made: str
) -> None:
    other = tmp_path / "elsewhere" / "cells.sqlite"
    configure(file, f"c.HistoryManager.hist_file = {made.format(str(other))}\n", name)
    with session("earlier = 1"):
        pass
    with session("%interp create alice") as kernel:
        assert ask(kernel.client, "range", session=-1) == [[1, 1, "earlier = 1"]]
        for where in ("", "%%interp alice\n"):
            assert kernel.client.ok(where + "%history ~1/1").stdout == "earlier = 1\n"
    assert (rows(other)[0], file.exists()) == ((1, 1, "earlier = 1", "earlier = 1"), False)


def test_configuration_of_other_things_is_not_run(session: Session, file: Path) -> None:
    configure(file, "# c.HistoryManager.enabled = False\n1 / 0\n")
    with session("x = 1") as kernel:
        wait_until_written(file, [(1, 1, "x = 1")])
        assert kernel.client.ok("'traitlets' in __import__('sys').modules").value == "False"


# --- %history and its like, in main and in a lane


@pytest.fixture(params=["", "%%interp alice\n"], ids=["main", "alice"])
def where(request: pytest.FixtureRequest) -> str:
    """The magic line for the interpreter whose IPython is tried."""
    return request.param


@pytest.fixture
def notebook(session: Session, where: str) -> Iterator[Client]:
    """A client whose notebook has had three cells, after a session of two."""
    with session("earlier = 1", "later = 2"):
        pass
    with session("%interp create alice", "x = 1", "%%interp alice\ny = 2\ny") as kernel:
        yield kernel.client


def test_magics_show_the_whole_notebook(notebook: Client, where: str) -> None:
    shown = notebook.ok(where + "%history -n").stdout
    asking = f"   4:\n{where}%history -n" if where else "   4: %history -n"
    assert shown == f"   1: %interp create alice\n   2: x = 1\n   3:\n%%interp alice\ny = 2\ny\n{asking}\n"
    assert notebook.ok(where + "%history 2").stdout == "x = 1\n"
    assert notebook.ok(where + "%history -o 3").stdout == "%%interp alice\ny = 2\ny\n2\n"
    history = notebook.ok(where + "get_ipython().history_manager.get_tail(2)").value
    assert history == f"[(2, 5, {where + '%history 2'!r}), (2, 6, {where + '%history -o 3'!r})]"


def test_magics_show_other_sessions(notebook: Client, where: str) -> None:
    assert notebook.ok(where + "%history ~1/1-2").stdout == "earlier = 1\nlater = 2\n"
    assert notebook.ok(where + "%history -g earl?er").stdout.startswith(" 1/1: earlier = 1\n")
    assert notebook.ok(where + "%history -l 6").stdout.startswith("later = 2\n%interp create alice\nx = 1\n")
    assert notebook.ok(where + "get_ipython().history_manager.session_number").value == "2"
    information = notebook.ok(where + "get_ipython().history_manager.get_session_info(-1)[::3]").value
    assert information == "(1, 2)"


def test_translated_history_is_ipythons(notebook: Client, where: str) -> None:
    notebook.ok(where + "%time 3")
    assert notebook.ok(where + "%history -t 4").stdout.strip() == "get_ipython().run_line_magic('time', '3')"
    sources = [ask(notebook, "range", session=0, start=4, stop=5, raw=raw)[0][2] for raw in (True, False)]
    assert sources == [where + "%time 3", "get_ipython().run_line_magic('time', '3')"]


def test_inputs_are_used_again(notebook: Client, where: str, tmp_path: Path) -> None:
    def next_input(cell: str) -> str:
        return notebook.ok(where + cell).reply["content"]["payload"][0]["text"]

    assert next_input("%recall 2") == "x = 1"
    assert next_input("%recall later") == "later = 2"
    assert "x = 1" in notebook.ok(where + f"%save {tmp_path}/saved 2").stdout
    assert (tmp_path / "saved.py").read_text() == "# coding: utf-8\nx = 1\n"
    notebook.ok(where + "%macro again 2")
    notebook.ok(where + "again")
    assert notebook.ok(where + "x").value == "1"
    notebook.ok(where + "x = 5")
    assert notebook.ok(where + "%rerun 2\nx").value == "1"
    assert notebook.ok(where + "In[2], In[-1]").value == f"({'' if where else 'x = 1'!r}, 'In[2], In[-1]')"


def test_what_ran_through_ipython_is_recalled(session: Session, where: str) -> None:
    with session("%interp create alice", where + "%time 1", where + "_i"):
        pass
    with session() as kernel:
        assert ask(kernel.client, "tail", n=2) == [[1, 2, (where + "%time 1")], [1, 3, where + "_i"]]
