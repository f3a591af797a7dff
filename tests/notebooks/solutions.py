"""A lesson as a reader leaves it who has predicted everything rightly and solved every exercise."""

import ast
import copy
import re

from nbformat import NotebookNode

_SOLUTION = re.compile(r"<details>\s*<summary>Solution</summary>.*?```python\n(.*?)```.*?</details>", re.DOTALL)


def is_exercise(cell: NotebookNode) -> bool:
    return "exercise" in cell.metadata.get("tags", [])


def solution_of(cell: NotebookNode) -> str | None:
    """The cell that a folded solution consists of."""
    found = _SOLUTION.search(cell.source) if cell.cell_type == "markdown" else None
    return found[1].rstrip("\n") if found else None


def calls(notebook: NotebookNode, function: str) -> list[tuple[NotebookNode, ast.Call]]:
    """The calls of one of lesson.py's functions, and the cells that they are in."""
    return [
        (cell, node)
        for cell in notebook.cells
        if cell.cell_type == "code" and f"{function}(" in cell.source
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function
    ]


def right_answers(notebook: NotebookNode) -> dict[str, object]:
    """What each prediction is checked against, by the name of its variable."""
    return {ast.unparse(call.args[0]): ast.literal_eval(call.args[1]) for _, call in calls(notebook, "check")}


def predicted(notebook: NotebookNode) -> dict[str, ast.Call]:
    """The call of `predict` that makes each prediction."""
    return {
        ast.unparse(statement.targets[0]): call
        for cell, call in calls(notebook, "predict")
        for statement in ast.parse(cell.source).body
        if isinstance(statement, ast.Assign) and ast.dump(statement.value) == ast.dump(call)
    }


def solved(notebook: NotebookNode) -> NotebookNode:
    done = copy.deepcopy(notebook)
    right = right_answers(done)
    for name, call in predicted(done).items():
        for cell in done.cells:
            if cell.cell_type == "code" and re.search(rf"^{name} = predict\(", cell.source, re.MULTILINE):
                answer = ast.get_source_segment(cell.source, call.args[2])
                assert answer is not None and "..." in answer, f"{name} is to be filled in by the reader"
                cell.source = cell.source.replace(answer, repr(right[name]))
    for cell, next_cell in zip(done.cells, done.cells[1:], strict=False):
        if is_exercise(cell):
            solution = solution_of(next_cell)
            assert solution, f"the solution stands behind {cell.id}"
            cell.source = solution
    return done
