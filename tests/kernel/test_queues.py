"""`concurrent.interpreters.Queue` waits: between interpreters, in main and in lanes, until an item, a time or an interrupt."""

import time

import pytest
from harness import Client
from python_under_test import said_by_python

BOUND = 1.0  # five times the 200 ms within which an interrupt ends a wait
PREPARE = "from concurrent import interpreters\nimport _interpqueues, threading, time, xinterp\n"


@pytest.fixture(autouse=True)
def alice(client: Client) -> None:
    """alice has the queues a and b of main."""
    client.ok("%interp create alice")
    client.ok(PREPARE + "a, b = interpreters.create_queue(), interpreters.create_queue(1)")
    client.ok("xinterp.get('alice').prepare_main(a=a, b=b)")
    client.ok("%%interp alice\n" + PREPARE)


def waiting(client: Client, code: str, where: str = "alice") -> str:
    """A detached cell that says that it is about to wait."""
    detached = " &" if where != "main" else ""
    cell = client.send(f"%%interp {where}{detached}\nprint('on')\n{code}")
    client.wait_for_text(cell, "on\n")
    return cell


def test_an_item_wakes_who_waits_for_it(client: Client) -> None:
    cell = waiting(client, "a.get()")
    client.ok("a.put('item')")
    assert client.result(cell).value == "'item'"


def test_room_wakes_who_waits_for_it(client: Client) -> None:
    client.ok("b.put(1)")
    cell = waiting(client, "b.put(2)\n'put'")
    assert client.ok("b.get(), b.get()").value == "(1, 2)"
    assert client.result(cell).value == "'put'"


def test_main_waits_for_a_lane(client: Client) -> None:
    cell = waiting(client, "while (item := a.get()) is not None: b.put(item + 1)")
    assert client.ok("[(a.put(n), b.get())[1] for n in range(5)]").value == "[1, 2, 3, 4, 5]"
    client.ok("a.put(None)")
    assert client.result(cell).status == "ok"


def test_the_low_level_functions_wake_too(client: Client) -> None:
    cell = waiting(client, "a.get(), b.put(0), b.put(1)")
    client.ok("_interpqueues.put(a.id, 'low', 3)\nwhile not b.full(): pass")
    client.ok("_interpqueues.get(qid=b.id)")
    assert client.result(cell).value == "('low', None, None)"


def test_who_waits_uses_no_processor(client: Client) -> None:
    client.ok("b.put(1)")
    for wait, error in (("a.get(timeout=0.5)", "QueueEmpty"), ("b.put(2, timeout=0.5)", "QueueFull")):
        code = f"begun = time.thread_time()\ntry: {wait}\nexcept interpreters.{error}: pass\ntime.thread_time() - begun < 0.1"
        assert client.ok(code).value == "True"


def test_an_interpreter_without_the_shell_is_noticed(client: Client) -> None:
    cell = waiting(client, "a.get()")
    client.ok("other = interpreters.create()\nother.prepare_main(a=a)\nother.exec('a.put(5)')\nother.close()")
    assert client.result(cell).value is not None


def test_an_object_whose_making_is_interrupted_leaves_the_queue_to_its_other_users(client: Client) -> None:
    number = client.ok("c = interpreters.create_queue()\nc.put(1)\nc.id").value
    code = (
        "import concurrent.interpreters._queues as queues\nfrom unittest import mock\n"
        "with mock.patch.object(queues._queues, 'bind', side_effect=KeyboardInterrupt):\n"
        f"    try: queues.Queue({number})\n    except KeyboardInterrupt: print('interrupted')"
    )
    assert client.ok(f"%%interp alice\n{code}").stdout == "interrupted\n"
    assert client.ok(f"%%interp alice\nqueues.Queue({number}).get()").value == "1"
    assert client.ok("c.put(2)\nc.get()").value == "2"


def test_nothing_is_lost_between_many(client: Client) -> None:
    client.ok("%interp create bob carol dora")
    client.ok(
        "c = interpreters.create_queue(2)\nfor name in ('alice', 'bob', 'carol', 'dora'): xinterp.get(name).prepare_main(a=a, c=c)"
    )
    producers = [
        client.send(f"%%interp {name} &\nfor n in range(1000): c.put(({name!r}, n))") for name in ("alice", "bob")
    ]
    code = "mine = []\nwhile (item := c.get()) is not None: mine.append(item)\na.put(tuple(mine))"
    consumers = [client.send(f"%%interp {name} &\n{code}") for name in ("carol", "dora")]
    for cell in producers:
        assert client.result(cell).status == "ok"
    client.ok("c.put(None); c.put(None)")
    for cell in consumers:
        assert client.result(cell).status == "ok"
    code = "parts = [a.get(), a.get()]\nsorted(parts[0] + parts[1]) == sorted((name, n) for name in ('alice', 'bob') for n in range(1000)), all([*part] == sorted(part, key=lambda item: item[1]) for name in ('alice', 'bob') for whole in parts for part in [[item for item in whole if item[0] == name]])"
    assert client.ok(code).value == "(True, True)"


def test_threads_of_one_interpreter_share_a_queue(client: Client) -> None:
    code = "got = []\nthreads = [threading.Thread(target=lambda: got.append(a.get())) for _ in range(8)]\nfor t in threads: t.start()\nfor n in range(8): a.put(n)\nfor t in threads: t.join()\nsorted(got)"
    assert client.ok(code).value == "[0, 1, 2, 3, 4, 5, 6, 7]"


@pytest.mark.parametrize("where", ["main", "alice"])
def test_fractions_of_a_second_are_honoured(client: Client, where: str) -> None:
    code = f"%%interp {where}\nbegun = time.monotonic()\ntry: a.get(timeout=0.2)\nexcept interpreters.QueueEmpty as e: print(type(e).__name__)\n0.2 <= time.monotonic() - begun < 1.2"
    result = client.ok(code)
    assert (result.stdout, result.value) == ("QueueEmpty\n", "True")
    code = f"%%interp {where}\nb.put(1)\nbegun = time.monotonic()\ntry: b.put(2, timeout=0.2)\nexcept interpreters.QueueFull as e: print(type(e).__name__)\n0.2 <= time.monotonic() - begun < 1.2"
    result = client.ok(code)
    assert (result.stdout, result.value) == ("QueueFull\n", "True")


def test_negative_timeouts_are_refused(client: Client) -> None:
    for call in ("a.get(timeout=-0.1)", "a.put(1, timeout=-1)", "a.get(timeout=float('nan'))"):
        assert client.run(call).error == "ValueError: timeout value must be non-negative"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("a.get(block=False)", "QueueEmpty"),
        ("a.get(False, timeout=-1)", "QueueEmpty"),
        ("a.get_nowait()", "QueueEmpty"),
        ("a.get(timeout=0)", "QueueEmpty"),
        ("a.get(True, 0, _delay=1)", "QueueEmpty"),
        ("b.put(2, block=False)", "QueueFull"),
        ("b.put(2, False, -1)", "QueueFull"),
        ("b.put_nowait(2)", "QueueFull"),
        ("b.put(2, timeout=0)", "QueueFull"),
        ("b.put(2, True, 0, unbounditems=None, _delay=1)", "QueueFull"),
    ],
)
def test_what_shall_not_wait_does_not(client: Client, call: str, error: str) -> None:
    client.ok("b.put(1)")
    result = client.run(call)
    assert result.reply["content"]["ename"] == error
    code = f"import queue\ntry: {call}\nexcept queue.{error.removeprefix('Queue')} as e: r = isinstance(e, interpreters.{error})\nr"
    assert client.ok(code).value == "True"


def test_the_signatures_are_the_standard_librarys(client: Client) -> None:
    code = "import inspect\nfor name in ('get', 'put', 'put_nowait'):\n    method = getattr(interpreters.Queue, name)\n    print(method.__qualname__, inspect.signature(method), method.__doc__ is not None)"
    assert client.ok(code).stdout.splitlines() == [
        "Queue.get (self, block=True, timeout=None, *, _delay=0.01) True",
        "Queue.put (self, obj, block=True, timeout=None, *, unbounditems=None, _delay=0.01) True",
        "Queue.put_nowait (self, obj, *, unbounditems=None) False",
    ]
    asked = "_interpqueues.put.__name__, _interpqueues.put.__doc__"
    assert client.ok(asked).value == said_by_python(f"import _interpqueues; print(({asked}))")


def test_who_waits_for_a_queue_that_is_destroyed_is_told(client: Client) -> None:
    cells = [waiting(client, "a.get()")]
    client.ok("%interp create bob\nxinterp.get('bob').prepare_main(a=a)")
    cells.append(waiting(client, "a.get()", "bob"))
    client.ok("_interpqueues.destroy(a.id)")
    for cell in cells:
        assert client.result(cell).error.startswith("QueueNotFoundError: queue ")


def test_items_of_a_closed_interpreter_are_unbound(client: Client) -> None:
    client.ok("%interp create bob")
    client.ok("xinterp.get('bob').prepare_main(a=a, b=b)")
    client.ok(
        "%%interp bob\nfrom concurrent.interpreters import _queues as q\na.put(1); a.put(2, unbounditems=q.UNBOUND_ERROR)\nb.put(3, unbounditems=q.UNBOUND_REMOVE)"
    )
    cell = waiting(client, "b.put('room')")
    client.ok("%interp close bob")
    assert client.result(cell).status == "ok", "the item that is removed makes room"
    assert (
        client.ok("from concurrent.interpreters import _queues as q\na.get() is q.UNBOUND, b.get()").value
        == "(True, 'room')"
    )
    assert client.run("a.get()").error == "ItemInterpreterDestroyed: item's original interpreter destroyed"


@pytest.mark.parametrize("where", ["main", "alice"])
@pytest.mark.parametrize("call", ["a.get()", "a.get(timeout=60)", "b.put(1); b.put(2)"])
def test_an_interrupt_ends_a_wait(client: Client, where: str, call: str) -> None:
    cell = client.send(f"%%interp {where}\nprint('on')\n{call}")
    client.wait_for_text(cell, "on\n")
    time.sleep(0.05)
    stopped = time.monotonic()
    client.interrupt()
    reply = client.reply(cell)
    took = time.monotonic() - stopped
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert took < BOUND
    client.result(cell)
    assert client.ok(f"%%interp {where}\na.put(1)\na.get()").value == "1"


def test_instances_of_a_cells_class_go_through_a_queue(client: Client) -> None:
    client.ok("class Job:\n    def __init__(self, n): self.n = n\n    def done(self): return self.n + 1")
    cell = waiting(client, "while (job := a.get()) is not None: b.put([job, job.done()])")
    assert client.ok("a.put(Job(1))\njob, n = b.get()\ntype(job) is Job, job.n, n").value == "(True, 1, 2)"
    client.ok("a.put(None)")
    client.result(cell)


def test_an_interpreter_that_has_queues_ends_in_silence(client: Client) -> None:
    closed = client.ok("%interp close alice")
    assert (closed.stdout, closed.stderr) == ("closed alice.\n", "")
