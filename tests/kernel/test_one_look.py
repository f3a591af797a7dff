"""Tracebacks look the same before and after IPython comes up, and show people's code alone."""

import re
from pathlib import Path

import pytest
from harness import Client, Result, plain

FAILING = [
    "1/0",
    "x = 1\n\n1/0",
    "def f():\n    return 1/0\nf()",
    "raise KeyError('k') from ValueError('v')",
    "try:\n    1/0\nexcept ZeroDivisionError:\n    missing_name",
    "raise ExceptionGroup('g', [KeyError(1), ValueError(2)])",
    "def f(:",
    "return 5",
    "import json\njson.loads('{')",
    "async def g(): 1/0\nawait g()",
    "class E(Exception):\n    def __str__(self): return 'two\\nlines'\nraise E",
    "raise ImportError('module a.b does not support loading in subinterpreters')",
    "import os\nos.system(3)",
    "input(1, 2)",
]


def look(result: Result) -> list[str]:
    """The coloured lines of the error, with no cell's number."""
    assert result.status == "error"
    lines = "\n".join(line for error in result.of("error") for line in error["traceback"])
    return re.sub(r"In\[\d+\]|<In \[\d+\]>", "In[n]", lines).split("\n")


def test_errors_look_the_same_before_and_after_ipython_comes_up(client: Client) -> None:
    client.ok("%interp create alice")
    before = [look(client.run("%%interp alice\n" + cell)) for cell in FAILING]
    client.ok("%%interp alice\n%time 1")
    after = [look(client.run("%%interp alice\n" + cell)) for cell in FAILING]
    assert after == before


def test_errors_look_the_same_in_main(client: Client, ipython_client: Client) -> None:
    assert [look(ipython_client.run(cell)) for cell in FAILING] == [look(client.run(cell)) for cell in FAILING]


@pytest.mark.parametrize("cell", ["1/0", "\n1/0", "x = 1\n1/0", "if True:\n    1/0"])
def test_lines_are_counted_from_the_first_line_of_the_cell(client: Client, cell: str) -> None:
    line = cell.split("\n").index(cell.split("\n")[-1]) + 2
    client.ok("%interp create alice")
    assert f"]: line {line}" in client.run(f"%%interp alice\n{cell}").traceback.replace(", line", ": line")
    client.ok("%%interp alice\n%time 1")
    assert f"]: line {line}" in client.run(f"%%interp alice\n{cell}").traceback.replace(", line", ": line")


@pytest.mark.parametrize("cell", ["%pwd", "!true", "str?", "len?", "x = !echo a", "%%time\n1", ">>> 1 + 1"])
def test_cells_of_one_line_below_the_magic_of_the_interpreter(client: Client, cell: str) -> None:
    client.ok("%interp create alice")
    client.ok(f"%%interp alice\n{cell}")
    client.ok(f"%%interp alice\n{cell}")


def test_the_refusal_of_an_extension_module_looks_as_other_errors(client: Client, target: str) -> None:
    client.ok(f"{target}x = 1")
    cell = "raise ImportError('module a.b does not support loading in subinterpreters')"
    refused, other = look(client.run(target + cell)), look(client.run(target + cell.replace("Import", "Lookup")))
    shared = [line.replace("LookupError", "ImportError").replace("Lookup", "Import") for line in other]
    assert refused[: len(shared)] == shared
    assert plain(refused[-1]).endswith("%interp create NAME --preset shared")


def test_xmode_and_classes_that_render_themselves_choose_another_look(
    ipython_target: str, ipython_client: Client
) -> None:
    ipython_client.ok(f"{ipython_target}%xmode Minimal")
    assert ipython_client.run(f"{ipython_target}1/0").traceback.strip() == "ZeroDivisionError: division by zero"
    ipython_client.ok(f"{ipython_target}%xmode Context")
    code = "class E(Exception):\n    def _render_traceback_(self): return ['own']\nraise E"
    assert ipython_client.run(ipython_target + code).traceback == "own"


def test_the_table_of_interpreters_is_captured(ipython_target: str, ipython_client: Client) -> None:
    assert ipython_client.ok(f"{ipython_target}%%capture c\n%interp list").of("display_data") == []
    assert "main" in (ipython_client.ok(f"{ipython_target}c.outputs[0].data['text/plain']").value or "")


@pytest.mark.parametrize(
    "cell",
    [
        "import os\nos.system('a' + chr(0))",
        "import concurrent.futures as f\ndef fail(): 1/0\nwith f.InterpreterPoolExecutor(1) as p: p.submit(fail).result()",
        "import concurrent.interpreters as i\ndef fail(): 1/0\ni.create().call(fail)",
        "import getpass\ngetpass.getpass(1, 2, 3)",
        "%time 1/0",
        "%run no_such_file.py",
        "get_ipython().run_line_magic('load', 'no_such_file')",
        "try:\n    1/0\nexcept ZeroDivisionError:\n    input()",
    ],
)
def test_no_frame_of_the_shell_is_shown(ipython_target: str, ipython_client: Client, cell: str) -> None:
    traceback = ipython_client.run(ipython_target + cell).traceback
    assert traceback and "_xinterp_shell" not in traceback and "IPython/core" not in traceback


@pytest.mark.parametrize("wait", ["asyncio.sleep(60)", "asyncio.gather(asyncio.sleep(60), asyncio.sleep(61))"])
def test_a_stop_shows_where_the_cell_waited(client: Client, target: str, wait: str, tmp_path: Path) -> None:
    cell = client.send(
        f"{target}import asyncio\nopen({str(tmp_path / 'begun')!r}, 'w').close()\nprint('on')\nawait {wait}"
    )
    client.wait_for_text(cell, "on")
    client.interrupt()
    traceback = client.result(cell).traceback
    assert traceback.endswith("KeyboardInterrupt") and f"await {wait}" in traceback
    assert "_xinterp_shell" not in traceback
