"""What a cell's text means: semicolons, `_` and its family, percent signs, futures, `__main__`. In main and in another one."""

import pytest
from harness import Client


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("5;", None),
        ("5 ;  # why", None),
        ("5;\n\n# the end", None),
        ("(5)  ;", None),
        ("5 # ;", "5"),
        ("'a;'", "'a;'"),
        ("'''a;\n'''", r"'a;\n'"),
        ("'é;' + 'ü'; # é", None),
        ("'é;' + 'ü'", "'é;ü'"),
        ("(5 # ;\n)", "5"),
        ("1; 2", "2"),
        ("1; 2;", None),
        ("x = 5", None),
        ("for i in range(2): i", None),
        ("if True: 5", None),
        ("5\r\n", "5"),
        ("x = 1\r\nx;\r\n", None),
        ("x = 1\rx;", None),
        ("lambda: 0;", None),
        ("[1,\n 2,\n];", None),
    ],
)
def test_a_semicolon_after_the_last_expression_hides_it(
    client: Client, target: str, code: str, value: str | None
) -> None:
    assert client.ok(target + code).value == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ('"""\n%d cells\n!ls\n?x\n""" % 5', r"'\n5 cells\n!ls\n?x\n'"),
        ("x = ('%s'\n% 3)\nx", "'3'"),
        ("y = 7 \\\n% 4\ny", "3"),
        ("[10\n%3]", "[1]"),
        ("'''\n%%interp nobody\n%interp list\n'''", r"'\n%%interp nobody\n%interp list\n'"),
        ("def f():\n    '''\n    %interp\n    '''\nf.__doc__", r"'\n%interp\n'"),
    ],
)
def test_a_percent_sign_in_an_expression_or_a_text_is_no_magic(
    client: Client, target: str, code: str, value: str
) -> None:
    assert client.ok(target + code).value == value


def test_the_last_results_have_names(client: Client, target: str) -> None:
    counts = [client.ok(target + code).reply["content"]["execution_count"] for code in ("'a'", "'b'", "'c'")]
    assert client.ok(target + "_, __, ___").value == "('c', 'b', 'a')"
    assert client.ok(target + f"_{counts[0]}, Out[{counts[1]}], _oh is Out").value == "('a', 'b', True)"


def test_a_hidden_result_is_not_remembered(client: Client, target: str) -> None:
    client.ok(target + "'shown'")
    count = client.ok(target + "'hidden';").reply["content"]["execution_count"]
    client.ok(target + "None")
    assert client.ok(target + f"_, {count} in Out").value == "('shown', False)"


def test_out_does_not_hold_itself(client: Client, target: str) -> None:
    client.ok(target + "Out.clear()\n'one'")
    client.ok(target + "Out")
    assert client.ok(target + "_").value == "'one'"


def test_a_name_that_the_person_uses_is_theirs(client: Client, target: str) -> None:
    client.ok(target + "_ = 'mine'")
    client.ok(target + "'result'")
    assert client.ok(target + "print(_)").stdout == "mine\n"
    client.ok(target + "del _\n'again'")
    assert client.ok(target + "_").value == "'again'"


def test_gettext_keeps_its_builtin(client: Client, target: str) -> None:
    client.ok(
        target + "import gettext, builtins\ngettext.install('none')\nfor n in ('_', '__', '___'): globals().pop(n, 0)"
    )
    client.ok(target + "5")
    assert client.ok(target + "_('text')").value == "'text'"
    client.ok(target + "del builtins._")
    client.ok(target + "6")
    assert client.ok(target + "_").value == "6"


def test_no_name_of_the_kernels_is_left_in_main(client: Client, target: str) -> None:
    client.ok(target + "5")
    client.run(target + "1/0")
    assert client.ok(target + "[n for n in dir() if 'xinterp' in n]").value == "[]"


def test_main_is_the_module_of_the_cells(client: Client, target: str) -> None:
    code = "import sys\nif __name__ == '__main__':\n    print(globals() is vars(sys.modules['__main__']), locals() is globals())"
    assert client.ok(target + code).stdout == "True True\n"
    assert client.run(target + "__file__").error.startswith("NameError: name '__file__' is not defined")


def test_libraries_are_told_that_somebody_types(client: Client, target: str) -> None:
    assert client.ok(target + "import sys\nsys.ps1, sys.ps2").value == "('In : ', '...: ')"


def test_instances_of_classes_of_cells_are_pickled(client: Client, target: str) -> None:
    code = "import pickle\nclass Point:\n    def __init__(self, x): self.x = x\npickle.loads(pickle.dumps(Point(3))).x"
    assert client.ok(target + code).value == "3"


def test_future_statements_last(client: Client, target: str) -> None:
    client.ok("%interp create bob")
    client.ok("%%interp bob\nfrom __future__ import annotations")
    assert client.ok("%%interp bob\ndef f(x: undefined): ...\nf.__annotations__").value == "{'x': 'undefined'}"
    assert client.ok(target + "annotations = 1").status == "ok"


def test_streams_of_every_kind_reach_the_cell(client: Client, target: str) -> None:
    code = """
import logging, sys
print('out', flush=True)
print('err', file=sys.stderr, flush=True)
sys.stdout.buffer.write(b'bytes\\n')
sys.stdout.writelines(['a\\n', 'b\\n'])
logging.getLogger('mine').warning('logged')
logging.getLogger('mine').info('not')
"""
    result = client.ok(target + code)
    assert (result.stdout, result.stderr) == ("out\nbytes\na\nb\n", "err\nlogged\n")


def test_a_redirected_stream_keeps_displays_and_results(client: Client, target: str) -> None:
    code = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as caught:\n    print('hidden'); display(5)\ncaught.getvalue()"
    result = client.ok(target + code)
    assert (result.stdout, result.value) == ("", r"'hidden\n'")
    assert result.of("display_data")[0]["data"] == {"text/plain": "5"}


def test_a_replaced_stream_lasts_until_it_is_put_back(client: Client, target: str) -> None:
    client.ok(target + "import io, sys\nkept, sys.stdout = sys.stdout, io.StringIO()\nprint('gone')")
    result = client.ok(target + "print('gone too')\n5")
    assert (result.stdout, result.value) == ("", "5")
    client.ok(target + "lost, sys.stdout = sys.stdout, kept")
    assert client.ok(target + "print('back')\nlost.getvalue()").stdout == "back\n"


def test_code_in_subprocesses(client: Client) -> None:
    code = """
import concurrent.futures, multiprocessing
for method in ('spawn', 'forkserver'):
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        print(pool.submit(pow, 2, 3).result())
"""
    assert client.ok(code).stdout == "8\n8\n"


def test_help_is_printed(client: Client, target: str) -> None:
    assert client.ok(target + "help(len)").stdout.startswith("Help on built-in function len in module builtins:\n")


def test_standard_input_is_empty(client: Client, target: str) -> None:
    assert (
        client.ok(target + "import sys\nsys.stdin.read(), sys.stdin.readline(), list(sys.stdin)").value
        == "('', '', [])"
    )


def test_getpass_takes_its_arguments(client: Client, target: str) -> None:
    cell = client.send(target + "import getpass, sys\ngetpass.getpass('P: ', stream=sys.stderr)", allow_stdin=True)
    request = client.client.get_stdin_msg(timeout=20)
    assert request["content"] == {"prompt": ("[alice] " if target else "") + "P: ", "password": True}
    client.client.input("secret")
    assert client.result(cell).value == "'secret'"
