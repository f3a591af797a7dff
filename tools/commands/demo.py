#!/usr/bin/env python3
"""demo.py NOTEBOOK OUTPUT_FOLDER: run a notebook through the kernel it names, and show what came of it.

Writes the executed notebook and an HTML page of it into OUTPUT_FOLDER and prints one line per code cell.
Ends with 1 if a cell failed that was not tagged `raises-exception`, or if the kernel did.
"""

import argparse
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from nbformat import NotebookNode

CELL_TIMEOUT = 120  # seconds
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TARGET = re.compile(r"%%interp\s+(\w+(?:\s*,\s*\w+)*)")


class Row(NamedTuple):
    cell: str
    interpreter: str
    seconds: str
    output: str


def interpreter_of(source: str) -> str:
    """Where a cell runs: the targets of its `%%interp` line, 'kernel' for `%interp` lines alone, else 'main'."""
    lines = [line.strip() for line in source.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        return "main"
    if target := TARGET.match(lines[0]):
        return ",".join(re.split(r"\s*,\s*", target[1]))
    if all(re.match(r"%interp\b", line) for line in lines):
        return "kernel"
    return "main"


def text_of(output: NotebookNode) -> str:
    """An output as plain text, without colours."""
    if output.output_type == "stream":
        text = output.text
    elif output.output_type == "error":
        text = f"{output.ename}: {output.evalue}"
    else:
        text = output.data.get("text/plain", f"({', '.join(output.data)})")
    return COLOUR.sub("", text).strip("\n")


def first_line(cell: NotebookNode) -> str:
    for output in cell.outputs:
        if text := text_of(output):
            return text.splitlines()[0]
    return ""


def seconds(cell: NotebookNode) -> str:
    """From the kernel's `busy` to its reply; a cell that never got that far has no time."""
    stamps = cell.metadata.get("execution", {})
    try:
        begin, end = (datetime.fromisoformat(stamps[key]) for key in ("iopub.status.busy", "shell.execute_reply"))
    except KeyError:
        return "-"
    return f"{(end - begin).total_seconds():.3f} s"


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def summary(notebook: NotebookNode) -> str:
    """The table: one row per code cell, numbered as the notebook numbers them."""
    rows = [Row("cell", "interpreter", "time", "first line of output")]
    for cell in code_cells(notebook):
        number = cell.execution_count
        label = f"[{' ' if number is None else number}]"
        rows.append(Row(label, interpreter_of(cell.source), seconds(cell), first_line(cell)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row: Row, widths: list[int]) -> str:
    cell, interpreter, seconds = widths
    line = f"{row.cell:<{cell}}  {row.interpreter:<{interpreter}}  {row.seconds:>{seconds}}  {row.output[:78]}"
    return line.rstrip()


def failed_cell(notebook: NotebookNode) -> str:
    """Which cell stopped the run, in words: the last one that was started."""
    started = [cell for cell in code_cells(notebook) if "execution" in cell.metadata]
    if not started:
        return "no cell"
    number = started[-1].execution_count
    name = f"cell [{number}]" if number is not None else f"the cell that begins {started[-1].source.splitlines()[0]!r}"
    return f"{name}, in {interpreter_of(started[-1].source)},"


def execute(notebook: NotebookNode, folder: Path) -> str:
    """Runs every cell in place, with `folder` as the kernel's current directory. Returns what failed, or ''."""
    client = NotebookClient(notebook, timeout=CELL_TIMEOUT, resources={"metadata": {"path": str(folder)}})
    try:
        client.execute()
    except CellExecutionError as error:
        return f"{failed_cell(notebook)} failed: {error.ename}: {COLOUR.sub('', error.evalue)}"
    except DeadKernelError:
        return f"the kernel died: {failed_cell(notebook)} was running."
    except CellControlSignal:
        return f"{failed_cell(notebook)} did not end within {CELL_TIMEOUT} s."
    except NoSuchKernel as error:
        return f"the kernel {error.name!r}, which the notebook asks for, is not installed. `make build` builds it."
    except RuntimeError as error:  # what nbclient and jupyter_client raise for a kernel that does not come up
        return f"the kernel did not start: {error}"
    return ""


def write_results(notebook: NotebookNode, name: str, folder: Path) -> list[Path]:
    """The executed notebook, and a page of it that loads nothing from other hosts."""
    folder.mkdir(parents=True, exist_ok=True)
    executed, page = folder / f"{name}.ipynb", folder / f"{name}.html"
    nbformat.write(notebook, executed)
    exporter = HTMLExporter(mathjax_url="", require_js_url="")
    body, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": name}})
    page.write_text(body, encoding="utf-8")
    return [executed, page]


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a notebook through its kernel and show what came of it.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("output_folder", type=Path)
    arguments = parser.parse_args()
    try:
        notebook = nbformat.read(arguments.notebook, as_version=4)
    except (OSError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        print(f"demo: {arguments.notebook} cannot be read: {error}", file=sys.stderr)
        return 1
    problem = execute(notebook, arguments.notebook.parent)
    written = write_results(notebook, arguments.notebook.stem, arguments.output_folder)
    print(summary(notebook))
    print()
    print("\n".join(f"wrote {path}" for path in written))
    if problem:
        print(f"demo: {problem}", file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
