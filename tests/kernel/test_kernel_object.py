"""What libraries use of ipykernel: its kernel object, its hooks, its functions about the connection file."""

import json

import pytest
from harness import Client, Kernel

HOOKS = """
seen = []
def hook(message):
    seen.append((message['msg_type'], message['header']['msg_type'], message['parent_header'] == ip.get_parent()['header']))
    {effect}
ip = get_ipython()
"""


@pytest.mark.parametrize(
    ("effect", "shown"),
    [
        ("return message", ["1", "2"]),
        ("message['content']['data']['text/plain'] += '!'; return message", ["1!", "2!"]),
        ("return None", []),
    ],
)
def test_a_hook_sees_changes_and_takes_what_is_shown(
    ipython_client: Client, ipython_target: str, effect: str, shown: list[str]
) -> None:
    ipython_client.ok(ipython_target + HOOKS.format(effect=effect))
    cell = ipython_client.ok(
        f"{ipython_target}for shower in (ip.display_pub, ip.displayhook):\n    shower.register_hook(hook)\ndisplay(1)\n2"
    )
    assert [c["data"]["text/plain"] for c in cell.of("display_data", "execute_result")] == shown
    told = ipython_client.ok(
        f"{ipython_target}[shower.unregister_hook(hook) for shower in (ip.display_pub, ip.displayhook) for _ in '12'], seen"
    )
    assert eval(told.value or "") == (
        [True, False] * 2,
        [("display_data",) * 2 + (True,), ("execute_result",) * 2 + (True,)],
    )
    assert ipython_client.ok(f"{ipython_target}display(3)").of("display_data")[0]["data"] == {"text/plain": "3"}


def test_hooks_belong_to_their_thread_and_see_clear_output(ipython_client: Client, ipython_target: str) -> None:
    cell = ipython_client.ok(
        ipython_target + HOOKS.format(effect="return None") + "import threading\n"
        "def other():\n    ip.display_pub.register_hook(hook); display('taken'); clear_output()\n"
        "thread = threading.Thread(target=other)\nthread.start(); thread.join()\ndisplay('shown')\n[kind for kind, *_ in seen]"
    )
    assert cell.of("display_data", "clear_output") == [
        {"data": {"text/plain": "'shown'"}, "metadata": {}, "transient": {}}
    ]
    assert cell.value == "['display_data', 'clear_output']"


def test_a_hook_may_attach_buffers(ipython_client: Client) -> None:
    cell = ipython_client.ok(
        HOOKS.format(effect="message['buffers'].append(b'raw'); return message")
        + "ip.display_pub.register_hook(hook); display(1); ip.display_pub.unregister_hook(hook)"
    )
    (shown,) = [message for message in cell.messages if message["msg_type"] == "display_data"]
    assert [bytes(buffer) for buffer in shown["buffers"]] == [b"raw"]


def test_the_kernel_object_says_what_the_kernel_is(ipython_client: Client, ipython_target: str) -> None:
    info = ipython_client.control("kernel_info_request")
    cell = ipython_client.ok(
        f"{ipython_target}kernel = get_ipython().kernel\n"
        "kernel.implementation, kernel.implementation_version, kernel.banner, kernel.language_info"
    )
    names = ("implementation", "implementation_version", "banner", "language_info")
    assert eval(cell.value or "") == tuple(info[name] for name in names)
    cell = ipython_client.ok(
        f"{ipython_target}kernel.execution_count == get_ipython().execution_count, kernel.user_ns is globals(), "
        "kernel.log.name, kernel.shell_stream.flush()"
    )
    assert cell.value == "(True, True, 'IPKernelApp', None)"


def test_the_session_sends_messages_to_the_front_ends(ipython_client: Client) -> None:
    cell = ipython_client.ok(
        "kernel = get_ipython().kernel\nsession = kernel.session\nparent = kernel.get_parent()\n"
        "content = {'data': {'text/plain': 'sent'}, 'metadata': {}, 'transient': {}}\n"
        "sent = session.send(kernel.iopub_socket, 'display_data', content)\n"
        "made = session.msg('display_data', content, parent=parent)\n"
        "session.send(kernel.iopub_socket, made, buffers=[b'b']);"
    )
    shown = [message for message in cell.messages if message["msg_type"] == "display_data"]
    assert [message["content"]["data"]["text/plain"] for message in shown] == ["sent", "sent"]
    assert [[bytes(buffer) for buffer in message["buffers"]] for message in shown] == [[], [b"b"]]
    header = shown[0]["header"]
    assert ipython_client.ok("session.session").value == repr(header["session"])
    later = ipython_client.ok("session.send(None, 'display_data', content, parent=parent); print('here')")
    assert (later.stdout, later.of("display_data")) == ("here\n", [])
    ipython_client.read_available()
    first = cell.reply["parent_header"]["msg_id"]
    assert sum(message["msg_type"] == "display_data" for message in ipython_client.iopub[first]) == 3


def test_the_io_loop_is_that_of_the_cells(ipython_client: Client, ipython_target: str) -> None:
    cell = ipython_client.ok(
        f"{ipython_target}import asyncio, threading\nloop = get_ipython().kernel.io_loop\n"
        "called = asyncio.Event()\n"
        "threading.Thread(target=lambda: loop.add_callback(called.set)).start()\n"
        "await called.wait()\nloop.asyncio_loop is asyncio.get_running_loop(), loop is get_ipython().kernel.io_loop"
    )
    assert cell.value == "(True, True)"


def test_handlers_of_comm_messages_are_there_and_others_cannot_be_set(
    ipython_client: Client, ipython_target: str
) -> None:
    refused = ipython_client.run(
        f"{ipython_target}handlers = get_ipython().kernel.shell_handlers\nprint([*handlers])\n"
        "handlers['execute_request'] = print"
    )
    assert refused.stdout == "['comm_open', 'comm_msg', 'comm_close']\n"
    assert refused.error == (
        "NotImplementedError: xinterp serves execute_request outside of Python: its handler cannot be set. For messages of "
        "your own use a comm (comm.create_comm)."
    )


def test_ipykernel_finds_this_kernels_connection_file(ipython_kernel: Kernel) -> None:
    client, file = ipython_kernel.client, ipython_kernel.manager.connection_file
    found = client.ok(
        "import ipykernel, ipykernel.connect\nfrom ipykernel import get_connection_file\n"
        "[get_connection_file(), ipykernel.connect.get_connection_file(), "
        "get_ipython().config['IPKernelApp']['connection_file']]"
    )
    assert eval(found.value or "") == [file] * 3
    info = eval(client.ok("ipykernel.get_connection_info(unpack=True)").value or "")
    assert (info["shell_port"], info["key"]) == (ipython_kernel.manager.shell_port, ipython_kernel.manager.session.key)


def test_connect_info_shows_how_to_connect(ipython_kernel: Kernel) -> None:
    file = ipython_kernel.manager.connection_file
    for target in ("", "%%interp alice --create\n"):
        shown = ipython_kernel.client.ok(f"{target}%connect_info").stdout
        text, _, rest = shown.partition("\n\nPut the above")
        assert json.loads(text)["shell_port"] == ipython_kernel.manager.shell_port
        assert f"    jupyter console --existing {file}\n" in rest
