"""What the debugger costs: before it was ever switched on, while it is on, and when it is off again."""

import statistics
import time

from bare_client import BareClient, BenchError, Message
from kernels import running
from measures import WARM_UP, bare_replies

# Calls and lines, which are what a debugger looks at.
CALLS = """
import time
def leaves(depth):
    if depth == 0:
        return 1
    return leaves(depth - 1) + leaves(depth - 1)
best = 10.0
for _ in range(40):
    begin = time.perf_counter()
    leaves(17)
    best = min(best, time.perf_counter() - begin)
print(best)
"""

type Numbers = dict[str, float]


def debugger(name: str, count: int) -> Numbers:
    """Seconds in main; those of `off again` and `never on` are to be the same. Breakpoints are in another cell."""
    with running(name) as kernel:
        client = kernel.client
        client.wait_ready()
        list(bare_replies(client, WARM_UP))
        numbers = _measure(client, count, "never on")
        begin = time.perf_counter()
        _ask(client, "initialize", {})
        _ask(client, "attach", {})
        numbers["debugger: to switch it on"] = time.perf_counter() - begin
        source = {"path": _ask(client, "dumpCell", {"code": "x = 1\ny = 2"})["body"]["sourcePath"]}
        _ask(client, "setBreakpoints", {"source": source, "breakpoints": [{"line": 2}]})
        list(bare_replies(client, WARM_UP))
        numbers |= _measure(client, count, "on")
        _ask(client, "disconnect", {})
        list(bare_replies(client, WARM_UP))
        return numbers | _measure(client, count, "off again")


def _measure(client: BareClient, count: int, state: str) -> Numbers:
    return {
        f"debugger {state}: execute reply": statistics.median(bare_replies(client, count)),
        f"debugger {state}: recursion": float(client.run(CALLS).text("stdout")),
    }


def _ask(client: BareClient, command: str, arguments: Message) -> Message:
    content = {"type": "request", "seq": 1, "command": command, "arguments": arguments}
    reply: Message = client.reply(client.send(client.control, "debug_request", content), 60, client.control)
    if not reply["success"]:
        raise BenchError(f"{command}: {reply['message']}")
    return reply
