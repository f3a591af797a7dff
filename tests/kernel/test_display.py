"""display() and results without IPython: bundles, metadata, updates, errors in representations, layout. In main and in another one."""

import pytest
from harness import Client
from python_under_test import VERSION

RICH = """
class Rich:
    def __repr__(self): return 'plain'
    def _repr_html_(self): return '<b>'
    def _repr_png_(self): return b'x'
"""
NO_TEXT = (
    "__repr__ returned non-string (type int)" if VERSION < (3, 15) else "Bad.__repr__() must return a str, not int"
)
ALL = {"text/plain": "plain", "text/html": "<b>", "image/png": "eA=="}


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ("", {*ALL}),
        ("include=['text/html']", {"text/html"}),
        ("include={'text/html', 'text/plain'}", {"text/html", "text/plain"}),
        ("exclude=['text/html']", {"text/plain", "image/png"}),
        ("include=['text/html', 'text/plain'], exclude=['text/html']", {"text/plain"}),
    ],
)
def test_include_and_exclude(client: Client, target: str, options: str, shown: set[str]) -> None:
    result = client.ok(target + RICH + f"display(Rich(), {options})")
    assert result.of("display_data")[0]["data"] == {mime_type: ALL[mime_type] for mime_type in shown}


def test_metadata_is_merged(client: Client, target: str) -> None:
    code = "class M:\n    def _repr_mimebundle_(self, **options): return {'text/plain': 'p', 'image/png': b'ab'}, {'image/png': {'w': 1}}\n"
    result = client.ok(target + code + "display(M(), metadata={'text/plain': {'a': 1}})\nM()")
    assert result.of("display_data")[0]["metadata"] == {"image/png": {"w": 1}, "text/plain": {"a": 1}}
    value = result.of("execute_result")[0]
    assert (value["data"], value["metadata"]) == ({"text/plain": "p", "image/png": "YWI="}, {"image/png": {"w": 1}})


def test_several_objects_are_several_messages(client: Client, target: str) -> None:
    shown = client.ok(target + "display(1, 'two', [3])").of("display_data")
    assert [content["data"] for content in shown] == [{"text/plain": t} for t in ("1", "'two'", "[3]")]
    assert client.ok(target + "display()").of("display_data") == []


def test_a_display_id_is_made_or_given(client: Client, target: str) -> None:
    made = client.ok(target + "h = display(1, display_id=True)\nh.update(2)\nh.display(3)\nprint(h.display_id)\nh")
    identifier = made.stdout.strip()
    assert len(identifier) == 32
    shown = made.of("display_data", "update_display_data")
    assert [(c["data"]["text/plain"], c["transient"]) for c in shown] == [
        (text, {"display_id": identifier}) for text in "123"
    ]
    assert made.value == f"<DisplayHandle display_id={identifier}>"
    assert client.ok(target + "display(1)").of("display_data")[0]["transient"] == {}


def test_a_later_cell_updates_what_an_earlier_one_shows(client: Client, target: str) -> None:
    client.ok(target + "display('first', display_id='shared-id');")
    updated = client.ok(target + "update_display('second', display_id='shared-id')").of("update_display_data")
    assert [(c["data"], c["transient"]) for c in updated] == [({"text/plain": "'second'"}, {"display_id": "shared-id"})]


def test_an_empty_place_can_be_shown_and_filled(client: Client, target: str) -> None:
    shown = client.ok(target + "h = display(display_id='later')\nh.update('x')").of(
        "display_data", "update_display_data"
    )
    assert [content["data"] for content in shown] == [{}, {"text/plain": "'x'"}]


def test_raw_bundles(client: Client, target: str) -> None:
    result = client.ok(target + "display({'text/plain': 'r', 'image/png': b'ab'}, raw=True)")
    assert result.of("display_data")[0]["data"] == {"text/plain": "r", "image/png": "YWI="}
    assert client.run(target + "display('r', raw=True)").error == (
        "TypeError: with raw=True, display() shows dicts of representations, not str"
    )


@pytest.mark.parametrize(("wait", "sent"), [("", False), ("wait=True", True), ("True", True)])
def test_clear_output(client: Client, target: str, wait: str, sent: bool) -> None:
    result = client.ok(target + f"print('a'); clear_output({wait}); display(2)")
    kinds = [m["msg_type"] for m in result.messages if m["msg_type"] not in ("status", "execute_input")]
    assert kinds == ["stream", "clear_output", "display_data"]
    assert result.of("clear_output") == [{"wait": sent}]


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("_repr_html_(self): 1/0", "ZeroDivisionError: division by zero"),
        ("_repr_html_(self): return 5", "TypeError: _repr_html_ returned int, not str"),
        ("_repr_png_(self): return [1]", "TypeError: _repr_png_ returned list, not bytes or str"),
        ("_repr_json_(self): return '{}'", "TypeError: _repr_json_ returned str, not list or dict"),
        ("_repr_mimebundle_(self, **options): 1/0", "ZeroDivisionError: division by zero"),
        ("_repr_mimebundle_(self, **options): return 5", "TypeError: _repr_mimebundle_ returned int, not dict"),
        ("_repr_mimebundle_(self): pass", "unexpected keyword argument 'include'"),
        ("_ipython_display_(self): 1/0", "ZeroDivisionError: division by zero"),
        ("_repr_html_(self): raise NotImplementedError", ""),
        ("_repr_html_(self): return None", ""),
        ("_ipython_display_(self): raise NotImplementedError", ""),
    ],
)
def test_a_representation_that_fails_leaves_the_others(client: Client, target: str, method: str, told: str) -> None:
    code = f"class Bad:\n    def __repr__(self): return 'still'\n    def {method}\n"
    result = client.ok(target + code + "display(Bad()); Bad()")
    assert result.value == "still"
    assert result.of("display_data")[0]["data"] == {"text/plain": "still"}
    lines = [line for line in plain_lines(result.stderr) if told and line.endswith(told)]
    assert len(lines) == (2 if told else 0)
    assert (result.stderr == "") == (told == "")


def plain_lines(text: str) -> list[str]:
    from harness import plain

    return plain(text).split("\n")


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("__repr__(self): 1/0", "ZeroDivisionError: division by zero"),
        ("__repr__(self): return 5", f"TypeError: {NO_TEXT}"),
        ("__repr__(self): return repr(self)", "RecursionError: maximum recursion depth exceeded"),
        ("_repr_pretty_(self, p, cycle): 1/0", "ZeroDivisionError: division by zero"),
    ],
)
def test_an_object_without_a_text_does_not_lose_the_cell(client: Client, target: str, method: str, told: str) -> None:
    result = client.ok(target + f"class Bad:\n    def {method}\ndisplay(Bad()); print('after')\nBad()")
    assert (result.stdout, result.of("execute_result", "display_data")) == ("after\n", [])
    assert [line for line in plain_lines(result.stderr) if "Error: " in line] == [told, told]
    assert client.ok(target + "type(_).__name__").value == "'Bad'"


def test_an_object_without_a_text_shows_what_else_it_has(client: Client, target: str) -> None:
    code = "class Half:\n    def __repr__(self): 1/0\n    def _repr_html_(self): return '<i>'\nHalf()"
    assert client.ok(target + code).of("execute_result")[0]["data"] == {"text/html": "<i>"}


@pytest.mark.parametrize(
    "attribute",
    [
        "__getattr__(self, name): return lambda *a, **k: 'claimed'",
        "__getattr__(self, name): raise ValueError(name)",
        "__getattribute__(self, name): raise ValueError(name)",
    ],
)
def test_objects_that_claim_or_refuse_every_attribute(client: Client, target: str, attribute: str) -> None:
    result = client.ok(target + f"class Odd:\n    def {attribute}\n    def __repr__(self): return 'odd'\nOdd()")
    assert (result.of("execute_result")[0]["data"], result.stderr) == ({"text/plain": "odd"}, "")


def test_a_class_does_not_show_itself_as_its_instances(client: Client, target: str) -> None:
    assert client.ok(target + RICH + "Rich").of("execute_result")[0]["data"] == {"text/plain": "__main__.Rich"}


def test_an_object_that_displays_itself(client: Client, target: str) -> None:
    result = client.ok(target + "class Own:\n    def _ipython_display_(self): print('own way')\nOwn()")
    assert (result.stdout, result.of("execute_result")) == ("own way\n", [])


def test_numbers_that_json_lacks_and_texts_that_unicode_lacks(client: Client, target: str) -> None:
    code = "class J:\n    def __repr__(self): return 'j\\ud800'\n    def _repr_json_(self): return {'n': float('nan'), 'i': [float('inf')], 's': 'a\\udfff'}\nJ()"
    data = client.ok(target + code).of("execute_result")[0]["data"]
    assert data["application/json"] == {"n": None, "i": [None], "s": "a\\udfff"}
    assert data["text/plain"] == "j\\ud800"


OTHER_TYPES = [
    ("{1}", [1]),
    ("(n for n in 'ab')", ["a", "b"]),
    ("range(2)", [0, 1]),
    ("b'x'", "eA=="),
    ("__import__('datetime').date(2026, 11, 30)", "2026-11-30"),
    ("__import__('fractions').Fraction(1, 2)", 0.5),
    ("__import__('types').MappingProxyType({'a': {2}})", {"a": [2]}),
    ("type('Three', (), {'__index__': lambda self: 3})()", 3),
]


@pytest.mark.parametrize(("value", "shown"), OTHER_TYPES)
def test_what_is_shown_may_be_of_other_types_than_jsons(client: Client, target: str, value: str, shown: object) -> None:
    result = client.ok(f"{target}display({{'application/json': {{'of': {value}}}}}, raw=True)")
    assert result.of("display_data")[0]["data"] == {"application/json": {"of": shown}}


@pytest.mark.parametrize("shower", ["display({}, raw=True)", "display(1, metadata={})"])
def test_what_json_cannot_hold_is_an_error(
    ipython_client: Client, ipython_target: str, client: Client, target: str, shower: str
) -> None:
    told = "cannot be shown: a message holds what JSON has, and that has no Thing"
    code = shower.format("{'a': [Thing()]}")
    for front_end, where in ((client, target), (ipython_client, ipython_target)):
        failed = front_end.run(f"{where}class Thing:\n    def __repr__(self): return 'thing'\n{code}\nprint('after')")
        assert failed.error == f"ValueError: thing {told}"
        assert (failed.stdout, failed.of("display_data")) == ("", [])


def test_a_result_that_json_cannot_hold_is_an_error(client: Client, target: str) -> None:
    failed = client.run(f"{target}class Odd:\n    def _repr_json_(self): return {{'a': object}}\nOdd()")
    assert failed.error == (
        "ValueError: <class 'object'> cannot be shown: a message holds what JSON has, and that has no type"
    )


@pytest.mark.parametrize("data", ["'text'", "5", "[1]"])
def test_what_ipython_publishes_is_a_dict(ipython_client: Client, ipython_target: str, data: str) -> None:
    failed = ipython_client.run(f"{ipython_target}get_ipython().display_pub.publish({data})")
    assert failed.error == f"TypeError: data must be a dict, got: {data}"


def test_a_result_of_many_megabytes(client: Client, target: str) -> None:
    code = "class Big:\n    def __repr__(self): return 'x' * 20_000_000\nBig()"
    assert client.ok(target + code).value == "x" * 20_000_000


def lines_of(opening: str, items: list[str], closing: str) -> str:
    return opening + (",\n" + " " * len(opening)).join(items) + closing


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("list(range(20))", str(list(range(20)))),
        ("list(range(40))", lines_of("[", [str(i) for i in range(40)], "]")),
        ("{'b' * 40: 1, 'a' * 40: 2}", "{'" + "b" * 40 + "': 1,\n '" + "a" * 40 + "': 2}"),
        (
            "{'k': list(range(30)), 'l': (1, 2)}",
            "{'k': [0,\n  " + ",\n  ".join(map(str, range(1, 30))) + "],\n 'l': (1, 2)}",
        ),
        ("{3, 1, 2}, frozenset([2, 1]), set(), ()", "({1, 2, 3}, frozenset({1, 2}), set(), ())"),
        ("(1,), ('x' * 78,)", "((1,),\n ('" + "x" * 78 + "',))"),
        ("'x' * 200", repr("x" * 200)),
        ("'a\\nb', 'c'", "('a\\nb', 'c')"),
        ("x = [1]; x.append(x); x", "[1, [...]]"),
        ("x = {}; x['x'] = x; x", "{'x': {...}}"),
        ("int, ValueError, type", "(int, ValueError, type)"),
        ("ValueError('x', 1)", "ValueError('x', 1)"),
        ("len", "<function len(obj, /)>"),
        ("def f(a, *, b=1): pass\nf", "<function __main__.f(a, *, b=1)>"),
        ("class L(list): pass\nL([1])", "[1]"),
        ("class L(list):\n    def __repr__(self): return 'own'\n[L()]", "[own]"),
        ("class P:\n    def _repr_pretty_(self, p, cycle): p.text('pretty')\n[P(), P()]", "[pretty, pretty]"),
        (
            "class P:\n    def _repr_pretty_(self, p, cycle):\n        with p.group(2, 'P(', ')'):\n            for i in range(30):\n                p.pretty(i); p.text(','); p.breakable()\nP()",
            "P(" + ",\n  ".join(map(str, range(30))) + ",\n  )",
        ),
        (
            "class T:\n    def __repr__(self): return 'one\\ntwo'\n[T(), {'k': T()}]",
            "[one\n two,\n {'k': one\n  two}]",
        ),
        (
            "import collections as c\nc.Counter('aab'), c.deque([1], 3)",
            "(Counter({'a': 2, 'b': 1}), deque([1], maxlen=3))",
        ),
        ("c.defaultdict(int, {1: 2}), c.OrderedDict(a=1)", "(defaultdict(int, {1: 2}), OrderedDict([('a', 1)]))"),
        ("import types\ntypes.SimpleNamespace(a=1)", "namespace(a=1)"),
        ("1.0, 1e100, 2j, True, None, ..., b'x'", "(1.0, 1e+100, 2j, True, None, Ellipsis, b'x')"),
    ],
)
def test_results_are_laid_out_as_in_ipython(client: Client, target: str, code: str, text: str) -> None:
    code = "import collections as c\n" * code.startswith("c.") + code
    assert client.ok(target + code).value == text


def test_long_containers_are_cut(client: Client, target: str) -> None:
    text = client.ok(target + "list(range(5000))").value or ""
    assert text.split("\n")[-2:] == [" 999,", " ...]"]


def test_numpy_arrays_in_containers(client: Client) -> None:
    assert client.ok("import numpy as np\n[np.eye(2), 1]").value == "[array([[1., 0.],\n        [0., 1.]]),\n 1]"
