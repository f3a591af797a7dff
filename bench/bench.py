#!/usr/bin/env python3
"""bench.py --output FILE.json [--quick] [--only SUBSTRING]: both hosts of xinterp beside ipykernel and xpython.

The kernels take turns, repetition by repetition, so that a busy moment of the machine falls on all of them.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import debugger
import first_cells
import measures
import panel
import report
from bare_client import BenchError
from kernels import find_spec

SPECS = {  # column of the table -> kernelspec
    report.SCRIPT: "xinterp-hosted",  # its python, without the kernel
    report.IPYKERNEL: "python3",
    "xpython": "xpython",
    "hosted": "xinterp-hosted",
    "embedded": "xinterp-embedded",
}
ALL = tuple(column for column in SPECS if column != report.SCRIPT)
PEERS = tuple(kernel for kernel in ALL if kernel not in report.OWN)

type Measured = dict[str, Callable[[], measures.Numbers]]  # column -> the measure that is taken for it


@dataclass(frozen=True)
class Task:
    """One measure of several kernels, and how often it is taken of each."""

    name: str
    measured: Measured
    repetitions: int
    peers_every: int = 1  # the peers, slow to start and judged by nobody, take part in one repetition of so many


def of(columns: Iterable[str], measure: Callable[..., measures.Numbers], **options: object) -> Measured:
    return {column: partial(measure, SPECS[column], **options) for column in columns}


def tasks(quick: bool) -> list[Task]:
    count, cycles = (50, 10) if quick else (300, 40)
    own = report.OWN
    few, some, many = (1, 1, 2) if quick else (3, 5, 9)
    return [
        Task("start", of(ALL, measures.start), many),
        Task("replies", of(ALL, measures.replies, count=count), few),
        Task("200,000 lines", of(ALL, measures.printing, lines=200_000), few),
        Task("1,000,000 lines", of(own, measures.printing, lines=1_000_000), few),
        Task("alternating writes", of(own, measures.alternating, writes=100_000), few),
        Task("memory", of(ALL, measures.memory), few),
        Task("first cells", of(ALL, first_cells.first_cells), few),
        Task("memory of lanes", of(own, first_cells.lane_memory), few),
        Task("completion", of(PEERS, measures.completion, count=count, has_lanes=False), few),
        Task("completion", of(own, measures.completion, count=count, has_lanes=True), few),
        Task("panel", of(own, panel.panel, count=5 if quick else 50), few),
        Task("debugger", of(own, debugger.debugger, count=count), some),
        Task("two interpreters", of(own, measures.parallel), many),
        Task("interrupts", of(PEERS, measures.interrupts, has_lanes=False), few),
        Task("interrupts", of(own, measures.interrupts, has_lanes=True), some),
        *(
            Task(f"shutdown, {state}", of(ALL if state == "idle" else own, measures.shutdown, state=state), few)
            for state in measures.SHUT_DOWN
        ),
        Task("create and close", of(own, measures.lifecycle, count=cycles), few),
        Task(
            "loads",
            of([report.SCRIPT], measures.loads_in_script) | of(ALL, measures.loads_in_main),
            repetitions=1 if quick else 7,
            peers_every=4,
        ),
        Task(
            "interpreters",
            of([report.SCRIPT], measures.crossing_in_script) | of(own, measures.crossing_in_main),
            repetitions=1 if quick else 5,
        ),
        Task("loads in a lane", of(own, measures.loads_in_lane), few),
    ]


def show_progress(text: str) -> None:
    """One line that is written over, and only where somebody can be watching."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


class Run:
    """One run of the benchmark: what was measured, and what went wrong on the way."""

    def __init__(self) -> None:
        self.results: report.Results = {}
        self.problems: list[str] = []
        self.versions: dict[str, str] = {}

    @property
    def columns(self) -> list[str]:
        return list(self.versions)

    def find(self) -> None:
        for column, spec in SPECS.items():
            if find_spec(spec) is None:
                self.problems.append(f"{column} is not installed (no kernelspec {spec!r}): not measured.")
                continue
            describe = measures.describe_script if column == report.SCRIPT else measures.describe
            try:
                self.versions[column] = describe(spec)
            except BenchError as problem:
                self.problems.append(f"{column} does not start: {problem}.")

    def take(self, task: Task) -> None:
        for repetition in range(task.repetitions):
            show_progress(f"{task.name}, {repetition + 1} of {task.repetitions}")
            absent = PEERS if repetition % task.peers_every else ()
            columns = [column for column in self.columns if column in task.measured and column not in absent]
            turn = repetition % len(columns) if columns else 0
            for column in columns[turn:] + columns[:turn]:
                self._measure(task, column)

    def _measure(self, task: Task, column: str) -> None:
        try:
            numbers = task.measured[column]()
        except Exception as problem:  # one kernel's trouble is reported and does not end the run
            what = str(problem) if isinstance(problem, BenchError) else repr(problem)
            text = f"{column}, {task.name}: {what}."
            if text not in self.problems:
                self.problems.append(text)
            return
        for key, value in numbers.items():
            self.results.setdefault(column, {}).setdefault(key, []).append(value)


def machine() -> dict[str, str | int | float | None]:
    return {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "architecture": platform.machine(),
        "linux": platform.release(),
        "python": platform.python_version(),
    }


def text_of(run: Run, before: dict[str, str | int | float | None], complete: bool) -> str:
    """All that is printed."""
    versions = ", ".join(f"{column} ({version})" for column, version in run.versions.items())
    lines = [
        f"Measured: {versions}",
        f"Machine: {before['cores']} cores, load {before['load']} before the run",
        "Medians; of lost lines the most.",
    ]
    tables = [report.in_text(table, run.results, run.columns, complete) for table in report.TABLES]
    remarks = [*run.problems, *report.notes(run.results, run.columns)]
    return "\n\n".join(filter(None, ["\n".join(lines), *tables, "\n".join(remarks)]))


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure both hosts of xinterp beside ipykernel and xpython.")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.json", help="where the numbers go")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, rougher numbers")
    parser.add_argument("--only", default="", metavar="SUBSTRING", help="the tasks whose name contains this")
    arguments = parser.parse_args()
    chosen = [task for task in tasks(arguments.quick) if arguments.only in task.name]
    if not chosen:
        names = dict.fromkeys(task.name for task in tasks(arguments.quick))
        parser.error(f"no task has {arguments.only!r} in its name; there are: {'; '.join(names)}")

    before = machine()
    run = Run()
    run.find()
    for task in chosen:
        run.take(task)
    show_progress("")

    print(text_of(run, before, complete=not arguments.only))
    document = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": arguments.quick,
        "only": arguments.only or None,
        "machine": before,
        "versions": run.versions,
        "kernels": [column for column in run.columns if column in ALL],
        "measures": report.as_json(run.results, run.columns),
        "problems": run.problems,
        "remarks": report.notes(run.results, run.columns),
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"\nwrote {arguments.output}")
    return 0 if all(kernel in run.results for kernel in report.OWN) else 1


if __name__ == "__main__":
    sys.exit(main())
