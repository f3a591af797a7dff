"""A cell that sends many messages, to a client that only reads: it pings no heartbeat and asks nothing.

The kernel's I/O thread handles a bounded number of messages at once. Each kind of message is sent in numbers around that
bound, and far past it: nothing may be left in the kernel until something else happens to wake it.
"""

import time
from collections.abc import Callable, Iterator

import pytest
import zmq
from harness import PATIENCE, Client, Kernel
from test_streams import MEGABYTE, peak_memory

AT_ONCE = 256  # messages


@pytest.fixture(scope="module")
def silent_kernel(spec: str) -> Iterator[Kernel]:
    """A kernel whose client sends no heartbeat."""
    kernel = Kernel(spec)
    kernel.client.client.hb_channel.stop()
    kernel.client.ok("%interp create alice bob")
    yield kernel
    kernel.stop()


@pytest.fixture
def silent(silent_kernel: Kernel) -> Client:
    return silent_kernel.client


KINDS = {
    "display_data": ("", "display(i)"),
    "update_display_data": ("handle = display('', display_id=True)", "handle.update(i)"),
    "comm_msg": ("import comm\nc = comm.create_comm(target_name='t')", "c.send({'i': i})"),
    "stream": ("import sys", "(sys.stdout if i % 2 else sys.stderr).write('x')"),
    "clear_output": ("from IPython.display import clear_output", "clear_output(wait=True)"),
}


@pytest.mark.parametrize("place", ["main", "alice"])
@pytest.mark.parametrize("kind", KINDS)
def test_many_messages_arrive_with_nothing_to_wake_the_kernel(silent: Client, kind: str, place: str) -> None:
    begin, send = KINDS[kind]
    for count in (AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 4 * AT_ONCE):
        cell = silent.send(f"%%interp {place}\n{begin}\nfor i in range({count}): {send}")
        silent.wait_for_idle(cell)
        assert silent.reply(cell)["content"]["status"] == "ok"
        assert len([m for m in silent.iopub[cell] if m["msg_type"] == kind]) == count


@pytest.mark.parametrize("place", ["main", "alice"])
def test_many_states_of_a_widget_arrive_with_nothing_to_wake_the_kernel(silent: Client, place: str) -> None:
    made = silent.ok(f"%%interp {place}\nfrom ipywidgets import IntProgress\nbar = IntProgress(max=10**6)")
    assert made.of("comm_open")
    result = silent.ok(f"%%interp {place}\nfor i in range(1000): bar.value = i + 1")
    states = [m["data"]["state"] for m in result.of("comm_msg") if m["data"].get("method") == "update"]
    assert states == [{"value": i + 1} for i in range(1000)]


@pytest.mark.parametrize("place", ["main", "alice"])
def test_threads_that_send_at_once_have_everything_shown(silent: Client, place: str) -> None:
    result = silent.ok(
        f"%%interp {place}\nimport threading\n"
        "threads = [threading.Thread(target=lambda: [display(i) for i in range(257)]) for _ in range(4)]\n"
        "for t in threads: t.start()\nfor t in threads: t.join()"
    )
    assert len(result.of("display_data")) == 4 * 257


def test_interpreters_that_send_at_once_have_everything_shown(silent: Client) -> None:
    result = silent.ok("%%interp main,alice,bob\nfor i in range(1000):\n    display(i)\n    print(i)")
    shown = [content["data"]["text/plain"] for content in result.of("display_data")]
    numbers = [text.splitlines()[-1] for text in shown]
    assert [sum(n.endswith(str(i)) and n.split()[-1] == str(i) for n in numbers) for i in (0, 256, 999)] == [3, 3, 3]
    lines = result.stdout.splitlines()
    for name in ("main", "alice", "bob"):
        assert [line for line in lines if line.startswith(f"[{name}] ")] == [f"[{name}] {i}" for i in range(1000)]


@pytest.mark.parametrize("place", ["main", "alice"])
def test_many_questions_are_asked_with_nothing_to_wake_the_kernel(silent: Client, place: str) -> None:
    cell = silent.send(
        f"%%interp {place}\nimport threading\nanswers = []\n"
        "threads = [threading.Thread(target=lambda: answers.append(input())) for _ in range(257)]\n"
        "for t in threads: t.start()\nfor t in threads: t.join()\nprint(len(answers))",
        allow_stdin=True,
    )
    for _ in range(257):
        silent.client.get_stdin_msg(timeout=PATIENCE)
        silent.client.input("yes")
    assert silent.result(cell).stdout.splitlines()[-1] == "257"


def read_until_idle(kernel: Kernel, send: Callable[[], str]) -> int:
    """How many messages come between a cell's execute_input and its idle, counted without being parsed."""
    socket = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.subscribe(b"")
    socket.connect(f"tcp://127.0.0.1:{kernel.manager.get_connection_info()['iopub_port']}")
    socket.poll(PATIENCE * 1000)  # the welcome
    parent = send().encode()
    count = 0
    while socket.poll(PATIENCE * 1000):
        frames = socket.recv_multipart()
        if parent not in frames[4]:
            continue
        if b'"idle"' in frames[6]:
            socket.close()
            return count
        count += b'"display_data"' in frames[3]
    raise AssertionError(f"nothing more came after {count} displays")


def test_a_hundred_thousand_displays_arrive_in_bounded_memory(spec: str) -> None:
    kernel = Kernel(spec)
    try:
        kernel.client.client.hb_channel.stop()
        code = "text = 'x' * 2000\nfor i in range(100_000): display(text)"
        assert read_until_idle(kernel, lambda: kernel.client.send(code)) == 100_000
        assert peak_memory(kernel) < 150 * MEGABYTE
    finally:
        kernel.stop()


def test_large_messages_on_their_way_are_bounded(fresh: Kernel) -> None:
    client = fresh.client
    cell = client.send("data = 'x' * 10**6\nfor i in range(300): display(data)")
    client.reply(client.request("kernel_info_request"))
    time.sleep(0.5)  # nothing is read meanwhile
    assert peak_memory(fresh) < 250 * MEGABYTE
    client.wait_for_idle(cell)
    assert sum(m["msg_type"] == "display_data" for m in client.iopub[cell]) == 300


def test_a_flood_of_requests_does_not_delay_control(fresh: Kernel) -> None:
    client = fresh.client
    cell = client.send("import time\nprint('on')\nwhile True: time.sleep(0.01)")
    client.wait_for_text(cell, "on\n")
    session, socket = client.client.session, client.client.shell_channel.socket
    frames = session.serialize(session.msg("execute_request", {"code": "1" * 100, "silent": False}))
    socket.setsockopt(zmq.SNDHWM, 0)
    for _ in range(20_000):
        socket.send_multipart(frames)
    asked = time.monotonic()
    assert client.interrupt()["content"]["status"] == "ok"
    assert time.monotonic() - asked < 5
    assert peak_memory(fresh) < 400 * MEGABYTE
    assert client.result(cell).error == "KeyboardInterrupt: "
