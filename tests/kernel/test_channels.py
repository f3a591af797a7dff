"""Channels: each sentence of their reference document, each exception, and real use."""

import pytest
from channels import SETUP, background, until_waiting
from harness import Client, Kernel


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
    until_waiting(client, channel, 0, 1)
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
