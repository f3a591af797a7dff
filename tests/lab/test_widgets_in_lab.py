"""Widgets of main and of a lane in a real JupyterLab, whose page is loaded again."""

import json
from pathlib import Path

import pytest
from browser import Browser, Page
from jupyter import REPO, JupyterServer, Notebook

pytestmark = pytest.mark.xdist_group("browser")  # one browser at a time: they take all processors
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


class Widgets:
    """A slider, a button and what the button's callback prints."""

    def __init__(self, page: Page, name: str) -> None:
        self._page = page
        self._name = name
        label = f"[...document.querySelectorAll('.widget-slider')].find(e => e.innerText.includes('{name}'))"
        self._handle = f"{label}.querySelector('.noUi-handle')"
        self._readout = f"{label}.querySelector('.widget-readout').innerText.trim()"

    def wait_for_value(self, value: int) -> None:
        self._page.wait_for(f"{self._readout} == '{value}'")

    def move(self, steps: int) -> None:
        self._page.evaluate(f"{self._handle}.focus()")
        for step in range(steps):
            if step:
                self._settle()
            self._page.key("ArrowRight")

    def _settle(self) -> None:
        """Until the kernel has what has been sent: a widget holds later values back meanwhile, but no clicks."""
        cell = json.dumps({"code": f"%%interp {self._name}\npass", "silent": True})
        kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        self._page.evaluate(f"{kernel}.requestExecute({cell}).done.then(() => true)")

    def click(self) -> None:
        self._page.click("button.widget-button", self._name)

    def wait_for_text(self, text: str) -> None:
        self._page.wait_for_text(text, ".jupyter-widgets.widget-output")


@pytest.mark.timeout(240)
def test_widgets_of_main_and_a_lane_outlive_their_page(tmp_path: Path) -> None:
    go_on = tmp_path / "go_on"
    wait = f"%%interp alice &\nimport pathlib, time\nwhile not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.02)"
    cells = ["%interp create alice", WIDGETS.format(name="main"), "%%interp alice\n" + WIDGETS.format(name="alice")]
    with JupyterServer() as server, Browser(height=1250) as browser:
        notebook = Notebook(server, browser, cells)
        page = notebook.page
        notebook.run_all()
        main, alice = Widgets(page, "main"), Widgets(page, "alice")
        main.wait_for_value(0)
        alice.wait_for_value(0)
        main.move(2)
        alice.move(3)
        main.wait_for_value(2)
        alice.wait_for_value(3)
        alice.click()  # first: what main says moves it
        main.click()
        main.wait_for_text("interpreter 0 has 2")
        alice.wait_for_text("interpreter 1 has 3")

        notebook.save()
        page.reload()
        notebook.wait_until_open(len(cells))
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
        page.screenshot(REPO / "build" / "widgets-after-reload.png")

        # Once more while alice is busy: her widgets are there, and answer when she can.
        context = "window.jupyterapp.shell.currentWidget.sessionContext"
        page.evaluate(f"{context}.session.kernel.requestExecute({{code: {json.dumps(wait)}}}) && true")
        notebook.save()
        page.reload()
        main.wait_for_value(3)
        alice.wait_for_value(4)
        alice.move(1)
        alice.click()
        main.click()
        main.wait_for_text("interpreter 0 has 3\ninterpreter 0 has 3")
        go_on.touch()
        alice.wait_for_text("interpreter 1 has 5")
