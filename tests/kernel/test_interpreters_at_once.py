"""Interpreters that several threads make, run and end at the same time, and in odd places: nothing crashes or hangs."""

from harness import Client, wait_until

AT_ONCE = (
    "import threading, _interpreters\n"
    "def at_once(*functions):\n"
    "    barrier = threading.Barrier(len(functions))\n"
    "    outcomes = []\n"
    "    def go(function):\n"
    "        barrier.wait()\n"
    "        try: outcomes.append(function())\n"
    "        except Exception as error: outcomes.append(type(error).__name__)\n"
    "    threads = [threading.Thread(target=go, args=(function,)) for function in functions]\n"
    "    for thread in threads: thread.start()\n"
    "    for thread in threads: thread.join()\n"
    "    return sorted(map(str, outcomes))\n"
)


def ids(client: Client) -> list[int]:
    """Of all interpreters, asked without making objects of them."""
    value = client.ok("import xinterp\n[row['id'] for row in xinterp.list() if row['state'] != 'closing']").value
    return [int(number) for number in (value or "[]").strip("[]").split(",")]


def test_of_two_threads_that_destroy_one_interpreter_one_succeeds(client: Client) -> None:
    client.ok(AT_ONCE)
    code = "def both():\n    i = _interpreters.create()\n    return at_once(*[lambda: _interpreters.destroy(i)] * 2)\n{tuple(both()) for _ in range(20)}"
    assert client.ok(code).value == "{('None', 'UnknownInterpreterError')}"


def test_destroying_and_closing_at_once_ends_it_once(client: Client) -> None:
    client.ok(AT_ONCE + "import xinterp")
    code = "def both():\n    i = _interpreters.create()\n    return at_once(lambda: _interpreters.destroy(i), lambda: xinterp.close(i))\n{outcome for _ in range(20) for outcome in both()} <= {'None', 'UnknownInterpreterError', 'CommandError'}"
    assert client.ok(code).value == "True"
    assert ids(client) == [0]


def test_threads_may_start_while_others_run_code_in_interpreters(client: Client) -> None:
    client.ok(AT_ONCE)
    code = (
        "made = [_interpreters.create() for _ in range(3)]\n"
        "def run(i):\n    for _ in range(3000): _interpreters.run_string(i, 'x = 1')\n"
        "def start():\n    for _ in range(600):\n        t = threading.Thread(target=int); t.start(); t.join()\n"
        "at_once(*[lambda i=i: run(i) for i in made], start, start)"
    )
    assert client.ok(code).value == "['None', 'None', 'None', 'None', 'None']"


def test_listing_while_others_make_and_destroy(client: Client) -> None:
    client.ok(AT_ONCE)
    code = (
        "def churn():\n    for _ in range(15): _interpreters.destroy(_interpreters.create())\n"
        "def look():\n    for _ in range(2000): _interpreters.list_all()\n"
        "at_once(churn, churn, look, look)"
    )
    assert client.ok(code).value == "['None', 'None', 'None', 'None']"


def test_listing_objects_takes_nothing_away_from_who_is_just_making_some(client: Client) -> None:
    client.ok(AT_ONCE + "from concurrent import interpreters")
    code = (
        "def make():\n    for _ in range(10): interpreters.create().exec('x = 1')\n"
        "def look():\n    for _ in range(300): interpreters.list_all()\n"
        "at_once(make, make, look, look)"
    )
    assert client.ok(code).value == "['None', 'None', 'None', 'None']"


def test_an_interpreter_that_ends_takes_those_along_that_only_it_refers_to(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\nfrom concurrent import interpreters\nb = interpreters.create()")
    client.ok("%interp close alice")
    wait_until(lambda: ids(client) == [0], "only main is left")


def test_a_stop_is_not_lost_while_a_visit_waits_for_the_others_gil(client: Client) -> None:
    client.ok("from concurrent import interpreters\nimport _interpreters, time\nother = interpreters.create()")
    client.ok("other.exec('import threading, time\\ndef busy():\\n    time.sleep(0.3)\\n    sum(range(30_000_000))')")
    code = "other.exec('threading.Thread(target=busy).start()')\ntime.sleep(0.4)\nprint('on')\n_interpreters.run_string(other.id, 'while True: pass')"
    cell = client.send(code)
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "


def test_a_forked_child_is_told_that_it_cannot_make_interpreters(client: Client) -> None:
    code = (
        "import os, warnings, _interpreters\nwith warnings.catch_warnings(action='ignore'):\n    pid = os.fork()\n"
        "if pid == 0:\n    try: _interpreters.create()\n    except RuntimeError as error: print(error)\n"
        "else: waited = os.waitpid(pid, 0)"
    )
    assert client.ok(code).stdout == "a forked child of the kernel cannot manage interpreters\n"


def test_nobody_ends_the_interpreter_whose_code_has_called_what_runs(client: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("import xinterp\na, b = xinterp.get('alice').id, xinterp.get('bob').id")
    ids_of_both = client.ok("print(a, b)").stdout.split()
    inner = f"import _interpreters; _interpreters.destroy({ids_of_both[0]})"
    code = f"%%interp alice\nimport threading, _interpreters\ndef work():\n    try: _interpreters.run_string({ids_of_both[1]}, {inner!r})\n    except RuntimeError as error: print(error)\nthread = threading.Thread(target=work); thread.start()\nthread.join()"
    assert client.ok(code).stdout == (
        f"cannot destroy interpreter {ids_of_both[0]}: its code has called what runs now, and waits for it\n"
    )
    inner = "import xinterp; xinterp.close('alice', force=True)"
    code = f"%%interp alice\n_interpreters.run_string({ids_of_both[1]}, {inner!r})"
    assert "this cell runs in alice: close or reset it from another interpreter" in client.run(code).error


def test_main_counts_as_running_for_everybody(client: Client) -> None:
    client.ok("%interp create alice")
    for call in (
        "call(0, len, ('abc',))",
        "run_func(0, f)",
        "exec(0, f)",
        "set___main___attrs(0, {'q': 1})",
        "exec(0, 'x')",
    ):
        result = client.run(f"%%interp alice\nimport _interpreters\ndef f(): pass\n_interpreters.{call}")
        assert result.error == "UnusableInterpreterError: interpreter already running"


def test_each_run_begins_with_fresh_context_variables_and_no_trace_function(client: Client) -> None:
    client.ok("import _interpreters\ni = _interpreters.create()")
    client.ok(
        "_interpreters.run_string(i, 'import contextvars, sys\\nv = contextvars.ContextVar(\"v\", default=0)\\nv.set(5)\\nsys.settrace(lambda *a: None)')"
    )
    assert client.ok("_interpreters.run_string(i, 'print(v.get(), sys.gettrace())')").stdout == "0 None\n"


def test_a_thread_that_comes_back_by_way_of_another_interpreter_stays_itself(client: Client) -> None:
    client.ok("%interp create alice bob")
    client.ok("import xinterp\na, b = xinterp.get('alice').id, xinterp.get('bob').id")
    a, b = client.ok("print(a, b)").stdout.split()
    inner = f"import _interpreters; _interpreters.run_string({a}, 'print(threading.current_thread().name)')"
    # alice must be idle for that: the thread goes on when her cell has ended
    code = f"%%interp alice\nimport threading, _interpreters, os\nr, w = os.pipe()\ndef work():\n    os.read(r, 1)\n    _interpreters.run_string({b}, {inner!r})\nthread = threading.Thread(target=work, name='worker')\nthread.start()\nw"
    cell = client.send(code)
    descriptor = client.result(cell).value
    client.ok(f"import os\nos.write({descriptor}, b'.')")
    client.wait_for_text(cell, "worker\n")
    code = "%%interp alice\nthread.join()\nthreading.current_thread() is threading.main_thread()"
    assert client.ok(code).value == "True"
