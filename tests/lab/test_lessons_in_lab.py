"""A lesson in a real JupyterLab, as its reader sees it."""

import shutil

import nbformat
import pytest
from browser import Browser
from jupyter import REPO, JupyterServer

pytestmark = pytest.mark.xdist_group("browser")  # one browser at a time: they take all processors


def test_a_lesson_shows_its_pictures_and_asks_with_its_answers_folded_away() -> None:
    with JupyterServer() as server, Browser(height=7000) as browser:  # so high that no cell is out of sight
        shutil.copy(REPO / "notebooks/lesson.py", server.folder)
        lesson = nbformat.read(REPO / "notebooks/1-isolation.ipynb", as_version=4)
        for cell in lesson.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(lesson, server.folder / "lesson.ipynb")
        page = browser.page(server.url("lesson.ipynb"))
        page.wait_for("window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
        assert "Right" not in page.text(".jp-Notebook")
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_text("Exercise 2 is not solved yet.", ".jp-RenderedHTMLCommon")
        page.wait_for("document.querySelectorAll('.jp-RenderedImage img').length === 2", "both pictures")
        assert len(page.texts(".jp-InputPlaceholder")) == sum(
            cell.metadata.get("jupyter", {}).get("source_hidden", False) for cell in lesson.cells
        )
        shown = page.text(".jp-Notebook")
        assert shown.count("Write your prediction first") == 6
        assert "A patch changes one object" not in shown, "the reason comes with the right answer"
