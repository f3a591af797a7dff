"""`lazy import` of Python 3.15: a name that it binds is the module wherever code would get the module."""

import pytest
from harness import Client
from python_under_test import VERSION

pytestmark = pytest.mark.skipif(VERSION < (3, 15), reason="Python 3.15 brings the statement")

LOADED = "import sys\nsys.modules.pop('colorsys', None)\nlazy import colorsys\n'colorsys' in sys.modules"


def test_a_module_is_imported_when_a_cell_first_uses_it(client: Client, target: str) -> None:
    assert client.ok(target + LOADED).value == "False"
    assert client.ok(target + "colorsys.rgb_to_hsv(0, 0, 0)").value == "(0.0, 0.0, 0)"
    assert client.ok(target + "'colorsys' in sys.modules").value == "True"


def test_a_module_that_does_not_exist_is_an_error_of_the_cell_that_uses_it(client: Client, target: str) -> None:
    client.ok(target + "lazy import nowhere_at_all")
    assert client.run(target + "nowhere_at_all").error.startswith("ModuleNotFoundError: No module named")


def test_a_function_takes_its_lazy_imports_along(client: Client, target: str) -> None:
    code = "lazy import colorsys\nlazy from colorsys import rgb_to_hsv as hsv\ndef f(): return colorsys.rgb_to_hsv(0, 0, 1) == hsv(0, 0, 1)"
    client.ok(f"{target}from concurrent import interpreters\n{code}\nother = interpreters.create()")
    assert client.ok(target + "other.call(f)").value == "True"
    client.ok(target + "other.close()")


def test_a_function_whose_lazy_import_fails_says_so(client: Client, target: str) -> None:
    code = "lazy import nowhere_at_all\ndef f(): return nowhere_at_all"
    client.ok(f"{target}from concurrent import interpreters\n{code}\nother = interpreters.create()")
    assert "No module named 'nowhere_at_all'" in client.run(target + "other.call(f)").error
    client.ok(target + "other.close()")


def test_what_is_imported_lazily_is_shared(client: Client) -> None:
    client.ok("%interp create alice\nlazy from string import digits\nlazy import colorsys")
    client.ok("%interp share digits colorsys --to alice")
    assert client.ok("%%interp alice\ndigits, colorsys.__name__").value == "('0123456789', 'colorsys')"


def test_attributes_of_a_module_are_completed_and_inspected(client: Client, target: str) -> None:
    for kind, answer in (("complete", "matches"), ("inspect", "data")):
        client.ok(target + LOADED)
        code = f"{target}colorsys.rgb_to_hsv"
        reply = client.ask(kind, code, cursor_pos=len(code))
        assert "rgb_to_hsv" in str(reply[answer])
