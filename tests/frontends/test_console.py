"""`jupyter console`, as a person uses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from console import CONTROL_C, TAB, UP, Console
from harness import is_running, wait_until


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history of its own."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


@pytest.fixture
def console() -> Iterator[Console]:
    with Console() as started:
        yield started


def test_it_greets_with_what_this_kernel_is(console: Console) -> None:
    assert "xinterp" in console.greeting and "%interp help" in console.greeting
    assert "XEUS" not in console.greeting and "[process]" not in console.greeting


def test_cells_run_and_show_their_results(console: Console) -> None:
    assert "Out[1]: 42" in console.run("40 + 2", 1)
    assert "hello" in console.run("print('hello')", 2)
    assert "ZeroDivisionError: division by zero" in console.run("1/0", 3)


def test_input_of_several_lines(console: Console) -> None:
    console.press("for i in range(3):\r")
    console.wait_for("...: ")
    console.press("print('line', i)\r")
    console.wait_for("...: ")
    console.press("\r")
    shown = console.wait_for("In [2]: ")
    assert [f"line {i}" in shown for i in range(3)] == [True] * 3


def test_cells_run_in_other_interpreters(console: Console) -> None:
    assert "created alice" in console.run("%interp create alice", 1)
    console.press("%%interp alice\r")
    console.wait_for("...: ")
    console.press("x = 6\r")
    console.wait_for("...: ")
    console.press("\r")
    console.wait_for("In [3]: ")
    assert "x exists in alice" in console.run("x", 3)
    console.run("%interp use alice", 4)
    assert "Out[5]: 6" in console.run("x", 5)


def test_tab_completes(console: Console) -> None:
    console.run("import math", 1)
    console.press("math.flo" + TAB)
    console.wait_for("math.floor")
    console.press("(2.5)\r")
    assert "Out[2]: 2" in console.wait_for("In [3]: ")


def test_a_question_mark_shows_the_documentation(console: Console) -> None:
    assert "Return the number of items in a container." in console.run("len?", 1)


def test_input_is_asked_for(console: Console) -> None:
    console.press("name = input('Your name: ')\r")
    console.wait_for("\nYour name: ")
    console.press("Ada\r")
    console.wait_for("In [2]: ")
    assert "Out[2]: 'Ada'" in console.run("name", 2)


def test_control_c_interrupts_the_cell(console: Console) -> None:
    console.press("print('be' + 'gun', flush=True); exec('while True: pass')\r")
    console.wait_for("begun")
    console.press(CONTROL_C)
    assert "KeyboardInterrupt" in console.wait_for("In [2]: ")
    assert "Out[2]: 5" in console.run("2 + 3", 2)


def test_the_up_arrow_recalls_the_cells_of_an_earlier_console() -> None:
    with Console() as first:
        first.run("20 + 1", 1)
        shown = first.run("print('the' + ' last', __import__('os').getpid())", 2)
        process = int(shown.split("the last ")[1].split()[0])
        first.leave()
        wait_until(lambda: not is_running(process), "the kernel ends, which writes its history")
    with Console() as second:
        second.press(UP)
        second.wait_for("print('the' + ' last', __import__('os').getpid())")
        second.press(UP)
        second.wait_for("20 + 1")
        second.press("\r")
        assert "Out[1]: 21" in second.wait_for("In [2]: ")


def test_control_d_ends_the_console_and_its_kernel(console: Console) -> None:
    console.press("import os; os.getpid()\r")
    shown = console.wait_for("In [2]: ")
    process = int(shown.split("Out[1]: ")[1].split()[0])
    console.leave()
    wait_until(lambda: not is_running(process), "the kernel ends")
