#!/usr/bin/env python3
"""bench.py --output FILE.json [--quick]: xinterp beside ipykernel and xpython, measured in one run.

The kernels take turns, repetition by repetition, so that a busy moment of the machine falls on all of them.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import measures
import report
from bare_client import BenchError
from kernels import find_spec

KERNELS = {"ipykernel": "python3", "xpython": "xpython", "xinterp": "xinterp"}  # name here -> kernelspec
ALL = tuple(KERNELS)
PEERS = tuple(kernel for kernel in KERNELS if kernel != report.OWN)


@dataclass(frozen=True)
class Task:
    """One measure, the kernels it is for, and how often each is measured."""

    name: str
    measure: Callable[[str], measures.Numbers]
    kernels: tuple[str, ...]
    repetitions: int


def tasks(quick: bool) -> list[Task]:
    count, cycles = (50, 10) if quick else (300, 40)
    own = (report.OWN,)
    few, some, many = (1, 1, 2) if quick else (3, 5, 9)
    return [
        Task("start", measures.start, ALL, many),
        Task("replies", partial(measures.replies, count=count), ALL, few),
        Task("200,000 lines", partial(measures.printing, lines=200_000), ALL, few),
        Task("1,000,000 lines", partial(measures.printing, lines=1_000_000), own, few),
        Task("alternating writes", partial(measures.alternating, writes=100_000), own, few),
        Task("memory", measures.memory, ALL, few),
        Task("two interpreters", measures.parallel, own, many),
        Task("interrupts", partial(measures.interrupts, has_lanes=False), PEERS, few),
        Task("interrupts", partial(measures.interrupts, has_lanes=True), own, some),
        *(
            Task(f"shutdown, {state}", partial(measures.shutdown, state=state), ALL if state == "idle" else own, few)
            for state in measures.SHUT_DOWN
        ),
        Task("create and close", partial(measures.lifecycle, count=cycles), own, few),
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
    def kernels(self) -> list[str]:
        return list(self.versions)

    def find_kernels(self) -> None:
        for kernel, spec in KERNELS.items():
            if find_spec(spec) is None:
                self.problems.append(f"{kernel} is not installed (no kernelspec {spec!r}): not measured.")
                continue
            try:
                self.versions[kernel] = measures.describe(spec)
            except BenchError as problem:
                self.problems.append(f"{kernel} does not start: {problem}.")

    def take(self, task: Task) -> None:
        kernels = [kernel for kernel in self.kernels if kernel in task.kernels]
        for repetition in range(task.repetitions):
            show_progress(f"{task.name}, {repetition + 1} of {task.repetitions}")
            turn = repetition % len(kernels) if kernels else 0
            for kernel in kernels[turn:] + kernels[:turn]:
                self._measure(task, kernel)

    def _measure(self, task: Task, kernel: str) -> None:
        try:
            numbers = task.measure(KERNELS[kernel])
        except Exception as problem:  # one kernel's trouble is reported and does not end the run
            what = str(problem) if isinstance(problem, BenchError) else repr(problem)
            text = f"{kernel}, {task.name}: {what}."
            if text not in self.problems:
                self.problems.append(text)
            return
        for key, value in numbers.items():
            self.results.setdefault(kernel, {}).setdefault(key, []).append(value)


def machine() -> dict[str, str | int | float | None]:
    return {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "architecture": platform.machine(),
        "linux": platform.release(),
        "python": platform.python_version(),
    }


def text_of(run: Run, before: dict[str, str | int | float | None]) -> str:
    """All that is printed."""
    versions = ", ".join(f"{kernel} ({version})" for kernel, version in run.versions.items())
    lines = [
        f"Kernels: {versions}",
        f"Machine: {before['cores']} cores, load {before['load']} before the run",
        f"Medians; of lost lines the most. A ratio is to {report.REFERENCE}; targets are {report.OWN}'s.",
        "",
        report.table(run.results, run.kernels),
    ]
    remarks = [*run.problems, *report.notes(run.results, run.kernels)]
    return "\n".join([*lines, "", *remarks] if remarks else lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure xinterp beside ipykernel and xpython.")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.json", help="where the numbers go")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, rougher numbers")
    arguments = parser.parse_args()

    before = machine()
    run = Run()
    run.find_kernels()
    for task in tasks(arguments.quick):
        run.take(task)
    show_progress("")

    print(text_of(run, before))
    document = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": arguments.quick,
        "machine": before,
        "versions": run.versions,
        **report.as_json(run.results, run.kernels),
        "problems": run.problems,
        "remarks": report.notes(run.results, run.kernels),
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"\nwrote {arguments.output}")
    return 0 if report.OWN in run.results else 1


if __name__ == "__main__":
    sys.exit(main())
