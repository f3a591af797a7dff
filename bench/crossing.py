"""What interpreters cost, and what crosses between them: one text, a script and a cell. It prints `NAME: SECONDS`.

As a script it measures CPython's own modules, and multiprocessing beside them; as a cell, the kernel's.
"""

import _interpreters
import sys
import threading
import time
from collections.abc import Callable
from concurrent import interpreters
from concurrent.futures import Executor, InterpreterPoolExecutor, ProcessPoolExecutor

IN_KERNEL = "_xinterp" in sys.builtin_module_names
MEGABYTES = 100
KILOBYTE = bytes(1000)


def report(name: str, seconds: float) -> None:
    print(f"{name}: {seconds}", flush=True)


def median_of(count: int, action: Callable[[], object]) -> float:
    """Of so many runs, after some that do not count."""
    times = []
    for _ in range(count + 5):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return sorted(times[5:])[count // 2]


def in_a_thread(action: Callable[[], None]) -> None:
    thread = threading.Thread(target=action)
    thread.start()
    thread.join()


def running_text() -> None:
    number = _interpreters.create()

    def run() -> object:
        return _interpreters.exec(number, "x = 1")

    report("exec, main thread", median_of(2000, run))
    in_a_thread(lambda: report("exec, other thread", median_of(2000, run)))
    _interpreters.destroy(number)


def echo(inbox: interpreters.Queue, outbox: interpreters.Queue) -> None:
    while (thing := inbox.get()) is not None:
        outbox.put(thing)


def queues() -> None:
    inbox, outbox = interpreters.create_queue(), interpreters.create_queue()
    other = interpreters.create()
    thread = other.call_in_thread(echo, inbox, outbox)

    def round_trip(thing: object) -> object:
        inbox.put(thing)
        return outbox.get()

    count = 2000 if IN_KERNEL else 40  # those of CPython take 20 ms
    report("queue round trip, int", median_of(count, lambda: round_trip(1)))
    report("queue round trip, 1 KB", median_of(count, lambda: round_trip(KILOBYTE)))
    inbox.put(None)
    thread.join()
    other.close()


def pool(name: str, executor: Executor, count: int) -> None:
    with executor:
        report(name, median_of(count, lambda: executor.submit(len, "abc").result()))


ECHO_OF_CHANNELS = """
while (thing := recv_channel.recv()) is not None:
    send_channel.send(thing)
"""
SWALLOW = """
while (thing := recv_channel.recv()) is not None:
    thing[0]
"""


def channels() -> None:
    import interpreters as channel_module

    other = channel_module.create()
    (there, send), (receive, back) = channel_module.create_channel(), channel_module.create_channel()
    thread = threading.Thread(target=other.run, args=(ECHO_OF_CHANNELS,), kwargs={"channels": (there, back)})
    thread.start()

    def round_trip(thing: object) -> object:
        send.send(thing)
        return receive.recv()

    report("channel round trip, int", median_of(2000, lambda: round_trip(1)))
    report("channel round trip, 1 KB", median_of(2000, lambda: round_trip(KILOBYTE)))
    send.send(None)
    thread.join()
    thread = threading.Thread(target=other.run, args=(SWALLOW,), kwargs={"channels": (there, back)})
    thread.start()
    for name, thing in large_things().items():
        report(name, median_of(20, lambda thing=thing: send.send(thing)))  # type: ignore[misc]
    send.send(None)
    thread.join()
    other.close()


def large_things() -> dict[str, object]:
    things: dict[str, object] = {"100 MB of bytes": bytes(MEGABYTES * 1_000_000)}
    try:
        import numpy
    except ImportError:
        return things
    return things | {"100 MB numpy array": numpy.ones(MEGABYTES * 125_000)}


def processes() -> None:
    import multiprocessing

    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()

    def answer() -> None:
        while (thing := there.recv()) is not None:
            there.send(thing if isinstance(thing, int) or len(thing) < 10_000 else 0)

    process = context.Process(target=answer)
    process.start()

    def round_trip(thing: object) -> object:
        here.send(thing)
        return here.recv()

    report("pipe round trip, int", median_of(2000, lambda: round_trip(1)))
    report("pipe round trip, 1 KB", median_of(2000, lambda: round_trip(KILOBYTE)))
    for name, thing in large_things().items():
        report(f"{name}, multiprocessing", median_of(5, lambda thing=thing: round_trip(thing)))  # type: ignore[misc]
    here.send(None)
    process.join()
    pool("pool executor round trip, processes", ProcessPoolExecutor(1, context), 300)


def creating() -> None:
    made: list[int] = []
    # As many as there are spares; the kernel makes new ones between the cells.
    times = [median_of_one(lambda: made.append(_interpreters.create())) for _ in range(3)]
    report("create()", sorted(times)[1])
    for number in made:
        _interpreters.destroy(number)


def median_of_one(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def everything() -> None:
    if not IN_KERNEL:
        processes()  # first: a fork in a plain Python with several interpreters may hang
        creating()
    running_text()
    queues()
    pool("pool executor round trip", InterpreterPoolExecutor(1), 300)
    if IN_KERNEL:
        channels()


if __name__ == "__main__" and not IN_KERNEL:
    everything()
