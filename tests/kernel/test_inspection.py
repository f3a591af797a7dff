"""Inspection: what the object at the cursor is, in the form of IPython's `obj?`."""

from typing import Any

import pytest
from harness import Client, Kernel, plain

MISSING = {"status": "ok", "found": False, "data": {}, "metadata": {}}
CELL = '''class Point:
    """A point of the plane."""

    def __init__(self, x, y=0):
        self.x = x

    def move(self, by: int = 1) -> int:
        """Move it to the right."""
        return self.x + by


def half(x):
    return x / 2


point = Point(3)
text = "words"
'''


def ask(client: Client, code: str, level: int = 0) -> dict[str, Any]:
    """The reply about what is at the cursor, which is `|` in the code."""
    before, _, after = code.partition("|")
    return client.ask("inspect", before + after, cursor_pos=len(before), detail_level=level)


def inspect(client: Client, code: str, level: int = 0) -> str:
    """The text without its colours."""
    reply = ask(client, code, level)
    assert reply["found"] is True, code
    assert list(reply["data"]) == ["text/plain"]
    return plain(reply["data"]["text/plain"])


@pytest.fixture
def cell(client: Client, target: str) -> str:
    """The cell's name for people, in the interpreter under test."""
    return f"Cell In[{client.ok(target + CELL).reply['content']['execution_count']}]"


def test_a_function_of_a_cell(client: Client, target: str, cell: str) -> None:
    where = f"File:      {cell}\nType:      function"
    assert inspect(client, f"{target}half|(3)") == f"Signature: half(x)\nDocstring: <no docstring>\n{where}"
    source = "Source:   \ndef half(x):\n    return x / 2"
    assert inspect(client, f"{target}half|(3)", 1) == f"Signature: half(x)\n{source}\n{where}"


def test_a_class_of_a_cell(client: Client, target: str, cell: str) -> None:
    assert inspect(client, f"{target}Poi|nt") == (
        "Init signature: Point(x, y=0)\n"
        "Docstring:      A point of the plane.\n"
        f"File:           {cell}\n"
        "Type:           type"
    )
    source = CELL.partition("\n\n\n")[0]
    assert inspect(client, f"{target}Point|", 1) == (
        f"Init signature: Point(x, y=0)\nSource:        \n{source}\nFile:           {cell}\nType:           type"
    )


def test_attributes_of_live_objects(client: Client, target: str, cell: str) -> None:
    assert inspect(client, f"{target}print(point.mo|ve)") == (
        "Signature: point.move(by: int = 1) -> int\n"
        "Docstring: Move it to the right.\n"
        f"File:      {cell}\n"
        "Type:      method"
    )
    assert inspect(client, f"{target}point.x|").startswith(
        "Type:        int\nString form: 3\nDocstring:  \nint([x]) -> "
    )


def test_other_objects(client: Client, target: str, cell: str) -> None:
    assert inspect(client, f"{target}text|").startswith(
        "Type:        str\nString form: words\nLength:      5\nDocstring:  \nstr("
    )
    client.ok(f"{target}text = 'x' * 1000")
    shown = inspect(client, f"{target}text|").split("\n")[1]
    assert shown == f"String form: {'x' * 97} <...> {'x' * 97}"
    assert inspect(client, f"{target}text|", 1).split("\n")[1] == f"String form: {'x' * 1000}"


def test_builtins_and_modules(client: Client, target: str) -> None:
    assert inspect(client, f"{target}len|") == (
        "Signature: len(obj, /)\nDocstring: Return the number of items in a container.\nType:      builtin_function_or_method"
    )
    client.ok(f"{target}import json")
    lines = inspect(client, f"{target}json.du|mps").split("\n")
    assert lines[0] == "Signature:"  # too long for one line
    assert [line for line in lines if line.startswith(("File:", "Type:"))][0].endswith("/json/__init__.py")


def test_titles_are_red(client: Client, target: str) -> None:
    assert ask(client, f"{target}len|")["data"]["text/plain"].startswith("\x1b[31mSignature:\x1b[39m len(obj, /)\n")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("half(|", "half(x)"),
        ("half(|3)", "half(x)"),
        ("half(len(3), |", "half(x)"),
        ("half(len(te|xt", None),
        ("half(len(|", "len(obj, /)"),
        ("half(3)|", "half(x)"),
        ("x = half|", "half(x)"),
        ("x = [half(1),\n     half(|", "half(x)"),
        ("%time half(|", "half(x)"),
        ("%time hal|f(3)", "half(x)"),
        ("!ls it's\nhalf|", "half(x)"),
        ("'é' + half|(3)", "half(x)"),
    ],
)
def test_the_function_whose_call_the_cursor_is_in(
    client: Client, target: str, cell: str, code: str, name: str | None
) -> None:
    shown = inspect(client, target + code)
    assert shown.startswith(f"Signature: {name}\n" if name else "Type:        str\n")


@pytest.mark.parametrize("code", ["nothing|", "for|", "point.nothing|", "|", "", "# half|", "'half|'", "1 + |2"])
def test_nothing_to_be_told(client: Client, target: str, code: str) -> None:
    assert ask(client, target + code) == MISSING


def test_errors_in_peoples_code_say_nothing(client: Client, target: str) -> None:
    client.ok(
        f"{target}class Broken:\n    __doc__ = property(lambda self: 1 / 0)\n    def __str__(self): raise SystemExit\n    def __len__(self): raise KeyError\n    @property\n    def bad(self): raise SystemExit\nbroken = Broken()"
    )
    assert ask(client, f"{target}broken.bad|") == MISSING
    assert ask(client, f"{target}broken|") == MISSING or inspect(client, f"{target}broken|").startswith("Type:")
    assert client.ok(f"{target}1").value == "1"


def test_the_kernels_own_magics(client: Client) -> None:
    assert inspect(client, "%interp cre|ate").startswith("command ")
    assert inspect(client, "x = 1\n%int|erp").startswith("command ")
    assert inspect(client, "%%interp| alice\nlen").startswith("%%interp TARGET [&] [--create]")


def test_with_ipython_up_it_describes(fresh: Kernel) -> None:
    client = fresh.client
    client.ok("%interp create alice")
    for target in ("", "%%interp alice\n"):
        client.ok(f"{target}get_ipython()")
        client.ok(target + CELL)
        assert inspect(client, f"{target}point.mo|ve").startswith(
            "Signature: point.move(by: int = 1) -> int\nDocstring: Move"
        )
        assert "return x / 2" in inspect(client, f"{target}half|", 1)
        assert inspect(client, f"{target}%time|it").startswith("Docstring:\nTime execution of a Python statement")
        assert ask(client, f"{target}nothing|") == MISSING
