"""nbclient and nbconvert: notebooks that are run by programs."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def notebook(*cells: str) -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    made.metadata["kernelspec"] = {"name": "xinterp", "display_name": "xinterp", "language": "python"}
    return made


def execute(made: nbformat.NotebookNode, **options: object) -> nbformat.NotebookNode:
    return NotebookClient(made, kernel_name="xinterp", timeout=60, **options).execute()


def texts(cell: nbformat.NotebookNode) -> list[str]:
    """What each output of a cell says."""
    return [
        output.get("text") or output.get("evalue") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    ]


def test_outputs_of_every_kind_are_gathered() -> None:
    done = execute(
        notebook(
            "print('text')\n6 * 7",
            "import sys; print('problem', file=sys.stderr)",
            "handle = display({'text/html': '<b>bold</b>', 'text/plain': 'bold'}, raw=True, display_id=True)",
            "handle.update({'text/plain': 'new'}, raw=True)",
            "print('gone'); clear_output(); print('stays')",
            "%interp create alice",
            "%%interp alice\nx = 5\nx",
            "%%interp alice,main\nprint('here')",
        )
    )
    assert [texts(cell) for cell in done.cells[:2]] == [["text\n", "42"], ["problem\n"]]
    assert [cell.execution_count for cell in done.cells] == list(range(1, 9))
    assert done.cells[1].outputs[0]["name"] == "stderr"
    assert texts(done.cells[2]) == ["new"], "an update reaches the cell that displayed it"
    assert texts(done.cells[4]) == ["stays\n"]
    assert texts(done.cells[6]) == ["5"]
    assert sorted("".join(texts(done.cells[7])).splitlines()) == ["[alice] here", "[main] here"]
    nbformat.validate(done)


def test_an_error_ends_the_run() -> None:
    made = notebook("1", "raise ValueError('no')", "3")
    with pytest.raises(CellExecutionError, match=r"raise ValueError\('no'\)"):
        execute(made)
    assert [cell.execution_count for cell in made.cells] == [1, 2, None]
    error = made.cells[1].outputs[0]
    assert (error["output_type"], error["ename"], error["evalue"]) == ("error", "ValueError", "no")


def test_with_allow_errors_it_goes_on() -> None:
    done = execute(notebook("1/0", "%%interp nobody\n1", "2"), allow_errors=True)
    assert texts(done.cells[0]) == ["division by zero"]
    assert "no interpreter 'nobody'" in texts(done.cells[1])[0]
    assert texts(done.cells[2]) == ["2"]


def test_a_cell_that_is_tagged_may_fail() -> None:
    made = notebook("1/0", "2")
    made.cells[0].metadata["tags"] = ["raises-exception"]
    assert texts(execute(made).cells[1]) == ["2"]


def test_detached_cells_run_one_after_another() -> None:
    made = notebook("%interp create alice", "%%interp alice &\nprint('detached')\n7", "%interp wait", "8")
    done = execute(made)
    assert [texts(cell) for cell in done.cells[1:]] == [["detached\n", "7"], [], ["8"]]


def test_a_cell_that_takes_too_long_is_interrupted() -> None:
    made = notebook("import time\nprint('begun')\nwhile True: time.sleep(0.01)", "2")
    done = NotebookClient(
        made,
        kernel_name="xinterp",
        timeout_func=lambda cell: 1 if "while" in cell.source else 60,
        interrupt_on_timeout=True,
        allow_errors=True,
    ).execute()
    assert done.cells[0].outputs[-1]["ename"] == "KeyboardInterrupt"
    assert texts(done.cells[1]) == ["2"]


def test_input_is_refused() -> None:
    done = execute(notebook("input('?')"), allow_errors=True)
    assert done.cells[0].outputs[-1]["ename"] == "StdinNotImplementedError"


@pytest.mark.parametrize("form", ["notebook", "html"])
def test_nbconvert_executes(tmp_path: Path, form: str) -> None:
    file = tmp_path / "test.ipynb"
    nbformat.write(notebook("%%interp alice --create\nprint('from', 'alice')", "<b>", "40 + 2"), file)
    command = [sys.executable, "-m", "nbconvert", "--execute", "--allow-errors", "--to", form, file]
    result = subprocess.run([*command, "--output", "done"], capture_output=True, text=True, timeout=110, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    if form == "html":
        page = (tmp_path / "done.html").read_text()
        assert "from alice" in page and "SyntaxError" in page and "42" in page
    else:
        done = nbformat.reads(json.dumps(json.loads((tmp_path / "done.ipynb").read_text())), as_version=4)
        assert texts(done.cells[0]) == ["from alice\n"]
        assert done.cells[1].outputs[0]["ename"] == "SyntaxError"
        assert texts(done.cells[2]) == ["42"]
