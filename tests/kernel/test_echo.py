"""The server and the router over real sockets, with interpreters that only echo: no Python behind them."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Client
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

ECHO = Path(__file__).parents[2] / "build/tests/xinterp-echo"


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Client]:
    file, _ = write_connection_file(str(tmp_path / "echo.json"))
    process = subprocess.Popen([ECHO, "-f", file])
    client = BlockingKernelClient(connection_file=file)
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=30)
    yield Client(client)
    client.shutdown()
    assert process.wait(timeout=30) == 0
    client.stop_channels()


def test_a_cell_is_echoed_between_busy_and_idle(echo: Client) -> None:
    result = echo.run("hello\nworld")
    assert [message["msg_type"] for message in result.messages] == ["status", "execute_input", "stream", "status"]
    assert (result.stdout, result.states) == ("hello\nworld\n", ["busy", "idle"])
    assert result.reply["content"]["execution_count"] == 1


def test_cells_of_two_interpreters_overlap_and_stop_ends_them(echo: Client) -> None:
    echo.ok("%interp create alice bob")
    cells = [echo.send(f"%%interp {name} &\non\nsleep 60") for name in ("alice", "bob")]
    for cell in cells:
        echo.wait_for_text(cell, "on")
    assert echo.ok("%%interp main\nfree").stdout == "free\n"
    echo.interrupt()
    assert [echo.result(cell).error for cell in cells] == ["KeyboardInterrupt: "] * 2


def test_a_failure_aborts_what_waits(echo: Client) -> None:
    cells = [echo.send("sleep 1\nfail"), echo.send("never")]
    assert [echo.result(cell).status for cell in cells] == ["error", "aborted"]


def test_a_connection_file_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    file, connection = write_connection_file(str(tmp_path / "taken.json"))
    holder = subprocess.Popen([ECHO, "-f", file], stderr=subprocess.DEVNULL)
    client = BlockingKernelClient(connection_file=file)
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=30)
    kernel = subprocess.run(["xinterp", "-f", file], capture_output=True, text=True, timeout=30)
    assert kernel.returncode == 1
    assert (
        kernel.stderr
        == f"xinterp: cannot listen on tcp://127.0.0.1:{connection['shell_port']}: Address already in use\n"
    )
    client.shutdown()
    holder.wait(timeout=30)
    client.stop_channels()
    missing = subprocess.run(["xinterp", "-f", str(tmp_path / "none.json")], capture_output=True, text=True, timeout=30)
    assert missing.returncode == 1 and missing.stderr.startswith("xinterp: ")
    (tmp_path / "odd.json").write_text(json.dumps({**connection, "signature_scheme": "none-at-all", "key": "k"}))
    odd = subprocess.run(["xinterp", "-f", str(tmp_path / "odd.json")], capture_output=True, text=True, timeout=30)
    assert (
        odd.stderr
        == "xinterp: the connection file asks for signature scheme 'none-at-all', which is not known here; hmac-sha256 is\n"
    )
