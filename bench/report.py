"""The rows of the benchmark's table, what is aimed at in each, and how they are written down."""

import statistics
from dataclasses import dataclass
from typing import Any

REFERENCE = "ipykernel"
OWN = "xinterp"

type Results = dict[str, dict[str, list[float]]]  # kernel -> row's key -> one value per repetition


@dataclass(frozen=True)
class Row:
    """One quantity. `ratio` is aimed at relative to the reference kernel, `limit` in the row's own unit."""

    key: str
    unit: str  # seconds, MB, lines, ratio
    ratio: int | None = None  # at most 1/ratio of the reference
    limit: float | None = None  # at most this

    @property
    def target(self) -> str:
        if self.ratio is not None:
            return f"at most 1/{self.ratio}"
        if self.limit is None:
            return ""
        return "none" if self.limit == 0 else f"under {in_words(self.limit, self.unit)}"

    def met(self, own: float | None, reference: float | None) -> bool | None:
        """None where nothing is aimed at, or where a number that it takes is missing."""
        if own is None:
            return None
        if self.ratio is not None:
            return None if reference is None else own * self.ratio <= reference
        if self.limit is None:
            return None
        return own <= self.limit if self.limit == 0 else own < self.limit


def _printing(label: str, ratio: int | None = None) -> list[Row]:
    return [
        Row(label, "seconds", ratio=ratio),
        Row(f"{label}, lost", "lines", limit=0),
        Row(f"{label}, peak RSS", "MB"),
    ]


ROWS = [
    Row("spawn to kernel_info", "seconds", ratio=15),
    Row("spawn to first execute reply", "seconds", ratio=12),
    Row("execute reply, jupyter_client", "seconds", ratio=4),
    Row("execute reply, bare client", "seconds", ratio=7),
    *_printing("print 200,000 lines", ratio=8),
    *_printing("print 1,000,000 lines"),
    *_printing("100,000 alternating writes"),
    Row("RSS after one cell", "MB", ratio=3),
    Row("PSS after one cell", "MB", ratio=3),
    Row("CPU-bound cell alone", "seconds"),
    Row("two of them at once", "seconds"),
    Row("two at once / one alone", "ratio", limit=1.4),
    *(
        Row(f"interrupt, {state}", "seconds", limit=0.2)
        for state in ("main loop", "main sleep", "main lock", "lane loop", "lane sleep", "lane lock", "lane select")
    ),
    *(
        Row(f"shutdown, {state}", "seconds", limit=2)
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
    return f"1/{1 / value:.1f}" if value < 1 else f"{value:.2f}"


def summary(row: Row, values: list[float] | None) -> float | None:
    """The median; of lost lines the most, since one loss is one too many."""
    if not values:
        return None
    return max(values) if row.unit == "lines" else statistics.median(values)


def value_of(results: Results, kernel: str, row: Row) -> float | None:
    return summary(row, results.get(kernel, {}).get(row.key))


def cells_of(row: Row, results: Results, kernels: list[str]) -> list[str]:
    """One line of the table."""
    values = {kernel: value_of(results, kernel, row) for kernel in kernels}
    reference, own = values.get(REFERENCE), values.get(OWN)
    line = [row.key, *("-" if value is None else in_words(value, row.unit) for value in values.values())]
    for kernel in kernels:
        value = values[kernel]
        if kernel != REFERENCE:
            line.append(ratio_in_words(value / reference) if value and reference and row.unit != "lines" else "")
    met = row.met(own, reference)
    verdict = "" if not row.target else {True: "met", False: "MISSED", None: "not measured"}[met]
    return [*line, row.target, verdict]


def table(results: Results, kernels: list[str]) -> str:
    """The whole table as text. Rows without a number and without a target are left out."""
    head = ["", *kernels, *(f"{kernel} ratio" for kernel in kernels if kernel != REFERENCE), "target", ""]
    measured = [
        row for row in ROWS if row.target or any(value_of(results, kernel, row) is not None for kernel in kernels)
    ]
    lines = [head, *(cells_of(row, results, kernels) for row in measured)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(line: list[str], widths: list[int]) -> str:
    first, *numbers, target, verdict = line
    padded = [f"{text:>{width}}" for text, width in zip(numbers, widths[1:-2], strict=True)]
    return "  ".join([f"{first:<{widths[0]}}", *padded, f"{target:<{widths[-2]}}", verdict]).rstrip()


def notes(results: Results, kernels: list[str]) -> list[str]:
    """What the numbers alone would hide: a fast kernel that lost lines, a cell that seemed never to end."""
    found = []
    for kernel in kernels:
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


def as_json(results: Results, kernels: list[str]) -> dict[str, Any]:
    """Every value, the medians, and the targets. Seconds and MB."""
    measures = []
    for row in ROWS:
        values = {kernel: value_of(results, kernel, row) for kernel in kernels}
        measures.append(
            {
                "name": row.key,
                "unit": row.unit,
                "summary": values,
                "values": {kernel: results.get(kernel, {}).get(row.key, []) for kernel in kernels},
                "target": row.target or None,
                "met": row.met(values.get(OWN), values.get(REFERENCE)),
            }
        )
    return {"kernels": kernels, "measures": measures}
