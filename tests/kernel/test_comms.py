"""The `comm` package in every interpreter: whose message goes where, under which parent, and what goes wrong."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Client, Kernel, plain
from pages import TIDY, Page

# A target that says what it is told, where it was opened.
ECHO = """
import comm

comms = []


def opened(its_comm, message):
    comms.append(its_comm)
    print("opened with", repr(message["content"]["data"]), bytes(b"".join(message["buffers"])))

    @its_comm.on_msg
    def told(message):
        print("told", message["content"]["data"])
        its_comm.send({"back": message["content"]["data"]}, {"meta": 1}, message["buffers"])

    @its_comm.on_close
    def closed(message):
        print("closed with", message["content"]["data"])


comm.get_comm_manager().register_target("echo", opened)
"""


@pytest.fixture
def page(client: Client) -> Iterator[Page]:
    yield Page(client)
    client.ok(TIDY)


# --- from Python to the page


def test_a_comm_that_python_opens_speaks_under_its_cell(client: Client, page: Page, target: str) -> None:
    cell = client.ok(
        f"{target}import comm\n"
        "c = comm.create_comm(target_name='t', data={'a': 1}, metadata={'m': 2}, buffers=[b'one', memoryview(b'two')])\n"
        "c.send({'x': 3}, buffers=[bytearray(b'three'), memoryview(b'a-b-c')[::2]])\n"
        "c.close({'y': 4})\nc.comm_id"
    )
    opened, sent, closed = (message for message in cell.messages if message["msg_type"].startswith("comm_"))
    comm_id = eval(cell.value or "")
    assert opened["content"] == {"comm_id": comm_id, "target_name": "t", "target_module": None, "data": {"a": 1}}
    assert opened["metadata"] == {"m": 2}
    assert [bytes(buffer) for buffer in opened["buffers"]] == [b"one", b"two"]
    assert (sent["msg_type"], sent["content"]) == ("comm_msg", {"comm_id": comm_id, "data": {"x": 3}})
    assert [bytes(buffer) for buffer in sent["buffers"]] == [b"three", b"abc"]
    assert (closed["msg_type"], closed["content"]) == ("comm_close", {"comm_id": comm_id, "data": {"y": 4}})


def test_comm_info_names_the_comms_of_all_interpreters(client: Client, page: Page) -> None:
    client.ok("%interp create alice")
    make = "import comm\nc = comm.create_comm(target_name='{}', comm_id='{}')"
    client.ok(make.format("t", "of main"))
    client.ok("%%interp alice\n" + make.format("u", "of alice"))
    assert page.comms() == {"of main": {"target_name": "t"}, "of alice": {"target_name": "u"}}
    assert page.comms("u") == {"of alice": {"target_name": "u"}}
    assert page.comms("nobody's") == {}
    client.ok("c.close()")
    assert page.comms() == {"of alice": {"target_name": "u"}}
    client.ok("%interp close alice")
    assert page.comms() == {}


def test_comm_info_needs_no_gil(client: Client, page: Page) -> None:
    client.ok("import comm, sys; c = comm.create_comm(target_name='t', comm_id='c')")
    client.ok("sys.setswitchinterval(100)")
    cell = client.send("print('begun', flush=True)\nwhile True: pass")
    client.wait_for_text(cell, "begun")
    assert page.comms() == {"c": {"target_name": "t"}}
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    client.ok("sys.setswitchinterval(0.005); c.close()")


def test_a_comm_that_is_garbage_is_closed(client: Client, page: Page, target: str) -> None:
    client.ok(f"{target}import comm\nmanager = comm.get_comm_manager()\nc = comm.create_comm(comm_id='c')")
    cell = client.ok(f"{target}manager.comms.clear(); del c")
    assert cell.of("comm_close") == [{"comm_id": "c", "data": {}}]
    assert page.comms() == {}


# --- from the page to Python


def test_a_page_opens_a_comm_and_talks(client: Client, page: Page, target: str) -> None:
    client.ok(target + ECHO)
    comm_id, opened = page.open("echo", {"a": 1}, buffers=[b"12", b"34"])
    assert (opened.stdout, opened.states) == ("opened with {'a': 1} b'1234'\n", ["busy", "idle"])
    told = page.tell(comm_id, [1, None, "ü"], buffers=[b"\0\1", b""])
    assert told.stdout == "told [1, None, 'ü']\n"
    (answer,) = (message for message in told.messages if message["msg_type"] == "comm_msg")
    assert answer["content"] == {"comm_id": comm_id, "data": {"back": [1, None, "ü"]}}
    assert answer["metadata"] == {"meta": 1}
    assert [bytes(buffer) for buffer in answer["buffers"]] == [b"\0\1", b""]
    assert told.states == ["busy", "idle"]
    assert page.close(comm_id, {"z": 9}).stdout == "closed with {'z': 9}\n"
    assert page.comms() == {}
    assert client.ok(f"{target}comms[0]._closed, comm.get_comm_manager().comms").value == "(True, {})"


def test_a_message_goes_to_the_interpreter_that_owns_the_comm(client: Client, page: Page) -> None:
    client.ok("%interp create alice bob")
    client.ok(
        "%%interp main,alice,bob\nimport comm, xinterp, concurrent.interpreters as ci\n"
        "me = ci.get_current().id\nc = comm.create_comm(comm_id=f'of {me}')\n"
        "c.on_msg(lambda message: print('in', me))"
    )
    for comm_id in sorted(page.comms()):
        assert page.tell(comm_id, {}).stdout == f"in {comm_id[3:]}\n"


def test_an_open_reaches_all_that_registered_the_target(client: Client, page: Page) -> None:
    client.ok("%interp create alice bob")
    client.ok("%%interp alice,bob\n" + ECHO)
    comm_id, opened = page.open("echo")
    assert sorted(opened.stdout.splitlines()) == ["[alice] opened with {} b''", "[bob] opened with {} b''"]
    assert sorted(page.tell(comm_id, 1).stdout.splitlines()) == ["[alice] told 1", "[bob] told 1"]
    # Closed on the page when the last of them closes it.
    assert client.ok("%%interp alice\ncomms[0].close()").of("comm_close") == []
    assert page.tell(comm_id, 2).stdout == "told 2\n"
    assert client.ok("%%interp bob\ncomms[0].close()").of("comm_close") == [{"comm_id": comm_id, "data": {}}]
    assert page.comms() == {}


@pytest.mark.parametrize("after", ["", "comm.get_comm_manager().unregister_target('echo', opened)"])
def test_an_open_that_nobody_waits_for_is_closed(client: Client, page: Page, target: str, after: str) -> None:
    client.ok(f"{target}{ECHO if after else ''}\n{after}")
    comm_id, opened = page.open("echo")
    assert opened.of("comm_close") == [{"comm_id": comm_id, "data": {}}]
    assert opened.states == ["busy", "idle"]
    assert page.comms() == {}


def test_an_open_that_fails_is_closed_and_says_why(client: Client, page: Page, target: str) -> None:
    client.ok(
        f"{target}import comm\ndef opened(its_comm, message):\n    1 / 0\n"
        "comm.get_comm_manager().register_target('fails', opened)"
    )
    comm_id, opened = page.open("fails")
    assert opened.of("comm_close") == [{"comm_id": comm_id, "data": {}}]
    assert plain(opened.stderr).splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert page.comms() == {}


# --- callbacks


def test_an_error_in_a_callback_is_shown_under_its_message_and_stops_nothing(
    client: Client, page: Page, target: str
) -> None:
    client.ok(f"{target}import comm\nc = comm.create_comm(comm_id='c')\n@c.on_msg\ndef told(message): {{}}['missing']")
    told = page.tell("c", {})
    assert told.states == ["busy", "idle"]
    lines = plain(told.stderr).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "def told(message): {}['missing']" in lines[-3]
    assert lines[-1] == "KeyError: 'missing'"
    assert not any("_xinterp_shell" in line for line in lines)
    client.ok(
        f"{target}c.on_msg(lambda message: __import__('sys').exit(3) if message['content']['data'] else print('still here'))"
    )
    assert plain(page.tell("c", 1).stderr).splitlines()[-1] == "SystemExit: 3"
    assert page.tell("c", 0).stdout == "still here\n"


def test_a_callback_displays_and_starts_threads_under_its_message(client: Client, page: Page, target: str) -> None:
    client.ok(
        f"{target}import comm, threading, os\nc = comm.create_comm(comm_id='c')\ngo = threading.Event()\n"
        "def late():\n    go.wait(); print('late'); c.send('late')\n"
        "@c.on_msg\ndef told(message):\n"
        "    display({'text/plain': 'shown'}, raw=True); threading.Thread(target=late).start(); os.system('echo process')"
    )
    message = page.post("c", {})
    told = page.done(message)
    assert [content["data"] for content in told.of("display_data")] == [{"text/plain": "shown"}]
    assert told.stdout == "process\n"
    cell = client.ok(f"{target}go.set()")
    assert cell.stdout == ""
    client.wait_for_text(message, "late")
    client._until(lambda: told.of("comm_msg"), "the thread's message", "iopub")
    assert told.of("comm_msg") == [{"comm_id": "c", "data": "late"}]


def test_callbacks_run_in_order_between_cells(client: Client, page: Page, target: str) -> None:
    client.ok(f"{target}import comm\nc = comm.create_comm(comm_id='c')\nseen = []")
    client.ok(f"{target}c.on_msg(lambda message: seen.append(message['content']['data']))")
    cell = client.send(f"{target}line = input('?'); seen.append('cell')", allow_stdin=True)
    request = client.client.get_stdin_msg(timeout=60)
    messages = [page.post("c", number) for number in range(20)]
    assert not any(client.idle(message) for message in messages)
    client.client.input("go")
    assert request["parent_header"]["msg_id"] == cell
    for message in messages:
        page.done(message)
    client.result(cell)
    assert client.ok(f"{target}seen").value == repr(["cell", *range(20)])


def test_a_callback_runs_while_a_cell_runs_elsewhere(client: Client, page: Page) -> None:
    client.ok("%interp create alice bob")
    client.ok(
        "%%interp alice,bob\nimport comm\nc = comm.create_comm(comm_id=str(__import__('_interpreters').get_current()))"
    )
    client.ok("%%interp alice,bob\nc.on_msg(lambda message: print('told', message['content']['data']))")
    cell = client.send("import time\nprint('begun', flush=True)\nwhile True: time.sleep(1)")
    client.wait_for_text(cell, "begun")
    for number, comm_id in enumerate(page.comms()):
        assert page.tell(comm_id, number).stdout == f"told {number}\n"
    assert not client.idle(cell)
    client.interrupt()
    client.result(cell)


def test_tasks_of_a_callback_go_on_after_it(client: Client, page: Page, target: str) -> None:
    client.ok(
        f"{target}import asyncio, comm\nc = comm.create_comm(comm_id='c')\n"
        "async def later():\n    await asyncio.sleep(0.01); print('later')\n"
        "@c.on_msg\ndef told(message):\n    global task; task = asyncio.create_task(later())"
    )
    message = page.post("c", {})
    assert page.done(message).stdout == ""
    client.wait_for_text(message, "later")


def test_a_callback_cannot_ask_the_person(client: Client, page: Page, target: str) -> None:
    client.ok(f"{target}import comm\nc = comm.create_comm(comm_id='c')\nc.on_msg(lambda message: input('Name: '))")
    assert plain(page.tell("c", {}).stderr).splitlines()[-1] == (
        "StdinNotImplementedError: input() was called in a callback, where front ends ask nobody: call it in a cell."
    )


def test_the_kernel_object_knows_the_parent(client: Client, page: Page, target: str) -> None:
    cell = client.ok(
        f"{target}import comm\nc = comm.create_comm(comm_id='c')\nkernel = c.kernel\n"
        "c.on_msg(lambda message: print(kernel.get_parent() == message | {'parent_header': {}}"
        " or (kernel.get_parent(), message)))\n"
        "parent = kernel.get_parent()\nparent['header']['msg_id'], parent['header']['msg_type'], parent['content']['code'][-3:]"
    )
    assert eval(cell.value or "") == (cell.messages[0]["parent_header"]["msg_id"], "execute_request", "3:]")
    message = page.post("c", {"a": 1})
    told = client.ok(
        f"{target}kernel._parent_header['header']['session'], kernel.comm_manager is comm.get_comm_manager()"
    )
    assert eval(told.value or "") == (client.client.session.session, True)
    page.done(message)
    result = client.ok(f"{target}c.on_msg(lambda m: print(kernel.get_parent()['header']['msg_id']))")
    assert result.status == "ok"
    message = page.post("c", {})
    assert page.done(message).stdout == f"{message}\n"


# --- stopping and closing


def test_stop_ends_a_callback_that_runs_for_ever(client: Client, page: Page, target: str) -> None:
    client.ok(
        f"{target}import comm, time\nc = comm.create_comm(comm_id='c')\n"
        "@c.on_msg\ndef told(message):\n    print('begun', flush=True)\n    while True: time.sleep(1)"
    )
    message = page.post("c", {})
    client.wait_for_text(message, "begun")
    client.interrupt()
    told = page.done(message)
    assert (plain(told.stderr).splitlines()[-1], told.of("error")) == ("KeyboardInterrupt", [])
    client.ok(f"{target}c")
    # And one that holds up a cell: both.
    message = page.post("c", {})
    client.wait_for_text(message, "begun")
    cell = client.send(f"{target}1")
    client.wait_for_start(cell)
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert plain(page.done(message).stderr).splitlines()[-1] == "KeyboardInterrupt"


def test_an_interpreter_that_runs_a_callback_is_running(client: Client, page: Page) -> None:
    client.ok("%interp create alice")
    client.ok(
        "%%interp alice\nimport comm, time\nc = comm.create_comm(comm_id='c')\n"
        "@c.on_msg\ndef told(message):\n    print('begun', flush=True)\n    while True: time.sleep(1)"
    )
    message = page.post("c", {})
    client.wait_for_text(message, "begun")
    states = client.ok("import xinterp\n{row['name']: (row['state'], row['cells']) for row in xinterp.list()}").value
    assert eval(states or "")["alice"] == ("running", 1)
    refused = client.run("%interp close alice")
    assert refused.error == (
        "UsageError: alice is running a callback. To interrupt it first: %interp close alice --force"
    )
    assert client.ok("%interp interrupt alice").stdout == "interrupted alice.\n"
    assert plain(page.done(message).stderr).splitlines()[-1] == "KeyboardInterrupt"
    message = page.post("c", {})
    client.wait_for_text(message, "begun")
    waiting = page.post("c", {})
    client.ok("%interp close alice --force")
    assert plain(page.done(message).stderr).splitlines()[-1] == "KeyboardInterrupt"
    assert page.done(waiting).stderr == "alice ended before this callback could run there.\n"


def test_closing_an_interpreter_closes_its_comms(client: Client, page: Page) -> None:
    client.ok("%interp create alice bob")
    client.ok("%%interp alice,bob\n" + ECHO)
    client.ok("%%interp alice\ncomm.create_comm(comm_id='of alice');")
    shared, _ = page.open("echo")
    closed = client.ok("%interp close alice")
    assert closed.of("comm_close") == [{"comm_id": "of alice", "data": {}}]
    assert page.comms() == {shared: {"target_name": "echo"}}
    client.ok("%interp reset bob")
    client._until(
        lambda: (
            [m["content"] for m in client.iopub[""] if m["msg_type"] == "comm_close"]
            == [{"comm_id": shared, "data": {}}]
        ),
        "comm_close",
        "iopub",
    )
    assert page.comms() == {}
    comm_id, opened = page.open("echo")
    assert opened.of("comm_close") == [{"comm_id": comm_id, "data": {}}]


# --- what should not come


def test_messages_for_unknown_comms_are_told_in_the_log_only(spec: str, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        kernel = Kernel(spec, stderr=log)
    try:
        page = Page(kernel.client)
        for result in (page.tell("nobody's", {}), page.close("nobody's")):
            assert [message["msg_type"] for message in result.messages] == ["status", "status"]
        assert kernel.client.ok("1").value == "1"
    finally:
        kernel.stop()
    lines = (tmp_path / "log").read_text().splitlines()
    assert [re.sub(r"^.*?(?=a comm)", "", line) for line in lines if "nobody" in line] == [
        "a comm_msg came for a comm that nobody has: 'nobody's'.",
        "a comm_close came for a comm that nobody has: 'nobody's'.",
    ]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("comm_open", {}),
        ("comm_open", {"comm_id": 3, "target_name": "echo"}),
        ("comm_open", {"comm_id": "x", "target_name": ["echo"]}),
        ("comm_msg", {"data": {}}),
        ("comm_close", {"comm_id": None}),
    ],
)
def test_a_malformed_comm_message_is_refused(client: Client, page: Page, kind: str, content: dict[str, object]) -> None:
    client.ok(ECHO)
    result = page.done(page.send(kind, content))
    assert [message["msg_type"] for message in result.messages] == ["status", "status"]
    assert page.comms() == {}


@pytest.mark.parametrize("data", [None, 1, "text", [1, {"deep": None}], {"method": ["update"], "state": 3}])
def test_any_data_reaches_the_callback(client: Client, page: Page, target: str, data: object) -> None:
    client.ok(target + ECHO)
    message = page.send("comm_open", {"comm_id": "c", "target_name": "echo", "data": data})
    assert page.done(message).stdout == f"opened with {data!r} b''\n"
    assert page.tell("c", data).of("comm_msg") == [{"comm_id": "c", "data": {"back": data}}]
    assert plain(page.done(page.send("comm_msg", {"comm_id": "c"})).stderr).splitlines()[-1] == "KeyError: 'data'"
    page.close("c")


def test_a_comm_opened_twice_belongs_to_the_last(client: Client, page: Page) -> None:
    client.ok("%interp create alice")
    client.ok("import comm; c = comm.create_comm(comm_id='c'); c.on_msg(lambda message: print('main'))")
    client.ok(
        "%%interp alice\nimport comm; c = comm.create_comm(comm_id='c'); c.on_msg(lambda message: print('alice'))"
    )
    assert page.tell("c", {}).stdout == "alice\n"


def test_comms_are_plain_python(client: Client, target: str) -> None:
    loaded = client.ok(
        f"{target}import comm, sys\nc = comm.create_comm(comm_id='c')\nc.close()\n"
        "[name for name in ('IPython', 'ipykernel', 'zmq') if name in sys.modules]"
    )
    assert loaded.value == "[]"
