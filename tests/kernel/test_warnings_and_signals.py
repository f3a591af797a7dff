"""Warnings under the cell whose line they are about; signals, timers and faulthandler in main."""

from pathlib import Path

import pytest
from harness import WAIT, Client, Kernel, Result, plain


@pytest.fixture
def first(target: str) -> int:
    """The number of the code's first line in its cell."""
    return 2 if target else 1


def where(result: Result, line: int) -> str:
    return f"<In [{result.reply['content']['execution_count']}]>:{line}"


def test_a_warning_shows_the_cells_line_once(client: Client, target: str, first: int) -> None:
    code = "import warnings\nfor i in range(3): warnings.warn('careful')"
    for _ in range(2):  # a cell that is run again warns again
        result = client.ok(target + code)
        assert result.stderr == f"{where(result, first + 1)}: UserWarning: careful\n  {code.split(chr(10))[1]}\n"


def test_deprecations_are_shown_where_the_cell_is_to_blame(client: Client, target: str, first: int) -> None:
    code = "import warnings\ndef old(): warnings.warn('use new', DeprecationWarning, stacklevel=2)\nold()"
    result = client.ok(target + code)
    assert result.stderr == f"{where(result, first + 2)}: DeprecationWarning: use new\n  old()\n"


def test_a_warning_of_a_function_names_the_cell_that_defined_it(client: Client, target: str, first: int) -> None:
    defined = client.ok(target + "import warnings\ndef warn(): warnings.warn('late')")
    for _ in range(2):  # in every cell anew
        result = client.ok(target + "warn(); warn()")
        assert result.stderr == f"{where(defined, first + 1)}: UserWarning: late\n  def warn(): warnings.warn('late')\n"


def test_warnings_of_the_compiler_come_once(client: Client, target: str, first: int) -> None:
    result = client.ok(target + "x = 1\nx is 1")
    assert result.stderr == (
        f'{where(result, first + 1)}: SyntaxWarning: "is" with \'int\' literal. Did you mean "=="?\n  x is 1\n'
    )
    assert result.value == "True"


def test_warnings_can_be_errors(client: Client, target: str) -> None:
    code = (
        "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('error')\n    warnings.warn('now')"
    )
    assert client.run(target + code).error == "UserWarning: now"


def test_a_warning_of_a_thread_is_its_cells(client: Client, target: str) -> None:
    code = "import threading, warnings\ngate = threading.Event()\nt = threading.Thread(target=lambda: (gate.wait(), warnings.warn('threaded'))); t.start()"
    started = client.send(target + code)
    client.result(started)
    assert client.ok(target + "gate.set(); t.join()").stderr == ""
    client.wait_for_text(started, "UserWarning: threaded\n")


def test_a_signal_handler_of_main_is_called(client: Client) -> None:
    code = """
import os, signal
def handle(number, frame): print('signal', number, frame.f_code.co_name)
kept = signal.signal(signal.SIGUSR1, handle)
os.kill(os.getpid(), signal.SIGUSR1)
kept = signal.signal(signal.SIGUSR1, kept)
"""
    assert client.ok(code).stdout == "signal 10 <module>\n"


@pytest.mark.parametrize("timer", ["signal.alarm(1)", "signal.setitimer(signal.ITIMER_REAL, 0.02)"])
def test_timers_of_main_ring(client: Client, timer: str) -> None:
    code = f"""
import signal, time
class Rung(Exception): pass
def ring(*arguments): raise Rung
kept = signal.signal(signal.SIGALRM, ring)
{timer}
try:
    time.sleep(60)
except Rung:
    print('rung')
finally:
    signal.signal(signal.SIGALRM, kept)
"""
    assert client.ok(code).stdout == "rung\n"


def test_a_handler_for_stop_lasts_as_long_as_its_cell(client: Client) -> None:
    code = """
import signal, time
stopped = []
signal.signal(signal.SIGINT, lambda *arguments: stopped.append(1))
print('on')
while not stopped: time.sleep(0.01)
print('handled')
"""
    cell = client.send(code)
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    assert client.result(cell).stdout == "on\nhandled\n"
    assert client.ok("signal.getsignal(signal.SIGINT) is signal.default_int_handler").value == "True"
    cell = client.send("print('on')\ntime.sleep(60)")
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "


def test_signal_handlers_are_mains(client: Client) -> None:
    client.ok("%interp create alice")
    assert client.run("%%interp alice\nimport signal\nsignal.signal(signal.SIGUSR1, print)").error == (
        "ValueError: signal only works in main thread of the main interpreter"
    )


def test_faulthandler_writes_under_its_cell(client: Client) -> None:
    result = client.ok("import faulthandler\nfaulthandler.enable()\nfaulthandler.dump_traceback(all_threads=False)")
    count = result.reply["content"]["execution_count"]
    lines = plain(result.stderr).split("\n")
    assert "Stack (most recent call first):" in lines
    assert f'  File "<In [{count}]>", line 3 in <module>' in lines
    assert client.ok("faulthandler.is_enabled()").value == "True"
    client.ok("faulthandler.disable()")


def test_faulthandler_dumps_later(client: Client, tmp_path: Path) -> None:
    cell = client.send(
        "import faulthandler\nfaulthandler.dump_traceback_later(0.01)\n"
        + WAIT.format(go=tmp_path / "go")
        + "faulthandler.cancel_dump_traceback_later()"
    )
    client.wait_for_text(cell, "Timeout (0:00:00.010000)!\n")
    client.let_go(tmp_path / "go")
    client.result(cell)


def test_faulthandler_does_what_it_can_in_other_interpreters(client: Client) -> None:
    client.ok("%interp create alice")
    code = "import faulthandler, sys, threading\nprint(faulthandler.is_enabled())\nfaulthandler.enable(sys.stderr)\n"
    code += "faulthandler.dump_traceback(all_threads=False)\n(faulthandler.is_enabled(), faulthandler.disable())"
    result = client.ok("%%interp alice\n" + code)
    count = result.reply["content"]["execution_count"]
    assert result.stderr == f'Stack (most recent call first):\n  File "<In [{count}]>", line 5 in <module>\n'
    assert (result.stdout, result.value) == ("False\n", "(True, True)")
    client.ok("%%interp alice\nimport signal\nfaulthandler.register(signal.SIGUSR1)")
    assert client.ok("%%interp alice\nfaulthandler.unregister(signal.SIGUSR1)").value == "False"


def test_faulthandler_dumps_later_in_other_interpreters(client: Client, tmp_path: Path) -> None:
    client.ok("%interp create alice")
    code = "import faulthandler\nfaulthandler.dump_traceback_later(0.01)\n" + WAIT.format(go=tmp_path / "go")
    cell = client.send(f"%%interp alice\n{code}faulthandler.cancel_dump_traceback_later()")
    client.wait_for_text(cell, "Timeout (0:00:00.010000)!\n")
    client.wait_for_text(cell, "in <module>\n")
    client.let_go(tmp_path / "go")
    client.result(cell)
    client.ok("%%interp alice\nfaulthandler.dump_traceback_later(600, repeat=True)")
    assert client.ok("%interp close alice").stdout == "closed alice.\n"


@pytest.mark.parametrize("module", ["joblib", "tracemalloc", "pytest"])
def test_what_wants_the_processs_modules_is_imported_in_other_interpreters(client: Client, module: str) -> None:
    client.ok("%interp create alice")
    client.ok(f"%%interp alice\nimport {module}")


@pytest.mark.parametrize("place", ["main", "alice"])
def test_pytest_runs_in_a_cell(fresh: Kernel, place: str, tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_that_passes():\n    pass\n")
    target = "%%interp alice\n" if place == "alice" else ""
    if target:
        fresh.client.ok("%interp create alice")
    run = f"import pytest\npytest.main(['-q', '-p', 'no:cacheprovider', {str(tmp_path)!r}])"
    assert fresh.client.ok(target + run).value == "<ExitCode.OK: 0>"


def test_an_interpreter_is_closed_while_tracemalloc_traces(fresh: Kernel) -> None:
    client = fresh.client
    client.ok("%interp create alice")
    client.ok("import tracemalloc\ntracemalloc.start(9)")
    client.ok("%%interp alice\nkept = [str(i) * 9 for i in range(9999)]")
    refused = client.run("%%interp alice\nimport tracemalloc\ntracemalloc.start()").error
    assert refused.startswith("RuntimeError: tracemalloc traces all interpreters: start it in main")
    assert client.ok("%%interp alice\ntracemalloc.stop()\ntracemalloc.is_tracing()").value == "False"
    remark = "tracemalloc has traced its memory; it stays in use until the kernel stops."
    assert client.ok("%interp close alice").stdout == f"closed alice. But {remark}\n"
    client.ok("%interp create bob")
    found = (
        "snapshot = tracemalloc.take_snapshot()\nlen(snapshot.statistics('traceback')) > 9, tracemalloc.is_tracing()"
    )
    assert client.ok(found).value == "(True, True)"
    client.client.shutdown()
    assert fresh.wait_for_end(20)
    assert fresh.manager.provisioner.process.returncode == 0
