"""What a cell does in any interpreter: results, displays, errors, input, await. Each in main and in another one."""

import pytest
from harness import Client, Kernel, plain


def test_the_last_expression_is_the_result(client: Client, target: str) -> None:
    result = client.ok(target + "x = 20\nx + 22")
    assert result.value == "42"
    assert result.of("execute_result")[0]["execution_count"] == result.reply["content"]["execution_count"]


def test_a_semicolon_or_none_shows_nothing(client: Client, target: str) -> None:
    assert client.ok(target + "1;").value is None
    assert client.ok(target + "None").value is None
    assert client.ok(target + "").value is None


def test_messages_come_in_order(client: Client, target: str) -> None:
    result = client.ok(target + "import sys\nprint('a')\nprint('b', file=sys.stderr)\ndisplay('c')\nprint('d')\n'e'")
    kinds = [(m["msg_type"], m["content"].get("name", m["content"].get("execution_state"))) for m in result.messages]
    assert kinds == [
        ("status", "busy"),
        ("execute_input", None),
        ("stream", "stdout"),
        ("stream", "stderr"),
        ("display_data", None),
        ("stream", "stdout"),
        ("execute_result", None),
        ("status", "idle"),
    ]


def test_rich_representations(client: Client, target: str) -> None:
    code = """
class Rich:
    def __repr__(self): return 'plain'
    def _repr_html_(self): return '<b>rich</b>'
    def _repr_png_(self): return b'png', {'width': 3}
    def _repr_markdown_(self): return None
class Bundle:
    def _repr_mimebundle_(self, include=None, exclude=None): return {'text/plain': 'own', 'application/x-own': {'a': 1}}
display(Rich())
Bundle()
"""
    result = client.ok(target + code)
    shown = result.of("display_data")[0]
    assert shown["data"] == {"text/plain": "plain", "text/html": "<b>rich</b>", "image/png": "cG5n"}
    assert shown["metadata"] == {"image/png": {"width": 3}}
    assert result.of("execute_result")[0]["data"] == {"text/plain": "own", "application/x-own": {"a": 1}}


def test_an_error_in_a_representation_does_not_lose_the_cell(client: Client, target: str) -> None:
    code = "class Bad:\n    def __repr__(self): return 'bad'\n    def _repr_html_(self): 1/0\nBad()"
    result = client.ok(target + code)
    assert result.value == "bad"
    assert "ZeroDivisionError" in plain(result.stderr)


def test_display_ids_update(client: Client, target: str) -> None:
    result = client.ok(target + "h = display(1, display_id='one')\nh.update(2)\nupdate_display(3, display_id='one')")
    shown = result.of("display_data", "update_display_data")
    assert [content["data"]["text/plain"] for content in shown] == ["1", "2", "3"]
    assert [content["transient"] for content in shown] == [{"display_id": "one"}] * 3


def test_clear_output(client: Client, target: str) -> None:
    assert client.ok(target + "clear_output(wait=True)").of("clear_output") == [{"wait": True}]


def test_a_traceback_shows_the_cells_lines_in_colour_without_kernel_frames(client: Client, target: str) -> None:
    result = client.run(target + "def f():\n    return 1/0  # here\nf()")
    assert result.status == "error"
    assert result.error == "ZeroDivisionError: division by zero"
    assert "return 1/0  # here" in result.traceback.replace("\n", " ") or "1/0" in result.traceback
    first = 2 if target else 1
    count = result.reply["content"]["execution_count"]
    lines = result.traceback.split("\n")
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f"  Cell In[{count}], line {first + 2}, in <module>"
    assert f"  Cell In[{count}], line {first + 1}, in f" in lines
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "_xinterp_shell" not in result.traceback
    assert "\x1b[" in "".join(result.of("error")[0]["traceback"])
    error = result.of("error")[0]
    assert {key: result.reply["content"][key] for key in ("ename", "evalue", "traceback")} == error


def test_a_syntax_error_points_at_its_place(client: Client, target: str) -> None:
    result = client.run(target + "x = (1 +\n")
    assert result.error.startswith("SyntaxError: '(' was never closed")
    assert "^" in result.traceback


def test_system_exit_ends_the_cell_and_not_the_kernel(client: Client, target: str) -> None:
    assert client.run(target + "raise SystemExit(3)").error == "SystemExit: 3"
    assert client.ok(target + "1").value == "1"


def test_top_level_await(client: Client, target: str) -> None:
    code = "import asyncio\nasync def f(): return 5\nx = await f()\nx + await asyncio.sleep(0.001, 1)"
    assert client.ok(target + code).value == "6"
    assert client.ok(target + "x").value == "5"


def test_asyncio_run_works_in_a_cell_that_does_not_await(client: Client, target: str) -> None:
    assert client.ok(target + "import asyncio\nasync def f(): return 7\nasyncio.run(f())").value == "7"


def test_tasks_go_on_between_cells_and_print_under_their_own(client: Client, target: str) -> None:
    code = "import asyncio\nasync def later():\n    await asyncio.sleep(0.1)\n    print('late')\nt = asyncio.create_task(later())\nawait asyncio.sleep(0)"
    started = client.send(target + code)
    client.result(started)
    client.wait_for_text(started, "late\n")


def test_results_are_remembered_under_their_numbers(client: Client, target: str) -> None:
    first = client.ok(target + "'one'").reply["content"]["execution_count"]
    client.ok(target + "'two'")
    assert client.ok(target + "(_, __)").value == "('two', 'one')"
    assert client.ok(target + f"Out[{first}], _{first}").value == "('one', 'one')"
    assert client.ok(target + f"In[{first}]").value == repr(target + "'one'")


def test_the_count_goes_over_the_whole_notebook(client: Client) -> None:
    client.ok("%interp create alice")
    counts = [
        client.ok(code).reply["content"]["execution_count"] for code in ("1", "%%interp alice\n1", "%interp", "1")
    ]
    assert counts == list(range(counts[0], counts[0] + 4))


def test_silent_and_unstored_cells_do_not_count(client: Client) -> None:
    before = client.ok("1").reply["content"]["execution_count"]
    assert client.ok("print('s')\n2", silent=True).of("execute_input", "execute_result") == []
    unstored = client.ok("2", store_history=False)
    assert unstored.of("execute_input")[0]["execution_count"] == before + 1
    assert client.ok("3").reply["content"]["execution_count"] == before + 1


def test_user_expressions_are_evaluated_after_the_cell(client: Client, target: str) -> None:
    reply = client.ok(target + "x = 3", user_expressions={"twice": "x * 2", "bad": "nothing"}).reply["content"]
    assert reply["user_expressions"]["twice"] == {"status": "ok", "data": {"text/plain": "6"}, "metadata": {}}
    assert reply["user_expressions"]["bad"]["ename"] == "NameError"


def test_input_is_refused_where_it_is_not_allowed(client: Client, target: str) -> None:
    result = client.run(target + "input('?')")
    assert result.error == (
        "StdinNotImplementedError: input() was called, but this front end does not support input requests."
    )


def test_future_statements_last(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\nfrom __future__ import annotations")
    assert client.ok("%%interp alice\ndef f(x: undefined): ...\nf.__annotations__").value == "{'x': 'undefined'}"


def test_getsource_knows_cells(client: Client, target: str) -> None:
    client.ok(target + "def f():\n    return 'source'")
    assert (
        client.ok(target + "import inspect\nprint(inspect.getsource(f))").stdout == "def f():\n    return 'source'\n\n"
    )


def test_an_extension_module_that_refuses_says_what_to_do(client: Client) -> None:
    client.ok("%interp create alice")
    result = client.run("%%interp alice\nimport numpy")
    assert result.reply["content"]["ename"] == "ImportError"
    assert result.traceback.split("\n")[-2:] == [
        "numpy, and what is built on it, works in one interpreter of a process.",
        "Run the cell in main: %%interp main",
    ]


@pytest.mark.parametrize(
    "module",
    [
        pytest.param(module, marks=pytest.mark.needs(module))
        for module in ("numpy", "lxml.etree", "cryptography.hazmat.bindings._rust")
    ],
)
def test_one_that_another_interpreter_has_loaded_says_what_to_do(fresh: Kernel, module: str) -> None:
    fresh.client.ok(f"import {module}\n%interp create lenient --preset shared")
    result = fresh.client.run(f"%%interp lenient\nimport {module}")
    assert result.reply["content"]["ename"] == "ImportError"
    assert result.traceback.split("\n")[-2:] == [
        "It has been loaded in another interpreter of this kernel: run the cell there (%interp lists them),",
        "or restart the kernel and load it here first.",
    ]


def test_surrogates_and_binary_output_do_not_break_the_stream(client: Client, target: str) -> None:
    assert client.ok(target + r"print('\ud800 ok')").stdout == "\\ud800 ok\n"
    assert client.ok(target + r"import sys; _ = sys.stdout.buffer.write(b'\xff ok\n')").stdout == "\ufffd ok\n"


def test_streams_are_text_streams(client: Client, target: str) -> None:
    code = "import io, sys\nprint(isinstance(sys.stdout, io.TextIOBase), sys.stdout.encoding, sys.stdout.isatty(), sys.stderr.fileno())"
    assert client.ok(target + code).stdout == "True utf-8 False 2\n"
    assert (
        client.run(target + "import sys\nsys.stdout.write(1)").error
        == "TypeError: write() argument must be str, not int"
    )


def test_a_lanes_thread_is_its_interpreters_main_thread_and_alone_there(fresh: Kernel) -> None:
    code = "import threading\nt = threading.Thread(target=print)\n(threading.current_thread() is threading.main_thread(), t.daemon, threading.active_count())"
    for target in ("", "%%interp alice --create\n"):
        assert fresh.client.ok(target + code).value == "(True, False, 1)"


def test_an_exception_that_lies_about_itself_is_still_reported(client: Client, target: str) -> None:
    code = "class Meta(type):\n    __name__ = property(lambda self: 5)\nclass E(Exception, metaclass=Meta):\n    def __str__(self): 1/0\nraise E()"
    result = client.run(target + code)
    assert (result.status, result.reply["content"]["ename"]) == ("error", "5")
    assert client.ok(target + "1").value == "1"
