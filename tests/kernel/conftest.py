"""What the tests of several files of this folder need: a debugger, subshells."""

from collections.abc import Iterator

import pytest
from debuggers import Debugger
from harness import Client, Kernel


@pytest.fixture(scope="module")
def debug_kernel(spec: str) -> Iterator[Kernel]:
    """One for each file."""
    kernel = Kernel(spec)
    yield kernel
    kernel.stop()


@pytest.fixture
def debug_client(debug_kernel: Kernel) -> Iterator[Client]:
    yield debug_kernel.client
    assert debug_kernel.is_alive()
    Debugger(debug_kernel.client).switch_off()
    debug_kernel.client.close_interpreters()


@pytest.fixture
def debugger(debug_client: Client) -> Debugger:
    debugger = Debugger(debug_client)
    debugger.switch_on()
    return debugger


@pytest.fixture(params=["main", "alice"])
def place(request: pytest.FixtureRequest, debug_client: Client) -> str:
    """The magic line of the interpreter under test, which makes every cell's first line the second."""
    if request.param == "main":
        return "# main\n"
    debug_client.ok("%interp create alice --if-missing")
    return "%%interp alice\n"


@pytest.fixture
def subshell(client: Client) -> str:
    return client.create_subshell()


@pytest.fixture
def other(client: Client) -> str:
    return client.create_subshell()
