"""What the kernel is started with: descriptors, folders, the connection file."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE, Client, Kernel, free_ports
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager


@pytest.fixture
def command(spec: str) -> list[str]:
    """The kernelspec's command, without `-f FILE`."""
    found = KernelSpecManager().get_kernel_spec(spec)
    assert found.argv[-2:] == ["-f", "{connection_file}"]
    return [word.replace("{resource_dir}", found.resource_dir) for word in found.argv[:-2]]


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1], [0, 1, 2]])
def test_closed_descriptors_are_no_ones_else(command: list[str], closed: list[int]) -> None:
    shell = "exec " + " ".join(f"{n}{'<' if n == 0 else '>'}&-" for n in closed) + '; exec "$@"'
    kernel = Kernel(["sh", "-c", shell, "sh", *command])
    try:
        client = kernel.client
        result = client.ok("import os\nprint('text')\nos.write(1, b'one\\n')\nos.write(2, b'two\\n');")
        assert (result.stdout, result.stderr) == ("text\none\n", "two\n")
        client.ok("%interp create alice")
        assert client.ok("%%interp alice\nimport os\nos.system('echo three');").stdout == "three\n"
        assert client.ok("os.read(0, 1) if os.readlink('/proc/self/fd/0') == '/dev/null' else b''").value == "b''"
        shutdown = client.request("shutdown_request", {"restart": False}, "control")
        client.reply(shutdown, "control")
        assert kernel.wait_for_end(10)
    finally:
        kernel.stop()


def test_a_temporary_folder_that_does_not_exist_is_no_obstacle(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    kernel = Kernel(spec)
    try:
        assert kernel.client.ok("1 + 1").value == "2"
        info = kernel.client.control("debug_request", {"type": "request", "seq": 1, "command": "debugInfo"})
        assert info["body"]["tmpFilePrefix"].startswith("/tmp/")
    finally:
        kernel.stop()


def connection(**changes: Any) -> dict[str, Any]:
    names = ("shell", "iopub", "stdin", "hb", "control")
    ports = {f"{name}_port": port for name, port in zip(names, free_ports(5), strict=True)}
    whole = {"transport": "tcp", "ip": "127.0.0.1", "key": "k", "signature_scheme": "hmac-sha256", **ports, **changes}
    return {name: value for name, value in whole.items() if value is not ...}


PROBLEMS = {
    "no key": ({"key": ...}, "it has no key; an empty one means that messages are not signed"),
    "no port": ({"hb_port": ...}, "it has no hb_port"),
    "a negative port": ({"shell_port": -1}, "its shell_port is -1, not a whole number from 1 to 65535"),
    "a large port": ({"iopub_port": 99999}, "its iopub_port is 99999, not a whole number from 1 to 65535"),
    "a fraction": ({"control_port": 1.5}, "its control_port is 1.5, not a whole number from 1 to 65535"),
    "text": ({"stdin_port": "1234"}, 'its stdin_port is "1234", not a whole number from 1 to 65535'),
    "a key that is none": ({"key": 5}, "its key is no string"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_connection_file_with_a_fault_is_refused_in_a_sentence(
    command: list[str], tmp_path: Path, problem: str
) -> None:
    changes, reason = PROBLEMS[problem]
    file = tmp_path / "connection.json"
    file.write_text(json.dumps(connection(**changes)))
    ended = subprocess.run([*command, "-f", str(file)], capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 1
    assert ended.stderr == f"xinterp: {file} is not a connection file as Jupyter writes them: {reason}\n"


@pytest.mark.parametrize("text", ["", "[]", "{", "5"])
def test_a_file_that_is_no_connection_file_is_refused_in_a_sentence(
    command: list[str], tmp_path: Path, text: str
) -> None:
    file = tmp_path / "connection.json"
    file.write_text(text)
    ended = subprocess.run([*command, "-f", str(file)], capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 1
    assert ended.stderr == f"xinterp: {file} is not a connection file as Jupyter writes them: it is no JSON object\n"


def test_a_connection_file_needs_no_more_than_ports_and_a_key(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "connection.json"
    given = connection(transport=..., ip=..., signature_scheme=...)
    file.write_text(json.dumps(given))
    process = subprocess.Popen([*command, "-f", str(file)], env=os.environ)
    raw = BlockingKernelClient()
    raw.load_connection_info(connection() | given)
    raw.start_channels()
    try:
        raw.wait_for_ready(timeout=PATIENCE)
        assert Client(raw).ok("1 + 1").value == "2"
    finally:
        raw.shutdown()
        raw.stop_channels()
        process.wait(timeout=PATIENCE)
