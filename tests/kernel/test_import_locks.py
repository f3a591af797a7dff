"""An interrupt that rises inside an import leaves none of importlib's locks taken: other threads import on.

What is left when it rises at the wrong instruction, between taking a lock and the `try` behind it, is made by hand here:
code takes the lock and is interrupted.
"""

import pytest
from harness import Client

LOCK = "import sys, _frozen_importlib\nsys.modules.pop('colorsys', None)\nlock = _frozen_importlib._get_module_lock('colorsys')\n"
TAKE = {
    "the import lock": "import sys, _imp\nsys.modules.pop('colorsys', None)\n_imp.acquire_lock()\n",
    "a module's lock": LOCK + "lock.acquire()\nlock.acquire()\n",
    "the lock within a module's lock": LOCK + "lock.lock.acquire()\n",
}
SPIN = "print('on')\nwhile True: pass"
IMPORT = (
    "import sys, threading\nthread = threading.Thread(target=__import__, args=['colorsys'])\n"
    "thread.start()\nthread.join(10)\n'colorsys' in sys.modules"
)


@pytest.fixture(params=TAKE)
def take(request: pytest.FixtureRequest) -> str:
    return TAKE[request.param]


def test_an_interrupted_cell_keeps_no_lock(client: Client, target: str, take: str) -> None:
    cell = client.send(target + take + SPIN)
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.ok(target + IMPORT).value == "True"


def test_an_interrupted_cell_of_a_subshell_keeps_no_lock(client: Client, take: str) -> None:
    subshell = client.create_subshell()
    cell = client.send(take + SPIN, subshell)
    client.wait_for_text(cell, "on\n")
    client.interrupt(subshell)
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.ok(IMPORT).value == "True"
    client.delete_subshell(subshell)


@pytest.mark.parametrize("call", ["alice.exec(code)", "alice.call(exec, code)"])
def test_an_interrupted_call_of_another_interpreter_keeps_no_lock(client: Client, take: str, call: str) -> None:
    client.ok(f"%interp create alice\nimport xinterp\nalice = xinterp.get('alice')\ncode = {take + SPIN!r}")
    cell = client.send(call)
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.ok("%%interp alice\n" + IMPORT).value == "True"


def test_who_waits_for_a_lock_that_was_half_given_back_goes_on(client: Client, target: str) -> None:
    waits = "import threading, time\nwaiter = threading.Thread(target=__import__, args=['colorsys'])\n"
    waits += "waiter.start()\nwhile not lock.waiters: time.sleep(0.01)\nlock.count.pop()\n"
    cell = client.send(target + LOCK + "lock.acquire()\n" + waits + SPIN)
    client.wait_for_text(cell, "on\n")
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    assert client.ok(target + "waiter.join(10)\nwaiter.is_alive()").value == "False"


def test_other_interrupts_of_main_leave_no_lock_either(client: Client) -> None:
    result = client.run(TAKE["the import lock"] + "import _thread\n_thread.interrupt_main()\nwhile True: pass")
    assert result.error == "KeyboardInterrupt: "
    assert client.ok(IMPORT).value == "True"


def test_a_visit_leaves_the_lock_to_an_import_that_has_led_to_it(client: Client) -> None:
    """A thread of alice imports, for which bob runs code, which runs code of alice, which is interrupted."""
    client.ok("%interp create alice")
    client.ok("%%interp alice\nfrom concurrent import interpreters\nbob = interpreters.create()")
    inner = "import xinterp\nxinterp.get('alice').exec('print(\"on\")\\nwhile True: pass')"
    cell = client.send(
        "%%interp alice\n"
        "import _imp, itertools, os, threading\n"
        "held = []\n"
        "begin, go = os.pipe()\n"
        "def work():\n"
        "    os.read(begin, 1)\n"  # once the cell has ended: alice can be visited
        "    _imp.acquire_lock()\n"
        "    try:\n"
        f"        try: bob.exec({inner!r})\n"
        "        finally: held.extend(itertools.islice(iter(_imp.lock_held, None), 1))\n"  # no instruction between
        "    except BaseException: pass\n"
        "    while _imp.lock_held(): _imp.release_lock()\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "go"
    )
    client.ok(f"import os\nos.write({client.result(cell).value}, b'.')")
    client.wait_for_text(cell, "on\n")
    client.ok("%interp interrupt alice")
    assert client.ok("%%interp alice\nthread.join()\nheld").value == "[True]"
