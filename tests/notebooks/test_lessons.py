"""Every lesson is run through the real kernel: as it is, twice, and with all predictions and solutions filled in."""

import copy
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

sys.path[:0] = [str(Path(__file__).parents[2] / "tools/commands"), str(Path(__file__).parent)]
from demo import code_cells, text_of  # noqa: E402
from lessons import run, shown  # noqa: E402
from solutions import calls, is_exercise, predicted, right_answers, solution_of, solved  # noqa: E402

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LESSONS = [file for file in NOTEBOOKS if file.name[0] in "12345678"]
each_notebook = pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
each_lesson = pytest.mark.parametrize("file", LESSONS, ids=lambda file: file.stem)


def read(file: Path) -> NotebookNode:
    return nbformat.read(file, as_version=4)


def execute(notebook: NotebookNode, spec: str = "xinterp") -> None:
    notebook.metadata.kernelspec.name = spec
    assert run(notebook, FOLDER) == ""


@pytest.mark.timeout(300)
@each_notebook
def test_it_shows_what_is_stored_in_it_also_a_second_time_in_the_same_kernel(file: Path, spec: str) -> None:
    stored = read(file)
    twice = copy.deepcopy(stored)
    again = copy.deepcopy(stored).cells
    for cell in again:
        cell.id += "-again"
    twice.cells += again
    execute(twice, spec)
    cells, done = code_cells(stored), code_cells(twice)
    for turn in (done[: len(cells)], done[len(cells) :]):
        assert {cell.id: shown(ran) for cell, ran in zip(cells, turn, strict=True)} == {
            cell.id: shown(cell) for cell in cells
        }


@pytest.mark.timeout(300)
@each_lesson
def test_with_the_solutions_filled_in_every_check_says_that_it_is_right(file: Path) -> None:
    notebook = solved(read(file))
    execute(notebook)
    verdicts = {cell.id: cell for function in ("check", "verify") for cell, _ in calls(notebook, function)}
    said = {name: text_of(cell.outputs[-1]) for name, cell in verdicts.items()}
    assert {name: text for name, text in said.items() if not text.startswith("Right")} == {}


@each_lesson
def test_every_prediction_and_exercise_is_checked(file: Path) -> None:
    notebook = read(file)
    predictions, right = predicted(notebook), right_answers(notebook)
    assert predictions.keys() == right.keys() and len(right) >= 2
    for position, cell in enumerate(notebook.cells):
        if is_exercise(cell):
            assert solution_of(notebook.cells[position + 1]), cell.id
    exercises = [cell.id for cell in notebook.cells if is_exercise(cell)]
    assert 2 <= len(exercises) <= 4
    assert len(calls(notebook, "verify")) == len(exercises)


@each_lesson
def test_before_anything_is_filled_in_nothing_is_said_to_be_right(file: Path) -> None:
    notebook = read(file)
    for function, said in (("check", "Write your prediction first"), ("verify", "is not solved yet")):
        for cell, _ in calls(notebook, function):
            assert said in text_of(cell.outputs[-1]), cell.id


@each_lesson
def test_it_is_a_lesson_of_a_quarter_of_an_hour_with_pictures_and_a_way_on(file: Path) -> None:
    notebook = read(file)
    assert 12 <= len(notebook.cells) <= 30
    assert any("image/png" in output.get("data", {}) for cell in code_cells(notebook) for output in cell.outputs)
    last = notebook.cells[-1].source
    assert "What to remember" in last
    assert 3 <= len(re.findall(r"^- ", last, re.MULTILINE)) <= 5
    links = re.findall(r"\]\(([^)#]+\.(?:ipynb|md))\)", last)
    assert links and all((FOLDER / link).exists() for link in links)


@each_notebook
def test_it_is_stored_tidily(file: Path) -> None:
    notebook = read(file)
    nbformat.validate(notebook)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3.14 (xinterp)", "language": "python", "name": "xinterp"},
        "language_info": {"name": "python"},
    }
    assert [cell.id for cell in notebook.cells if not re.fullmatch(r"[a-z][a-z0-9-]+", cell.id)] == []
    assert [cell.id for cell in code_cells(notebook) if not cell.execution_count] == []
    assert file.stat().st_size < 400_000
