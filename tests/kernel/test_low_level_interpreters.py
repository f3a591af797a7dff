"""`_interpreters`: what its document says (low-level-interpreters.txt), and SPEC 4.1."""

import pytest
from harness import Client, Kernel
from python_under_test import said_by_python

MAKE = "import _interpreters\ni = _interpreters.create()\n"


@pytest.fixture
def i(client: Client) -> str:
    """The id of an interpreter that main's code has made; main calls it i."""
    return client.ok(MAKE + "i").value or ""


@pytest.fixture(params=["main", "alice"])
def caller(request: pytest.FixtureRequest, client: Client) -> str:
    """The magic line of the interpreter whose code calls: each has the module."""
    if request.param == "alice":
        client.ok("%interp create alice")
    return f"%%interp {request.param}\n"


def test_the_module_is_builtin(client: Client, caller: str) -> None:
    assert client.ok(caller + "import _interpreters\n_interpreters.__spec__.origin").value == "'built-in'"


def test_it_has_all_that_cpythons_has_with_the_same_signatures(client: Client) -> None:
    code = (
        "import sys, subprocess, _interpreters\n"
        "names = 'import _interpreters; print(*sorted(n for n in dir(_interpreters) if n[0] != \"_\"))'\n"
        "stock = subprocess.run([sys.executable, '-c', names], capture_output=True, text=True).stdout.split()\n"
        "set(stock) - set(dir(_interpreters)), sorted(n for n in set(dir(_interpreters)) - set(stock) if n[0] != '_')"
    )
    own = [
        "InterpreterIDOverflowError",
        "InterpreterIDTypeError",
        "InterpreterIDValueError",
        "RunFailedError",
        "UnknownInterpreterError",
        "UnusableInterpreterError",
        "run_string_unrestricted",
    ]
    missing, added = eval(client.ok(code).value or "", {})
    assert missing == set()
    assert added == own


def test_create_initializes_a_new_interpreter_and_returns_its_identifier(client: Client, caller: str) -> None:
    result = client.ok(
        caller + MAKE + "isinstance(i, int), (i, _interpreters.WHENCE_STDLIB) in _interpreters.list_all()"
    )
    assert result.value == "(True, True)"


def test_a_new_interpreter_is_idle_until_something_is_run_in_it(client: Client, i: str) -> None:
    assert client.ok("_interpreters.is_running(i)").value == "False"
    assert (
        client.ok("_interpreters.run_string(i, 'import _interpreters; print(_interpreters.is_running(%d))' % i)").stdout
        == "True\n"
    )


@pytest.mark.parametrize(
    ("config", "preset", "gil"),
    [("", "isolated", "own"), ("'isolated'", "isolated", "own"), ("'legacy'", "shared", "with main")],
)
def test_create_takes_the_name_of_a_configuration(client: Client, config: str, preset: str, gil: str) -> None:
    client.ok(f"import _interpreters\ni = _interpreters.create({config})")
    row = client.ok("import xinterp\n[(r['preset'], r['gil'], r['origin']) for r in xinterp.list()][-1]").value
    assert row == repr((preset, gil, "Python"))
    assert client.ok("_interpreters.get_config(i).allow_exec").value == str(config == "'legacy'")


def test_create_takes_a_configuration_of_ones_own(client: Client) -> None:
    code = "import _interpreters\ni = _interpreters.create(_interpreters.new_config('isolated', allow_exec=True))\n"
    assert client.ok(code + "_interpreters.get_config(i).allow_exec").value == "True"
    assert client.ok("import xinterp\nxinterp.list()[-1]['preset']").value == "'custom'"


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ("'fast'", "ValueError: unsupported config name 'fast'"),
        ("3", "TypeError: bad config 3"),
        (
            "_interpreters.new_config('isolated', use_main_obmalloc=True, check_multi_interp_extensions=False)",
            "UnusableInterpreterError: interpreter creation failed: one with its own GIL cannot use main's allocator "
            "(use_main_obmalloc): the two would corrupt the memory of both.",
        ),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(client: Client, config: str, error: str) -> None:
    assert client.run(f"import _interpreters\n_interpreters.create({config})").error == error


def test_destroy_finalizes_and_destroys(client: Client, caller: str) -> None:
    client.ok(caller + MAKE + "_interpreters.run_string(i, 'import atexit; atexit.register(print, \"finalized\")')")
    result = client.ok(caller + "_interpreters.destroy(i)\n(i, 5) in _interpreters.list_all()")
    assert (result.stdout, result.value) == ("finalized\n", "False")


def test_run_string_runs_the_program_in_the_interpreters_main(client: Client, caller: str) -> None:
    client.ok(caller + MAKE)
    result = client.ok(caller + "_interpreters.run_string(i, 'x = 1\\nprint(__name__, x)')")
    assert (result.stdout, result.value) == ("__main__ 1\n", None)
    assert client.ok(caller + "_interpreters.run_string(id=i, command='print(x)')").stdout == "1\n"
    assert client.ok(caller + "_interpreters.run_string(i, script='print(x)', restrict=True)").stdout == "1\n"


def test_run_string_binds_what_is_shared(client: Client, i: str) -> None:
    assert client.ok("_interpreters.run_string(i, 'print(a + 1, b)', {'a': 2, 'b': b'c'})").stdout == "3 b'c'\n"
    assert client.run("_interpreters.run_string(i, 'print(a)', shared=None)").error.startswith("TypeError")
    assert client.ok("_interpreters.run_string(i, 'print(a)', {})").stdout == "2\n"
    assert client.run("_interpreters.run_string(i, 'print(a)', {'a': object()})").status == "error"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("run_string(i, 5)", None),
        ("run_string(i)", None),
        ("run_string(i, 'x', command='y')", "TypeError"),
        (
            "run_string(i, command='x', script='y')",
            "TypeError: run_string() takes command or script, which are the same, not both",
        ),
        ("run_string(i, 'x', [1])", None),
        ("create('isolated', 1)", None),
        ("create(bad=1)", None),
        ("list_all(1)", None),
        ("list_all(bad=1)", None),
        ("run_string(i, 'x =')", "SyntaxError: invalid syntax (<script>, line 1)"),
        ("run_string(i, 'x\\0')", "SyntaxError: source code string cannot contain null bytes"),
        ("run_string(i, '\\ud800')", "UnicodeEncodeError"),
        ("exec(i, 'x =')", "SyntaxError: invalid syntax (<script>, line 1)"),
        ("run_string_unrestricted(i, 'x =')", "SyntaxError: invalid syntax (<script>, line 1)"),
        ("run_string_unrestricted(i, 'x', 3)", "TypeError: ns must be a dict or None, not int"),
    ],
)
def test_wrong_arguments_are_refused(client: Client, i: str, call: str, error: str | None) -> None:
    """In CPython's own words where no other error is given; they differ between its versions."""
    if error is None:
        error = said_by_python(
            f"import _interpreters\ni = _interpreters.create()\ntry: _interpreters.{call}\n"
            "except TypeError as error: print('TypeError:', error)"
        )
    assert client.run(f"_interpreters.{call}").error.startswith(error or "CPython accepts it")


KINDS = "RuntimeError, _interpreters.InterpreterError"


@pytest.mark.parametrize("function", ["destroy({})", "run_string({}, 'pass')", "run_string_unrestricted({}, 'pass')"])
@pytest.mark.parametrize(
    ("id", "kind"),
    [
        ("'a'", "TypeError"),
        ("-1", "ValueError"),
        ("2 ** 70", "OverflowError"),
        ("9999", "_interpreters.InterpreterNotFoundError"),
        ("0", "_interpreters.InterpreterError"),
    ],
)
def test_an_invalid_unknown_or_main_id_is_a_runtime_error_and_of_cpythons_type(
    client: Client, function: str, id: str, kind: str
) -> None:
    code = f"import _interpreters\ntry:\n    _interpreters.{function.format(id)}\nexcept RuntimeError as error:\n    caught = error\n"
    assert client.ok(code + f"all(isinstance(caught, kind) for kind in ({KINDS}, {kind}))").value == "True"


@pytest.mark.parametrize(
    "call",
    ["destroy({})", "run_string({}, 'pass')", "exec({}, 'pass')", "call({}, print)", "run_func({}, lambda: None)", "is_running({})",
     "get_config({})", "whence({})", "incref({})", "decref({})", "set___main___attrs({}, dict(a=1))"],
)  # fmt: skip
def test_every_function_knows_an_unknown_id(client: Client, call: str) -> None:
    code = f"import _interpreters\n_interpreters.{call.format(9999)}"
    assert client.run(code).error == "UnknownInterpreterError: unrecognized interpreter ID 9999"


@pytest.mark.parametrize("function", ["destroy({})", "run_string({}, 'pass')", "exec({}, 'pass')", "call({}, print)", "run_string_unrestricted({}, 'pass')"])  # fmt: skip
def test_a_running_interpreter_is_refused(client: Client, function: str) -> None:
    client.ok("%interp create alice")
    cell = client.send("%%interp alice &\nprint('on')\nopen_ = True\nwhile open_: pass")
    client.wait_for_text(cell, "on\n")
    code = f"import _interpreters, xinterp\na = xinterp.get('alice').id\ntry:\n    _interpreters.{function.format('a')}\nexcept RuntimeError as error:\n    caught = error\n"
    assert client.ok(code + f"str(caught), isinstance(caught, ({KINDS}))").value in (
        "('interpreter running', True)",
        "('interpreter already running', True)",
    )
    assert client.ok("_interpreters.is_running(a)").value == "True"
    client.ok("%interp interrupt alice")
    assert client.result(cell).status == "error"
    assert client.ok("_interpreters.is_running(a)").value == "False"


ORIGINAL_TYPES = {
    "1/0": "ZeroDivisionError: division by zero",
    "{}['k']": "KeyError: 'k'",
    "raise OSError(2, 'no', 'f')": "FileNotFoundError: [Errno 2] no: 'f'",
    "b'\\xff'.decode()": "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    "import json; json.loads('{')": "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    "raise KeyboardInterrupt": "KeyboardInterrupt: ",
    "compile('x =', 'f', 'exec')": "SyntaxError: invalid syntax (f, line 1)",
    "raise ExceptionGroup('g', [ValueError(1), ExceptionGroup('h', [KeyError(2)])])": "ExceptionGroup: g (2 sub-exceptions)",
    "import decimal; decimal.Decimal(1) / 0": "DivisionByZero: [<class 'decimal.DivisionByZero'>]",
}


@pytest.mark.parametrize("code", ORIGINAL_TYPES)
def test_the_exception_of_the_code_is_raised_here_and_of_its_own_type(client: Client, caller: str, code: str) -> None:
    client.ok(caller + MAKE + "import json, decimal")
    if "decimal" in code:  # its class says what it is by another argument
        assert client.run(caller + f"_interpreters.run_string(i, {code!r})").error.startswith("DivisionByZero")
        return
    assert client.run(caller + f"_interpreters.run_string(i, {code!r})").error == ORIGINAL_TYPES[code]


def test_it_carries_the_remote_traceback_as_a_note(client: Client, i: str) -> None:
    client.ok(
        "try:\n    _interpreters.run_string(i, 'def f():\\n    1/0\\nf()')\nexcept ZeroDivisionError as error:\n    caught = error"
    )
    (note,) = eval(client.ok("caught.__notes__").value or "", {})
    assert note.splitlines()[0] == f"Uncaught in interpreter {i}:"
    assert 'File "<script>", line 2, in f' in note
    assert note.endswith("ZeroDivisionError: division by zero")


def test_attributes_and_notes_of_the_exception_cross(client: Client, i: str) -> None:
    code = "e = ImportError('no', name='n', path='p')\ne.more = [1]\ne.add_note('look')\nraise e"
    client.ok(f"try:\n    _interpreters.run_string(i, {code!r})\nexcept ImportError as error:\n    caught = error")
    assert client.ok("caught.name, caught.path, caught.more, caught.__notes__[0]").value == "('n', 'p', [1], 'look')"


def test_no_init_of_a_user_is_called_for_it(client: Client, i: str, tmp_path: object) -> None:
    source = "class Own(Exception):\n    def __init__(self, a, b):\n        print('made')\n        super().__init__(a)\n        self.b = b\n"
    client.ok(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nopen({str(tmp_path)!r} + '/own_errors.py', 'w').write({source!r})"
    )
    raising = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport own_errors\nraise own_errors.Own(1, 2)"
    # not imported here: it cannot be had
    result = client.run(f"_interpreters.run_string(i, {raising!r})")
    assert (result.error, result.stdout) == ("RunFailedError: own_errors.Own: 1", "made\n")
    client.ok(
        f"import own_errors\ntry:\n    _interpreters.run_string(i, {raising!r})\nexcept own_errors.Own as error:\n    caught = error"
    )
    assert client.ok("caught.args, caught.b").value == "((1,), 2)"
    client.ok(f"sys.path.remove({str(tmp_path)!r})")


def test_a_class_that_cannot_be_had_here_is_a_run_failed_error_with_excinfo(client: Client, caller: str) -> None:
    client.ok(caller + MAKE)
    code = "class Own(Exception): pass\nraise Own('why')"
    client.ok(
        caller
        + f"class Own(Exception): pass\ntry:\n    _interpreters.run_string(i, {code!r})\nexcept RuntimeError as error:\n    caught = error"
    )
    result = client.ok(
        caller
        + "type(caught) is _interpreters.RunFailedError, str(caught), caught.excinfo.type.__name__, caught.excinfo.msg"
    )
    assert result.value == "(True, 'Own: why', 'Own', 'why')"


def test_system_exit_comes_to_the_caller_and_the_kernel_lives(client: Client, i: str) -> None:
    client.ok(
        "try:\n    _interpreters.run_string(i, 'raise SystemExit(3)')\nexcept SystemExit as error:\n    caught = error"
    )
    assert client.ok("caught.code").value == "3"
    assert client.run("_interpreters.run_string(i, 'import sys; sys.exit()')").error.startswith("SystemExit")
    assert client.ok("_interpreters.run_string(i, 'print(1)')").stdout == "1\n"


def test_the_documents_own_threading_example_works_in_a_cell(client: Client, caller: str) -> None:
    code = (
        "import _interpreters, threading\n"
        "id = _interpreters.create()\n"
        "def f():\n"
        "    _interpreters.run_string(id, 'print(\"in a thread\")')\n"
        "\n"
        "t = threading.Thread(target=f)\n"
        "t.start()\n"
        "t.join()"
    )
    assert client.ok(caller + code).stdout == "in a thread\n"


def test_run_string_runs_in_the_calling_thread(client: Client, caller: str) -> None:
    client.ok(caller + MAKE + "import threading")
    code = "import threading; print(threading.get_ident())"
    assert client.ok(
        caller + f"print(threading.get_ident())\n_interpreters.run_string(i, {code!r})"
    ).stdout.split() == 2 * [client.ok(caller + "print(threading.get_ident())").stdout.strip()]


def test_whoever_runs_it_is_the_main_thread_of_the_interpreter(client: Client, i: str) -> None:
    code = "import threading; print(threading.current_thread() is threading.main_thread(), threading.main_thread().ident == threading.get_ident())"
    run = f"_interpreters.run_string(i, {code!r})"
    true = "True True\n"
    assert client.ok(run).stdout == true
    assert (
        client.ok(f"import threading\nt = threading.Thread(target=lambda: {run}); t.start(); t.join()").stdout == true
    )
    assert client.ok(f"%%interp {i}\n{code}").stdout == true
    assert client.ok(run).stdout == true
    assert (
        client.ok(f"_interpreters.call(i, eval, ({code.split('; ')[1]!r}, {{'threading': None}}))[1] is None").value
        == "False"
    )
    assert client.ok(run).stdout == true


def test_run_string_unrestricted_returns_a_copy_and_says_what_did_not_cross(client: Client, caller: str) -> None:
    client.ok(caller + MAKE)
    code = "y = [1, 2]\nimport sys\nlock = __import__('threading').Lock()"
    client.ok(caller + f"namespace = _interpreters.run_string_unrestricted(i, {code!r})")
    assert client.ok(caller + "isinstance(namespace, dict), namespace['y'], sorted(namespace.refused)").value == (
        "(True, [1, 2], ['lock'])"
        if "module" not in client.ok(caller + "namespace.refused").value
        else "(True, [1, 2], ['lock', 'sys'])"  # type: ignore[operator]
    )
    assert client.ok(caller + "namespace.refused['lock']").value == "\"lock: cannot pickle '_thread.lock' object\""
    client.ok(caller + "namespace['y'].append(3)")
    assert client.ok(caller + "_interpreters.run_string(i, 'print(y)')").stdout == "[1, 2]\n"


def test_run_string_unrestricted_merges_a_namespace_before_it_runs(client: Client, caller: str) -> None:
    client.ok(caller + MAKE)
    assert (
        client.ok(caller + "_interpreters.run_string_unrestricted(i, 'z = a + b', {'a': 1, 'b': 2})['z']").value == "3"
    )
    error = client.run(
        caller
        + "_interpreters.run_string_unrestricted(i, 'print(1)', ns={'a': 1, 'lock': __import__('_thread').allocate_lock()})"
    )
    assert (
        error.error
        == "NotShareableError: ns cannot cross to the other interpreter: lock (lock: cannot pickle '_thread.lock' object)"
    )
    assert error.stdout == ""


def test_run_string_unrestricted_raises_as_run_string_does(client: Client, i: str) -> None:
    assert client.run("_interpreters.run_string_unrestricted(i, '1/0')").error == "ZeroDivisionError: division by zero"


def test_between_interpreters_that_share_gil_and_allocator_it_is_the_live_dict(client: Client) -> None:
    client.ok("import _interpreters\ni = _interpreters.create('legacy')\nclass C: pass\nc = C()")
    client.ok("namespace = _interpreters.run_string_unrestricted(i, 'd = []; c.seen = 1', {'c': c})")
    client.ok("namespace['d'].append(5)")
    assert client.ok("_interpreters.run_string(i, 'print(d)')").stdout == "[5]\n"
    assert client.ok("c.seen, namespace['c'] is c").value == "(1, True)"


def test_an_interpreter_whose_live_namespace_is_out_stays(client: Client) -> None:
    client.ok(
        "import _interpreters\ni = _interpreters.create('legacy')\nnamespace = _interpreters.run_string_unrestricted(i, 'd = object()')"
    )
    assert client.run("_interpreters.destroy(i)").error == (
        f"UnusableInterpreterError: interpreter {client.ok('i').value} cannot be destroyed: run_string_unrestricted has handed "
        "out its namespace, whose objects may still be in use"
    )
    assert "its memory; it stays in use until the kernel stops" in client.ok("%interp close {i}").stdout
    assert client.ok("del _interpreters\nnamespace['d'].__class__").value == "object"


BROKEN = "class E(SyntaxError):\n    lineno = property(lambda self: 1 / 0)\n"
LEAVING = {
    "exec": "_interpreters.exec(i, broken + 'raise E')",
    "exec of a function": "_interpreters.exec(i, script)",
    "call": "interpreter.call(function)",
    "capture_exception": "_interpreters.capture_exception(E())",
}


@pytest.mark.parametrize("code", LEAVING.values(), ids=LEAVING)
def test_an_exception_whose_class_raises_when_it_is_described_breaks_nothing(fresh: Kernel, code: str) -> None:
    client = fresh.client
    client.ok(
        f"import _interpreters, concurrent.interpreters as ci\ninterpreter = ci.create(); i = interpreter.id\n{BROKEN}"
        f"broken = {BROKEN!r}\ndef script():\n    class E(SyntaxError): lineno = property(lambda self: 1 / 0)\n    raise E\n"
        "def function(): raise E"
    )
    # CPython's own heap breaks after some of these.
    client.ok(f"for _ in range(300):\n    try: {code}\n    except ci.ExecutionFailed: pass")
    client.ok("interpreter.exec('x = [[j] for j in range(10_000)]; import json, re, ast')")
    client.ok("x = [[j] for j in range(10_000)]; import json, re, ast")
    assert client.ok("_interpreters.run_string(i, 'assert len(x) == 10_000')").status == "ok"


def test_such_an_exception_is_told_by_its_type(client: Client) -> None:
    client.ok("import _interpreters\ni = _interpreters.create()")
    told = client.ok(f"told = _interpreters.exec(i, {BROKEN + 'raise E'!r})\ntold.type.__name__, told.errdisplay").value
    assert told == "('E', 'RuntimeError: the traceback of E could not be made')"


def test_describing_an_exception_can_be_stopped(client: Client) -> None:
    client.ok("import _interpreters\ni = _interpreters.create()")
    endless = "class E(Exception):\n    def __str__(self):\n        print('on')\n        while True: pass\nraise E"
    cell = client.send(f"_interpreters.exec(i, {endless!r})")
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.ok("_interpreters.run_string(i, '1')").status == "ok"
