"""Widgets of main and of a lane in a real JupyterLab, whose page is loaded again."""

import json
from pathlib import Path

import nbformat
import pytest
from browser import REPO, Browser, Lab

WIDGETS = """\
import ipywidgets as widgets
from concurrent import interpreters

slider = widgets.IntSlider(max=9, description="{name}")
button = widgets.Button(description="{name}")
told = widgets.Output()

@button.on_click
def clicked(button):
    with told:
        print("interpreter", interpreters.get_current().id, "has", slider.value)

widgets.VBox([slider, button, told])
"""


NOTEBOOK = "[...jupyterapp.shell.widgets('main')].find(widget => widget.sessionContext)"


class Widgets:
    """A slider, a button and what the button's callback prints."""

    def __init__(self, browser: Browser, name: str) -> None:
        self._browser = browser
        label = f"[...document.querySelectorAll('.widget-slider')].find(e => e.innerText.includes('{name}'))"
        self._handle = f"{label}.querySelector('.noUi-handle')"
        self._readout = f"{label}.querySelector('.widget-readout').innerText.trim()"
        self._button = (
            f"[...document.querySelectorAll('button.widget-button')].find(e => e.innerText.trim() == '{name}')"
        )

    def wait_for_value(self, value: int) -> None:
        self._browser.wait_for(f"{self._readout} == '{value}'")

    def move(self, steps: int) -> None:
        self._browser.evaluate(f"{self._handle}.focus()")
        self._browser.press("ArrowRight", steps)

    def click(self) -> None:
        self._browser.click(self._button)

    def wait_for_text(self, text: str) -> None:
        self._browser.wait_for(
            f"[...document.querySelectorAll('.jupyter-widgets.widget-output')].some(e => e.innerText.includes({json.dumps(text)}))"
        )


def write_notebook(path: Path, cells: list[str]) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "xinterp", "display_name": "xinterp", "language": "python"}},
    )
    nbformat.write(notebook, path)


def wait_until_ready(browser: Browser) -> None:
    browser.wait_for(f"{NOTEBOOK}.sessionContext.session.kernel.status == 'idle'")
    browser.evaluate(f"jupyterapp.shell.activateById({NOTEBOOK}.id)")


@pytest.mark.timeout(240)
def test_widgets_of_main_and_a_lane_outlive_their_page(tmp_path: Path) -> None:
    folder, home, go_on = tmp_path / "work", tmp_path / "home", tmp_path / "go_on"
    folder.mkdir()
    home.mkdir()
    wait = f"%%interp alice &\nimport pathlib, time\nwhile not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.02)"
    cells = ["%interp create alice", WIDGETS.format(name="main"), "%%interp alice\n" + WIDGETS.format(name="alice")]
    write_notebook(folder / "widgets.ipynb", cells)
    with Lab(folder, home) as lab, Browser(home) as browser:
        browser.open(lab.address("widgets.ipynb"))
        wait_until_ready(browser)
        browser.run("notebook:run-all-cells")
        main, alice = Widgets(browser, "main"), Widgets(browser, "alice")
        main.wait_for_value(0)
        alice.wait_for_value(0)
        main.move(2)
        alice.move(3)
        main.wait_for_value(2)
        alice.wait_for_value(3)
        main.click()
        alice.click()
        main.wait_for_text("interpreter 0 has 2")
        alice.wait_for_text("interpreter 1 has 3")

        browser.run("docmanager:save")
        browser.reload()
        wait_until_ready(browser)
        main.wait_for_value(2)
        alice.wait_for_value(3)
        main.wait_for_text("interpreter 0 has 2")
        alice.wait_for_text("interpreter 1 has 3")
        alice.move(1)
        main.move(1)
        alice.click()
        main.click()
        main.wait_for_text("interpreter 0 has 3")
        alice.wait_for_text("interpreter 1 has 4")
        browser.photograph(REPO / "build" / "widgets-after-reload.png")

        # Once more while alice is busy: her widgets are there, and answer when she can.
        browser.evaluate(
            f"{NOTEBOOK}.sessionContext.session.kernel.requestExecute({{code: {json.dumps(wait)}}}) && true"
        )
        browser.run("docmanager:save")
        browser.reload()
        main.wait_for_value(3)
        alice.wait_for_value(4)
        alice.move(1)
        alice.click()
        main.click()
        main.wait_for_text("interpreter 0 has 3\ninterpreter 0 has 3")
        go_on.touch()
        alice.wait_for_text("interpreter 1 has 5")
