"""IPython in an interpreter: not before something needs it, and from then on for all its cells."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Client, Kernel, plain

LOADED = "'IPython' in __import__('sys').modules"


@pytest.fixture
def target(ipython_target: str) -> str:
    return ipython_target


@pytest.fixture
def lane(client: Client) -> str:
    """The magic line for an interpreter in which it is not."""
    client.ok("%interp create alice")
    return "%%interp alice\n"


@pytest.fixture
def plain_main(fresh: Kernel) -> Iterator[Client]:
    """A kernel's main without IPython."""
    yield fresh.client
    assert fresh.is_alive()


def payload(result: Any) -> list[dict[str, Any]]:
    return result.reply["content"]["payload"]


# --- when it is loaded


def test_plain_python_never_loads_it(client: Client, lane: str) -> None:
    cells = [
        "x = [i for i in range(3)]",
        "x",
        "display(x)",
        "import asyncio\nawait asyncio.sleep(0)",
        "def f():\n    '''%time in a string'''\n    return 5 % 2",
        "f'''\n%time\n!ls\n'''",
        "t = %interp list",
        "import logging, sqlite3, ctypes, json, tqdm, comm",
    ]
    for cell in cells:
        client.ok(lane + cell)
    client.run(lane + "1/0")
    client.run(lane + "def f(:")
    assert client.ok(lane + LOADED).value == "False"


@pytest.mark.parametrize(
    "cell",
    [
        "%time x = 2",
        "%%time\nx = 2",
        "!true",
        "len?",
        "len??",
        "?len",
        "str.*pl*?",
        "y = !true",
        "y = %pwd",
        "for i in range(2):\n    !true",
        "import IPython",
        "from IPython.display import HTML",
        "get_ipython()",
        "def f():\n    return get_ipython()\nf()",
        ">>> x = 2",
        "pwd",
        "ls -d /",
        "time x = 2",
    ],
)
def test_what_needs_it_loads_it(client: Client, lane: str, cell: str) -> None:
    client.ok(lane + cell)
    assert client.ok(lane + LOADED).value == "True"
    assert client.ok(lane + "get_ipython().__class__.__name__").value == "'ZMQInteractiveShell'"
    assert client.ok("print('IPython' in __import__('sys').modules)").stdout == "False\n"


def test_what_was_there_before_stays(client: Client, lane: str) -> None:
    client.ok(lane + "x = 42")
    count = client.ok(lane + "x").reply["content"]["execution_count"]
    client.ok(lane + "'a string'")
    assert client.ok(lane + "%time x").value == "42"
    assert client.ok(lane + f"_{count}, Out[{count}], In[{count}], __, get_ipython().user_ns is globals()").value == (
        "(42, 42, '%%interp alice\\nx', 'a string', True)"
    )
    assert client.ok(lane + "_ii, _i[:17]").value == repr((lane + "%time x", lane + f"_{str(count)[0]}"))


def test_it_comes_up_in_main(plain_main: Client) -> None:
    plain_main.ok("x = 6")
    assert plain_main.ok(LOADED).value == "False"
    result = plain_main.ok("%time x * 7")
    assert result.value == "42"
    assert result.stdout.startswith("CPU times: ")
    assert result.stderr == ""


@pytest.mark.parametrize("cell", ["time = 3", "cd = 3; cd", "time, x = 3, 4", "save", "time"])
def test_names_like_those_of_magics_are_just_names(client: Client, lane: str, cell: str) -> None:
    client.ok(lane + "import time\nsave = 1")
    client.ok(lane + cell)
    assert client.ok(lane + LOADED).value == "False"


def test_a_cell_that_is_neither_python_nor_ipython_is_a_syntax_error(client: Client, lane: str) -> None:
    result = client.run(lane + "x = = 2")
    assert result.error.startswith("SyntaxError: invalid syntax")
    assert client.ok(lane + LOADED).value == "False"


def test_profile_and_startup_files_are_read_when_it_comes_up(spec: str, tmp_path: Path) -> None:
    startup = tmp_path / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-names.py").write_text("from_startup = 'here'")
    (tmp_path / "profile_default" / "ipython_config.py").write_text("c.InteractiveShell.ast_node_interactivity = 'all'")
    kernel = Kernel(spec, env={**os.environ, "IPYTHONDIR": str(tmp_path)})
    try:
        assert kernel.client.run("from_startup").error == "NameError: name 'from_startup' is not defined"
        results = kernel.client.ok("%pwd\nfrom_startup\n2").of("execute_result")
        assert [content["data"]["text/plain"] for content in results][1:] == ["'here'", "2"]
    finally:
        kernel.stop()


def test_a_broken_startup_file_is_reported_and_the_cell_goes_on(spec: str, tmp_path: Path) -> None:
    startup = tmp_path / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-broken.py").write_text("1/0")
    kernel = Kernel(spec, env={**os.environ, "IPYTHONDIR": str(tmp_path)})
    try:
        result = kernel.client.ok("%time 7")
        assert result.value == "7"
        assert "ZeroDivisionError: division by zero" in result.traceback + plain(result.stdout + result.stderr)
    finally:
        kernel.stop()


# --- magics and commands


def test_results_and_display_are_ipythons(ipython_client: Client, target: str) -> None:
    cell = "class P:\n    def _repr_pretty_(self, p, cycle): p.text('pretty')\nP()"
    assert ipython_client.ok(target + cell).value == "pretty"
    assert ipython_client.ok(target + "display(P())").of("display_data")[0]["data"] == {"text/plain": "pretty"}
    result = ipython_client.ok(target + "from IPython.display import HTML\nHTML('<b>x</b>')").of("execute_result")[0]
    assert result["data"] == {"text/plain": "<IPython.core.display.HTML object>", "text/html": "<b>x</b>"}


def test_bytes_in_a_bundle_are_base64(ipython_client: Client, target: str) -> None:
    cell = "class P:\n    def _repr_png_(self): return b'abc'\n    def __repr__(self): return 'P'\nP()"
    data = ipython_client.ok(target + cell).of("execute_result")[0]["data"]
    assert data == {"text/plain": "P", "image/png": "YWJj"}


def test_a_result_is_shown_although_the_cell_before_it_ended_with_a_semicolon(
    ipython_client: Client, target: str
) -> None:
    assert ipython_client.ok(target + "5;").value is None
    assert ipython_client.ok(target + "6", store_history=False).value == "6"
    assert ipython_client.ok(target + "'a;' # b;").value == "'a;'"
    assert ipython_client.ok(target + "6; # quiet").value is None


@pytest.mark.parametrize("before", ["!", "%%bash\n", "%%script sh\n"])
def test_a_commands_output_appears_while_it_runs(
    ipython_client: Client, target: str, before: str, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    sent = ipython_client.send(f"{target}{before}echo one; while [ ! -e {go} ]; do sleep 0.01; done; echo two >&2")
    ipython_client.wait_for_text(sent, "one\n")
    go.touch()
    result = ipython_client.result(sent)
    assert (result.status, result.stdout + result.stderr) == ("ok", "one\ntwo\n")


def test_a_command_has_a_terminal_and_its_status_is_kept(ipython_client: Client, target: str) -> None:
    assert ipython_client.ok(target + "!test -t 1 && echo a terminal").stdout == "a terminal\n"
    ipython_client.ok(target + "!exit 3")
    assert ipython_client.ok(target + "_exit_code").value == "3"
    ipython_client.ok(target + "!kill -9 $$")
    assert ipython_client.ok(target + "_exit_code").value == "-9"


@pytest.mark.parametrize("before", ["!", "%%bash\n"])
def test_commands_are_told_that_colours_are_shown_and_pages_are_not(
    ipython_client: Client, target: str, before: str
) -> None:
    result = ipython_client.ok(f"{target}{before}printenv TERM CLICOLOR FORCE_COLOR CLICOLOR_FORCE PAGER GIT_PAGER")
    assert result.stdout == "xterm-color\n1\n1\n1\ncat\ncat\n"


def test_names_are_expanded_in_commands_and_output_is_assigned(ipython_client: Client, target: str) -> None:
    ipython_client.ok(target + "name = 'x y'")
    assert ipython_client.ok(target + "!echo {name} $name").stdout == "x y x y\n"
    assert ipython_client.ok(target + "lines = !echo a; echo b\nlines").value == "['a', 'b']"


@pytest.mark.parametrize("before", ["!", "%%bash\n"])
def test_stop_ends_a_command(ipython_client: Client, target: str, before: str) -> None:
    sent = ipython_client.send(f"{target}{before}echo $$; exec sleep 1000")
    ipython_client.wait_for_text(sent, "\n")
    ipython_client.interrupt()
    result = ipython_client.result(sent)
    process = int(result.stdout.split()[0])
    assert not Path(f"/proc/{process}").exists() or "(zombie)" in Path(f"/proc/{process}/status").read_text()
    assert ipython_client.ok(target + "1").value == "1"


def test_pip_runs_in_this_python(ipython_client: Client, target: str) -> None:
    result = ipython_client.ok(target + "%pip --version")
    assert result.stdout.startswith("pip ")
    assert "(python 3.1" in result.stdout


def test_bash_writes_both_streams(ipython_client: Client, target: str) -> None:
    result = ipython_client.ok(target + "%%bash\necho out\necho err >&2")
    assert (result.stdout, result.stderr) == ("out\n", "err\n")
    result = ipython_client.run(target + "%%bash\nexit 4")
    assert result.error.startswith("CalledProcessError: ")


def test_capture_takes_prints_displays_and_results(ipython_client: Client, target: str) -> None:
    result = ipython_client.ok(target + "%%capture taken\nprint('p')\ndisplay(1)\n2")
    assert (result.stdout, result.of("display_data", "execute_result")) == ("", [])
    assert ipython_client.ok(target + "taken.stdout, [o.data for o in taken.outputs]").value == (
        "('p\\n', [{'text/plain': '1'}, {'text/plain': '2'}])"
    )


def test_the_kernels_own_magics_go_on(ipython_client: Client, target: str) -> None:
    assert ipython_client.ok(target + "t = %interp list\nt[0]['name']").value == "'main'"
    result = ipython_client.ok(target + "%%time\nfor i in range(2):\n    %interp list")
    assert len(result.of("display_data")) == 2
    assert ipython_client.ok(target + "get_ipython().run_line_magic('interp', 'list')").of("display_data")
    result = ipython_client.run(target + "if True:\n    %interp nonsense")
    assert result.error.startswith("UsageError: ")


def test_async_cells_and_asyncio_run(ipython_client: Client, target: str) -> None:
    ipython_client.ok(target + "import asyncio")
    assert ipython_client.ok(target + "await asyncio.sleep(0, 'slept')").value == "'slept'"
    assert ipython_client.ok(target + "asyncio.run(asyncio.sleep(0, 'ran'))").value == "'ran'"


# --- what it asks of the front end


def test_payloads(ipython_client: Client, target: str, tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text("loaded = 1\n")
    assert payload(ipython_client.ok(target + f"%load {file}")) == [
        {"source": "set_next_input", "text": f"# %load {file}\nloaded = 1\n", "replace": True}
    ]
    assert payload(ipython_client.ok(target + "get_ipython().set_next_input('next')")) == [
        {"source": "set_next_input", "text": "next", "replace": False}
    ]
    (page,) = payload(ipython_client.ok(target + "len?"))
    assert (page["source"], page["start"]) == ("page", 0)
    assert "Return the number of items in a container." in page["data"]["text/plain"]
    (page,) = payload(ipython_client.ok(target + f"%less {file}"))
    assert "loaded" in page["data"]["text/plain"]
    for cell in ("exit", "quit", "exit()", "quit()"):
        assert payload(ipython_client.ok(target + cell)) == [{"source": "ask_exit", "keepkernel": False}]
    assert payload(ipython_client.ok(target + "exit(True)")) == [{"source": "ask_exit", "keepkernel": True}]
    assert payload(ipython_client.ok(target + "1")) == []


def test_payloads_are_written_read_and_cleared(ipython_client: Client, target: str) -> None:
    leave, stay = ({"source": "ask_exit", "keepkernel": kept} for kept in (False, True))
    ipython_client.ok(target + "manager = get_ipython().payload_manager")
    several = f"manager.write_payload({leave}); manager.write_payload({stay}, single=False)"
    assert payload(ipython_client.ok(target + several)) == [leave, stay]
    assert payload(ipython_client.ok(target + f"{several}; manager.write_payload({leave})")) == [leave]
    result = ipython_client.ok(
        target + several + "\nread = manager.read_payload()\nmanager.clear_payload()\nprint(read)"
    )
    assert (result.stdout, payload(result)) == (f"{[leave, stay]}\n", [])


def test_a_cell_in_which_ipython_comes_up_leaves_once(client: Client, lane: str) -> None:
    result = client.ok(lane + "exit(True); get_ipython().ask_exit()")
    assert payload(result) == [{"source": "ask_exit", "keepkernel": False}]


def test_user_expressions_and_silent_cells(ipython_client: Client, target: str) -> None:
    result = ipython_client.ok(target + "x = 4", user_expressions={"a": "x + 1", "b": "1/0"})
    expressions = result.reply["content"]["user_expressions"]
    assert expressions["a"]["data"] == {"text/plain": "5"}
    assert (expressions["b"]["status"], expressions["b"]["ename"]) == ("error", "ZeroDivisionError")
    result = ipython_client.ok(target + "x", silent=True)
    assert [message["msg_type"] for message in result.messages] == ["status", "status"]


# --- errors


def test_an_error_has_pythons_traceback(ipython_client: Client, target: str) -> None:
    count = ipython_client.ok(target + "def f():\n    1/0").reply["content"]["execution_count"]
    result = ipython_client.run(target + "f()")
    assert result.error == "ZeroDivisionError: division by zero"
    lines = result.traceback.split("\n")
    assert lines[0] == "Traceback (most recent call last):"
    assert f"  Cell In[{count}], line {2 + target.count(chr(10))}, in f" in lines
    assert lines[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("%no_such_magic", "UsageError: Line magic function `%no_such_magic` not found."),
        ("%%no_such_magic\n1", "UsageError: Cell magic `%%no_such_magic` not found."),
        ("%time x = = 2", "SyntaxError: invalid syntax"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
        ("raise ExceptionGroup('both', [ValueError(1)])", "ExceptionGroup: both (1 sub-exception)"),
    ],
)
def test_each_error_is_shown_once(ipython_client: Client, target: str, cell: str, error: str) -> None:
    result = ipython_client.run(target + cell)
    assert result.error.startswith(error)
    assert len(result.of("error")) == 1
    assert result.stderr == ""
    assert "_xinterp_shell" not in result.traceback


def test_an_error_that_code_only_shows_does_not_fail_the_cell(ipython_client: Client, target: str) -> None:
    cell = "try:\n    1/0\nexcept ZeroDivisionError:\n    get_ipython().showtraceback()\nprint('on')"
    result = ipython_client.ok(target + cell)
    kinds = [message["msg_type"] for message in result.messages if message["msg_type"] in ("error", "stream")]
    assert kinds == ["error", "stream"]
    assert result.of("error")[0]["ename"] == "ZeroDivisionError"


def test_a_missing_name_is_looked_for_elsewhere(ipython_client: Client, target: str) -> None:
    ipython_client.ok("%interp create other")
    ipython_client.ok("%%interp other\nfar_away = 1")
    result = ipython_client.run(target + "far_away")
    to = "main" if target == "" else "alice"
    assert result.traceback.endswith(f"far_away exists in other: %interp share far_away --from other --to {to}")


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize(
    "package", [pytest.param(package, marks=pytest.mark.needs(package)) for package in ("numpy", "pandas", "psutil")]
)
def test_an_extension_module_that_refuses_says_so_and_names_the_ways_out(
    client: Client, lane: str, package: str, loaded: bool
) -> None:
    if loaded:
        client.ok(lane + "get_ipython()")
    client.run(f"{lane}import {package}")  # CPython names psutil's module otherwise the first time in a process
    result = client.run(f"{lane}import {package}")
    lines = result.traceback.split("\n")
    module = "psutil._psutil_linux" if package == "psutil" else "numpy._core._multiarray_umath"
    refusal = f"module {module} does not support loading in subinterpreters"
    assert result.error == f"ImportError: {refusal}"
    of_numpy = [
        "numpy, and what is built on it, works in one interpreter of a process.",
        "Run the cell in main: %%interp main",
    ]
    of_others = [
        "This extension module refuses interpreters with a GIL of their own. Run the cell in main (%%interp main),",
        "or, if main does not need it too, in one with main's GIL: %interp create NAME --preset shared",
    ]
    assert lines[-3:] == [f"ImportError: {refusal}", *(of_others if package == "psutil" else of_numpy)]
    assert [line.strip() for line in lines[:-3]][2:] == [f"import {package}"]


# --- what libraries look for to find out that they are in a notebook


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("import rich.console\nrich.console.Console().is_jupyter", "True"),
        (
            "from tqdm.auto import tqdm\nfrom tqdm.notebook import tqdm_notebook\nissubclass(tqdm, tqdm_notebook)",
            "True",
        ),
        pytest.param(
            "import matplotlib.pyplot as plt\nplt.get_backend()",
            "'module://matplotlib_inline.backend_inline'",
            marks=pytest.mark.needs("matplotlib.pyplot"),
        ),
        ("import plotly.io\nplotly.io.renderers.default", "'plotly_mimetype+notebook'"),
        pytest.param(
            "from pandas.io.formats import console\nconsole.in_ipython_frontend()",
            "True",
            marks=pytest.mark.needs("pandas"),
        ),
        ("'IPKernelApp' in get_ipython().config", "True"),
        (
            "from IPython import get_ipython\nfrom ipykernel.zmqshell import ZMQInteractiveShell\nisinstance(get_ipython(), ZMQInteractiveShell)",
            "True",
        ),
    ],
)
def test_libraries_find_that_they_are_in_a_notebook(plain_main: Client, cell: str, value: str) -> None:
    assert plain_main.ok(cell).value == value


@pytest.mark.parametrize("cell", ["import rich\nrich.print('[b]x[/b]')", "from rich import print\nprint('[b]x[/b]')"])
def test_rich_shows_html(client: Client, lane: str, cell: str) -> None:
    (content,) = client.ok(lane + cell).of("display_data")
    assert 'font-weight: bold">x</span>' in content["data"]["text/html"]


@pytest.mark.needs("matplotlib.pyplot")
def test_a_plain_plot_is_shown_inline_from_the_first_cell_on(plain_main: Client) -> None:
    for cell in (
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "plt.plot([2, 1]);",
        "%matplotlib inline\nplt.plot([3]);",
    ):
        (figure,) = plain_main.ok(cell).of("display_data")
        assert figure["data"]["image/png"].startswith("iVBOR")
    plain_main.ok("figure, axes = plt.subplots(); plt.close()")
    assert "image/png" in plain_main.ok("figure").of("execute_result")[0]["data"]


@pytest.mark.needs("pandas")
def test_a_table_of_pandas_is_html(plain_main: Client) -> None:
    (table,) = plain_main.ok("import pandas\npandas.DataFrame({'a': [1]})").of("execute_result")
    assert table["data"]["text/plain"] == "   a\n0  1"
    assert table["data"]["text/html"].startswith("<div>")


def test_functions_that_use_ipython_cross(ipython_client: Client) -> None:
    ipython_client.ok("import concurrent.interpreters as ci\nother = ci.create()")
    ipython_client.ok(
        "def f():\n    lines = !echo from there\n    return lines.n, id(get_ipython().user_ns) == id(globals())"
    )
    assert ipython_client.ok("other.call(f)").value == "('from there', True)"
    ipython_client.ok("other.close()")
