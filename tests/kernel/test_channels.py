"""The module `interpreters`: each sentence of its reference document, each exception, and channels in real use."""

import re

import pytest
from harness import Client, Kernel

SETUP = "import interpreters\nr, s = interpreters.create_channel()"


@pytest.fixture
def channel(client: Client) -> int:
    """The number of a channel whose ends are `r` and `s` in main and alice, and on their own in bob."""
    number = int(client.ok(f"{SETUP}\nr.id").value or "")
    client.ok("%interp create alice bob --if-missing")
    ends = f"from interpreters import *\nr, s = RecvChannel({number}), SendChannel({number})"
    client.ok(f"%%interp main,alice,bob\n{ends}")
    return number


@pytest.fixture(params=["main", "alice"])
def target(request: pytest.FixtureRequest, client: Client) -> str:
    """The magic line for the interpreter under test, which `channel` may have made."""
    client.ok("%interp create alice --if-missing")
    return "%%interp alice\n" if request.param == "alice" else ""


def background(client: Client, where: str, code: str) -> str:
    """A cell that has got as far as its last line, which blocks."""
    *first, last = code.splitlines()
    cell = client.send("\n".join([f"%%interp {where} &", *first, "print('waits')", last]))
    client.wait_for_text(cell, "waits\n")
    return cell


def until_waiting(client: Client, channel: int, receivers: int, senders: int) -> None:
    """Until so many threads wait at the channel; main does not."""
    client.ok(
        f"import _xinterp, time\nwhile _xinterp.channel_waiting({channel}) != ({receivers}, {senders}): time.sleep(0.001)"
    )


# Interpreter objects


def test_an_interpreter_object_represents_a_single_interpreter(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("from interpreters import *\nimport pickle\nalice = Interpreter(list_all()[-1].id)")
    assert re.fullmatch(r"Interpreter\(\d+\)", client.ok("alice").value or "")
    assert (
        client.ok("%%interp alice\nimport interpreters\ninterpreters.get_current()").value == client.ok("alice").value
    )
    assert client.ok(
        "alice == Interpreter(alice.id), alice != get_main(), {alice: 1}[pickle.loads(pickle.dumps(alice))]"
    ).value == ("(True, True, 1)")
    assert client.run("alice.id = 1").error.startswith("AttributeError")
    assert client.run("Interpreter(10**6)").error.endswith("unrecognized interpreter ID 1000000")
    assert client.run("Interpreter('1')").error == "TypeError: id must be an int, not str."
    client.ok("del alice")


def test_is_running_is_true_while_the_identified_interpreter_runs(client: Client, target: str) -> None:
    client.ok(
        target
        + "import interpreters, threading\nr, s = interpreters.create_channel()\nother = interpreters.create()\n"
        + "thread = threading.Thread(target=other.run, args=('send_channel.send(1)\\nrecv_channel.recv()',), "
        + "kwargs={'channels': (r, s)})\nthread.start(); r.recv()"
    )
    assert client.ok(target + "other.is_running()").value == "True"
    assert client.ok(target + "s.send(2); thread.join(); other.is_running()").value == "False"
    client.ok(target + "other.close()")


def test_close_destroys_the_interpreter(client: Client, target: str) -> None:
    client.ok(target + "import interpreters\nother = interpreters.create()\nother.close()")
    assert client.ok(target + "other in interpreters.list_all()").value == "False"
    assert "InterpreterNotFoundError" in client.run(target + "other.run('')").traceback


def test_attempting_to_destroy_the_current_interpreter_results_in_a_runtime_error(client: Client, target: str) -> None:
    assert re.fullmatch(
        r"RuntimeError: interpreter \d+ is the current one, which cannot destroy itself\.",
        client.run(target + "import interpreters\ninterpreters.get_current().close()").error,
    )


def test_run_runs_the_source_code_in_the_interpreter_and_blocks_until_done(client: Client, target: str) -> None:
    client.ok(target + "import interpreters\nother = interpreters.create()\nx = 'mine'")
    result = client.ok(
        target + "result = other.run('import time; time.sleep(0.1); x = 1; print(\"done\")')\nprint('then', result, x)"
    )
    assert result.stdout == "done\nthen None mine\n"
    assert client.ok(target + "other.run('print(x)')").stdout == "1\n"
    assert client.run(target + "other.run(src_str='')").error.startswith("TypeError"), "positional only"
    client.ok(target + "other.close()")


def test_channels_are_in_the_form_recv_channel_send_channel(client: Client, target: str) -> None:
    client.ok(
        target + "from interpreters import *\nr, s2 = create_channel()\nr2, s = create_channel()\nother = create()"
    )
    code = "value = recv_channel.recv()\nsend_channel.send(value + 1)\nprint(type(recv_channel).__name__, type(send_channel).__name__)"
    client.ok(
        target
        + f"import threading\nthread = threading.Thread(target=lambda: other.run({code!r}, channels=(r, s)))\nthread.start()"
    )
    assert client.ok(target + "s2.send(41)\nanswer = r2.recv()\nthread.join()\nanswer").value == "42"
    client.ok(target + 'other.run(\'assert not {"_ends", "interpreters"} & set(globals())\')')
    assert client.run(target + "other.run('', channels=(s, r))").error == (
        "TypeError: channels must be a RecvChannel and a SendChannel, in this order."
    )
    client.ok(target + "other.close()")


def test_an_uncaught_exception_in_run_is_a_run_failed_error(client: Client, target: str) -> None:
    client.ok(target + "from interpreters import *\nother = create()\nassert issubclass(RunFailedError, RuntimeError)")
    code = "class Own(Exception): pass\nraise Own('said')"
    error = client.run(target + f"other.run({code!r})").error
    assert error.startswith("RunFailedError: ") and "Own: said" in error
    assert client.ok(
        target + f"try: other.run({code!r})\nexcept RunFailedError as error: print(error.excinfo.type.__name__)"
    ).stdout == ("Own\n")
    client.ok(target + "other.close()")


# Channels


@pytest.mark.parametrize(("one", "other"), [("main", "alice"), ("alice", "main"), ("alice", "bob"), ("main", "main")])
def test_recv_gets_the_next_object_and_send_waits_until_it_is_received(
    client: Client, channel: int, one: str, other: str
) -> None:
    if one == other:
        sender = (
            "import threading\nthread = threading.Thread(target=lambda: [s.send(i) for i in range(3)])\nthread.start()"
        )
        client.ok(sender)
        assert client.ok("[r.recv() for _ in range(3)]").value == "[0, 1, 2]"
        return
    cell = background(client, one, "for i in range(3): s.send(i); print('received', i)")
    assert not any("received" in m["content"].get("text", "") for m in client.iopub[cell]), "it waits"
    assert client.ok(f"%%interp {other}\nr.recv()").value == "0"
    client.wait_for_text(cell, "received 0\n")
    assert client.ok(f"%%interp {other}\nr.recv(), r.recv()").value == "(1, 2)"
    assert client.result(cell).stdout == "waits\nreceived 0\nreceived 1\nreceived 2\n"


@pytest.mark.parametrize(("one", "other"), [("main", "alice"), ("alice", "main"), ("alice", "bob")])
def test_recv_waits_if_none_have_been_sent(client: Client, channel: int, one: str, other: str) -> None:
    cell = background(client, one, "print('got', r.recv())")
    client.ok(f"%%interp {other}\ns.send('it')")
    assert client.result(cell).stdout == "waits\ngot it\n"


def test_recv_nowait_returns_the_default_instead_of_waiting(client: Client, channel: int, target: str) -> None:
    assert client.ok(target + "r.recv_nowait(), r.recv_nowait(7), r.recv_nowait(default='none')").value == (
        "(None, 7, 'none')"
    )
    cell = background(client, "bob", "s.send(None)")
    assert client.ok(target + "while (got := r.recv_nowait('none')) == 'none': pass\n[got]").value == "[None]"
    assert client.result(cell).status == "ok"


def test_send_nowait_is_false_and_leaves_nothing_if_not_immediately_received(
    client: Client, channel: int, target: str
) -> None:
    assert client.ok(target + "s.send_nowait(1), r.recv_nowait('nothing')").value == "(False, 'nothing')"
    assert client.ok(target + "s.close()").status == "ok", "the channel is empty"


def test_send_nowait_is_true_if_somebody_waits(client: Client, channel: int) -> None:
    for one, other in [("bob", "alice"), ("alice", "main"), ("main", "bob")]:
        cell = background(client, one, "r.recv()")
        assert client.ok(
            f"%%interp {other}\nimport time\nwhile not (sent := s.send_nowait(5)): time.sleep(0.01)\nsent"
        ).value == ("True")
        assert client.result(cell).value == "5"


@pytest.mark.parametrize("end", ["RecvChannel", "SendChannel"])
def test_the_ends_are_values(client: Client, channel: int, target: str, end: str) -> None:
    make = f"{end}({channel})"
    other = "SendChannel" if end == "RecvChannel" else "RecvChannel"
    assert client.ok(
        target
        + f"import pickle\n{make}, {make}.id, {make} == {make}, {make} != {other}({channel}), len({{{make}, {make}}})"
    ).value == (f"({make}, {channel}, True, True, 1)")
    assert client.ok(target + f"pickle.loads(pickle.dumps({make})), is_shareable({make})").value == f"({make}, True)"
    assert client.run(target + f"{make}.id = 4").error.startswith("AttributeError")
    assert client.run(target + f"{end}('1')").error == "TypeError: id must be an int, not str."
    cell = background(client, "bob", f"s.send({{'in a dict': {make}}})")
    assert client.ok(target + "r.recv()").value == f"{{'in a dict': {make}}}"
    client.result(cell)


def test_a_channel_lasts_as_long_as_there_are_ends_of_it(client: Client) -> None:
    client.ok(
        "from interpreters import *\nimport threading\ncarrier_r, carrier_s = create_channel()\nr, s = create_channel()"
    )
    client.ok(
        "number = r.id\nthread = threading.Thread(target=lambda: [carrier_s.send(SendChannel(number))])\nthread.start()"
    )
    client.ok("import time\nwhile (s2 := carrier_r.recv_nowait()) is None: time.sleep(0.01)\nthread.join()\ndel r, s")
    assert client.ok("s2.id == number, (RecvChannel(number), s2) in list_all_channels()").value == "(True, True)"
    client.ok("del s2")
    assert client.ok("number in [end.id for end, _ in list_all_channels()]").value == "False"
    assert client.run("RecvChannel(number)").error == (
        f"ChannelNotFoundError: channel {client.ok('number').value} is closed."
    )
    client.ok("del carrier_r, carrier_s")


def test_the_standard_library_takes_the_ends_too(client: Client, target: str) -> None:
    client.ok(
        target
        + "import concurrent.interpreters as ci\nfrom interpreters import *\nr, s = create_channel()\nother = ci.create()"
    )
    client.ok(target + "other.prepare_main(r=r)")
    assert client.ok(target + "other.exec('print(r)')").stdout == client.ok(target + "print(r)").stdout
    assert client.ok(target + "ci.is_shareable(s)").value == "True"
    client.ok(target + "queue = ci.create_queue()\nnumber = r.id\nqueue.put(s)\nother.close()\ndel r, s")
    assert client.ok(target + "queue.get() == SendChannel(number)").value == "True", "it was kept while under way"


def test_an_end_that_is_under_way_keeps_its_channel(client: Client, channel: int) -> None:
    sender = "r2, s2 = create_channel()"
    cell = background(
        client,
        "alice",
        f"{sender}\nimport threading\nthread = threading.Thread(target=lambda e: s.send(e), args=([r2, s2],)); thread.start(); del r2, s2",
    )
    client.result(cell)
    assert client.ok("r2, s2 = r.recv()\nr2.recv_nowait('open')").value == "'open'"
    client.ok("del r2, s2")


# The functions


SHAREABLE = {
    "1": True,
    "10**50": True,
    "1.5": True,
    "2j": True,
    "'text'": True,
    "b'bytes'": True,
    "None": True,
    "(1, ('a', b'b'))": True,
    "(1, [])": False,
    "[1]": False,
    "{}": False,
    "object()": False,
    "memoryview(b'a')": True,
    "bytearray(b'a')": True,
    "__import__('array').array('i', [1])": True,
    "__import__('concurrent.interpreters').interpreters.create_queue()": True,
}


def test_is_shareable_tells_whether_the_data_can_be_shared(client: Client, target: str) -> None:
    client.ok(target + "from interpreters import is_shareable")
    shared = client.ok(target + f"print([code for code in {list(SHAREABLE)!r} if is_shareable(eval(code))])").stdout
    assert shared == f"{[code for code, shareable in SHAREABLE.items() if shareable]}\n"


def test_create_channel_and_list_all_channels(client: Client, target: str) -> None:
    client.ok(target + "from interpreters import *\nr, s = create_channel()\nr2, s2 = create_channel()")
    assert client.ok(target + "print(type(r), type(s), r.id == s.id, r2.id > r.id)").stdout == (
        "<class 'interpreters.RecvChannel'> <class 'interpreters.SendChannel'> True True\n"
    )
    assert client.ok(target + "list_all_channels()[-2:] == [(r, s), (r2, s2)]").value == "True"
    client.ok(target + "r.close()")
    found = client.ok(target + "number = r.id\n[n in [r.id for r, s in list_all_channels()] for n in (number, r2.id)]")
    assert found.value == "[False, True]", "all open channels"
    client.ok(target + "del r, s, r2, s2")


def test_create_makes_a_new_idle_interpreter(client: Client, target: str) -> None:
    client.ok(target + "import _interpreters, interpreters\nbefore = interpreters.list_all()")
    client.ok(target + "one, two = interpreters.create(), interpreters.create(isolated=False)")
    assert client.ok(
        target
        + "one.is_running(), two.is_running(), [i for i in interpreters.list_all() if i not in before] == [one, two]"
    ).value == ("(False, False, True)")
    assert client.ok(target + "[_interpreters.get_config(i.id).gil for i in (one, two)]").value == "['own', 'shared']"
    assert client.run(target + "interpreters.create(False)").error.startswith("TypeError")
    client.ok(target + "one.close(), two.close()")


def test_get_current_get_main_and_list_all(client: Client) -> None:
    client.ok("%interp create alice")
    for where, current in [
        ("main", 0),
        ("alice", client.ok("%%interp alice\nimport interpreters\ninterpreters.get_current().id").value),
    ]:
        code = "import interpreters as i\ni.get_current().id, i.get_main(), i.list_all() == [i.get_main(), i.Interpreter(%s)]"
        alice = client.ok("%%interp alice\ninterpreters.get_current().id").value
        assert client.ok(f"%%interp {where}\n{code % alice}").value == f"({current}, Interpreter(0), True)"


def test_the_exceptions_are_of_these_types(client: Client, target: str) -> None:
    client.ok(target + "import interpreters as i\nassert i.ChannelError.__bases__ == (Exception,)")
    client.ok(target + "assert issubclass(i.RunFailedError, RuntimeError)")
    for name in ("ChannelNotFoundError", "ChannelEmptyError", "ChannelNotEmptyError", "NotReceivedError"):
        assert client.ok(target + f"i.{name}.__bases__ == (i.ChannelError,)").value == "True"


# When each exception is raised


CLOSED = [
    "r.recv()",
    "r.recv_nowait()",
    "s.send(1)",
    "s.send_nowait(1)",
    "r.close()",
    "s.close(force=True)",
    "r.release()",
    "RecvChannel(r.id)",
]


@pytest.mark.parametrize("call", CLOSED)
def test_a_closed_channel_is_not_found(client: Client, channel: int, target: str, call: str) -> None:
    client.ok("s.close()")
    assert client.run(target + call).error == f"ChannelNotFoundError: channel {channel} is closed."


def test_an_unknown_channel_is_not_found(client: Client, channel: int, target: str) -> None:
    assert client.run(target + "SendChannel(10**6)").error == (
        "ChannelNotFoundError: there is no channel 1000000: interpreters.create_channel() makes one, and"
        " list_all_channels() tells which there are."
    )


def test_closing_with_objects_in_it_is_refused_unless_forced(client: Client, channel: int, target: str) -> None:
    cell = background(client, "bob", "s.send(1)")
    until_waiting(client, channel, 0, 1)
    assert client.run(target + "r.close()").error == (
        f"ChannelNotEmptyError: objects wait in channel {channel} to be received. close(force=True) discards them."
    )
    client.ok(target + "r.close(force=True)")
    assert client.result(cell).error == (
        f"NotReceivedError: nobody has received the object from channel {channel}: its receivers have ended or"
        " released it, or it was closed."
    )


def test_closing_ends_a_blocked_recv(client: Client, channel: int) -> None:
    for where in ("main", "alice"):
        client.ok(f"%%interp main,alice\nr, s = RecvChannel({channel}), SendChannel({channel})")
        cell = background(client, where, "r.recv()")
        client.ok("%%interp bob\nr, s = create_channel()\nr.id")
        client.ok(f"%%interp bob\nSendChannel({channel}).close()")
        assert client.result(cell).error == f"ChannelNotFoundError: channel {channel} is closed."
        channel = int(client.ok("%%interp bob\nr.id").value or "")


def test_an_emptied_channel_whose_senders_are_gone_is_empty(client: Client, channel: int) -> None:
    cell = background(client, "bob", "[s.send(i) for i in range(2)]")
    assert client.ok("r.recv(), r.recv()").value == "(0, 1)"
    client.result(cell)
    assert client.ok("r.recv_nowait('open')").value == "'open'"
    waiting = background(client, "alice", "r.recv()")
    client.ok("%interp close bob")
    error = f"ChannelEmptyError: channel {channel} is empty, and the interpreters that have sent to it have ended or released it."
    assert client.result(waiting).error == error, "who waits is told"
    assert client.run("r.recv()").error == error
    assert client.ok("r.recv_nowait('none')").value == "'none'"
    cell = background(client, "alice", "s.send('again')")
    assert client.ok("r.recv()").value == "'again'"
    client.result(cell)


def test_a_blocking_send_whose_receiver_goes_away_is_not_received(client: Client, channel: int) -> None:
    assert client.ok("%%interp bob\nr.recv_nowait()").status == "ok", "bob is a receiver"
    error = f"NotReceivedError: nobody has received the object from channel {channel}: its receivers have ended or released it, or it was closed."
    waiting = [background(client, "alice", "s.send(1)"), background(client, "main", "s.send(2)")]
    client.ok("%interp close bob")
    assert [client.result(cell).error for cell in waiting] == [error, error]
    assert client.run("s.send(1)").error == error
    assert client.ok("s.send_nowait(1)").value == "False"


def test_an_interpreter_that_releases_an_end_does_not_count_any_more(client: Client, channel: int) -> None:
    client.ok("%%interp bob\nr.recv_nowait()")
    waiting = background(client, "alice", "s.send(1)")
    client.ok("%%interp bob\nr.release()\nr.release()")
    assert client.result(waiting).error.startswith("NotReceivedError: ")
    assert client.run("%%interp bob\nr.recv()").error == (
        f"ChannelNotFoundError: this interpreter has released its receiving end of channel {channel}."
    )
    client.ok("%%interp alice\ns.release()")
    assert client.run("r.recv()").error.startswith("ChannelEmptyError: ")


def test_waiting_takes_a_timeout_in_fractions_of_seconds(client: Client, channel: int, target: str) -> None:
    clock = "import time\nbegun = time.monotonic()\ntry: {}\nexcept TimeoutError as error: print(error)\n0.2 <= time.monotonic() - begun < 1"
    result = client.ok(target + clock.format("r.recv(timeout=0.2)"))
    assert (result.stdout, result.value) == (f"nothing was sent to channel {channel} in that time.\n", "True")
    result = client.ok(target + clock.format("s.send(1, timeout=0.2)"))
    assert (result.stdout, result.value) == (
        f"nobody has received the object from channel {channel} in that time.\n",
        "True",
    )
    assert client.ok(target + "r.recv_nowait('nothing')").value == "'nothing'", "it has been taken back"
    assert client.run(target + "r.recv(timeout=-1)").error == (
        "ValueError: timeout must be None or a number of seconds that is not negative"
    )
    assert client.run(target + "r.recv(timeout='1')").error.startswith("TypeError")


@pytest.mark.parametrize("call", ["r.recv()", "s.send('taken back')", "r.recv(timeout=60)"])
def test_an_interrupt_ends_a_wait_and_takes_the_object_back(
    client: Client, channel: int, target: str, call: str
) -> None:
    where = "alice" if target else "main"
    for _ in range(3):
        cell = background(client, where, call)
        client.ok(f"%interp interrupt {where}")
        assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.ok("%%interp bob\nr.recv_nowait('nothing')").value == "'nothing'"
    assert client.ok("%%interp bob\ns.send_nowait(1)").value == "False"


def test_a_signal_handler_runs_while_main_waits(client: Client, channel: int) -> None:
    client.ok("import signal\nseen = []\nsignal.signal(signal.SIGUSR1, lambda *_: seen.append(1))")
    cell = background(client, "main", "(r.recv(), seen)")
    client.ok("%%interp bob\nimport os, signal\nos.kill(os.getpid(), signal.SIGUSR1)\ns.send('then')")
    assert client.result(cell).value == "('then', [1])"
    client.ok("signal.signal(signal.SIGUSR1, signal.SIG_DFL)")


# What crosses


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
    ).value == ("(<class 'memoryview'>, True, 1048576, 255, True)")
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
    for where, found in [("alice", "(<class 'memoryview'>, 'd', (2, 3))"), ("main", None)]:
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


# Real use


def test_nothing_is_lost_between_many_senders_and_receivers(client: Client, channel: int) -> None:
    send = (
        "import threading\ndef send(name):\n    for i in range(1000): s.send((name, i))\n"
        "threads = [threading.Thread(target=send, args=(f'{where}{n}',)) for n in range(4)]\n"
        "for thread in threads: thread.start()"
    )
    receive = (
        "import threading\ngot = [[] for _ in range(4)]\ndef receive(mine):\n    while (item := r.recv()) is not None: mine.append(item)\n"
        "threads = [threading.Thread(target=receive, args=(mine,)) for mine in got]\nfor thread in threads: thread.start()"
    )
    client.ok(f"%%interp bob\n{receive}")
    client.ok(f"where = 'main'\n{send}")
    client.ok(f"%%interp alice\nwhere = 'alice'\n{send}")
    client.ok("for thread in threads: thread.join()")
    client.ok("%%interp alice\nfor thread in threads: thread.join()")
    client.ok("for _ in range(4): s.send(None)")
    assert client.ok(
        "%%interp bob\nfor thread in threads: thread.join()\n"
        "names = [f'{where}{n}' for where in ('main', 'alice') for n in range(4)]\n"
        "sorted(sum(got, [])) == sorted((name, i) for name in names for i in range(1000)), "
        "all(mine == sorted(mine, key=lambda item: item[1]) for name in names for mine in [[item for item in mine if item[0] == name] for mine in got])"
    ).value == ("(True, True)")


def test_senders_are_served_in_their_order(client: Client, channel: int) -> None:
    first = background(client, "alice", "s.send('first')")
    until_waiting(client, channel, 0, 1)
    second = background(client, "bob", "s.send('second')")
    until_waiting(client, channel, 0, 2)
    assert client.ok("r.recv(), r.recv()").value == "('first', 'second')"
    client.result(first), client.result(second)


def test_threads_that_wait_at_channels_do_not_hold_up_the_close_of_their_interpreter(
    client: Client, channel: int
) -> None:
    client.ok(
        "%%interp alice\nimport threading\nthreads = [threading.Thread(target=r.recv), threading.Thread(target=s.send, args=(1,))]\n"
        "r2, s2 = create_channel()\nthreads = [threading.Thread(target=r2.recv), threading.Thread(target=r.recv)]\nfor t in threads: t.start()"
    )
    assert client.ok("%interp close alice").stdout == "closed alice.\n"


def test_an_interpreter_made_by_create_is_forgotten_when_it_is_closed(client: Client) -> None:
    client.ok("from interpreters import *\nimport threading\nr, s = create_channel()\nother = create()")
    client.ok("other.run('recv_channel.recv_nowait()', channels=(r, s))")
    client.ok(
        "thread = threading.Thread(target=other.run, args=('send_channel.send(1)',), kwargs={'channels': (r, s)})"
    )
    client.ok("thread.start(); r.recv(); thread.join()")
    client.ok("other.close()")
    assert client.run("r.recv()").error.startswith("ChannelEmptyError: ")


def test_the_module_is_there_in_every_interpreter_and_a_fork_has_no_channels(client: Client) -> None:
    client.ok(
        "from interpreters import *\nfor isolated in (True, False):\n    other = create(isolated=isolated)\n    other.run('import interpreters; interpreters.create_channel()')\n    other.close()"
    )
    code = "import os, sys\npid = os.fork()\nif pid == 0:\n    try: create_channel()\n    except RuntimeError as error: print(error)\n    sys.stdout.flush(); os._exit(0)\n_ = os.waitpid(pid, 0)"
    assert client.ok(code).stdout == "a forked child of the kernel has no channels\n"


def resident(client: Client) -> int:
    code = "import os\nint(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE')"
    return int(client.ok(code).value or "")


def test_channels_and_what_crosses_leave_no_memory_behind(fresh: Kernel) -> None:
    client = fresh.client
    client.ok(f"{SETUP}\n%interp create alice")
    client.ok("%%interp alice\nfrom interpreters import *\nr = RecvChannel(1)")

    def exchange(times: int) -> None:
        cell = background(client, "alice", f"for _ in range({times} * 5): r.recv()")
        values = "1, b'x' * 10_000, [b'y' * 10_000], bytes(2_000_000), bytearray(100_000)"
        client.ok(
            f"for _ in range({times}):\n    for value in ({values}): s.send(value)\n    interpreters.create_channel()"
        )
        client.result(cell)

    exchange(200)
    before = resident(client)
    exchange(2000)
    assert resident(client) - before < 10_000_000
    assert client.ok("len(interpreters.list_all_channels())").value == "1"
