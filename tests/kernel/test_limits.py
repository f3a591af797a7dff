"""When the system gives the kernel no thread, descriptor or memory: a reply, a sentence, and everything goes on."""

from collections.abc import Iterator

import pytest
from harness import Client, Kernel

SPARES = 8  # more than the kernel keeps interpreters ready

NO_DESCRIPTORS = """
import os, resource
limits = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir('/proc/self/fd')) - 1, limits[1]))
"""
NO_THREADS = """
import resource
limits = resource.getrlimit(resource.RLIMIT_AS)
pages = int(open('/proc/self/statm').read().split()[0])
# less than a thread takes for its stack
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 6 * 2**20, limits[1]))
"""
LIMITS = {
    "descriptors": (NO_DESCRIPTORS, "resource.setrlimit(resource.RLIMIT_NOFILE, limits)"),
    "threads": (NO_THREADS, "resource.setrlimit(resource.RLIMIT_AS, limits)"),
}
REASONS = {
    "descriptors": "the system gives the kernel no further descriptor: Too many open files",
    "threads": "the system gives the kernel no further thread: Resource temporarily unavailable",
}


@pytest.fixture(params=LIMITS)
def limited(request: pytest.FixtureRequest, fresh: Kernel) -> Iterator[tuple[Client, str]]:
    """A client of a kernel that gets nothing more of something, and why."""
    limit, lift = LIMITS[request.param]
    client = fresh.client
    client.ok(f"%interp create -n {SPARES}")
    client.ok("%interp create alice")
    for place in ("main", "alice"):  # what an error there needs is imported by then
        client.run(f"%%interp {place}\nimport xinterp\nxinterp.create('main')")
    client.ok(limit)
    yield client, REASONS[request.param]
    client.ok(lift)
    assert client.ok("%interp create later --preset shared").stdout.startswith("created later")
    assert client.ok("%%interp later\n1 + 1").value == "2"


@pytest.mark.parametrize("options", ["bob --preset shared", f"-n {SPARES}"])
def test_a_command_that_gets_nothing_ends_with_the_reason(limited: tuple[Client, str], options: str) -> None:
    client, reason = limited
    result = client.run(f"%interp create {options}")
    assert (result.status, result.reply["content"]["ename"]) == ("error", "UsageError")
    assert result.traceback.split("\n")[-1] == f"the interpreter could not be created: {reason}"
    assert result.traceback.count("could not") == 1
    assert client.ok("1 + 1").value == "2"


def test_a_cell_that_creates_its_target_ends_with_the_reason(limited: tuple[Client, str]) -> None:
    client, reason = limited
    result = client.run("%%interp bob --create --preset shared\n1")
    assert result.error == f"UsageError: the interpreter could not be created: {reason}"


@pytest.mark.parametrize("place", ["main", "alice"])
def test_code_that_creates_an_interpreter_gets_the_reason(limited: tuple[Client, str], place: str) -> None:
    client, reason = limited
    result = client.run(f"%%interp {place}\nimport xinterp\nxinterp.create('bob', preset='shared')")
    assert reason in result.traceback


def test_a_subshell_that_gets_no_thread_has_its_cells_fail(limited: tuple[Client, str]) -> None:
    client, reason = limited
    subshell = client.create_subshell()
    result = client.result(client.send("1", subshell=subshell))
    assert result.error == f"OSError: subshell-1 cannot be started: {reason}"
    client.delete_subshell(subshell)
    assert client.ok("1 + 1").value == "2"


def test_little_memory_ends_no_kernel(spec: str) -> None:
    kernel = Kernel(spec)
    try:
        limit = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (400_000_000,) * 2)"
        kernel.client.ok(limit)
        result = kernel.client.run("%interp create -n 40")
        assert result.status == "error"
        assert "the interpreter could not be created: " in result.traceback
        assert kernel.client.ok("1 + 1").value == "2"
    finally:
        kernel.stop()
