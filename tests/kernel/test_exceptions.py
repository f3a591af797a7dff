"""How a cell's errors look, whatever they are, and that none ends the kernel. In main and in another interpreter."""

from pathlib import Path

import pytest
from harness import Client, plain


@pytest.fixture
def first(target: str) -> int:
    """The number of the code's first line in its cell."""
    return 2 if target else 1


def lines_of(client: Client, target: str, code: str) -> tuple[str, list[str]]:
    """In [n]'s number, and the traceback."""
    result = client.run(target + code)
    assert result.status == "error"
    assert client.ok(target + "'alive'").value == "'alive'"
    return f"Cell In[{result.reply['content']['execution_count']}]", result.traceback.split("\n")


def test_notes_are_shown(client: Client, target: str, first: int) -> None:
    where, lines = lines_of(
        client, target, "e = ValueError('x'); e.add_note('one'); e.add_note('two\\nthree')\nraise e"
    )
    assert lines == [
        "Traceback (most recent call last):",
        f"  {where}, line {first + 1}, in <module>",
        "    raise e",
        "ValueError: x",
        "one",
        "two",
        "three",
    ]


@pytest.mark.parametrize(
    ("suffix", "sentence"),
    [
        ("", "During handling of the above exception, another exception occurred:"),
        (" from e", "The above exception was the direct cause of the following exception:"),
    ],
)
def test_causes_and_contexts_are_shown(client: Client, target: str, first: int, suffix: str, sentence: str) -> None:
    code = f"try:\n    1/0\nexcept Exception as e:\n    raise KeyError('k'){suffix}"
    where, lines = lines_of(client, target, code)
    assert lines == [
        "Traceback (most recent call last):",
        f"  {where}, line {first + 1}, in <module>",
        "    1/0",
        "    ~^~",
        "ZeroDivisionError: division by zero",
        "",
        sentence,
        "",
        "Traceback (most recent call last):",
        f"  {where}, line {first + 3}, in <module>",
        f"    raise KeyError('k'){suffix}",
        "KeyError: 'k'",
    ]


def test_a_suppressed_context_is_not_shown(client: Client, target: str) -> None:
    _, lines = lines_of(client, target, "try:\n    1/0\nexcept Exception:\n    raise KeyError('k') from None")
    assert "ZeroDivisionError: division by zero" not in lines


def test_groups_are_shown_with_their_members(client: Client, target: str, first: int) -> None:
    where, lines = lines_of(client, target, "raise ExceptionGroup('both', [ValueError(1), TypeError(2)])")
    assert lines == [
        "  + Exception Group Traceback (most recent call last):",
        f"  |   {where}, line {first}, in <module>",
        "  |     raise ExceptionGroup('both', [ValueError(1), TypeError(2)])",
        "  | ExceptionGroup: both (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
        "    | ValueError: 1",
        "    +---------------- 2 ----------------",
        "    | TypeError: 2",
        "    +------------------------------------",
    ]


def test_an_exception_without_a_text_of_its_own(client: Client, target: str) -> None:
    code = "class Bad(Exception):\n    def __str__(self): raise RuntimeError('no')\nraise Bad()"
    result = client.run(target + code)
    assert result.error == "Bad: <its text could not be made>"
    assert result.traceback.split("\n")[-1] == "Bad: <exception str() failed>"


@pytest.mark.parametrize(
    ("code", "error", "shown"),
    [
        ("x = (1 +", "SyntaxError: '(' was never closed", ["    x = (1 +", "        ^"]),
        ("x = = 1", "SyntaxError: invalid syntax", ["    x = = 1", "        ^"]),
        ("return 3", "SyntaxError: 'return' outside function", ["    return 3", "    ^^^^^^^^"]),
        ("yield 3", "SyntaxError: 'yield' outside function", ["    yield 3", "    ^^^^^^^"]),
        ("break", "SyntaxError: 'break' outside loop", ["    break", "    ^^^^^"]),
        (
            "nonlocal x",
            "SyntaxError: nonlocal declaration not allowed at module level",
            ["    nonlocal x", "    ^^^^^^^^^^"],
        ),
        ("f(x for x in y, 1)", "SyntaxError: Generator expression must be parenthesized", None),
        ("x\0 = 1", "SyntaxError: source code string cannot contain null bytes", None),
    ],
)
def test_a_syntax_error_points_at_its_place(
    client: Client, target: str, first: int, code: str, error: str, shown: list[str] | None
) -> None:
    result = client.run(target + code)
    assert result.error.startswith(error)
    if shown is not None:
        count = result.reply["content"]["execution_count"]
        lines = result.traceback.split("\n")
        assert lines[0] == f"  Cell In[{count}], line {first}"
        assert lines[1:-1] == shown


def test_indentation_errors_name_their_line(client: Client, target: str, first: int) -> None:
    assert client.run(target + "if True:\nx = 1").error == (
        f"IndentationError: expected an indented block after 'if' statement on line {first} "
        f"(<In [{client.ok('1').reply['content']['execution_count'] - 1}]>, line {first + 1})"
    )
    assert client.run(target + "if True:\n\tx = 1\n        y = 2").error.startswith(
        "TabError: inconsistent use of tabs and spaces in indentation"
    )


def test_a_syntax_error_in_a_string_shows_who_runs_it(client: Client, target: str, first: int) -> None:
    where, lines = lines_of(client, target, "exec('x = = 1')")
    assert lines == [
        "Traceback (most recent call last):",
        f"  {where}, line {first}, in <module>",
        "    exec('x = = 1')",
        "    ~~~~^^^^^^^^^^^",
        '  File "<string>", line 1',
        "    x = = 1",
        "        ^",
        "SyntaxError: invalid syntax",
    ]


def test_a_syntax_error_in_a_module_shows_its_file(client: Client, target: str, tmp_path: object) -> None:
    code = f"""
import sys, pathlib
pathlib.Path({str(tmp_path)!r}, 'broken_module.py').write_text('def f(:\\n    pass\\n')
sys.path.insert(0, {str(tmp_path)!r})
try:
    import broken_module
finally:
    del sys.path[0]
"""
    result = client.run(target + code)
    assert result.error == "SyntaxError: invalid syntax (broken_module.py, line 1)"
    assert result.traceback.split("\n")[-4:] == [
        f'  File "{tmp_path}/broken_module.py", line 1',
        "    def f(:",
        "          ^",
        "SyntaxError: invalid syntax",
    ]


def test_a_recursion_is_told_in_a_few_lines(client: Client, target: str) -> None:
    where, lines = lines_of(client, target, "def f(n): return f(n + 1)\nf(0)")
    assert lines[-1] == "RecursionError: maximum recursion depth exceeded"
    assert lines[-2].startswith("  [Previous line repeated ")
    assert len(lines) < 20
    _, lines = lines_of(client, target, "def f(n):\n    return g(n)\ndef g(n):\n    return f(n + 1)\nf(0)")
    assert lines[-1] == "RecursionError: maximum recursion depth exceeded"
    assert len(lines) == 201
    assert lines[100].startswith("  [... ") and lines[100].endswith(" lines left out ...]")


NESTED = "nested = []\nfor i in range(100_000): nested = [nested]\n"


@pytest.mark.parametrize(
    "code",
    [
        "def f(n): return sorted([n], key=f)\nf(0)",
        "class R:\n    def __getattr__(self, name): return getattr(self, name + '_')\nR().x",
        "class R:\n    def __eq__(self, other): return self == R()\nR() == R()",
        NESTED + "import json; json.dumps(nested)",
        NESTED + "repr(nested)",
        NESTED + "nested == nested[:] and hash(str(nested))",
        NESTED + "import copy; copy.deepcopy(nested)",
        NESTED + "import pickle; pickle.dumps(nested)",
        NESTED + "import marshal; marshal.dumps(nested)",
        "import json; json.loads('[' * 100_000)",
        "import ast; ast.literal_eval('-' * 100_000 + '1')",
        "compile('(' * 5_000 + ')' * 5_000, 'x', 'eval')",
        "compile('-' * 100_000 + '1', 'x', 'eval')",
        "compile('.a'.join(['x'] * 100_000), 'x', 'eval')",
        "eval('+'.join(['1'] * 100_000))",
        "import re; re.compile('(' * 10_000 + ')' * 10_000)",
        "import sys; sys.setrecursionlimit(10**6)\ntry:\n    (f := lambda n: f(n + 1) + sorted([n], key=f)[0])(0)\nfinally:\n    sys.setrecursionlimit(1000)",
        "e = Exception()\nfor i in range(20_000):\n    n = Exception(); n.__cause__ = e; e = n\nraise e",
    ],
)
def test_no_depth_ends_the_kernel(client: Client, target: str, code: str) -> None:
    result = client.run(target + code)
    error = result.reply["content"]
    assert error["ename"] in ("RecursionError", "MemoryError", "SyntaxError", "ValueError", "Exception"), error["ename"]
    assert len(error["traceback"]) < 500
    assert client.ok(target + "'alive'").value == "'alive'"


def test_a_result_of_any_depth_is_dropped_and_shown(client: Client, target: str) -> None:
    result = client.ok(target + NESTED + "nested")
    assert "RecursionError" in result.stderr
    client.ok(target + "nested = _ = None\nOut.clear()")
    assert client.ok(target + "'alive'").value == "'alive'"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise MemoryError", "MemoryError: "),
        ("bytearray(10**17)", "MemoryError: "),
        ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
        ("raise KeyboardInterrupt('x')", "KeyboardInterrupt: x"),
        ("raise GeneratorExit", "GeneratorExit: "),
        ("raise StopIteration(3)", "StopIteration: 3"),
        ("raise BaseException('b')", "BaseException: b"),
        ("assert 1 == 2, 'unequal'", "AssertionError: unequal"),
        ("raise 5", "TypeError: exceptions must derive from BaseException"),
        ("class E(Exception): __module__ = 'elsewhere'\nraise E('q')", "E: q"),
    ],
)
def test_any_exception_ends_its_cell_alone(client: Client, target: str, code: str, error: str) -> None:
    assert client.run(target + code).error == error
    assert client.ok(target + "1").value == "1"


def test_the_last_exception_is_to_be_had(client: Client, target: str, first: int) -> None:
    client.run(target + "1/0", user_expressions={"bad": "[][0]"})
    code = "import sys, traceback\nprint(type(sys.last_exc).__name__, sys.last_type is sys.last_exc.__class__)\ntraceback.print_last()"
    result = client.ok(target + code)
    assert result.stdout == "ZeroDivisionError True\n"
    assert result.stderr.split("\n")[0] == "Traceback (most recent call last):"
    assert result.stderr.count("File ") == 1  # no frame of the kernel's
    client.ok(target + "1", user_expressions={"bad": "[][0]"})
    assert client.ok(target + "type(sys.last_exc).__name__").value == "'ZeroDivisionError'"


def test_excepthook_is_not_asked(client: Client, target: str) -> None:
    client.ok(target + "import sys\nsys.excepthook = lambda *a: print('hook')")
    result = client.run(target + "1/0")
    assert (result.stdout, result.error) == ("", "ZeroDivisionError: division by zero")
    client.ok(target + "sys.excepthook = sys.__excepthook__")


def test_what_a_thread_raises_is_told_under_its_cell(client: Client, target: str) -> None:
    code = "import threading\nt = threading.Thread(target=lambda: 1/0, name='worker'); t.start(); t.join()"
    result = client.ok(target + code)
    assert result.stderr.startswith("Exception in thread worker:\nTraceback (most recent call last):\n")
    assert result.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert client.ok(target + "1").stderr == ""


def test_a_thread_that_outlives_its_cell_fails_under_it(client: Client, target: str) -> None:
    code = "import threading\ngate = threading.Event()\ndef work():\n    gate.wait(); 1/0\nt = threading.Thread(target=work); t.start()"
    started = client.send(target + code)
    client.result(started)
    assert client.ok(target + "gate.set(); t.join()").stderr == ""
    client.wait_for_text(started, "ZeroDivisionError: division by zero\n")


def test_system_exit_in_a_thread_is_silent(client: Client, target: str) -> None:
    code = "import sys, threading\nt = threading.Thread(target=sys.exit, args=(3,)); t.start(); t.join()\n'on'"
    result = client.ok(target + code)
    assert (result.value, result.stderr) == ("'on'", "")


def test_an_error_in_del_is_told_and_ignored(client: Client, target: str) -> None:
    result = client.ok(target + "class D:\n    def __del__(self): 1/0\nd = D()\ndel d\n'on'")
    assert result.value == "'on'"
    assert result.stderr.startswith("Exception ignored while calling deallocator <function D.__del__ at ")
    assert result.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_an_interrupt_in_input_shows_the_cells_line_last(client: Client, target: str, first: int) -> None:
    cell = client.send(target + "input('? ')", allow_stdin=True)
    client.client.get_stdin_msg(timeout=20)
    client.interrupt()
    result = client.result(cell)
    count = result.reply["content"]["execution_count"]
    assert result.traceback.split("\n") == [
        "Traceback (most recent call last):",
        f"  Cell In[{count}], line {first}, in <module>",
        "    input('? ')",
        "    ~~~~~^^^^^^",
        "KeyboardInterrupt",
    ]


def test_the_end_of_input_is_an_error(client: Client, target: str) -> None:
    cell = client.send(target + "input('? ')", allow_stdin=True)
    client.client.get_stdin_msg(timeout=20)
    client.client.input("\x04")
    assert client.result(cell).error == "EOFError: "


def test_a_package_whose_part_is_missing_runs_once_and_has_a_traceback(
    client: Client, target: str, tmp_path: Path
) -> None:
    """CPython 3.15 imports a package again to describe a ModuleNotFoundError of a part of it."""
    (tmp_path / "broken_package").mkdir()
    (tmp_path / "broken_package/__init__.py").write_text("print('runs')\nimport broken_package.part\n")
    client.ok(f"{target}import sys\nsys.path.append({str(tmp_path)!r})")
    result = client.run(target + "import broken_package")
    assert result.stdout == "runs\n"
    assert "import broken_package.part" in plain(result.traceback)
    assert "ModuleNotFoundError: No module named 'broken_package.part'" in plain(result.traceback)
    client.ok(f"{target}sys.path.remove({str(tmp_path)!r})")
