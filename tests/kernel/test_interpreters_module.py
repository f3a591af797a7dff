"""The module `interpreters` without its channels: each sentence of its reference document."""

import re

from harness import Client


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
    assert "UnknownInterpreterError" in client.run(target + "other.run('')").traceback


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
