"""The Jupyter protocol: each request, its reply and its busy and idle; and what a hostile client can send."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import zmq
from harness import PATIENCE, Client, Kernel
from jupyter_client.manager import KernelManager
from jupyter_client.session import Session
from python_under_test import VERSION


def ask(client: Client, kind: str, content: dict[str, Any] | None = None, channel: str = "shell") -> dict[str, Any]:
    result = client.result(client.request(kind, content, channel), channel)
    assert result.states == ["busy", "idle"]
    return result.reply["content"]


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_kernel_info_states_protocol_5_5(client: Client, channel: str) -> None:
    info = ask(client, "kernel_info_request", channel=channel)
    assert (info["status"], info["protocol_version"], info["implementation"]) == ("ok", "5.5", "xinterp")
    assert info["language_info"]["name"] == "python"
    assert f"'{info['language_info']['version']}'" == client.ok("import platform; platform.python_version()").value
    assert (info["supported_features"], info["debugger"]) == (["kernel subshells", "debugger"], True)
    assert [link["text"] for link in info["help_links"]] == [
        f"{name} Reference" for name in ("Python", "IPython", "NumPy", "SciPy", "Matplotlib", "SymPy", "pandas")
    ]
    assert info["help_links"][0]["url"] == f"https://docs.python.org/{VERSION[0]}.{VERSION[1]}"
    header = client.result(client.request("kernel_info_request")).reply["header"]
    assert header["version"] == "5.5"


def test_there_is_a_debugger_only_where_debugpy_can_be_imported(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.machinery as m, sys\n"
        "find = m.PathFinder.find_spec\n"
        "m.PathFinder.find_spec = lambda name, *a: None if name == 'debugpy' else find(name, *a)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    kernel = Kernel(spec)
    try:
        info = ask(kernel.client, "kernel_info_request")
        assert (info["supported_features"], info["debugger"]) == (["kernel subshells"], False)
    finally:
        kernel.stop()


def test_the_reply_of_a_cell_says_when_it_started(client: Client, target: str) -> None:
    for code in ("import time; time.sleep(0.01)", "1/0"):
        result = client.run(target + code)
        begun = next(m for m in result.messages if m["msg_type"] == "execute_input")["header"]["date"]
        started = datetime.fromisoformat(result.reply["metadata"]["started"])
        assert abs((started - begun).total_seconds()) < 1
        assert started < result.reply["header"]["date"]
    assert client.result(client.request("kernel_info_request")).reply["metadata"] == {}


@pytest.mark.parametrize("channel", ["shell", "control"])
@pytest.mark.parametrize("magic", ["", "%%interp alice --create &\n"])
def test_after_kernel_info_the_status_is_that_of_a_cell_that_runs(client: Client, magic: str, channel: str) -> None:
    cell = client.send(f"{magic}import time\nprint('begun')\nwhile True: time.sleep(0.01)")
    client.wait_for_text(cell, "begun")
    asked = client.request("kernel_info_request", channel=channel)
    client.reply(asked, channel)

    def states(request: str) -> list[str]:
        statuses = [message for message in client.iopub[request] if message["msg_type"] == "status"]
        return [message["content"]["execution_state"] for message in statuses]

    client._until(lambda: states(cell) == ["busy", "busy"] and states(asked) == ["busy", "idle"], "busy", "iopub")
    client.ok("%interp interrupt alice") if magic else client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "


def test_the_kernelspec_says_what_kernel_info_says(shared_kernel: Kernel) -> None:
    spec = shared_kernel.manager.kernel_spec
    assert spec is not None
    assert (spec.interrupt_mode, spec.language) == ("message", "python")
    assert spec.metadata["debugger"] is True
    assert json.loads(Path(spec.resource_dir, "kernel.json").read_text())["kernel_protocol_version"] == "5.5"


def test_all_messages_have_one_session_and_version(client: Client) -> None:
    messages = client.ok("print(1)\n2").messages
    assert len({message["header"]["session"] for message in messages}) == 1
    assert {message["header"]["version"] for message in messages} == {"5.5"}


def test_a_new_subscriber_is_welcomed(shared_kernel: Kernel) -> None:
    socket = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(f"tcp://127.0.0.1:{shared_kernel.manager.get_connection_info()['iopub_port']}")
    socket.subscribe(b"")
    frames = socket.recv_multipart()
    session = Session(key=shared_kernel.client.client.session.key)  # of its own: the first client was told too
    message = session.deserialize(session.feed_identities(frames)[1])
    assert (message["msg_type"], message["content"]) == ("iopub_welcome", {"subscription": ""})
    socket.close()


def test_a_first_subscriber_that_comes_late_misses_nothing_of_its_cell(spec: str) -> None:
    manager = KernelManager(kernel_name=spec)
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels(iopub=False, stdin=False, hb=False, control=False)
    try:
        cell = client.execute("print('early')")
        assert client.get_shell_msg(timeout=PATIENCE)["parent_header"]["msg_id"] == cell
        client.start_channels(shell=False, stdin=False, hb=False, control=False)
        own = []
        while own[-1:] != [("status", "idle")]:
            message = client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == cell and own[-1:] != [(message["msg_type"], None)]:
                own.append((message["msg_type"], message["content"].get("execution_state")))
        assert own == [("status", "busy"), ("execute_input", None), ("stream", None), ("status", "idle")]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_connect_names_the_ports(client: Client, shared_kernel: Kernel) -> None:
    ports = shared_kernel.manager.get_connection_info()
    reply = ask(client, "connect_request")
    assert reply == {"status": "ok"} | {
        f"{name}_port": ports[f"{name}_port"] for name in ("shell", "iopub", "stdin", "control", "hb")
    }


def test_comm_info_is_empty(client: Client) -> None:
    assert ask(client, "comm_info_request") == {"status": "ok", "comms": {}}


def send_raw(client: Client, frames: list[bytes], channel: str = "shell") -> None:
    getattr(client.client, f"{channel}_channel").socket.send_multipart(frames)


def frames_of(client: Client, message: dict[str, Any]) -> list[bytes]:
    return client.client.session.serialize(message)


def sign(client: Client, parts: list[bytes]) -> list[bytes]:
    return [b"<IDS|MSG>", client.client.session.sign(parts), *parts]


@pytest.fixture
def told(spec: str, tmp_path: Path) -> Any:
    """A fresh kernel whose log is read."""
    with (tmp_path / "log").open("w") as log:
        kernel = Kernel(spec, stderr=log)
    yield kernel, (tmp_path / "log").read_text
    assert kernel.is_alive()
    assert kernel.client.ok("1 + 1").value == "2"
    kernel.stop()


def test_messages_that_cannot_be_answered_leave_a_line_in_the_log(told: Any) -> None:
    kernel, log = told
    client = kernel.client
    good = frames_of(client, client.client.session.msg("kernel_info_request", {}))
    header = good[2]
    empty = [header, b"{}", b"{}", b"{}"]
    bad: list[tuple[list[bytes], str]] = [
        ([good[0], b"0" * 64, *good[2:]], "its signature is wrong"),
        ([good[0], b"", *good[2:]], "it has no signature"),
        (good[:4], "it is truncated: 3 frames after <IDS|MSG>, at least 5 expected"),
        ([b"nothing"], "it has no <IDS|MSG> frame"),
        (sign(client, [b"[1, 2]", b"{}", b"{}", b"{}"]), "the header is a JSON array, not an object"),
        (sign(client, [b"{}", b"{}", b"{}", b"{}"]), "its header has no msg_id"),
        (sign(client, [b"\xff\xfe", b"{}", b"{}", b"{}"]), "the header is not valid JSON in UTF-8"),
        (
            sign(client, [b'{"msg_id": 5, "msg_type": "x", "session": "s"}', b"{}", b"{}", b"{}"]),
            "its header's msg_id is no string",
        ),
        (sign(client, [b"[" * 100_000, b"{}", b"{}", b"{}"]), "the header nests deeper than 500 levels"),
    ]
    for channel in ("shell", "control", "stdin"):
        for frames, _ in bad:
            send_raw(client, frames, channel)
        client.ok("1")
        ask(client, "kernel_info_request", channel="control")
    said = log()
    for _, reason in bad:
        for channel in ("shell", "control", "stdin"):
            assert f"a message on {channel} was dropped: {reason}." in said
    assert empty


@pytest.mark.parametrize(
    ("kind", "content", "problem"),
    [
        ("execute_request", {"code": 5}, "execute_request: 'code' must be a string, not number."),
        ("execute_request", {}, "execute_request: 'code' is missing."),
        (
            "execute_request",
            {"code": "1", "silent": "no"},
            "execute_request: 'silent' must be true or false, not string.",
        ),
        (
            "execute_request",
            {"code": "1", "user_expressions": [1]},
            "execute_request: 'user_expressions' must be an object, not array.",
        ),
        (
            "complete_request",
            {"code": "a", "cursor_pos": "end"},
            "complete_request: 'cursor_pos' must be a whole number, not string.",
        ),
        ("inspect_request", {"cursor_pos": 0}, "inspect_request: 'code' is missing."),
        ("no_such_request", {}, "'no_such_request' is not a request that this kernel knows."),
        ("create_subshell_request", {}, "'create_subshell_request' does not belong on the shell channel."),
    ],
)
def test_a_bad_request_is_answered(client: Client, kind: str, content: dict[str, Any], problem: str) -> None:
    reply = ask(client, kind, content)
    assert (reply["status"], reply["ename"], reply["evalue"]) == ("error", "BadRequest", problem)


def test_a_message_on_the_wrong_channel_is_answered(client: Client) -> None:
    reply = ask(client, "comm_info_request", {"target_name": "none"}, "control")
    assert reply["status"] == "ok"
    reply = ask(client, "debug_request", {"command": "initialize"}, "shell")
    assert reply["evalue"] == "'debug_request' does not belong on the shell channel."


def on_control(client: Client, code: str) -> str:
    return client.request("execute_request", {"code": code, "allow_stdin": False}, "control")


def test_cells_on_control_run_one_after_the_other_beside_those_on_shell(client: Client, target: str) -> None:
    if target:  # their home is main: another interpreter has one lane
        client.ok("%interp create alice --if-missing")
    waiting = client.send("import threading\ngo_on = threading.Event()\ngo_on.wait()")
    client.wait_for_start(waiting)
    first = on_control(client, f"{target}import threading\nthreading.current_thread().name")
    second = on_control(client, f"{target}1 +")
    third = on_control(client, f"{target}print('third')")
    named = client.result(first, "control")
    assert named.value == repr("MainThread" if target else "subshell-ctrl")
    assert client.result(second, "control").reply["content"]["status"] == "error"
    assert client.result(third, "control").reply["content"]["status"] == "aborted"
    assert client.result(on_control(client, "go_on.set()"), "control").status == "ok"
    assert client.result(waiting).status == "ok"
    assert datetime.fromisoformat(named.reply["metadata"]["started"]) < named.reply["header"]["date"]


def test_questions_on_control_are_answered_there(client: Client) -> None:
    client.ok("number_of_mine = 1")
    assert ask(client, "complete_request", {"code": "number_of"}, "control")["matches"] == ["number_of_mine"]
    assert ask(client, "inspect_request", {"code": "number_of_mine", "cursor_pos": 3}, "control")["found"]
    assert ask(client, "is_complete_request", {"code": "1 +"}, "control")["status"] == "invalid"
    history = ask(client, "history_request", {"hist_access_type": "tail", "n": 1}, "control")["history"]
    assert [entry[2] for entry in history] == ["number_of_mine = 1"]


def test_a_cell_on_control_can_be_interrupted(client: Client) -> None:
    cell = on_control(client, "import time\nprint('sleeps')\ntime.sleep(60)")
    client.wait_for_text(cell, "sleeps")
    client.interrupt()
    assert client.result(cell, "control").error == "KeyboardInterrupt: "


def test_a_content_that_is_no_json_is_answered(client: Client) -> None:
    header = client.client.session.msg("execute_request", {})["header"]
    packed = client.client.session.pack(header)
    for content, problem in (
        (b"{", "the content is not valid JSON in UTF-8"),
        (b"\xff", "the content is not valid JSON in UTF-8"),
        (b"[]", "the content is a JSON array, not an object"),
    ):
        client.replies.clear()
        send_raw(client, sign(client, [packed, b"{}", b"{}", content]))
        assert client.reply(header["msg_id"])["content"]["evalue"] == f"execute_request: {problem}."


def test_null_cursor_means_the_end(client: Client) -> None:
    assert client.ask("complete", "prin", cursor_pos=None)["matches"] == ["print"]
    assert client.ask("complete", "prin", cursor_pos=-7)["cursor_end"] == 0
    assert client.ask("complete", "prin", cursor_pos=10**15)["matches"] == ["print"]


def test_nul_bytes_and_huge_code_are_just_code(client: Client) -> None:
    assert client.run("x = '\0'").error == "SyntaxError: source code string cannot contain null bytes"
    big = "x = '" + "y" * 50_000_000 + "'\nlen(x)"
    assert client.ok(big, store_history=False).value == "50000000"
    assert client.ok("print('\\0')").stdout == "\0\n"


def test_a_full_queue_is_worked_off(client: Client) -> None:
    cells = [client.send(str(i), store_history=False) for i in range(3000)]
    assert client.result(cells[-1]).value == "2999"
    assert client.result(cells[0]).value == "0"


def test_stdin_without_a_request_is_ignored(client: Client) -> None:
    message = client.client.session.msg("input_reply", {"value": "surprise"})
    client.client.stdin_channel.send(message)
    client.client.stdin_channel.send(client.client.session.msg("input_reply", {"value": 7}))
    assert client.ok("1").value == "1"


def test_the_heartbeat_echoes(client: Client, shared_kernel: Kernel) -> None:
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(f"tcp://127.0.0.1:{shared_kernel.manager.get_connection_info()['hb_port']}")
    socket.send(b"ping")
    assert socket.poll(5000) and socket.recv() == b"ping"
    socket.close()


def test_half_of_a_character_in_a_cell_is_an_error_in_its_turn(client: Client, target: str) -> None:
    def cell(code: str) -> str:
        message = client.client.session.msg("execute_request", {"code": code})
        frames = frames_of(client, message)
        parts = [part.replace(b"HALF", b"\\ud800") for part in frames[-4:]]
        send_raw(client, sign(client, parts))
        return message["header"]["msg_id"]

    before = client.send(f"{target}print('before')")
    bad = cell(f"{target}x = 'HALF'")
    after = client.send(f"{target}print('after')")
    assert client.result(before).stdout == "before\n"
    result = client.result(bad)
    reason = (
        "the cell contains \\ud800, half of a character (a surrogate without its partner), in place of which \N{REPLACEMENT CHARACTER} is "
        "shown. Type it again."
    )
    assert result.error == f"UnicodeEncodeError: {reason}"
    assert result.of("error") == [{"ename": "UnicodeEncodeError", "evalue": reason, "traceback": [reason]}]
    assert result.states == ["busy", "idle"]
    assert result.of("execute_input")[0]["code"] == f"{target}x = '\N{REPLACEMENT CHARACTER}'"
    assert client.result(after).status == "aborted"
    assert client.ok("1").value == "1"


def test_an_execute_request_that_is_refused_fails_in_sight(client: Client) -> None:
    result = client.result(client.request("execute_request", {"code": 5}))
    assert result.of("error")[0]["evalue"] == result.reply["content"]["evalue"]
    assert result.states == ["busy", "idle"]


@pytest.mark.parametrize("magic", ["", "%%interp alice\n"])
@pytest.mark.parametrize("failing", ["1/0", "%interp close nobody"])
def test_what_follows_a_failing_cell_shortly_is_aborted(client: Client, failing: str, magic: str) -> None:
    client.ok("%interp create alice")
    outcomes = []
    for _ in range(5):  # a busy machine may let the client be late
        first = client.send(failing if failing[0] == "%" else magic + failing)
        client.wait_for_start(first)
        client._until(lambda first=first: any(m["msg_type"] == "error" for m in client.iopub[first]), "error", "iopub")
        rest = [client.send(f"{magic}print({i})") for i in range(3)]  # it has failed, and its reply has not come
        assert client.result(first).status == "error"
        outcomes.append([client.result(cell).status for cell in rest])
        assert client.ok("1 + 1").value == "2"  # sent with the reply in view
    assert ["aborted"] * 3 in outcomes
