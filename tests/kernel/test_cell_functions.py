"""What a cell defines crosses to other interpreters in calls, queues and pools; what cannot is named with the reason.

From main and from a lane; the other side is bob.
"""

from collections.abc import Callable

import pytest
from harness import Client, Kernel, Result

type Run = Callable[[str], Result]

PREPARE = "import xinterp; bob = xinterp.get('bob')\nfrom concurrent import interpreters\n"


@pytest.fixture
def run(client: Client, target: str) -> Run:
    """Runs a cell where the functions are defined."""
    client.ok("%interp create bob")
    return lambda code: client.run(target + PREPARE + code)


def test_functions_cross_after_a_first_import_that_has_failed(fresh: Kernel) -> None:
    fresh.client.ok(
        "import sys\nsys.modules['concurrent.interpreters._queues'] = None\n"
        "try: import concurrent.interpreters\nexcept ImportError: del sys.modules['concurrent.interpreters._queues']"
    )
    code = "from concurrent import interpreters\ndef f(x): return double(x)\ndef double(x): return 2 * x\n"
    assert fresh.client.ok(code + "interpreters.create().call(f, 21)").value == "42"


FUNCTIONS = {
    "one that uses nothing": ("def f(x): return x + 1\nbob.call(f, 1)", "2"),
    "a constant": ("limit = 5\ndef f(x): return x < limit\nbob.call(f, 1)", "True"),
    "another function": ("def double(x): return 2 * x\ndef f(x): return double(x) + 1\nbob.call(f, 1)", "3"),
    "an imported module": ("import math\ndef f(x): return math.sqrt(x)\nbob.call(f, 9)", "3.0"),
    "an import under another name": ("import math as m\ndef f(x): return m.sqrt(x)\nbob.call(f, 9)", "3.0"),
    "a module's part": (
        "import xml.etree.ElementTree\ndef f(x): return xml.etree.ElementTree.fromstring(x).tag\nbob.call(f, '<a/>')",
        "'a'",
    ),
    "an imported function": ("from os.path import join\ndef f(x): return join(x, 'b')\nbob.call(f, 'a')", "'a/b'"),
    "a class": ("class C: x = 1\ndef f(): return C().x\nbob.call(f)", "1"),
    "defaults": (
        "n = 3\ndef f(a, b=n, *, c=n + 1): return a, b, c\nbob.call(f, 1), bob.call(f, 1, c=0)",
        "((1, 3, 4), (1, 3, 0))",
    ),
    "a closure": ("def adder(n):\n    def add(x): return x + n\n    return add\nbob.call(adder(4), 1)", "5"),
    "a lambda": ("n = 2\nbob.call(lambda x: x * n, 21)", "42"),
    "a nested function": (
        "n = 2\ndef f(x):\n    def inner(): return [y * n for y in range(x)]\n    return inner()\nbob.call(f, 3)",
        "[0, 2, 4]",
    ),
    "recursion": ("def fac(n): return 1 if n == 0 else n * fac(n - 1)\nbob.call(fac, 5)", "120"),
    "recursion in a closure": (
        "def make():\n    def fac(n): return 1 if n == 0 else n * fac(n - 1)\n    return fac\nbob.call(make(), 5)",
        "120",
    ),
    "mutual recursion": (
        "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n != 0 and even(n - 1)\nbob.call(even, 10)",
        "True",
    ),
    "a generator": ("def gen(n):\n    yield from range(n)\ndef f(): return list(gen(3))\nbob.call(f)", "[0, 1, 2]"),
    "a coroutine": (
        "import asyncio\nasync def co(x):\n    await asyncio.sleep(0)\n    return x\ndef f(): return asyncio.run(co(3))\nbob.call(f)",
        "3",
    ),
    "functools.wraps": (
        "import functools\ndef loud(f):\n    @functools.wraps(f)\n    def wrapper(*args): return f(*args).upper()\n    return wrapper\n@loud\ndef f(x): return x\nbob.call(f, 'a')",
        "'A'",
    ),
    "functools.lru_cache": (
        "import functools\n@functools.lru_cache(maxsize=None)\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nbob.call(fib, 80)",
        "23416728348467685",
    ),
    "functools.partial": (
        "import functools\nn = 1\ndef f(a, b): return a + b + n\nbob.call(functools.partial(f, 2), b=3)",
        "6",
    ),
    "contextlib.contextmanager": (
        "import contextlib\n@contextlib.contextmanager\ndef cm(): yield 'in'\ndef f():\n    with cm() as x: return x\nbob.call(f)",
        "'in'",
    ),
    "annotations": (
        "class P: pass\ndef f(p: P, q: 'nothing' = 1) -> list[P]: pass\ndef names(f): return [*f.__annotations__], f.__annotations__['q']\nbob.call(names, f)",
        "(['p', 'q', 'return'], 'nothing')",
    ),
    "annotations that cannot cross": (
        "import threading\nlock = threading.Lock()\ndef f(x: lock): return x\nn = 1\ndef g(): return f(n)\nbob.call(g)",
        "1",
    ),
    "type parameters": ("def f[T: int](x: T) -> T: return f.__type_params__[0].__name__\nbob.call(f, 1)", "'T'"),
    "attributes of the function": ("def f(): return f.calls\nf.calls = 7\nbob.call(f)", "7"),
    "several that share their globals": (
        "count = 0\ndef up():\n    global count\n    count += 1\ndef f():\n    up(); up()\n    return count\nbob.call(f), count",
        "(2, 0)",
    ),
    "__name__": ("n = 1\ndef f(): return n, __name__\nbob.call(f)", "(1, '__main__')"),
    "an unknown name until it is used": ("n = 1\ndef f(): return n or nowhere\nbob.call(f)", "1"),
}


@pytest.mark.parametrize("what", FUNCTIONS)
def test_a_function_takes_along(run: Run, what: str) -> None:
    code, expected = FUNCTIONS[what]
    result = run(code)
    assert result.value == expected, result.traceback


CLASSES = {
    "an instance": (
        "class C:\n    def __init__(self, x): self.x = x\ndef f(c): return C(c.x + 1)\nr = bob.call(f, C(1))\nisinstance(r, C), r.x",
        "(True, 2)",
    ),
    "the class itself": ("class C:\n    def __init__(self, x): self.x = x\ntype(bob.call(C, 1)) is C", "True"),
    "methods": (
        "n = 1\nclass C:\n    def a(self): return n\n    @staticmethod\n    def b(x): return x\n    @classmethod\n    def c(cls): return cls.__name__\nbob.call(C().a), bob.call(C.b, 2), bob.call(C.c)",
        "(1, 2, 'C')",
    ),
    "inheritance and super()": (
        "class A:\n    def __init__(self): self.x = 1\nclass B(A):\n    def __init__(self):\n        super().__init__()\n        self.y = 2\ndef f(): return B()\nr = bob.call(f)\ntype(r) is B, isinstance(r, A), r.x, r.y",
        "(True, True, 1, 2)",
    ),
    "properties": (
        "class C:\n    @property\n    def x(self): return self._x\n    @x.setter\n    def x(self, value): self._x = 2 * value\ndef f(c):\n    c.x = 4\n    return c\nbob.call(f, C()).x",
        "8",
    ),
    "cached properties": (
        "import functools\nclass C:\n    @functools.cached_property\n    def x(self): return 5\ndef f(c): return c.x\nbob.call(f, C())",
        "5",
    ),
    "__slots__": (
        "class C:\n    __slots__ = ('x', '__y')\n    def __init__(self): self.x, self.__y = 1, 2\n    def both(self): return self.x, self.__y\nbob.call(C().both), bob.call(C).both()",
        "((1, 2), (1, 2))",
    ),
    "__getstate__ and __setstate__ that use globals": (
        "def twice(x): return 2 * x\nclass C:\n    def __getstate__(self): return twice(4)\n    def __setstate__(self, state): self.x = twice(state)\ndef f(c): return c.x\nbob.call(f, C())",
        "16",
    ),
    "a dataclass": (
        "import dataclasses\n@dataclasses.dataclass(order=True)\nclass D:\n    a: int\n    b: list = dataclasses.field(default_factory=list)\ndef f(d): return D(d.a + 1), dataclasses.replace(d, b=[1]), [x.name for x in dataclasses.fields(D)]\nbob.call(f, D(1)) == (D(2), D(1, [1]), ['a', 'b'])",
        "True",
    ),
    "a frozen dataclass with slots": (
        "import dataclasses\n@dataclasses.dataclass(frozen=True, slots=True)\nclass D:\n    a: int\ndef f(d): return D(d.a + 1)\nbob.call(f, D(1)), bob.call(f, D(1)) == D(2)",
        "(D(a=2), True)",
    ),
    "an enum": (
        "import enum\nclass E(enum.Enum):\n    A = 1\n    B = 2\n    AA = 1\n    def next(self): return E.B\n    @classmethod\n    def _missing_(cls, value): return cls.B\ndef f(e): return e is E.A is E.AA, e.next(), E(9)\nr = bob.call(f, E.A)\nr, r[1] is E.B",
        "((True, <E.B: 2>, <E.B: 2>), True)",
    ),
    "flags": (
        "import enum\nclass F(enum.Flag):\n    X = enum.auto()\n    Y = enum.auto()\ndef f(x): return x | F.Y\nbob.call(f, F.X), bob.call(f, F.X) is F.X | F.Y",
        "(<F.X|Y: 3>, True)",
    ),
    "an enum with an __init__": (
        "import enum\nclass P(enum.Enum):\n    EARTH = (1, 2)\n    def __init__(self, a, b): self.b = b\ndef f(p): return p.b, P.EARTH is p\nbob.call(f, P.EARTH)",
        "(2, True)",
    ),
    "a NamedTuple": (
        "import typing\nclass N(typing.NamedTuple):\n    a: int\n    b: int = 2\ndef f(n): return n._replace(a=n.a + n.b)\nbob.call(f, N(1)), type(bob.call(f, N(1))) is N",
        "(N(a=3, b=2), True)",
    ),
    "a namedtuple": (
        "import collections\nN = collections.namedtuple('N', 'x y')\ndef f(n): return N(n.y, n.x)\nbob.call(f, N(1, 2)), type(bob.call(f, N(1, 2))) is N",
        "(N(x=2, y=1), True)",
    ),
    "an abstract base class": (
        "import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def go(self): ...\nclass B(A):\n    def go(self): return 'gone'\n@A.register\nclass R: pass\ndef f(b):\n    try: A()\n    except TypeError: return b.go(), isinstance(b, A), isinstance(R(), A)\nbob.call(f, B())",
        "('gone', True, True)",
    ),
    "__init_subclass__, which is not told again": (
        "class A:\n    seen = []\n    def __init_subclass__(cls, *, tag): A.seen.append(tag)\nclass B(A, tag='b'): pass\nclass C(B, tag='c'): pass\ndef f(): return A.seen, C.__mro__ == (C, B, A, object)\nbob.call(f)",
        "(['b', 'c'], True)",
    ),
    "a metaclass": (
        "class M(type):\n    def __init__(cls, name, bases, namespace, tag): cls.tag = tag\n    def __new__(m, name, bases, namespace, tag): return super().__new__(m, name, bases, namespace)\n    def hello(cls): return cls.tag\nclass C(metaclass=M, tag=5): pass\ndef f(): return C.hello()\nbob.call(f)",
        "5",
    ),
    "generic classes": (
        "import typing\nT = typing.TypeVar('T')\nclass G(typing.Generic[T]): pass\nclass H[U](list[U]): pass\ndef f(g): return type(g) is G, H([1]), G[int]\nr = bob.call(f, G())\nr[0], type(r[1]) is H, r[2] == G[int]",
        "(True, True, True)",
    ),
    "a protocol and a TypedDict": (
        "import typing\nclass P(typing.Protocol):\n    def go(self) -> int: ...\nclass D(typing.TypedDict):\n    a: int\nclass I(P):\n    def go(self): return 1\ndef f(): return I().go(), D(a=2)\nbob.call(f)",
        "(1, {'a': 2})",
    ),
    "a class that a function makes": (
        "def make():\n    class C: x = 3\n    return C()\nbob.call(make).x",
        "3",
    ),
    "an object that refers to itself": (
        "class C: pass\nc = C()\nc.me, c.f = c, lambda: c\ndef f(c): return c.me is c and c.f() is c\nbob.call(f, c)",
        "True",
    ),
    "containers of instances": (
        "class C: pass\ndef f(cs): return {'all': [*cs, C()]}\nr = bob.call(f, (C(), C()))\n[type(c) is C for c in r['all']]",
        "[True, True, True]",
    ),
    "a memoryview and a queue beside it": (
        "class C: x = 65\nc, q = C(), interpreters.create_queue()\ndef f(view, q, more):\n    view[0] = more['c'].x\n    q.put(more['c'])\n    return more['view']\ndata = bytearray(2)\nr = bob.call(f, memoryview(data), q, more={'c': c, 'view': memoryview(b'x')})\ndata, bytes(r), type(q.get()) is C",
        "(bytearray(b'A\\x00'), b'x', True)",
    ),
    "large bytes": ("n = 1\ndef f(data): return n, data\nbob.call(f, bytes(1 << 20)) == (1, bytes(1 << 20))", "True"),
}


@pytest.mark.parametrize("what", CLASSES)
def test_classes_cross_and_come_back_as_the_same(run: Run, what: str) -> None:
    code, expected = CLASSES[what]
    result = run(code)
    assert result.value == expected, result.traceback


def test_a_class_that_is_sent_twice_is_one_class_there(run: Run) -> None:
    code = "class C: n = 1\ndef keep(c):\n    import builtins\n    builtins.kept = c\ndef same(c):\n    import builtins\n    return type(builtins.kept) is type(c), builtins.kept.n\n"
    assert run(code + "bob.call(keep, C())\nC.n = 2\nbob.call(same, C())").value == "(True, 2)"


def test_a_class_that_is_defined_again_is_another_one(run: Run) -> None:
    code = "import sys\nclass C: n = 1\ndef f(): return C.n\nfirst = bob.call(f)\nclass C: n = 2\nfirst, bob.call(f)"
    assert run(code).value == "(1, 2)"


REFUSED = {
    "a global": (
        "def f(): return lock\nbob.call(f)",
        "f cannot cross to interpreter {id}: it uses lock, a _thread.lock, which cannot be pickled.",
    ),
    "another function's global": (
        "def g(): return lock\ndef f(): return g()\nbob.call(f)",
        "f cannot cross to interpreter {id}: it uses g, which uses lock, a _thread.lock, which cannot be pickled.",
    ),
    "something in a container": (
        "settings = {'a': [lock]}\ndef f(): return settings\nbob.call(f)",
        "f cannot cross to interpreter {id}: it uses settings, a dict that holds a _thread.lock, which cannot be pickled.",
    ),
    "a variable of its closure": (
        "def outer(key):\n    def f(): return key\n    return f\nbob.call(outer(lock))",
        "outer.<locals>.f cannot cross to interpreter {id}: it uses key, a _thread.lock, which cannot be pickled.",
    ),
    "a default": (
        "def f(a, *, key=lock): pass\nbob.call(f, 1)",
        "f cannot cross to interpreter {id}: it has the default key, a _thread.lock, which cannot be pickled.",
    ),
    "an attribute of a class": (
        "class C:\n    key = lock\ndef f(): return C\nbob.call(f)",
        "f cannot cross to interpreter {id}: it uses C, which has the attribute key, a _thread.lock, which cannot be pickled.",
    ),
    "an argument": (
        "class C: pass\nc = C()\nc.key = lock\nbob.call(len, c)",
        "argument 1 (a C) cannot cross to interpreter {id}: it holds a _thread.lock, which cannot be pickled.",
    ),
    "an argument by keyword": (
        "class C: pass\nc = C()\nc.key = lock\nbob.call(dict, c=c)",
        "argument c (a C) cannot cross to interpreter {id}: it holds a _thread.lock, which cannot be pickled.",
    ),
    "in a thread, before it starts": (
        "def f(): return lock\nbob.call_in_thread(f)",
        "f cannot cross to interpreter {id}: it uses lock, a _thread.lock, which cannot be pickled.",
    ),
    "a module that cannot be imported there": (
        "import sys, types\nsys.modules['ours'] = ours = types.ModuleType('ours')\ndef f(): return ours\ntry: bob.call(f)\nfinally: del sys.modules['ours']",
        "f cannot cross to interpreter {id}: it uses ours, and that failed there: ModuleNotFoundError: No module named 'ours'.",
    ),
    "the result": (
        "n = 1\ndef f():\n    import threading\n    return [n, threading.Lock()]\nbob.call(f)",
        "the result of f cannot cross from interpreter {id}: it holds a _thread.lock, which cannot be pickled.",
    ),
    "an item of a queue": (
        "class C: pass\nc = C()\nc.key = lock\ninterpreters.create_queue().put(c)",
        "the item cannot cross to other interpreters: it holds a _thread.lock, which cannot be pickled.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_cross_is_named_with_its_reason(run: Run, what: str) -> None:
    code, sentence = REFUSED[what]
    bob = run("bob.id").value
    result = run("import threading\nlock = threading.Lock()\n" + code)
    assert result.error == "NotShareableError: " + sentence.format(id=bob)


def test_the_refusal_is_what_the_standard_library_raises(run: Run) -> None:
    code = "import threading\nlock = threading.Lock()\ndef f(): return lock\ntry: bob.call(f)\nexcept interpreters.NotShareableError as e: r = isinstance(e, TypeError)\nr"
    assert run(code).value == "True"


def test_the_standard_library_runs_stateless_functions_in_main_of_the_other(run: Run) -> None:
    code = "def keep(name, value): globals()[name] = value\nbob.call(keep, 'kept', 5)\nbob.call(eval, 'kept')"
    assert run(code).value == "5"


def test_what_the_other_interpreter_has_under_that_name_is_not_used(client: Client, run: Run) -> None:
    client.ok("%%interp bob\nn = 'of bob'\ndef f(): return n\nclass C: x = 'of bob'")
    code = "n = 'ours'\ndef f(): return n\nclass C: x = 'ours'\ndef g(): return C.x\nbob.call(f), bob.call(g), bob.call(eval, 'f()')"
    assert run(code).value == "('ours', 'ours', 'of bob')"


def test_an_error_shows_the_lines_of_the_cell_and_no_others(run: Run) -> None:
    result = run("n = 1\ndef f(x):\n    return n / x\nbob.call(f, 0)")
    assert "return n / x" in result.traceback
    remote = result.traceback.partition("Uncaught in the interpreter:")[2]
    assert "_xinterp_shell" not in remote
    assert remote.strip().endswith("ZeroDivisionError: division by zero")


def test_what_is_unpacked_elsewhere_can_be_sent_on(client: Client, run: Run) -> None:
    client.ok("%interp create carol")
    code = "carol = xinterp.get('carol')\nclass C:\n    def __init__(self, x): self.x = x\ndef on(c, there): return there.call(f, c)\ndef f(c): return C(c.x + 1)\nr = bob.call(on, C(1), carol)\ntype(r) is C, r.x"
    assert run(code).value == "(True, 2)"


def test_call_in_thread_runs_them_too(run: Run) -> None:
    code = "q = interpreters.create_queue()\nn = 3\nclass C:\n    x = 1\ndef f(q, c): q.put((n, c))\nbob.call_in_thread(f, q, C()).join()\nr = q.get()\nr[0], type(r[1]) is C"
    assert run(code).value == "(3, True)"


POOL = "from concurrent.futures import InterpreterPoolExecutor\nn = 10\nclass C:\n    def __init__(self, x): self.x = x\ndef f(x): return C(x + n)\n"


def test_a_pool_runs_them(run: Run) -> None:
    code = "with InterpreterPoolExecutor(2) as pool:\n    r = [*pool.map(f, range(3)), pool.submit(f, 5).result(), pool.submit(lambda c: C(-c.x), C(1)).result()]\n[type(c) is C for c in r], [c.x for c in r]"
    assert run(POOL + code).value == "([True, True, True, True, True], [10, 11, 12, 15, -1])"


def test_a_pool_is_initialized_by_them(run: Run) -> None:
    code = "def start(c):\n    import builtins\n    builtins.started = c.x + n\ndef ask():\n    import builtins\n    return n, builtins.started\nwith InterpreterPoolExecutor(1, initializer=start, initargs=(C(1),)) as pool: r = pool.submit(ask).result()\nr"
    assert run(POOL + code).value == "(10, 11)"


def test_exceptions_of_a_cells_class_come_out_of_a_pool(run: Run) -> None:
    code = "class Bad(ValueError): pass\ndef fail(x): raise Bad(x)\nwith InterpreterPoolExecutor(1) as pool: e = pool.submit(fail, 3).exception()\ntype(e) is Bad, e.args"
    assert run(POOL + code).value == "(True, (3,))"


def test_a_pool_refuses_by_name(run: Run) -> None:
    code = "import threading\nlock = threading.Lock()\ndef use(): return lock\nwith InterpreterPoolExecutor(1) as pool: e = pool.submit(use).exception()\ntype(e).__name__, str(e).partition(':')[2]"
    assert (
        run(POOL + code).value == "('NotShareableError',\n ' it uses lock, a _thread.lock, which cannot be pickled.')"
    )


def test_a_module_that_needs_main_is_refused_by_name_where_it_does_not_load(fresh: Kernel) -> None:
    client = fresh.client
    if client.run("import numpy").status == "error":
        pytest.skip("the kernel's Python has no numpy")
    client.ok("%interp create bob\n")
    result = client.run(PREPARE + "def f(): return numpy.arange(3)\nbob.call(f)")
    assert result.error.startswith(
        "NotShareableError: f cannot cross to interpreter 1: it uses numpy, and that failed there: ImportError: "
    )
    assert "does not support loading in subinterpreters" in result.error
