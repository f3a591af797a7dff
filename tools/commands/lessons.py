#!/usr/bin/env python3
"""lessons.py [--all] NOTEBOOK...: run lessons through the kernel and store in them what they show.

A cell that shows what it showed before, but for times and the like, keeps its outputs, so that a difference in the
stored notebooks is one in what a reader sees. Pictures are not looked into: --all stores everything, for when they are
drawn in another way. Ends with 1 if a notebook failed; that one stays as it was.
"""

import argparse
import copy
import re
import sys
from pathlib import Path

import nbformat
from demo import code_cells, execute, text_of
from nbformat import NotebookNode

# What is different in each run, and what it is called where outputs are compared.
VARYING = [
    (r"\x1b\[38;2;[\d;]+m(\[\w+\])\x1b\[0m", r"\1"),  # names are coloured where there is a panel
    (r"0x[0-9a-f]+", "0x#"),
    (r"\b\d[\d,._]*(?= ?(?:ns|µs|us|ms|s|min|B|KB|kB|MB|GB|times|percent)\b|%)", "#"),
    (r"\b(ids?|interpreters?|process|thread|Interpreter\(|In ?\[|cell|<ipython-input-)([ =]?)\d+", r"\1\2#"),
    (r" {2,}", " "),  # columns are as wide as the numbers in them
    (r" +$", ""),
    (r"^\d+ (?=(?:\w+ )?(?:main|notebook|isolated|shared|custom) )", "# "),  # the id of a row of %interp
    (r"^(# main main own \w+) \d+", r"\1 #"),  # the cells that main has run, in this notebook and before it
    (r"^(\w+) is a fresh interpreter now ", r"created \1 "),  # by %interp create --fresh, when there was one
    (r"\b\d{9,}\b", "#"),  # ids of objects and threads
]
_FROM = re.compile(r"\[(\w+)\] ")


def normalised(text: str) -> str:
    """A text of an output without what varies, the lines of several interpreters in the order of their names."""
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    lines = text.splitlines()
    if all(map(_FROM.match, lines)):
        lines.sort(key=lambda line: line.partition(" ")[0])
    return "\n".join(lines)


def shown(cell: NotebookNode) -> list[tuple[str, str]]:
    """What a reader sees of each output: its kind, and its text. Of pictures and of HTML, that they are there."""
    merged: list[tuple[str, str]] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            kind, text = output.name, output.text
        else:
            kind, text = ", ".join(sorted(output.get("data", ["error"]))), text_of(output)
        if merged and kind == merged[-1][0] in ("stdout", "stderr"):
            text = merged.pop()[1] + text
        merged.append((kind, text))
    seen = [(kind, normalised(text)) for kind, text in merged]
    return sorted(seen) if re.match(r"%%interp +(all|\w+ *,)", cell.source) else seen


def run(notebook: NotebookNode, folder: Path) -> str:
    """Runs it in place and leaves out what nobody reads. Returns what failed, or ''."""
    problem = execute(notebook, folder)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    return problem


def store(file: Path, everything: bool) -> str:
    """Returns what failed, or ''."""
    before = nbformat.read(file, as_version=4)
    after = copy.deepcopy(before)
    if problem := run(after, file.parent):
        return problem
    for old, new in zip(code_cells(before), code_cells(after), strict=True):
        if shown(old) == shown(new) and not everything:
            new.outputs = old.outputs
    nbformat.write(after, file)
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Run lessons through the kernel and store in them what they show.")
    parser.add_argument("notebooks", type=Path, nargs="+", metavar="notebook")
    parser.add_argument("--all", action="store_true", help="store also what looks as it did")
    arguments = parser.parse_args()
    failed = False
    for file in arguments.notebooks:
        problem = store(file, arguments.all)
        print(f"{file}: {problem or 'stored'}", file=sys.stderr if problem else sys.stdout)
        failed |= bool(problem)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
