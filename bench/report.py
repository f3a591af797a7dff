"""The tables of the benchmark: their rows, what is aimed at in each, and how they are written down."""

import statistics
from dataclasses import dataclass, field
from typing import Any

from loads import LOADS

IPYKERNEL, SCRIPT = "ipykernel", "script"  # what the others are compared with
CROSSING = ("int", "1 KB")
OWN = ("hosted", "embedded")  # the kernels that targets are for

type Results = dict[str, dict[str, list[float]]]  # column -> row's key -> one value per repetition


@dataclass(frozen=True)
class Target:
    """An upper bound: of a value in its row's unit, or of its ratio to the reference's value."""

    bound: float
    of_ratio: bool

    def in_words(self, unit: str) -> str:
        if self.of_ratio:
            return f"at most 1/{1 / self.bound:.3g}" if self.bound < 1 else f"at most {self.bound:.3g}"
        return "none" if self.bound == 0 else f"under {in_words(self.bound, unit)}"

    def met(self, value: float | None, reference: float | None) -> bool | None:
        """None where a number that it takes is missing."""
        if value is None:
            return None
        if self.of_ratio:
            return None if reference is None else value <= self.bound * reference
        return value < self.bound or value == self.bound == 0


type Targets = dict[str, Target]  # own kernel -> its target


def ratio(bound: float, *kernels: str) -> Targets:
    return dict.fromkeys(kernels or OWN, Target(bound, of_ratio=True))


def limit(bound: float) -> Targets:
    return dict.fromkeys(OWN, Target(bound, of_ratio=False))


@dataclass(frozen=True)
class Row:
    """One quantity. Its ratios are to the reference's value in the same row, or in the one that is named."""

    key: str
    unit: str  # seconds, MB, lines, ratio
    targets: Targets = field(default_factory=dict)
    compared_with: str = ""

    @property
    def target(self) -> str:
        return _merged({kernel: target.in_words(self.unit) for kernel, target in self.targets.items()})


def _merged(words: dict[str, str]) -> str:
    """What is said of the own kernels: once, if it is the same for all of them."""
    if words.keys() == set(OWN) and len(set(words.values())) == 1:
        return words[OWN[0]]
    return ", ".join(f"{kernel} {text}" for kernel, text in words.items())


def _printing(label: str, targets: Targets | None = None) -> list[Row]:
    return [
        Row(label, "seconds", targets or {}),
        Row(f"{label}, lost", "lines", limit(0)),
        Row(f"{label}, peak RSS", "MB"),
    ]


@dataclass(frozen=True)
class Table:
    title: str
    reference: str
    rows: list[Row]


TABLES = [
    Table(
        "The kernels; a ratio is to ipykernel.",
        IPYKERNEL,
        [
            Row("spawn to kernel_info", "seconds", ratio(1 / 8, "hosted") | ratio(1 / 15, "embedded")),
            Row("spawn to first execute reply", "seconds", ratio(1 / 12, "embedded")),
            Row("execute reply, jupyter_client", "seconds", ratio(1 / 4)),
            Row("execute reply, bare client", "seconds", ratio(1 / 7)),
            *_printing("print 200,000 lines", ratio(1 / 8)),
            *_printing("print 1,000,000 lines"),
            *_printing("100,000 alternating writes"),
            Row("RSS after one cell", "MB", ratio(1 / 3)),
            Row("PSS after one cell", "MB", ratio(1 / 3)),
            Row("first plain cell", "seconds"),
            Row("first %time cell", "seconds"),
            Row("second %time cell", "seconds"),
            Row("memory of a lane, plain Python", "MB", limit(4)),
            Row("memory of a lane, IPython loaded", "MB"),
            Row("completion, the standard library", "seconds", ratio(1)),
            Row("completion, numpy", "seconds", ratio(1)),
            Row("completion, the standard library, in a lane", "seconds", {}, "completion, the standard library"),
            Row("first completion", "seconds"),
            Row("first completion, memory", "MB"),
            Row("first completion, in a lane", "seconds", {}, "first completion"),
            Row("first completion, memory, in a lane", "MB", {}, "first completion, memory"),
            Row("panel: a cell begins", "seconds", limit(0.2)),
            Row("panel: a cell begins, the longest", "seconds"),
            Row("panel: a change while all are in C", "seconds", limit(0.2)),
            Row("panel: a change while all are in C, the longest", "seconds"),
            Row("panel open, nothing runs: processor", "ratio"),
            *(
                Row(f"debugger {state}: {what}", "seconds")
                for what in ("execute reply", "recursion")
                for state in ("never on", "on", "off again")
            ),
            Row("debugger: to switch it on", "seconds"),
            Row("CPU-bound cell alone", "seconds"),
            Row("two of them at once", "seconds"),
            Row("two at once / one alone", "ratio", limit(1.4)),
            *(
                Row(f"interrupt, {state}", "seconds", limit(0.2))
                for state in (
                    "main loop",
                    "main sleep",
                    "main lock",
                    "lane loop",
                    "lane sleep",
                    "lane lock",
                    "lane select",
                )
            ),
            *(
                Row(f"shutdown, {state}", "seconds", limit(2))
                for state in (
                    "idle",
                    "main loop",
                    "busy in C",
                    "lane loop",
                    "sleeping",
                    "waiting for input",
                    "endless thread",
                )
            ),
            Row("create an interpreter", "seconds"),
            Row("close an interpreter", "seconds"),
        ],
    ),
    Table(
        "Pure Python; a ratio is to a script that the hosted kernel's python runs.",
        SCRIPT,
        [
            *(Row(load, "seconds", ratio(1.03, "hosted")) for load in LOADS),
            *(Row(f"{load}, in a lane", "seconds", compared_with=load) for load in LOADS),
        ],
    ),
    Table(
        "Interpreters; a ratio is to CPython's own modules in a script, or to the row of multiprocessing's behind it.",
        SCRIPT,
        [
            Row("create()", "seconds", ratio(1 / 8)),
            Row("exec, main thread", "seconds", ratio(1 / 5)),
            Row("exec, other thread", "seconds", ratio(1 / 5)),
            *(Row(f"queue round trip, {thing}", "seconds", ratio(1 / 100)) for thing in CROSSING),
            *(
                Row(f"queue round trip, {thing}, to a Pipe's", "seconds", ratio(1), f"pipe round trip, {thing}")
                for thing in CROSSING
            ),
            *(
                Row(f"channel round trip, {thing}", "seconds", compared_with=f"pipe round trip, {thing}")
                for thing in CROSSING
            ),
            *(Row(f"pipe round trip, {thing}", "seconds") for thing in CROSSING),
            Row("pool executor round trip", "seconds"),
            Row("pool executor round trip, processes", "seconds"),
            *(
                Row(thing, "seconds", ratio(1 / 50), f"{thing}, multiprocessing")
                for thing in ("100 MB of bytes", "100 MB numpy array")
            ),
            Row("100 MB of bytes, multiprocessing", "seconds"),
            Row("100 MB numpy array, multiprocessing", "seconds"),
        ],
    ),
]


def in_words(value: float, unit: str) -> str:
    if unit == "seconds":
        if value >= 1:
            return f"{value:.2f} s"
        return f"{value * 1000:.0f} ms" if value >= 0.1 else f"{value * 1000:.3g} ms"
    if unit == "MB":
        return f"{value:.1f} MB"
    return f"{value:,.0f}" if unit == "lines" else f"{value:.3g}"


def ratio_in_words(value: float) -> str:
    return f"1/{1 / value:.1f}" if value < 0.8 else f"{value:.2f}"


def summary(row: Row, values: list[float] | None) -> float | None:
    """The median; of lost lines the most, since one loss is one too many."""
    if not values:
        return None
    return max(values) if row.unit == "lines" else statistics.median(values)


def value_of(results: Results, column: str, row: Row) -> float | None:
    return summary(row, results.get(column, {}).get(row.key))


def reference_of(results: Results, table: Table, row: Row) -> float | None:
    return value_of(results, table.reference, Row(row.compared_with or row.key, row.unit))


def judged(results: Results, table: Table, row: Row) -> dict[str, bool | None]:
    """Whether each own kernel that has a target has met it."""
    reference = reference_of(results, table, row)
    return {kernel: target.met(value_of(results, kernel, row), reference) for kernel, target in row.targets.items()}


def _verdict(met: dict[str, bool | None]) -> str:
    words = {kernel: {True: "met", False: "MISSED", None: "not measured"}[value] for kernel, value in met.items()}
    if len(set(words.values())) == 1:
        return words.popitem()[1]
    return ", ".join(f"{kernel} {word}" for kernel, word in words.items() if word != "met")


def cells_of(row: Row, table: Table, results: Results, columns: list[str]) -> list[str]:
    """One line of a table."""
    values = {column: value_of(results, column, row) for column in columns}
    reference = reference_of(results, table, row)
    line = [row.key, *("-" if value is None else in_words(value, row.unit) for value in values.values())]
    for column, value in values.items():
        if column != table.reference:
            line.append(ratio_in_words(value / reference) if value and reference and row.unit != "lines" else "")
    return [*line, row.target, _verdict(judged(results, table, row))]


def in_text(table: Table, results: Results, columns: list[str], complete: bool) -> str:
    """Columns and rows without a number are left out, but of a complete run no row that has a target."""
    filled = {(column, row.key) for column in columns for row in table.rows if results.get(column, {}).get(row.key)}
    columns = [column for column in columns if any((column, row.key) in filled for row in table.rows)]
    rows = [
        row
        for row in table.rows
        if (complete and row.targets) or any((column, row.key) in filled for column in columns)
    ]
    if not rows:
        return ""
    head = ["", *columns, *(f"{column} ratio" for column in columns if column != table.reference), "target", ""]
    lines = [head, *(cells_of(row, table, results, columns) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join([table.title, *(_aligned(line, widths) for line in lines)])


def _aligned(line: list[str], widths: list[int]) -> str:
    first, *numbers, target, verdict = line
    padded = [f"{text:>{width}}" for text, width in zip(numbers, widths[1:-2], strict=True)]
    return "  ".join([f"{first:<{widths[0]}}", *padded, f"{target:<{widths[-2]}}", verdict]).rstrip()


def notes(results: Results, columns: list[str]) -> list[str]:
    """What the numbers alone would hide: a fast kernel that lost lines, a cell that seemed never to end."""
    found = []
    for kernel in columns:
        for key, values in results.get(kernel, {}).items():
            if key.endswith(", lost") and max(values) > 0:
                label = key.removesuffix(", lost")
                found.append(f"{kernel} lost up to {max(values):,.0f} lines in '{label}': its time is for the rest.")
            if key.endswith(", no idle"):
                label = key.removesuffix(", no idle")
                found.append(
                    f"{kernel} never said 'idle' in '{label}', {len(values)} times: timed to its last message."
                )
    return found


def as_json(results: Results, columns: list[str]) -> list[dict[str, Any]]:
    """Every value, the medians, the targets and who has met them. Seconds and MB."""
    return [
        {
            "name": row.key,
            "unit": row.unit,
            "summary": {column: value_of(results, column, row) for column in columns},
            "values": {column: results.get(column, {}).get(row.key, []) for column in columns},
            "reference": table.reference,
            "compared_with": row.compared_with or row.key,
            "target": row.target or None,
            "met": _all(judged(results, table, row)),
            "met_by": judged(results, table, row),
        }
        for table in TABLES
        for row in table.rows
    ]


def _all(met: dict[str, bool | None]) -> bool | None:
    """None where nothing is aimed at, or where a missing number leaves it open."""
    if False in met.values():
        return False
    return None if not met or None in met.values() else True
