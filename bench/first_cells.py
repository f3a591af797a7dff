"""What IPython costs a notebook that needs it, and one that does not."""

import time

from bare_client import BareClient, BenchError
from kernels import running

LANES = 6
LANES_WITH_IPYTHON = 2
SPARES_TIME = 3  # seconds; then the pool of spare interpreters is full and the history written, as before the lanes

type Numbers = dict[str, float]


def first_cells(name: str) -> Numbers:
    """From sending a kernel's first cells to their replies."""
    with running(name) as kernel:
        kernel.client.wait_ready()
        return {
            "first plain cell": _seconds(kernel.client, "x = 1"),
            "first %time cell": _seconds(kernel.client, "%time x"),
            "second %time cell": _seconds(kernel.client, "%time x"),
        }


def _seconds(client: BareClient, code: str) -> float:
    begin = time.perf_counter()
    request = client.execute(code)
    if client.reply(request, 60)["status"] != "ok":
        raise BenchError(f"{code!r} failed")
    return time.perf_counter() - begin


def lane_memory(name: str) -> Numbers:
    """What an interpreter adds to the process, on average: after a plain cell, and after one that needs IPython."""
    with running(name) as kernel:
        client = kernel.client
        client.wait_ready()
        client.run("%interp create warm")
        client.run("%%interp warm\nx = 1")
        time.sleep(SPARES_TIME)
        before, _ = kernel.memory()
        client.run(f"%interp create -n {LANES}")
        client.run("%%interp all\nx = [i * i for i in range(1000)]\nprint(len(x))")
        time.sleep(SPARES_TIME)
        plain, _ = kernel.memory()
        client.run("%%interp 2,3\nget_ipython()")
        with_ipython, _ = kernel.memory()
        return {
            "memory of a lane, plain Python": (plain - before) / LANES,
            "memory of a lane, IPython loaded": (with_ipython - plain) / LANES_WITH_IPYTHON,
        }
