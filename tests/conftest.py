"""Kernels for the tests: one a worker for those that leave it as it was, and fresh ones."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "kernel"))
from harness import Client, Kernel  # noqa: E402


@pytest.fixture(scope="session")
def shared_kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.stop()


@pytest.fixture
def kernel(shared_kernel: Kernel) -> Iterator[Kernel]:
    """A kernel with main alone in it, to be left alive."""
    yield shared_kernel
    assert shared_kernel.is_alive(), "the kernel died"
    client = shared_kernel.client
    client.run("%interp use main")
    if len(client.run("%interp").of("display_data")[0]["data"]["text/plain"].splitlines()) > 2:
        client.ok("%interp close all --force")
    client.iopub.clear()
    client.replies.clear()


@pytest.fixture
def client(kernel: Kernel) -> Client:
    return kernel.client


@pytest.fixture
def fresh() -> Iterator[Kernel]:
    """A kernel of the test's own, which may end it."""
    kernel = Kernel()
    yield kernel
    kernel.stop()


@pytest.fixture(params=["main", "alice"])
def target(request: pytest.FixtureRequest, client: Client) -> str:
    """The magic line for the interpreter under test."""
    if request.param == "main":
        return ""
    client.ok("%interp create alice")
    return "%%interp alice\n"
