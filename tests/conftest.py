"""Kernels for the tests: one a worker for those that leave it as it was, and fresh ones."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent / folder) for folder in ("kernel", "lab")]
from harness import Client, Kernel  # noqa: E402
from python_under_test import lacks  # noqa: E402

# What tests run is no part of the person's history: every kernel and front end that a test starts inherits this.
os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="xinterp-ipython-")
atexit.register(shutil.rmtree, os.environ["IPYTHONDIR"], ignore_errors=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What starts a kernel does so in both hosts: the executable that embeds Python, and a python that loads the module."""
    if "host" in metafunc.fixturenames:
        metafunc.parametrize("host", ["embedded", "hosted"], scope="session")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that needs a package which is not compiled for the kernel's Python is skipped."""
    for marker in item.iter_markers("needs"):
        if lacks(marker.args[0]):
            pytest.skip(f"{marker.args[0]} is not there for the Python of the kernel")


@pytest.fixture(scope="session")
def spec(host: str) -> str:
    """The kernelspec of the host under test."""
    return f"xinterp-{host}"


@pytest.fixture(scope="session")
def shared_kernel(spec: str) -> Iterator[Kernel]:
    kernel = Kernel(spec)
    yield kernel
    kernel.stop()


@pytest.fixture(scope="session")
def shared_ipython_kernel(spec: str) -> Iterator[Kernel]:
    kernel = Kernel(spec)
    kernel.client.ok("get_ipython()")
    yield kernel
    kernel.stop()


def _clean(kernel: Kernel) -> None:
    assert kernel.is_alive(), "the kernel died"
    client = kernel.client
    for subshell in client.subshells():
        client.delete_subshell(subshell)
    client.run("%interp use main")
    client.close_interpreters()
    # No test finds the variables of another.
    client.ok(
        "[globals().pop(n) for n in [*globals()] if n not in ('In', 'Out', '_ih', '_oh', '_dh', 'exit', 'quit') and "
        "not n.strip('_i').isdigit() and not (n[:2] == '__' and n.strip('_'))];"
    )
    client.iopub.clear()
    client.replies.clear()
    while client.client.stdin_channel.msg_ready():  # a question that was answered without being looked at
        client.client.get_stdin_msg(timeout=0)


@pytest.fixture
def kernel(shared_kernel: Kernel) -> Iterator[Kernel]:
    """A kernel with main alone in it, to be left alive and without IPython."""
    yield shared_kernel
    loaded = shared_kernel.client.ok("'IPython' in __import__('sys').modules").value
    lost = shared_kernel.client.ok("{'In', 'Out', '_ih', '_oh'} - globals().keys()").value
    _clean(shared_kernel)
    assert lost == "set()", "a test that takes the shell's names away uses `fresh`"
    assert loaded == "False", "a test that loads IPython in main uses `ipython_kernel` or `ipython_client`"


@pytest.fixture
def ipython_kernel(shared_ipython_kernel: Kernel) -> Iterator[Kernel]:
    """A kernel in whose main IPython is loaded, to be left alive."""
    yield shared_ipython_kernel
    _clean(shared_ipython_kernel)


@pytest.fixture
def client(kernel: Kernel) -> Client:
    return kernel.client


@pytest.fixture
def ipython_client(ipython_kernel: Kernel) -> Client:
    return ipython_kernel.client


@pytest.fixture(params=["main", "alice"])
def ipython_target(request: pytest.FixtureRequest, ipython_client: Client) -> str:
    """The magic line for an interpreter in which IPython is loaded."""
    if request.param == "main":
        return ""
    ipython_client.ok("%interp create alice")
    ipython_client.ok("%%interp alice\nget_ipython()")
    return "%%interp alice\n"


@pytest.fixture
def fresh(spec: str) -> Iterator[Kernel]:
    """A kernel of the test's own, which may end it."""
    kernel = Kernel(spec)
    yield kernel
    kernel.stop()


@pytest.fixture(params=["main", "alice"])
def target(request: pytest.FixtureRequest, client: Client) -> str:
    """The magic line for the interpreter under test."""
    if request.param == "main":
        return ""
    client.ok("%interp create alice --if-missing")  # `channel` makes her too
    return "%%interp alice\n"


@pytest.fixture
def channel(client: Client) -> int:
    """The number of a channel whose ends are `r` and `s` in main and alice, and on their own in bob."""
    number = int(client.ok("import interpreters\nr, s = interpreters.create_channel()\nr.id").value or "")
    client.ok("%interp create alice bob --if-missing")
    ends = f"from interpreters import *\nr, s = RecvChannel({number}), SendChannel({number})"
    client.ok(f"%%interp main,alice,bob\n{ends}")
    return number
