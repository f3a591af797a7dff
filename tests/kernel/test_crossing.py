"""What crosses from one interpreter to another by a channel, how, and what refuses to."""

import pytest
from channels import SETUP, background
from harness import Client, Kernel

EQUAL = [
    "None", "True", "0", "-1", "2**63 - 1", "-2**63", "10**50", "-10**50", "1.5", "float('inf')", "2j", "''", "'text'",
    "'\\0 \\ud800 ß 漢 🦉'", "b''", "b'by\\0tes'", "()", "(1, ('a', [b'b']), None)", "[1, {'two': {3}}]", "...",
    "__import__('decimal').Decimal('1.5')", "__import__('math').hypot", "ValueError('said')", "range(3)", "int",
]  # fmt: skip


def test_values_arrive_as_they_were(client: Client, channel: int) -> None:
    echo = background(client, "bob", "while (value := r.recv()) != 'end': s.send((repr(value), value))")
    for code in EQUAL:
        assert (
            client.ok(
                f"value = {code}\ns.send(value)\nback = r.recv()\nback[0] == repr(value) == repr(back[1]), type(back[1]) is type(value)"
            ).value
            == "(True, True)"
        ), code
    client.ok("s.send('end')")
    assert client.result(echo).status == "ok"


def test_a_function_that_needs_no_globals_arrives(client: Client, channel: int, target: str) -> None:
    cell = background(client, "bob", "s.send(lambda x: x + 1)")
    assert client.ok(target + "r.recv()(1)").value == "2"
    client.result(cell)


def test_queues_arrive_as_the_same_queue(client: Client, channel: int, target: str) -> None:
    cell = background(
        client, "bob", "from concurrent.interpreters import create_queue\nq = create_queue()\ns.send((q, [q]))"
    )
    client.ok(target + "q, [again] = r.recv()\nassert q is again\nq.put(5)")
    client.result(cell)
    assert client.ok("%%interp bob\nq.get()").value == "5"


LENT = {
    "memoryview": "memoryview(owner := bytearray(b'x' * 12)).cast('B', (3, 4))",
    "bytearray": "(owner := bytearray(b'x' * 12))",
    "array": "(owner := __import__('array').array('i', range(3)))",
    "mmap": "(owner := __import__('mmap').mmap(-1, 4096))",
}


@pytest.mark.parametrize("kind", LENT)
@pytest.mark.parametrize(("one", "other"), [("main", "alice"), ("alice", "main"), ("alice", "bob")])
def test_buffers_are_the_same_memory_on_both_sides(
    client: Client, channel: int, one: str, other: str, kind: str
) -> None:
    cell = background(client, one, f"value = {LENT[kind]}\ns.send(value)")
    client.ok(f"%%interp {other}\nview = r.recv()\nassert type(view) is memoryview")
    client.result(cell)
    client.ok(f"%%interp {other}\nflat = view.cast('B')\nflat[5] = 77")
    assert client.ok(f"%%interp {one}\nmemoryview(value).cast('B')[5]").value == "77"
    client.ok(f"%%interp {one}\nmemoryview(value).cast('B')[6] = 78")
    assert client.ok(f"%%interp {other}\nflat[6], view.nbytes == len(flat)").value == "(78, True)"
    client.ok(f"%%interp {other}\ndel view, flat")


def test_the_owner_of_memory_lives_until_it_is_given_back(client: Client, channel: int) -> None:
    client.ok("%%interp alice\nimport gc, weakref\nclass Memory(bytearray): pass")
    cell = background(
        client, "alice", "value = memoryview(Memory(b'abc'))\ngone = weakref.ref(value.obj)\ns.send(value)"
    )
    client.ok("view = r.recv()")
    client.result(cell)
    client.ok("%%interp alice\ndel value\ngc.collect()")
    assert client.ok("%%interp alice\ngone() is None").value == "False"
    assert client.ok("bytes(view)").value == "b'abc'"
    client.ok("del view")
    assert client.ok("%%interp alice\ngone() is None").value == "True"


def test_memory_that_was_given_back_is_free_again_also_in_the_midst_of_a_cell(client: Client, channel: int) -> None:
    cell = background(client, "alice", "data = bytearray(10)\ns.send(data)")
    client.ok("view = r.recv()")
    client.result(cell)
    assert client.run("%%interp alice\ndata.append(1)").error.startswith("BufferError: ")
    busy = client.send(
        "%%interp alice &\nprint('busy')\nwhile True:\n    try: data.append(1)\n    except BufferError: continue\n    break\nlen(data)"
    )
    client.wait_for_text(busy, "busy")
    client.ok("del view")
    assert client.result(busy).value == "11"


def test_a_thread_of_an_interpreter_lends_its_memory_too(client: Client, channel: int, target: str) -> None:
    client.ok(
        target
        + "import threading\ndata = bytearray(10)\nthread = threading.Thread(target=s.send, args=(data,))\nthread.start()"
    )
    client.ok("%%interp bob\nview = r.recv()\nview[0] = 5")
    assert client.run(target + "thread.join()\ndata.append(data[0])").error.startswith("BufferError: ")
    client.ok("%%interp bob\ndel view")
    assert client.ok(target + "data.append(data[0])\nlen(data), data[10]").value == "(11, 5)"


def test_what_has_arrived_outlives_the_interpreter_that_sent_it(client: Client, channel: int) -> None:
    cell = background(client, "alice", "for value in ([1, 'text'], memoryview(bytearray(b'abc'))): s.send(value)")
    client.ok("copy = r.recv()\nview = r.recv()")
    client.result(cell)
    assert client.ok("%interp close alice").stdout == (
        "closed alice. But other interpreters use its memory; it stays in use until the kernel stops.\n"
    )
    assert client.ok("copy, bytes(view)").value == "([1, 'text'], b'abc')"
    client.ok("del view, copy")


def test_large_bytes_arrive_as_a_read_only_view_of_the_senders(client: Client, channel: int, target: str) -> None:
    client.ok(target + "import ctypes")
    address = "id(data) + bytes.__basicsize__ - 1"
    result = background(
        client, "bob", f"import ctypes\ndata = bytes(range(256)) * 4096\nprint({address})\ns.send(data)"
    )
    client.ok(target + "view = r.recv()")
    sent = client.result(result).stdout.split()[0]
    client.ok("%%interp bob\ndel data")
    assert client.ok(
        target + "type(view), view.readonly, len(view), view[255], view == bytes(range(256)) * 4096"
    ).value == ("(memoryview, True, 1048576, 255, True)")
    assert client.run(target + "view[0] = 1").error == "TypeError: cannot modify read-only memory"
    look = f"ctypes.string_at({sent}, 3), bytes(view[:3])"
    assert client.ok(target + look).value == r"(b'\x00\x01\x02', b'\x00\x01\x02')"
    client.ok("%%interp bob\nctypes.memset(" + sent + ", 65, 1)")
    assert client.ok(target + "view[0]").value == "65", "no copy"
    client.ok(target + "del view")


def test_numpy_arrays_are_shared(fresh: Kernel) -> None:
    client = fresh.client
    if client.run("import numpy").status == "error":
        pytest.skip("the kernel's Python has no numpy")
    client.ok(f"{SETUP}\nimport threading\n%interp create alice\n%interp create bob --preset shared")
    client.ok("%%interp alice,bob\nfrom interpreters import *\nr = RecvChannel(1)")
    client.ok("array = numpy.arange(6.0).reshape(2, 3)")
    for where, found in [("alice", "(memoryview, 'd', (2, 3))"), ("main", None)]:
        cell = background(client, where, "got = r.recv()") if where != "main" else ""
        client.ok("threading.Thread(target=s.send, args=(array,)).start()")
        if cell:
            client.result(cell)
            assert client.ok(f"%%interp {where}\ntype(got), got.format, got.shape").value == found
            client.ok(f"%%interp {where}\ngot[1, 2] = 9")
            assert client.ok("array[1, 2]").value == "np.float64(9.0)"
        else:
            assert client.ok("got = r.recv()\ntype(got) is numpy.ndarray, numpy.shares_memory(got, array)").value == (
                "(True, True)"
            )
    for code in (
        "numpy.float64(2)",
        "numpy.array([None, 1])",
        "numpy.ma.array([1, 2], mask=[0, 1])",
        "numpy.zeros(2, 'M8[s]')",
    ):
        client.ok(f"value = {code}\nthreading.Thread(target=s.send, args=(value,)).start()\ngot = r.recv()")
        assert client.ok("type(got) is type(value), repr(got) == repr(value)").value == "(True, True)", code


REFUSED = {
    "(i for i in [])": "generator cannot cross to another interpreter: cannot pickle 'generator' object.",
    "[__import__('threading').Lock()]": "list cannot cross to another interpreter: cannot pickle '_thread.lock' object.",
    "(1, __import__('threading').Lock())": "_thread.lock cannot cross to another interpreter: cannot pickle '_thread.lock' object.",
    "released": "memoryview cannot cross to another interpreter: operation forbidden on released memoryview object.",
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_cannot_cross_is_named_and_leaves_the_channel_as_it_was(
    client: Client, channel: int, target: str, code: str
) -> None:
    client.ok(target + "released = memoryview(b'abc')\nreleased.release()")
    waiting = background(client, "bob", "r.recv()")
    for call in ("send", "send_nowait"):
        result = client.run(target + f"s.{call}({code})")
        assert result.error == f"NotShareableError: {REFUSED[code]}"
    client.ok(target + "s.send('fine')")
    assert client.result(waiting).value == "'fine'"


def test_what_cannot_be_made_where_it_arrives_is_named_there(client: Client, channel: int) -> None:
    sender = background(
        client,
        "bob",
        "import sys, types\nsys.modules['ours'] = ours = types.ModuleType('ours')\nexec('class T: pass', ours.__dict__)\nours.T.__module__ = 'ours'\ns.send(ours.T())",
    )
    assert client.run("r.recv()").error == (
        "NotShareableError: ours.T cannot be made in this interpreter: ModuleNotFoundError: No module named 'ours'."
    )
    assert client.result(sender).status == "ok"
