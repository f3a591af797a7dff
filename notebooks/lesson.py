"""What the lessons share: predictions and their checks, exercises, and pictures drawn by the notebook itself.

A lesson asks before it shows:

    bob_has_x = predict("Has bob an x?", ["yes", "no"], ...)    # the reader writes "yes" or "no" where the ... is
    check(bob_has_x, "no", "`bob` has names of its own.")       # in a later cell

and ends with exercises: `verify` tells which claims about the reader's solution hold. While something is still to be
filled in, both say so and nothing fails, so that a lesson runs from top to bottom as it is.

The pictures need matplotlib, and so they are drawn in main.
"""

import base64
import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the lessons' text appears at once: matplotlib is loaded by the first picture
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

type Answer = str | int | float | bool | EllipsisType
type Answers = Answer | dict[str, Answer]


@dataclass(frozen=True)
class Prediction:
    """What the reader expects: one answer, or one for each of several things."""

    question: str
    answers: dict[str, Answer]

    @property
    def missing(self) -> list[str]:
        """The things that have no answer yet, or one that is none of the options."""
        return [thing for thing, answer in self.answers.items() if answer is ...]


@dataclass(frozen=True)
class Verdict:
    """What a check says: in a frame of its colour where the front end shows HTML."""

    title: str
    text: str = ""
    details: list[tuple[bool, str]] = field(default_factory=list)  # whether it is right, and a line about it
    colour: str = "#737b87"

    def __repr__(self) -> str:
        lines = [f"  {'✓' if right else '✗'} {line}" for right, line in self.details]
        parts = [self.title, *lines, self.text] if lines else [f"{self.title} {self.text}"]
        return "\n".join(filter(None, parts)).replace("`", "")

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<div><b style="color:{_RIGHT if right else _WRONG}">{"✓" if right else "✗"}</b> {_marked_up(line)}</div>'
            for right, line in self.details
        )
        kind = "div" if rows else "span"  # a reason alone goes on in the title's line
        return (
            f'<div style="border-left:6px solid {self.colour};background:{self.colour}1c;padding:.5em 1em;'
            f'line-height:1.5"><b style="color:{self.colour}">{_marked_up(self.title)}</b> {rows}'
            f'<{kind} style="margin-top:.4em">{_marked_up(self.text)}</{kind}></div>'
        )


_RIGHT, _WRONG = "#0a8f5f", "#d1590a"


def _marked_up(text: str) -> str:
    """HTML of a text, with `code` as in Markdown."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _or(options: Sequence[Answer]) -> str:
    """'"yes" or "no"'"""
    names = [f'"{option}"' if isinstance(option, str) else repr(option) for option in options]
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _picked(answer: Answer, options: Sequence[Answer]) -> Answer:
    """The option that the reader means, however it is written: True, "true" and "True " are one."""
    written = str(answer).strip().lower()
    return next((option for option in options if str(option).lower() == written), ...)


def predict(question: str, options: Sequence[Answer], answer: Answers) -> Prediction:
    """Takes the reader's answer, ... until it is written: one, or a dict with one for each of several things."""
    answers = answer if isinstance(answer, dict) else {"": answer}
    prediction = Prediction(question, {thing: _picked(given, options) for thing, given in answers.items()})
    if not prediction.missing:
        said = (f"\n  {thing}: {given}" if thing else f" {given}" for thing, given in prediction.answers.items())
        print(f"You predict:{''.join(said)}")
    else:
        print(f"Write your prediction first: {question} Write {_or(options)} where the ... is.")
    return prediction


def check(prediction: Prediction, right: Answers, because: str) -> Verdict:
    """Tells right from wrong and why; nothing of that before there is a prediction."""
    if prediction.missing:
        things = ", ".join(filter(None, prediction.missing))
        about = prediction.question + (f" ({things})" if things else "")
        return Verdict("Write your prediction first:", f"{about} Then run its cell and this one again.")
    answers = right if isinstance(right, dict) else {"": right}
    wrong = {thing for thing, answer in answers.items() if prediction.answers[thing] != answer}
    details = [
        (thing not in wrong, f"{thing}: {answer}" + (f", not {prediction.answers[thing]}" if thing in wrong else ""))
        for thing, answer in answers.items()
        if thing
    ]
    if not wrong:
        return Verdict("Right.", because, details, _RIGHT)
    title = "Not quite." if details else f"Not so: it is {right}, not {prediction.answers['']}."
    return Verdict(title, because, details, _WRONG)


def verify(exercise: str, claims: Mapping[str, Callable[[], object]], because: str = "") -> Verdict:
    """Tells which claims about a solution hold. One that raises does not."""

    def holds(claim: Callable[[], object]) -> bool:
        try:
            return bool(claim())
        except Exception:
            return False

    details = [(holds(claim), text) for text, claim in claims.items()]
    if all(right for right, _ in details):
        return Verdict(f"Right: {exercise} is solved.", because, details, _RIGHT)
    return Verdict(f"{exercise} is not solved yet. What must hold:", details=details)


def ask(interpreter: str, expression: str) -> Any:
    """The value that an expression has among the names of an interpreter's cells."""
    import xinterp

    return xinterp.get(interpreter).call(eval, expression)


# ---------------------------------------------------------------------------------------------------------- pictures

# As in the panel beside the notebook: main is grey, the others are coloured in the order in which they were made.
_MAIN = "#737b87"
_PALETTE = ["#1f78d1", "#d1590a", "#0a8f5f", "#b0559b", "#9a7200", "#0a8ba3", "#cf3d66", "#7f62dc"]
_INK = "#24292f"
_SCREEN, _SHARPNESS = 80, 2  # dots an inch as shown, and how many more the picture has, for projectors


@dataclass(frozen=True)
class Picture:
    """A drawing, with a text that says the same to who does not see it."""

    png: bytes
    text: str
    width: int

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, object]]:
        data = {"image/png": base64.b64encode(self.png).decode(), "text/plain": self.text}
        return data, {"image/png": {"width": self.width}}


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """The colour of each interpreter in a picture."""
    others = [name for name in names if name != "main"]
    return {"main": _MAIN} | {name: _PALETTE[index % len(_PALETTE)] for index, name in enumerate(others)}


def picture(figure: Figure, text: str) -> Picture:
    """A matplotlib figure as a picture; for those that a lesson draws on its own."""
    from PIL import Image  # which matplotlib needs too

    drawn, stored = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, dpi=_SCREEN * _SHARPNESS, facecolor="white")
    # Few colours make a third of the size: the notebooks hold their pictures.
    Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(stored, "PNG", optimize=True)
    return Picture(stored.getvalue(), text, round(figure.get_figwidth() * _SCREEN))


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A canvas whose coordinates are inches."""
    from matplotlib.figure import Figure

    figure = Figure((width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    return figure, axes


def _box(axes: Axes, x: float, y: float, width: float, height: float, square: bool = False, **style: Any) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = "square,pad=0" if square else "round,pad=0,rounding_size=0.1"
    style = {"linewidth": 1.6, "snap": False} | style
    axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=shape, **style))


def _arrow(
    axes: Axes, begin: tuple[float, float], end: tuple[float, float], label: str = "", both: bool = False
) -> None:
    refused = label.startswith("✗")
    colour = _WRONG if refused else _INK
    head = "-" if refused else "<|-|>" if both else "-|>"
    style = {"arrowstyle": head, "color": colour, "linestyle": ":" if refused else "-"}
    size = {"linewidth": 1.6, "mutation_scale": 14, "shrinkA": 0, "shrinkB": 12 if refused else 0}
    axes.annotate("", end, begin, arrowprops=style | size)
    if label:
        middle = ((begin[0] + end[0]) / 2, begin[1] + 0.06)
        axes.text(*middle, label, ha="center", va="bottom", fontsize=11, color=colour)


type Arrow = tuple[str, str, str]  # from which interpreter to which, and what; ✗ begins what is refused


def draw_process(
    interpreters: Mapping[str, Sequence[str]],
    shared: Sequence[str] = (),
    arrows: Sequence[Arrow] = (),
    title: str = "one process",
) -> Picture:
    """Interpreters side by side in their process, each with its own things, and what the process shares below them.

    Arrows go between neighbours.
    """
    return draw_processes({title: interpreters}, shared, arrows)


def draw_processes(
    processes: Mapping[str, Mapping[str, Sequence[str]]], shared: Sequence[str] = (), arrows: Sequence[Arrow] = ()
) -> Picture:
    """Like draw_process, for several of them side by side. What is shared is drawn in each."""
    margin, line, header, foot = 0.3, 0.3, 0.42, 0.42
    interpreters = {name: things for inside in processes.values() for name, things in inside.items()}
    gap = max([0.4, *(0.095 * len(label) + 0.35 for *_, label in arrows)])
    texts = [*interpreters, *(thing for things in interpreters.values() for thing in things)]
    width = max(1.6, 0.105 * max(map(len, texts)) + 0.4)
    rows = max([1, *map(len, interpreters.values()), len(arrows) + 0.4])
    body = rows * line + 0.3
    below = foot + 0.4 if shared else 0
    bottom = margin * 1.5 + below
    height = bottom + body + header + margin + 0.5

    needed = {process: len(inside) * (width + gap) - gap for process, inside in processes.items()}
    outers = {process: max(inner, 0.1 * len(process)) + margin * 2 for process, inner in needed.items()}
    figure, axes = _figure(sum(outers.values()) + margin * (len(processes) + 1), height)
    colours = colours_of([*interpreters])
    left: dict[str, float] = {}
    x = margin
    for process, inside in processes.items():
        outer = outers[process]
        _box(axes, x, margin / 2, outer, height - margin, facecolor="#f6f8fa", edgecolor="#9aa4af")
        axes.text(x + margin, height - margin / 2 - 0.28, process, fontsize=12, color="#57606a", va="center")
        for index, (name, things) in enumerate(inside.items()):
            left[name] = box = x + (outer - needed[process]) / 2 + index * (width + gap)
            colour = colours[name]
            _box(axes, box, bottom, width, body + header, facecolor="white", edgecolor=colour)
            _box(axes, box, bottom + body, width, header, facecolor=colour, edgecolor=colour)
            _box(axes, box, bottom + body, width, header / 2, square=True, facecolor=colour, edgecolor=colour)
            middle = (box + width / 2, bottom + body + header / 2)
            axes.text(*middle, name, ha="center", va="center_baseline", color="white", fontsize=13, fontweight="bold")
            for row, thing in enumerate(things):
                at = bottom + body - 0.32 - row * line
                axes.text(box + 0.2, at, thing, va="center", fontsize=11.5, color=_INK, family="monospace")
            if shared:
                _arrow(axes, (box + width / 2, bottom), (box + width / 2, margin + foot), both=True)
        if shared:
            _box(axes, x + margin, margin, outer - 2 * margin, foot, facecolor="#fff3c4", edgecolor="#d4a72c")
            words = "shared:  " + "   ·   ".join(shared)
            axes.text(x + outer / 2, margin + foot / 2, words, ha="center", va="center", fontsize=11.5, color=_INK)
        x += outer + margin
    for number, (sender, receiver, label) in enumerate(arrows):
        y = bottom + body - 0.42 - number * max(line, (body - 0.5) / len(arrows))
        rightwards = left[sender] < left[receiver]
        ends = (left[sender] + width, left[receiver]) if rightwards else (left[sender], left[receiver] + width)
        _arrow(axes, (ends[0], y), (ends[1], y), label)
    return picture(figure, _told(processes, shared, arrows))


def _told(processes: Mapping[str, Mapping[str, Sequence[str]]], shared: Sequence[str], arrows: Sequence[Arrow]) -> str:
    lines = []
    for process, inside in processes.items():
        lines.append(f"{process}:")
        lines += ["  " + ": ".join(filter(None, [name, ", ".join(things)])) for name, things in inside.items()]
    if shared:
        lines.append(f"  shared: {', '.join(shared)}")
    lines += [f"  {sender} -> {receiver}: {label}" for sender, receiver, label in arrows]
    return "\n".join(lines)


def _plot(rows: Sequence[str], title: str) -> tuple[Figure, Axes]:
    """Axes with a named row for each thing, the first one on top."""
    from matplotlib.figure import Figure

    figure = Figure((9, 0.62 * len(rows) + 1.4))
    figure.set_layout_engine("constrained", w_pad=0.15, h_pad=0.12)
    axes = figure.add_subplot()
    axes.set_yticks(range(len(rows)), rows, fontsize=13)
    axes.invert_yaxis()
    axes.tick_params(axis="x", labelsize=11)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title(title, fontsize=14, loc="left", pad=10)
    axes.set_axisbelow(True)
    axes.grid(axis="x", color="#e4e8ec")
    return figure, axes


def draw_bars(values: Mapping[str, float], title: str, unit: str = "s", colours: Sequence[str] = _PALETTE) -> Picture:
    """One bar for each measured value, which stands beside it."""
    figure, axes = _plot([*values], title)
    picked = [colours[index % len(colours)] for index in range(len(values))]
    bars = axes.barh(range(len(values)), [*values.values()], height=0.62, color=picked)
    labels = [f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}" for value in values.values()]
    axes.bar_label(bars, labels, padding=6, fontsize=13, color=_INK)
    axes.set_xlabel(unit, fontsize=12)
    axes.margins(x=0.14)
    return picture(
        figure, "\n".join([title, *(f"  {name}: {label}" for name, label in zip(values, labels, strict=True))])
    )


def draw_timeline(rows: Mapping[str, Sequence[tuple[float, float]]], title: str, until: float = 0) -> Picture:
    """When each thing was at work: the begins and ends of its stretches, in seconds of one clock.

    `until` gives several pictures one scale.
    """
    figure, axes = _plot([*rows], title)
    zero = min(begin for stretches in rows.values() for begin, _ in stretches)
    colours = colours_of([*rows])
    for row, (name, stretches) in enumerate(rows.items()):
        spans = [(begin - zero, end - begin) for begin, end in stretches]
        axes.broken_barh(spans, (row - 0.31, 0.62), facecolors=colours[name])
    axes.set_xlabel("seconds", fontsize=12)
    axes.margins(x=0.02)
    axes.set_xlim(0, max(until, axes.get_xlim()[1]))
    counted = (f"  {name}: at work {len(stretches)} times" for name, stretches in rows.items())
    return picture(figure, "\n".join([title, *counted]))


def draw_levels(lines: Mapping[str, Sequence[tuple[float, int]]], title: str) -> Picture:
    """How full something was: times in seconds of one clock, and how much there was from then on."""
    from matplotlib.figure import Figure

    figure = Figure((9, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for index, (name, points) in enumerate(lines.items()):
        colour = _PALETTE[index % len(_PALETTE)]
        times = [time - points[0][0] for time, _ in points]
        levels = [level for _, level in points]
        axes.step(times, levels, where="post", label=name, color=colour, linewidth=3)
        axes.fill_between(times, levels, step="post", color=colour, alpha=0.12)
    axes.tick_params(labelsize=12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, fontsize=14, loc="left", pad=12)
    axes.set_xlabel("seconds", fontsize=12)
    axes.grid(axis="y", color="#e4e8ec")
    axes.set(xlim=0, ylim=0)
    axes.legend(fontsize=13, frameon=False)
    return picture(figure, "\n".join([title, *(f"  {name}" for name in lines)]))


def draw_grid(cells: Mapping[str, Mapping[str, bool]], title: str, words: tuple[str, str] = ("yes", "no")) -> Picture:
    """What holds where: a row for each thing, with a green or an orange cell for each place."""
    columns = [*next(iter(cells.values()))]
    first, width, height = 0.115 * max(map(len, cells)) + 0.7, 1.9, 0.5
    top = height * (len(cells) + 1)
    figure, axes = _figure(first + width * len(columns) + 0.2, top + 0.55)
    axes.text(0.2, top + 0.25, title, fontsize=14, color=_INK, va="center")
    colours = colours_of(columns)
    for place, column in enumerate(columns):
        x = first + place * width
        heading: dict[str, Any] = {"fontsize": 13, "fontweight": "bold", "ha": "center", "va": "center"}
        axes.text(x + width / 2, top - height / 2, column, color=colours[column], **heading)
        for row, (thing, holds) in enumerate(cells.items(), start=2):
            y = top - row * height + 0.1
            if place == 0:
                axes.text(0.2, y + height / 2, thing, fontsize=13, family="monospace", color=_INK, va="center")
            colour = _RIGHT if holds[column] else _WRONG
            _box(axes, x + 0.06, y + 0.05, width - 0.12, height - 0.1, facecolor=colour + "26", edgecolor=colour)
            word = words[0] if holds[column] else words[1]
            axes.text(x + width / 2, y + height / 2, word, fontsize=12, color=_INK, ha="center", va="center")
    told = (
        f"  {thing}: " + ", ".join(f"{column} {words[0] if held else words[1]}" for column, held in holds.items())
        for thing, holds in cells.items()
    )
    return picture(figure, "\n".join([title, *told]))


def draw_image(pixels: Any, text: str, width: int = 800) -> Picture:
    """An array of numbers from 0 to 1, in colours from black over red to yellow. What is not a number is left white."""
    from matplotlib.image import imsave

    file = io.BytesIO()
    imsave(file, pixels, cmap="inferno", vmin=0, vmax=1)
    return Picture(file.getvalue(), text, width)
