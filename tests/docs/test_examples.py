"""Every example in the README, the docs and docstrings. On a page each `python` block is a cell, `text` what it shows.

Where that is `text measured`, the times and amounts of memory in it may be others. So may the ids of new interpreters:
the kernel's spares take some.
"""

import ast
import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Kernel, Result

REPO = Path(__file__).parents[2]
_EXAMPLE = re.compile(
    r"```python\n(?P<cell>.*?)```\n(?:```text(?P<measured> measured)?\n(?P<shown>.*?)```)?", re.DOTALL
)
_ID = re.compile(r"\b(id|interpreter) \d+\b")
_FIGURE = re.compile(r" *(?<![\w.])[\d.]+ (?:MB|s)\b *")
_PAGES = [
    page for page in [REPO / "README.md", *sorted((REPO / "docs").glob("*.md"))] if "```python" in page.read_text()
]


def shown(result: Result) -> str:
    """What a person sees of a cell."""
    text = result.stdout + "".join(content["data"]["text/plain"] for content in result.of("display_data"))
    if result.value is not None:
        text += result.value + "\n"
    return text if result.status == "ok" else text + result.error + "\n"


def without_ids(text: str) -> str:
    return _ID.sub(r"\1 #", text)


def without_figures(lines: list[str]) -> list[str]:
    """The lines with a mark for each time and amount of memory, and for the blanks that align them."""
    return [_FIGURE.sub(" # ", line).rstrip() for line in lines]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_the_examples_show_what_they_say(page: Path) -> None:
    kernel = Kernel()
    try:
        for example in _EXAMPLE.finditer(page.read_text()):
            lines = without_ids(shown(kernel.client.run(example["cell"]))).splitlines()
            expected = without_ids(example["shown"] or "").splitlines()
            if expected and expected[0].startswith("["):  # targets that run at once end in any order
                lines, expected = sorted(lines), sorted(expected)
            if example["measured"]:
                lines, expected = without_figures(lines), without_figures(expected)
            assert lines == expected, example["cell"]
    finally:
        kernel.stop()


def docstrings_with_examples() -> Iterator[pytest.ParameterSet]:
    """Of the modules that notebooks import."""
    for module in ("xinterp", "interpreters"):
        for node in ast.walk(ast.parse((REPO / f"src/shell/{module}.py").read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node) or ""
                if ">>>" in text:
                    yield pytest.param(module, text, id=f"{module}-{getattr(node, 'name', 'module')}")


@pytest.mark.parametrize(("module", "text"), docstrings_with_examples())
def test_the_examples_of_docstrings_show_what_they_say(module: str, text: str) -> None:
    kernel = Kernel()
    try:
        kernel.client.ok(f"import {module}")
        for example in doctest.DocTestParser().get_examples(text):
            assert shown(kernel.client.run(example.source)) == example.want, example.source
    finally:
        kernel.stop()


def test_the_table_of_the_apis_names_tests_that_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", (REPO / "docs" / "api.md").read_text()))
    present = {
        name
        for file in (REPO / "tests").rglob("*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert named - present == set()
