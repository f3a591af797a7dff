"""A lesson in a real JupyterLab, as its reader sees it."""

import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from browser import Browser
from jupyter import REPO, JupyterServer
from nbformat import NotebookNode

sys.path.append(str(REPO / "tools/commands"))
from demo import code_cells  # noqa: E402
from lessons import shown  # noqa: E402

pytestmark = pytest.mark.xdist_group("browser")  # one browser at a time: they take all processors
LESSONS = sorted((REPO / "notebooks").glob("[1-8]*.ipynb"))


def without_outputs(file: Path) -> NotebookNode:
    lesson = nbformat.read(file, as_version=4)
    for cell in code_cells(lesson):
        cell.outputs, cell.execution_count = [], None
    return lesson


def test_a_lesson_shows_its_pictures_and_asks_with_its_answers_folded_away() -> None:
    with JupyterServer() as server, Browser(height=7000) as browser:  # so high that no cell is out of sight
        shutil.copy(REPO / "notebooks/lesson.py", server.folder)
        lesson = without_outputs(REPO / "notebooks/1-isolation.ipynb")
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
        read = page.text(".jp-Notebook")
        assert read.count("Write your prediction first") == 6
        assert "A patch changes one object" not in read, "the reason comes with the right answer"


@pytest.mark.timeout(300)
def test_every_lesson_shows_there_what_is_stored_in_it() -> None:
    with JupyterServer() as server, Browser() as browser:
        shutil.copy(REPO / "notebooks/lesson.py", server.folder)
        for file in LESSONS:
            opened = server.folder / file.name
            nbformat.write(without_outputs(file), opened)
            page = browser.page(server.url(file.name))
            widget = "window.jupyterapp.shell.currentWidget"
            page.wait_for(f"{widget}?.sessionContext?.session?.kernel?.status === 'idle'", file.name)
            page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
            stored = nbformat.read(file, as_version=4)
            for index, cell in enumerate(stored.cells):
                if cell.cell_type == "code":  # those that are out of sight are in the notebook's model alone
                    done = f"{widget}.content.model.cells.get({index})"
                    page.wait_for(f"{done}.executionCount && {done}.executionState === 'idle'", cell.id)
            page.evaluate("window.jupyterapp.commands.execute('docmanager:save').then(() => true)")
            ran = nbformat.read(opened, as_version=4)
            assert {cell.id: shown(cell) for cell in code_cells(ran)} == {
                cell.id: shown(cell) for cell in code_cells(stored)
            }
