"""The document of `concurrent.interpreters`, sentence by sentence, in main's cells and in a lane's."""

from collections.abc import Callable

import pytest
from harness import Client, Result

type Run = Callable[[str], Result]

PREPARE = "from concurrent import interpreters\nimport xinterp\nbob = xinterp.get('bob')\n"


@pytest.fixture
def run(client: Client, target: str) -> Run:
    """Runs a cell that must succeed, in main or in alice, where bob is another interpreter."""
    client.ok("%interp create bob")
    return lambda code: client.ok(target + PREPARE + code)


def test_list_all_returns_a_list_of_interpreter_objects_one_for_each_that_exists(run: Run) -> None:
    code = "new = interpreters.create()\nfound = interpreters.list_all()\nr = type(found) is list, {type(i) is interpreters.Interpreter for i in found}, len({i.id for i in found}) == len(found), {interpreters.get_main(), interpreters.get_current(), bob, new} <= {*found}\nnew.close()\nr, new in interpreters.list_all()"
    assert run(code).value == "((True, {True}, True, True), False)"


def test_get_current_returns_the_one_that_runs(run: Run, target: str) -> None:
    code = "current = interpreters.get_current()\ntype(current) is interpreters.Interpreter, current.id == xinterp.get({!r}).id"
    assert run(code.format("alice" if target else "main")).value == "(True, True)"
    assert (
        run("bob.call(eval, '__import__(\"concurrent.interpreters\").interpreters.get_current().id') == bob.id").value
        == "True"
    )


def test_get_main_returns_the_main_interpreter(run: Run) -> None:
    assert run("interpreters.get_main()").value == "Interpreter(0)"


def test_create_initializes_a_new_idle_interpreter_and_returns_its_object(run: Run) -> None:
    code = "before = {*interpreters.list_all()}\nnew = interpreters.create()\nr = type(new) is interpreters.Interpreter, new in before, new.is_running(), new.call(eval, '1 + 1')\nnew.close()\nr"
    assert run(code).value == "(True, False, False, 2)"


def test_interpreter_is_called_with_an_id(run: Run) -> None:
    assert (
        run("interpreters.Interpreter(bob.id) is bob, interpreters.Interpreter(0) == interpreters.get_main()").value
        == "(True, True)"
    )
    code = "def refused(value):\n    try: interpreters.Interpreter(value)\n    except Exception as e: return type(e).__name__\nrefused('1'), refused(10**6)"
    assert run(code).value == "('TypeError', 'UnknownInterpreterError')"


@pytest.mark.parametrize("attribute", ["id", "whence"])
def test_id_and_whence_are_read_only(run: Run, attribute: str) -> None:
    code = f"try: bob.{attribute} = 1\nexcept AttributeError as e: print('refused')"
    assert run(code).stdout == "refused\n"


def test_id_is_the_interpreters_id(run: Run) -> None:
    assert (
        run("type(bob.id) is int, [row['id'] for row in xinterp.list() if row['name'] == 'bob'] == [bob.id]").value
        == "(True, True)"
    )


def test_whence_is_a_string_that_describes_where_it_came_from(run: Run) -> None:
    assert run(
        "new = interpreters.create()\nw = interpreters.get_main().whence, bob.whence, new.whence\nnew.close()\nw"
    ).value == ("('runtime init', '_interpreters module', '_interpreters module')")


def test_is_running_is_true_while_code_runs_in_its_main_and_false_otherwise(client: Client, run: Run) -> None:
    assert run("bob.is_running(), interpreters.get_current().is_running()").value == "(False, True)"
    assert (
        run("bob.call(eval, '__import__(\"concurrent.interpreters\").interpreters.get_current().is_running()')").value
        == "True"
    )
    cell = client.send("%%interp bob &\nprint('on')\nwhile True: pass")
    client.wait_for_text(cell, "on")
    assert run("bob.is_running()").value == "True"
    client.ok("%interp interrupt bob")
    client.result(cell)
    assert run("bob.is_running()").value == "False"


def test_close_finalizes_and_destroys(run: Run) -> None:
    code = "import os\nr, w = os.pipe()\nnew = interpreters.create()\nnew.exec(f'import atexit, os; atexit.register(os.write, {w}, b\"end\")')\nnew.close()\nos.read(r, 9), new in interpreters.list_all()"
    assert run(code).value == "(b'end', False)"
    code = "def refused(method, *args):\n    try: method(*args)\n    except interpreters.InterpreterError as e: return type(e).__mro__[1].__name__\nrefused(new.close), refused(new.exec, ''), refused(new.is_running), refused(interpreters.get_current().close)"
    assert run(code).value == (
        "('InterpreterNotFoundError',\n 'InterpreterNotFoundError',\n 'InterpreterNotFoundError',\n 'InterpreterError')"
    )


def test_prepare_main_binds_shareable_objects_in_main(run: Run) -> None:
    values = "{'a': 1, 'b': 'text', 'c': b'bytes', 'd': (1, None, True, 1.5)}"
    ask = "[bob.call(eval, name) for name in 'abcd']"
    expected = "[1, 'text', b'bytes', (1, None, True, 1.5)]"
    assert run(f"bob.prepare_main({values})\n{ask}").value == expected
    assert run(f"bob.prepare_main(ns={values})\n{ask}").value == expected
    assert run(f"bob.prepare_main(**{values})\n{ask}").value == expected
    assert run("bob.prepare_main(ns={'a': 2}, b=3)\nbob.prepare_main({'c': 4}, d=5)\n" + ask).value == "[2, 3, 4, 5]"
    assert run("bob.prepare_main(self=6)\nbob.call(eval, 'self')").value == "6"


def test_prepare_main_refuses_what_is_not_shareable_and_binds_nothing(run: Run) -> None:
    code = "try: bob.prepare_main(fine=1, lock=__import__('threading').Lock())\nexcept interpreters.NotShareableError: print('refused')\nbob.call(eval, '\"fine\" in globals()')"
    result = run(code)
    assert (result.stdout, result.value) == ("refused\n", "False")


def test_exec_runs_source_code_in_the_interpreter_in_the_current_thread(run: Run) -> None:
    code = "import threading\nbob.exec('import threading; ident = threading.get_ident(); there = 1')\nbob.call(eval, 'ident') == threading.get_ident(), bob.call(eval, 'there'), 'there' in globals()"
    assert run(code).value == "(True, 1, False)"


DEDENTED = {
    "'''\n        x = 1\n        if x:\n            x = 2\n    '''": "2",
    "'  x = 3\\n\\n  if x:\\n    y = 1\\n\\tx = 4'": None,
    "'x = 5'": "5",
    "'if True:\\n    x = 6'": "6",
    "'\\tx = 7\\n\\ty = 8\\n'": "7",
    '\'    x = """a\\n\\n    b"""\'': "'a\\n\\nb'",
    '\'x = """a\\n    b"""\'': "'a\\n    b'",
}


@pytest.mark.parametrize("source", DEDENTED)
def test_exec_dedents_the_source(run: Run, source: str) -> None:
    if DEDENTED[source] is None:
        code = f"try: bob.exec({source})\nexcept IndentationError as e: print(type(e).__name__)"
        assert run(code).stdout == "IndentationError\n"
    else:
        assert run(f"bob.exec({source})\nbob.call(eval, 'x')").value == DEDENTED[source]


def test_exec_dedents_unless_told_not_to(run: Run) -> None:
    code = "for options in ({'dedent': False}, {'dedent': True}, {}):\n    try: bob.exec('  x = 1', **options)\n    except IndentationError as e: print(type(e).__name__)\nbob.exec('x = 2', False)\nbob.exec('  x = 3', True)\nbob.call(eval, 'x')"
    result = run(code)
    assert (result.stdout, result.value) == ("IndentationError\n", "3")


def test_exec_takes_functions_and_code_as_the_standard_library_does(run: Run) -> None:
    code = "def script():\n    global z\n    z = 5\nbob.exec(script)\nbob.exec(compile('z += 1', 'c', 'exec'))\nbob.call(eval, 'z')"
    assert run(code).value == "6"
    assert run("try: bob.exec(5)\nexcept TypeError: print('refused')").stdout == "refused\n"


def test_call_returns_the_result_of_the_function_in_the_current_thread(run: Run) -> None:
    code = "import threading\ndef f(a, /, b, *, c): return a, b, c\ndef where():\n    import threading\n    return threading.get_ident()\nbob.call(f, 1, 2, c=3), bob.call(len, 'abc'), bob.call(where) == threading.get_ident()"
    assert run(code).value == "((1, 2, 3), 3, True)"


def test_the_arguments_of_call_may_have_any_names(run: Run) -> None:
    assert (
        run("def f(**names): return [*names]\nbob.call(f, self=1, callable=2, args=3)").value
        == "['self', 'callable', 'args']"
    )


def test_call_in_thread_runs_the_function_in_a_new_thread(run: Run) -> None:
    code = "import threading\nq = interpreters.create_queue()\ndef f(q, *, extra):\n    import threading\n    q.put((threading.get_ident(), extra))\nthread = bob.call_in_thread(f, q, extra=5)\nthread.join()\nident, extra = q.get()\ntype(thread) is threading.Thread, ident != threading.get_ident(), extra"
    assert run(code).value == "(True, True, 5)"


def test_the_exceptions_are_the_classes_that_the_document_says(run: Run) -> None:
    code = "i = interpreters\nissubclass(i.InterpreterError, Exception), issubclass(i.InterpreterNotFoundError, i.InterpreterError), issubclass(i.ExecutionFailed, i.InterpreterError), issubclass(i.NotShareableError, TypeError)"
    assert run(code).value == "(True, True, True, True)"


def test_interpreter_errors_are_raised_for_what_is_wrong_with_an_interpreter(run: Run) -> None:
    code = "try: interpreters.get_main().close()\nexcept interpreters.InterpreterError as e: print(type(e).__mro__[1].__name__)"
    assert run(code).stdout == "InterpreterError\n"


def test_execution_failed_has_a_snapshot_of_the_exception(run: Run) -> None:
    code = "try: bob.exec('def f(): raise KeyError(5)\\nf()')\nexcept interpreters.ExecutionFailed as e: failed = e\nfailed.excinfo.type.__name__, failed.excinfo.msg, 'in f' in failed.excinfo.errdisplay, 'Uncaught in the interpreter' in str(failed)"
    assert run(code).value == "('KeyError', '5', True, True)"
    code = "def f(): return 1 / 0\ntry: bob.call(f)\nexcept interpreters.ExecutionFailed as e: failed = e\nfailed.excinfo.type.__name__, failed.excinfo.msg"
    assert run(code).value == "('ZeroDivisionError', 'division by zero')"


def test_not_shareable_is_raised_for_what_cannot_be_sent(run: Run) -> None:
    code = "import threading\nlock = threading.Lock()\nfor send in (lambda: bob.call(len, lock), lambda: bob.prepare_main(x=lock), lambda: interpreters.create_queue().put(lock)):\n    try: send()\n    except interpreters.NotShareableError: print('refused')"
    assert run(code).stdout == "refused\nrefused\nrefused\n"


def test_interpreters_are_isolated(run: Run) -> None:
    code = "import json\njson.mark = 1\nbob.exec('import json, builtins; builtins.own = 2; x = hasattr(json, \"mark\")')\ndel json.mark\nbob.call(eval, 'x'), hasattr(__builtins__, 'own')"
    assert run(code).value == "(False, False)"


def test_there_are_no_implicit_threads(run: Run) -> None:
    code = "import os\nthreads = lambda: {*os.listdir('/proc/self/task')}\nbefore = threads()\nfor _ in range(3): bob.exec('x = 1')\nthreads() - before"
    assert run(code).value == "set()"


def test_the_documents_examples_print_what_they_say(run: Run) -> None:
    code = '''
interp = bob
interp.exec('print("spam!")')
interp.exec("""if True:
    print('spam!')
    """)
from textwrap import dedent
interp.exec(dedent("""
    print('spam!')
    """))
def run():
    print('spam!')
interp.call(run)
t = interp.call_in_thread(run)
t.join()
'''
    assert run(code).stdout == 5 * "spam!\n"


def test_what_is_replaced_can_be_inspected_as_the_standard_librarys_own(run: Run) -> None:
    code = "import inspect\nfor name in ('exec', 'prepare_main', 'call', 'call_in_thread'):\n    method = getattr(interpreters.Interpreter, name)\n    print(method.__qualname__, inspect.signature(method), bool(method.__doc__), method.__module__)"
    assert run(code).stdout.splitlines() == [
        "Interpreter.exec (self, code, /, dedent=True) True concurrent.interpreters",
        "Interpreter.prepare_main (self, /, ns=None, **kwargs) True concurrent.interpreters",
        "Interpreter.call (self, callable, /, *args, **kwargs) True concurrent.interpreters",
        "Interpreter.call_in_thread (self, callable, /, *args, **kwargs) True concurrent.interpreters",
    ]


def test_the_module_has_the_standard_librarys_names(run: Run) -> None:
    code = "sorted(set(interpreters.__all__) - set(dir(interpreters))), interpreters.__file__.endswith('concurrent/interpreters/__init__.py')"
    assert run(code).value == "([], True)"
