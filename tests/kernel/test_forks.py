"""The child of a fork in a cell ends as a plain Python does: with its status, and with what it says of its end."""

import pytest
from harness import Client, plain

SETUP = """
import asyncio, atexit, os, sys, threading, warnings
def status(child):
    with warnings.catch_warnings(action='ignore'):
        pid = os.fork()
    if pid == 0:
        child()
        return 'in the child'
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""
ENDS = {
    "the end of the cell": ("None", "0", "in the child\n", ""),
    "sys.exit()": ("sys.exit()", "0", "", ""),
    "a status": ("sys.exit(4)", "4", "", ""),
    "a message": ("sys.exit('message')", "1", "", "message\n"),
    "os._exit": ("os._exit(5)", "5", "", ""),
    "an exit function": ("atexit.register(print, 'bye')", "0", "in the child\nbye\n", ""),
    "a thread": ("threading.Timer(0.05, print, ['late']).start()", "0", "in the child\nlate\n", ""),
}


@pytest.mark.parametrize("awaits", ["", "await asyncio.sleep(0)\n"], ids=["plain", "awaits"])
@pytest.mark.parametrize("end", ENDS)
def test_a_forked_child_ends_with_pythons_status(client: Client, end: str, awaits: str) -> None:
    code, status, stdout, stderr = ENDS[end]
    result = client.ok(f"{SETUP}{awaits}print(status(lambda: {code}))")
    assert (result.stdout, result.stderr) == (f"{stdout}{status}\n", stderr)


@pytest.mark.parametrize("awaits", ["", "await asyncio.sleep(0)\n"], ids=["plain", "awaits"])
def test_an_error_of_a_forked_child_is_shown(client: Client, awaits: str) -> None:
    client.ok(SETUP)
    result = client.ok(f"{awaits}def fail(): 1/0\nprint(status(fail))")
    lines = plain(result.stderr).splitlines()
    assert result.stdout == "1\n"
    assert (lines[0], lines[-1]) == ("Traceback (most recent call last):", "ZeroDivisionError: division by zero")
    assert len([line for line in lines if line.startswith("  Cell In[")]) == 3 and "_xinterp_shell" not in result.stderr


def test_an_interrupt_of_a_forked_child_ends_it_by_the_signal(client: Client) -> None:
    result = client.ok(SETUP + "print(status(lambda: os.kill(os.getpid(), 2)))")
    assert result.stdout == "-2\n" and plain(result.stderr).endswith("KeyboardInterrupt\n")


def test_a_forked_child_ends_like_that_where_ipython_runs_the_cell(ipython_client: Client) -> None:
    client = ipython_client
    client.ok(SETUP)
    ends = ("sys.exit(4)", "sys.exit('message')", "1/0", "None")
    results = [client.ok(f"print(status(lambda: {end}))") for end in ends]
    assert [result.stdout for result in results] == ["4\n", "1\n", "1\n", "in the child\n0\n"]
    assert [plain(result.stderr).splitlines()[-1:] for result in results] == [
        [],
        ["message"],
        ["ZeroDivisionError: division by zero"],
        [],
    ]


@pytest.mark.parametrize(("end", "text"), [("None", "in the child\n0\n"), ("sys.exit(6)", "6\n")])
def test_the_child_of_a_task_that_forks_between_cells_ends_with_its_step(client: Client, end: str, text: str) -> None:
    code = f"async def later():\n    await asyncio.sleep(0)\n    print(status(lambda: {end}))\n    await asyncio.sleep(0)\n"
    started = client.send(SETUP + code + "t = asyncio.create_task(later())")
    client.wait_for_text(started, text)
    assert client.ok("await t\nt.done()").value == "True"
    client.read_available()
    told = "".join(m["content"]["text"] for m in client.iopub[started] if m["msg_type"] == "stream")
    assert told == text
