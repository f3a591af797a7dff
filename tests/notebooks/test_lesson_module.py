"""lesson.py: predictions, checks, exercises and pictures."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "notebooks"))
import lesson  # noqa: E402


def test_a_prediction_that_is_not_written_is_asked_for_and_the_answer_is_kept_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    prediction = lesson.predict("Has bob an x?", ["yes", "no"], ...)
    asked = 'Write your prediction first: Has bob an x? Write "yes" or "no" where the ... is.\n'
    assert capsys.readouterr().out == asked
    verdict = repr(lesson.check(prediction, "no", "His names are his own."))
    assert verdict == "Write your prediction first: Has bob an x? Then run its cell and this one again."


def test_what_is_none_of_the_options_is_no_prediction(capsys: pytest.CaptureFixture[str]) -> None:
    assert lesson.predict("Has bob an x?", ["yes", "no"], "maybe").missing == [""]
    assert capsys.readouterr().out.startswith("Write your prediction first")


def test_a_check_tells_right_from_wrong_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    right = lesson.predict("Has bob an x?", ["yes", "no"], " No ")  # as people type
    wrong = lesson.predict("Has bob an x?", ["yes", "no"], "yes")
    assert capsys.readouterr().out == "You predict: no\nYou predict: yes\n"
    assert repr(lesson.check(right, "no", "`x` is alice's.")) == "Right. x is alice's."
    assert repr(lesson.check(wrong, "no", "`x` is alice's.")) == "Not so: it is no, not yes. x is alice's."


def test_an_option_may_be_written_with_or_without_quotes() -> None:
    for answer in (True, "True", "true"):
        running = lesson.predict("Is it running?", ["True", "False"], answer)
        assert repr(lesson.check(running, "True", "It is.")) == "Right. It is."


def test_several_things_are_checked_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["own", "shared"]
    answer = {"modules": "own", "directory": "shared"}
    half = lesson.predict("Which?", options, {"modules": "own", "directory": ...})
    assert repr(lesson.check(half, answer, "Why.")) == (
        "Write your prediction first: Which? (directory) Then run its cell and this one again."
    )
    wrong = lesson.predict("Which?", options, {"modules": "own", "directory": "own"})
    assert repr(lesson.check(wrong, answer, "Why.")) == (
        "Not quite.\n  ✓ modules: own\n  ✗ directory: shared, not own\nWhy."
    )
    right = lesson.predict("Which?", options, answer)
    assert repr(lesson.check(right, answer, "Why.")) == "Right.\n  ✓ modules: own\n  ✓ directory: shared\nWhy."
    assert capsys.readouterr().out.endswith("You predict:\n  modules: own\n  directory: shared\n")


def test_a_verdict_is_html_of_its_colour_without_anybodys_tags() -> None:
    page = lesson.Verdict("Right.", "`a < b`")._repr_html_()
    assert "<code>a &lt; b</code>" in page


def test_an_exercise_is_solved_when_every_claim_holds() -> None:
    claims = {"x is 1": lambda: True, "y is 2": lambda: [][0]}
    assert repr(lesson.verify("Exercise 1", claims)) == (
        "Exercise 1 is not solved yet. What must hold:\n  ✓ x is 1\n  ✗ y is 2"
    )
    assert repr(lesson.verify("Exercise 1", {"x is 1": lambda: True}, "So.")) == (
        "Right: Exercise 1 is solved.\n  ✓ x is 1\nSo."
    )


def test_a_picture_says_in_words_what_it_shows() -> None:
    drawn = lesson.draw_process({"main": [], "alice": ["x"]}, ["directory"], [("main", "alice", "jobs")])
    assert repr(drawn) == "one process:\n  main\n  alice: x\n  shared: directory\n  main -> alice: jobs"
    data, metadata = drawn._repr_mimebundle_()
    assert list(data) == ["image/png", "text/plain"]
    assert drawn.png.startswith(b"\x89PNG")
    assert metadata == {"image/png": {"width": drawn.width}}


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: lesson.draw_processes({"one": {"main": ["x"]}, "two": {"other main": []}}),
        lambda: lesson.draw_bars({"alone": 1.0, "together": 2.0}, "Times"),
        lambda: lesson.draw_timeline({"main": [(10, 11), (12, 13)], "alice": [(11, 12)]}, "Turns"),
        lambda: lesson.draw_grid({"json": {"main": True, "alice": False}}, "What loads where"),
        lambda: lesson.draw_image([[0.0, 0.5], [1.0, float("nan")]], "Colours"),
        lambda: lesson.draw_levels({"no limit": [(10, 0), (10.1, 6), (11, 0)]}, "Waiting"),
    ],
)
def test_every_kind_of_picture_is_drawn(drawn: object) -> None:
    assert drawn().png.startswith(b"\x89PNG")  # type: ignore[operator]
