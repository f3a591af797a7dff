"""`get_ipython().set_parent()` and its like: code chooses the message under which its output is shown."""

import pytest
from harness import Client, Message, plain

SET = "import threading\nip = get_ipython()\n"


def of(client: Client, cell: str, *types: str) -> list[Message]:
    """The contents of a cell's messages, whenever they came."""
    client.read_available()
    return [message["content"] for message in client.iopub[cell] if message["msg_type"] in types]


def test_a_thread_shows_its_output_under_the_cell_that_it_sets(ipython_client: Client, ipython_target: str) -> None:
    first = ipython_client.ok(f"{ipython_target}{SET}parent = ip.get_parent()").reply["parent_header"]["msg_id"]
    second = ipython_client.ok(
        f"{ipython_target}def show():\n    ip.set_parent(parent)\n    print('text'); display('shown')\n"
        "thread = threading.Thread(target=show)\nthread.start(); thread.join()\nprint('own')"
    )
    ipython_client.wait_for_text(first, "text")
    assert [c["data"]["text/plain"] for c in of(ipython_client, first, "display_data")] == ["'shown'"]
    assert (second.stdout, second.of("display_data")) == ("own\n", [])


def test_the_rest_of_a_cell_is_shown_there_and_the_next_cell_under_itself(
    ipython_client: Client, ipython_target: str
) -> None:
    first = ipython_client.ok(f"{ipython_target}{SET}parent = ip.get_parent()").reply["parent_header"]["msg_id"]
    second = ipython_client.ok(f"{ipython_target}print('a')\nip.set_parent(parent)\nprint('b')\n!echo c\n1 + 1")
    assert (second.stdout, second.value) == ("a\n", None)
    ipython_client.wait_for_text(first, "c\n")
    assert "".join(c["text"] for c in of(ipython_client, first, "stream")).replace("\r", "") == "b\nc\n"
    assert [c["data"]["text/plain"] for c in of(ipython_client, first, "execute_result")] == ["2"]
    third = ipython_client.ok(f"{ipython_target}print('d', ip.get_parent()['header']['msg_id'])")
    assert third.stdout == f"d {third.reply['parent_header']['msg_id']}\n"


def test_workers_of_a_pool_write_where_the_code_that_gives_the_work_does(
    ipython_client: Client, ipython_target: str
) -> None:
    first = ipython_client.ok(f"{ipython_target}{SET}import multiprocessing, os\nparent = ip.get_parent()").reply
    second = ipython_client.ok(
        f"{ipython_target}with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "    pool.apply(os.system, ('echo here',))\n    ip.set_parent(parent)\n    pool.apply(os.system, ('echo there',))"
    )
    ipython_client.wait_for_text(first["parent_header"]["msg_id"], "there")
    assert second.stdout == "here\n"


def test_a_parent_is_set_for_a_while(ipython_client: Client, ipython_target: str) -> None:
    first = ipython_client.ok(f"{ipython_target}{SET}parent = ip.parent_header").reply["parent_header"]["msg_id"]
    second = ipython_client.ok(
        f"{ipython_target}token = ip.set_thread_parent(parent)\nprint('there')\nis_set = ip.get_parent() == ip.parent_header\n"
        "ip.reset_thread_parent(token)\nprint('here', is_set)"
    )
    ipython_client.wait_for_text(first, "there")
    assert second.stdout == "here True\n"


def test_threads_and_tasks_that_it_starts_inherit_the_parent(ipython_client: Client, ipython_target: str) -> None:
    first = ipython_client.ok(f"{ipython_target}{SET}import asyncio\nparent = ip.get_parent()").reply["parent_header"]
    second = ipython_client.ok(
        f"{ipython_target}async def later():\n    await asyncio.sleep(0); print('task')\n"
        "token = ip.set_thread_parent(parent)\nthread = threading.Thread(target=print, args=('thread',))\n"
        "task = asyncio.ensure_future(later())\nip.reset_thread_parent(token)\n"
        "thread.start(); thread.join()\nawait task"
    )
    ipython_client.wait_for_text(first["msg_id"], "task")
    assert second.stdout == "thread\n", "a thread belongs to where it is started"


def test_the_cell_runs_on_as_itself(ipython_client: Client, ipython_target: str) -> None:
    """Its number, its errors and what IPython keeps of it are not those of the other cell."""
    ipython_client.ok(f"{ipython_target}{SET}parent = ip.get_parent()")
    failed = ipython_client.run(f"{ipython_target}count = ip.execution_count\nip.set_parent(parent)\n1/0")
    assert failed.error == "ZeroDivisionError: division by zero"
    assert len(failed.of("error")) == 1
    assert ipython_client.ok(
        f"{ipython_target}ip.execution_count - count, ip.kernel.execution_count - count"
    ).value in (
        "(1, 1)",
        "(2, 2)",
    )


def test_a_message_that_no_front_end_has_sent_may_be_the_parent(ipython_client: Client, ipython_target: str) -> None:
    header = {"msg_id": "of-mine", "msg_type": "custom", "session": "s"}
    cell = ipython_client.ok(
        f"{ipython_target}{SET}before = ip.set_thread_parent({{'header': {header}}})\nprint('to mine')\n"
        "told = ip.get_parent()\nip.reset_thread_parent(before)\ntold['header'], told['msg_id'], told['content']"
    )
    assert eval(cell.value or "") == (header, "of-mine", {})
    ipython_client.wait_for_text("of-mine", "to mine")
    again = ipython_client.ok(f"{ipython_target}ip.set_parent({header})\nprint('again')")
    ipython_client.wait_for_text("of-mine", "again")
    assert again.stdout == ""


def test_no_parent_detaches_output_from_all_cells(ipython_client: Client, ipython_target: str) -> None:
    cell = ipython_client.ok(f"{ipython_target}{SET}ip.set_parent({{}})\nprint('to no cell')")
    ipython_client.wait_for_text("", "to no cell")
    assert cell.stdout == ""


@pytest.mark.parametrize(
    "parent", ["{'content': {}}", "{'a': 1}", "5", "'text'", "{'header': 5}", "{'header': {'a': 1}}"]
)
def test_what_is_no_message_is_refused(ipython_client: Client, ipython_target: str, parent: str) -> None:
    refused = ipython_client.run(f"{ipython_target}get_ipython().set_parent({parent})")
    assert plain(refused.error) == (
        "ValueError: what is set for a parent must be a message, as get_parent() returns it, or the header of one: "
        "there is no msg_id in it"
    )


def test_input_is_asked_of_the_front_end_of_the_cell_that_is_set(ipython_client: Client, ipython_target: str) -> None:
    first = ipython_client.ok(f"{ipython_target}{SET}parent = ip.get_parent()", allow_stdin=True)
    ipython_client.send(f"{ipython_target}ip.set_parent(parent)\nanswer = input('?')", allow_stdin=True)
    request = ipython_client.client.get_stdin_msg(timeout=10)
    assert request["parent_header"]["msg_id"] == first.reply["parent_header"]["msg_id"]
    ipython_client.client.input("yes")
    assert ipython_client.ok(f"{ipython_target}answer").value == "'yes'"


def test_no_person_is_asked_under_such_a_message(ipython_client: Client, ipython_target: str) -> None:
    refused = ipython_client.run(
        f"{ipython_target}get_ipython().set_parent({{'msg_id': 'of-no-cell'}})\ninput()", allow_stdin=True
    )
    assert refused.error == (
        "StdinNotImplementedError: input() was called where output goes to a message that no front end of this kernel "
        "has sent."
    )
