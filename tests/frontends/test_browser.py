"""JupyterLab and Notebook 7 in a real browser, as a person uses them."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import Browser
from jupyter import JupyterServer, Notebook

pytestmark = pytest.mark.xdist_group("browser")  # one browser at a time: they take all processors
SCREENSHOTS = Path(__file__).parents[2] / "build/screenshots"
Open = Callable[..., Notebook]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


@pytest.fixture(scope="module", params=["lab", "notebook"])
def server(request: pytest.FixtureRequest) -> Iterator[JupyterServer]:
    with JupyterServer(request.param) as started:
        yield started


@pytest.fixture
def open_notebook(server: JupyterServer, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Open]:
    opened: list[Notebook] = []

    def open_one(*cells: str) -> Notebook:
        opened.append(Notebook(server, browser, list(cells)))
        return opened[-1]

    yield open_one
    for notebook in opened:
        notebook.page.screenshot(SCREENSHOTS / f"{request.node.name}.png")
        notebook.command("notebook:shutdown-kernel")
        notebook.page.close()


def test_all_cells_run_and_show_what_they_say(open_notebook: Open) -> None:
    notebook = open_notebook(
        "print('text')",
        "display({'text/html': '<b id=shown>bold</b>', 'text/plain': ''}, raw=True)",
        "%interp create alice",
        "%%interp alice\nx = 5\nx",
        "%interp",
        "raise ValueError('the last')",
    )
    notebook.run_all()
    notebook.wait_for_output(5, "ValueError: the last")
    notebook.wait_for_prompt(5, "[6]:")
    assert [notebook.prompt(i) for i in range(6)] == [f"[{i + 1}]:" for i in range(6)]
    assert notebook.output(0).strip() == "text"
    assert notebook.page.text("#shown") == "bold"
    assert notebook.output(3).split() == ["[4]:", "5"]
    rows = notebook.page.texts(".jp-OutputArea-output table tr")
    assert [row.split()[:2] for row in rows[1:]] == [["0", "main"], ["1", "alice"]]
    saved = notebook.save()
    assert saved.cells[3].outputs[0]["data"]["text/plain"] == "5"


def test_a_cell_is_written_and_run_by_hand(open_notebook: Open) -> None:
    notebook = open_notebook("")
    notebook.select(0)
    notebook.page.type("6 * 7")
    notebook.page.key("Shift+Enter")
    notebook.wait_for_output(0, "42")


def test_stop_interrupts_the_cell(open_notebook: Open) -> None:
    notebook = open_notebook("print('begun', flush=True)\nwhile True: pass", "'not run'")
    notebook.run_all()
    notebook.wait_for_output(0, "begun")
    assert notebook.prompt(0) == "[*]:"
    notebook.page.click("[data-command='notebook:interrupt-kernel']")
    notebook.wait_for_output(0, "KeyboardInterrupt")
    notebook.wait_until_idle()
    assert notebook.output(1) == ""


def test_a_restarted_kernel_is_fresh(open_notebook: Open) -> None:
    notebook = open_notebook("x = 1", "'x' in globals()")
    notebook.run_all()
    notebook.wait_for_output(1, "True")
    notebook.watch_for_restart()
    notebook.page.click("[data-command='notebook:restart-kernel']")
    notebook.page.click(".jp-Dialog .jp-mod-accept")
    notebook.page.wait_for("!document.querySelector('.jp-Dialog')", "the dialog's end")
    notebook.wait_for_restart()
    notebook.select(1)
    notebook.page.key("Shift+Enter")
    notebook.wait_for_output(1, "False")
    notebook.wait_for_prompt(1, "[1]:")


def test_tab_completes(open_notebook: Open) -> None:
    notebook = open_notebook("import math", "")
    notebook.run_all()
    notebook.page.wait_for("document.body.innerText.includes('[1]:')", "the first cell's end")
    notebook.select(1)
    notebook.page.type("math.is")
    # JupyterLab drops an answer that takes longer than a second, as the first may on a busy machine.
    notebook.wait_for_completion("isqrt")
    notebook.page.type("q")
    notebook.page.wait_for("document.querySelectorAll('.jp-Completer-item').length === 1", "what is left to choose")
    notebook.page.key("Enter")
    notebook.page.type("(16)")
    notebook.page.key("Shift+Enter")
    notebook.wait_for_output(1, "4")


def test_shift_tab_shows_the_documentation(open_notebook: Open) -> None:
    notebook = open_notebook("")
    notebook.select(0)
    notebook.page.type("len(")
    notebook.page.key("Shift+Tab")
    notebook.page.wait_for_text("Return the number of items in a container", ".jp-Tooltip")


def test_input_has_a_field(open_notebook: Open) -> None:
    notebook = open_notebook(
        "name = input('Your name: ')\nname * 2", "%%interp alice --create\nint(input('A number: ')) + 1"
    )
    notebook.run_all()
    notebook.wait_for_output(0, "Your name: ")
    notebook.answer(0, "Ada")
    notebook.wait_for_output(1, "[alice] A number: ")
    notebook.answer(1, "41")
    notebook.wait_for_output(0, "'AdaAda'")
    notebook.wait_for_output(1, "42")


def test_detached_cells_show_what_they_write_while_others_run(open_notebook: Open) -> None:
    go = f"go-{secrets.token_hex(4)}"
    notebook = open_notebook(
        "%interp create alice",
        f"%%interp alice &\nimport os, time\nprint('waits', flush=True)\nwhile not os.path.exists('{go}'): time.sleep(0.01)\nprint('went on')",
        "'runs meanwhile'",
        f"open('{go}', 'w').close()",
    )
    for index in (0, 1, 2):
        notebook.select(index)
        notebook.page.key("Shift+Enter")
    notebook.wait_for_output(1, "waits")
    notebook.wait_for_output(2, "runs meanwhile")
    assert (notebook.prompt(1), notebook.output(1).strip()) == ("[*]:", "waits")
    notebook.select(3)
    notebook.page.key("Shift+Enter")
    notebook.wait_for_output(1, "went on")
    notebook.page.wait_for("!document.body.innerText.includes('[*]:')", "the cell's end")
