"""Cells within cells, which %%capture, %rerun and get_ipython().run_cell() run, and what follows a cell."""

from pathlib import Path
from typing import Any

import nbformat
import nbformat.v4 as notebooks
import pytest
from harness import Client, Result, plain
from test_ipython import payload


@pytest.fixture
def target(ipython_target: str) -> str:
    return ipython_target


@pytest.fixture(params=[False, True], ids=["plain", "ipython"])
def either(request: pytest.FixtureRequest, client: Client) -> str:
    """The magic line of a new interpreter, without and with IPython."""
    client.ok("%interp create alice")
    if request.param:
        client.ok("%%interp alice\nget_ipython()")
    return "%%interp alice\n"


def shown(result: Result) -> list[Any]:
    """Its streams and errors in order."""
    return [content.get("text", content.get("ename")) for content in result.of("stream", "error", "execute_result")]


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("%%capture taken\nprint('in')\n1/0", "ZeroDivisionError"),
        ("%%capture taken\nx = = 1", "SyntaxError"),
        ("%%capture taken\nprint('in')\nreturn 5", "SyntaxError"),
        ("get_ipython().run_cell('1/0');", "ZeroDivisionError"),
        ("get_ipython().run_cell('1/0', store_history=True);", "ZeroDivisionError"),
        ("get_ipython().run_cell('get_ipython().run_cell(\"1/0\");');", "ZeroDivisionError"),
        ("get_ipython().run_cell('%no_such_magic');", "UsageError"),
        ("get_ipython().run_cell('import asyncio; await asyncio.sleep(0); 1/0');", "ZeroDivisionError"),
    ],
)
def test_an_error_of_a_cell_within_a_cell_is_shown_and_the_outer_cell_goes_on(
    ipython_client: Client, target: str, cell: str, error: str
) -> None:
    result = ipython_client.ok(target + cell)
    assert shown(result) == [error]
    assert ipython_client.ok(target + "5").value == "5"


def test_rerun_shows_the_error_of_the_cell_that_it_runs_again(ipython_client: Client) -> None:
    ipython_client.run("1/0")
    result = ipython_client.ok("%rerun")
    assert [content["ename"] for content in result.of("error")] == ["ZeroDivisionError"]


def test_an_error_of_a_cell_within_a_cell_does_not_hide_the_outer_cells_own(
    ipython_client: Client, target: str
) -> None:
    result = ipython_client.run(target + "get_ipython().run_cell('1/0')\nprint('between')\n[].pop()")
    assert shown(result) == ["ZeroDivisionError", "between\n", "IndexError"]
    assert result.error == "IndexError: pop from empty list"


def test_the_result_of_a_cell_is_its_own_after_a_cell_within_it(ipython_client: Client, target: str) -> None:
    result = ipython_client.ok(target + "get_ipython().run_cell('x = 1;')\n'own'")
    assert result.value == "'own'"
    assert ipython_client.ok(target + "get_ipython().run_cell('x = 1');").value is None


@pytest.mark.parametrize("before", ["%%capture taken\n", "get_ipython().run_cell('''"])
def test_an_interrupt_of_a_cell_within_a_cell_is_shown(
    ipython_client: Client, target: str, before: str, tmp_path: Path
) -> None:
    running = tmp_path / "running"
    body = f"import pathlib, time\npathlib.Path({str(running)!r}).touch()\nwhile True: time.sleep(0.001)"
    sent = ipython_client.send(target + before + body + ("''');" if before.endswith("'''") else ""))
    while not running.exists():
        ipython_client.read_available(0.01)
    ipython_client.interrupt()
    result = ipython_client.result(sent)
    assert [content["ename"] for content in result.of("error")] == ["KeyboardInterrupt"]
    assert "time.sleep" in result.traceback


@pytest.mark.parametrize(
    "cell",
    [
        "return 5",
        "yield 5",
        "break",
        "def f():\n    await g",
        "def f():\n    nonlocal x",
        "x = 1\nglobal x\nx = = 1",
        "class C:\n    return 1",
        "print(1, file=__import__('sys').stderr)\nreturn 5",
        "f() = 1",
        "def f(a, a): pass",
        "[*a for a in b]",
        "from __future__ import no_such",
        "'abc",
        "  x = 1\n y = 2",
    ],
)
def test_an_error_of_compilation_is_shown_once(ipython_client: Client, target: str, cell: str) -> None:
    result = ipython_client.run(target + cell)
    assert result.status == "error"
    assert len(result.of("error")) == 1
    assert "codeop.py" not in result.traceback
    assert result.error == ": ".join(str(result.of("error")[0][name]) for name in ("ename", "evalue"))


# --- names of code

FUNCTION = "def {name}():\n    return {value}"


@pytest.mark.parametrize(
    "before",
    [
        "%%capture taken\n{}",
        "get_ipython().run_cell({!r});",
        "get_ipython().run_cell({!r}, store_history=True);",
        "get_ipython().run_cell({!r}, silent=True);",
    ],
)
def test_a_function_of_a_cell_within_a_cell_shows_its_own_source(
    ipython_client: Client, target: str, before: str
) -> None:
    text = FUNCTION.format(name="f", value=1)
    ipython_client.ok(target + before.format(text))
    ipython_client.ok(target + "y = 3\nz = 4")
    ipython_client.ok(target + "import inspect")
    assert ipython_client.ok(target + "print(inspect.getsource(f), end='')").stdout == text + "\n"


@pytest.mark.parametrize("options", [{"silent": True}, {"store_history": False}], ids=["silent", "not stored"])
def test_functions_of_requests_that_are_not_stored_show_their_own_source(
    client: Client, either: str, options: dict[str, bool]
) -> None:
    texts = {name: FUNCTION.format(name=name, value=value) for value, name in enumerate("fgh")}
    client.ok(either + texts["f"], **options)
    client.ok(either + texts["g"], **options)
    client.ok(either + texts["h"])
    sources = client.ok(either + "import inspect\nprint(*map(inspect.getsource, [f, g, h]))").stdout
    for text in texts.values():
        assert text in sources


def test_a_traceback_shows_the_lines_of_the_cell_that_has_run(client: Client, either: str) -> None:
    client.ok(either + "def f():\n    return 1 / 0", store_history=False)
    client.ok(either + "def g():\n    return [].pop()", store_history=False)
    assert "return 1 / 0" in client.run(either + "f()").traceback
    assert "return [].pop()" in client.run(either + "g()").traceback


# In main only: nbformat's validator, in Rust, does not load in other interpreters.
def test_a_notebook_that_runs_within_a_cell_has_its_own_sources(ipython_client: Client, tmp_path: Path) -> None:
    cells = [notebooks.new_code_cell(FUNCTION.format(name=name, value=value)) for value, name in enumerate("fg")]
    file = tmp_path / "functions.ipynb"
    nbformat.write(notebooks.new_notebook(cells=cells), file)
    ipython_client.ok(f"%run {file}")
    sources = ipython_client.ok(
        "import inspect\nprint(inspect.getsource(f), inspect.getsource(g), sep='', end='')"
    ).stdout
    assert sources == "".join(FUNCTION.format(name=name, value=value) + "\n" for value, name in enumerate("fg"))


# --- hooks


def test_hooks_after_a_cell_are_called_when_its_error_has_been_shown(ipython_client: Client, target: str) -> None:
    ipython_client.ok(
        target + "def done(result): print('hook:', type(result.error_in_exec).__name__)\n"
        "def executed(): print('executed')\n"
        "get_ipython().events.register('post_run_cell', done)\n"
        "get_ipython().events.register('post_execute', executed)"
    )
    try:
        assert shown(ipython_client.run(target + "1/0")) == ["ZeroDivisionError", "executed\nhook: ZeroDivisionError\n"]
        assert shown(ipython_client.ok(target + "print('in')")) == ["in\nexecuted\nhook: NoneType\n"]
        assert shown(ipython_client.run(target + "x = = 1")) == ["SyntaxError", "executed\nhook: NoneType\n"]
        result = ipython_client.run(target + "raise KeyboardInterrupt")
        assert [content["ename"] for content in result.of("error")] == ["KeyboardInterrupt"]
        assert ipython_client.ok(target + "1", silent=True).of("stream") == [{"name": "stdout", "text": "executed\n"}]
    finally:
        ipython_client.ok(
            target + "get_ipython().events.unregister('post_run_cell', done)\n"
            "get_ipython().events.unregister('post_execute', executed)"
        )


def test_an_error_above_what_hooks_write_names_its_target(ipython_client: Client) -> None:
    ipython_client.ok("%interp create alice")
    both = "%%interp main,alice\n"
    ipython_client.ok(both + "def done(_): print('hook')\nget_ipython().events.register('post_run_cell', done)")
    try:
        result = ipython_client.run(both + "1/0")
    finally:
        ipython_client.ok("get_ipython().events.unregister('post_run_cell', done)")
    heads = {plain(content["traceback"][0]) for content in result.of("error")}
    assert heads == {"[main]", "[alice]"}


@pytest.mark.parametrize("event", ["pre_execute", "pre_run_cell", "post_execute", "post_run_cell"])
def test_an_error_of_a_hook_is_shown_and_is_not_the_cells(ipython_client: Client, target: str, event: str) -> None:
    ipython_client.ok(target + f"def bad(*_): [].pop()\nget_ipython().events.register('{event}', bad)")
    try:
        result = ipython_client.ok(target + "print('in')")
    finally:
        ipython_client.ok(target + f"get_ipython().events.unregister('{event}', bad)")
    assert [content["ename"] for content in result.of("error")] == ["IndexError"]
    assert "in\n" in result.stdout


def test_hooks_can_leave_payloads(ipython_client: Client, target: str) -> None:
    ipython_client.ok(
        target + "def ask(_): get_ipython().set_next_input('next')\nget_ipython().events.register('post_run_cell', ask)"
    )
    try:
        (left,) = payload(ipython_client.ok(target + "1"))
    finally:
        ipython_client.ok(target + "get_ipython().events.unregister('post_run_cell', ask)")
    assert left["text"] == "next"


def test_hooks_that_a_cell_registers_as_ipython_comes_up_follow_its_error(client: Client) -> None:
    client.ok("%interp create alice")
    cell = "get_ipython().events.register('post_run_cell', lambda _: print('hook'))\n1/0"
    assert shown(client.run("%%interp alice\n" + cell)) == ["ZeroDivisionError", "hook\n"]


# --- %%interp within IPython, and what `?` says


@pytest.mark.parametrize("cell", ["x = 1\n%%interp main\n2", "%%time\n%%interp main\n2", "if True:\n    %%interp main"])
def test_interp_that_is_not_the_first_line_says_that_it_must_be(client: Client, either: str, cell: str) -> None:
    result = client.run(either + cell)
    assert result.error.startswith("UsageError: %%interp must be the first line of a cell")
    assert "%%interp must be the first line" in result.traceback


@pytest.mark.parametrize("question", ["%interp?", "%%interp?", "?%interp"])
def test_a_question_about_interp_shows_its_commands(ipython_client: Client, target: str, question: str) -> None:
    (page,) = payload(ipython_client.ok(target + question))
    text = plain(page["data"]["text/plain"])
    assert "%interp create" in text or "create NAME" in text
    assert "frozen" not in text


def test_a_question_about_a_function_of_a_cell_names_the_cell(ipython_client: Client, target: str) -> None:
    count = ipython_client.ok(target + FUNCTION.format(name="f", value=1)).reply["content"]["execution_count"]
    (page,) = payload(ipython_client.ok(target + "f?"))
    (line,) = [line for line in plain(page["data"]["text/plain"]).split("\n") if line.startswith("File:")]
    assert line.split() == ["File:", "Cell", f"In[{count}]"]
    assert "Cell In[" in ipython_client.ask("inspect", target + "f")["data"]["text/plain"]
