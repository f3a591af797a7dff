"""docs/compatibility.md's tables: tried, and read back from the page."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cases import Case
from harness import PATIENCE, Client, Result, plain

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
COLUMNS = ["main", "notebook", "shared"]
#: What a package or IPython says when it does not do something: an answer, and no fault.
REFUSALS = [
    r"does not support loading in subinterpreters",
    r"cannot load module more than once per process",
    r"failed to import from subinterpreter due to exception",
    r"runs no event loop of",
]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def outcome(result: Result, case: Case) -> str:
    """Works, refused with what is said, or broken with what is said."""
    error = plain(result.error) if result.status == "error" else ""
    for line in (error or result.stderr or result.stdout).splitlines():
        if any(re.search(pattern, line) for pattern in REFUSALS):
            return f"refused: {line.strip()}"
    if error:
        return f"broken: {error.splitlines()[0]}"
    if result.status != "ok":
        return f"broken: {result.status}"
    sent = [[message["msg_type"], message["content"]] for message in result.messages]
    texts = "\n".join(_texts([sent, result.reply["content"].get("payload", [])]))
    return "works" if case.shows in plain(texts) else f"broken: it does not show {case.shows}"


def run(client: Client, target: str, case: Case) -> str:
    if case.before:
        client.run(target + case.before)
    sent = client.send(target + case.cell, allow_stdin=bool(case.answer))
    if case.answer:
        client.client.get_stdin_msg(timeout=PATIENCE)
        client.client.input(case.answer)
    return outcome(client.result(sent), case)


def run_all(client: Client, target: str, cases: Iterable[Case]) -> dict[str, str]:
    return {case.name: run(client, target, case) for case in cases}


def read(title: str) -> dict[str, list[str]]:
    """A table of the page: what stands in its rows, by the first column."""
    lines = iter(PAGE.read_text().splitlines())
    for line in lines:
        if line == f"## {title}":
            break
    rows = {}
    for line in lines:
        if line.startswith("## "):
            break
        if line.startswith("| `"):
            cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
            rows[cells[0].strip("`")] = cells[1:]
    return rows


def written(title: str, rows: dict[str, list[str]]) -> str:
    lines = [f"## {title}", "", "| | " + " | ".join(COLUMNS) + " |", "| --- |" + " --- |" * len(COLUMNS)]
    escape: Callable[[str], str] = lambda text: text.replace("|", "\\|")  # noqa: E731
    lines += [f"| `{escape(name)}` | " + " | ".join(map(escape, cells)) + " |" for name, cells in rows.items()]
    return "\n".join(lines) + "\n"
