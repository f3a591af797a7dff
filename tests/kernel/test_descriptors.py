"""Code that puts something else in the place of descriptors 1 and 2 gets what it gets in a plain Python."""

from pathlib import Path

import pytest
from harness import Client

WRITERS = {
    "os.write": "os.write({n}, b'text')",
    "os.writev": "os.writev({n}, [b'te', b'xt'])",
    "os.system": "os.system('printf text >&{n}')",
    "run": "subprocess.run('printf text >&{n}', shell=True)",
    "posix_spawn": "os.waitpid(os.posix_spawn('/bin/sh', ['sh', '-c', 'printf text >&{n}'], os.environ), 0)",
    "C": "ctypes.CDLL(None).dprintf({n}, b'text')",
    "asyncio": "await (await asyncio.create_subprocess_shell('printf text >&{n}')).wait()",
}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_written_follows_dup2(client: Client, target: str, writer: str, number: int, tmp_path: Path) -> None:
    file = tmp_path / "file"
    code = f"""import asyncio, ctypes, os, subprocess
saved, file = os.dup({number}), os.open({str(file)!r}, os.O_WRONLY | os.O_CREAT)
os.dup2(file, {number})
try:
    {WRITERS[writer].format(n=number)}
finally:
    os.dup2(saved, {number})
    os.close(saved)
    os.close(file)
"""
    result = client.ok(target + code)
    assert (result.stdout, result.stderr) == ("", "")
    assert file.read_text() == "text"
    back = client.ok(f"{target}import os\nos.write({number}, b'raw\\n')\nos.system('echo system >&{number}');")
    assert (back.stdout, back.stderr) == (("raw\nsystem\n", "") if number == 1 else ("", "raw\nsystem\n"))


def test_a_descriptor_that_is_closed_is_closed(client: Client, target: str) -> None:
    code = """import os, subprocess
saved = os.dup(1)
os.close(1)
try:
    os.write(1, b'text')
except OSError as error:
    caught = error
finally:
    status = subprocess.run('true').returncode
    os.dup2(saved, 1)
    os.close(saved)
str(caught), status"""
    result = client.ok(target + code)
    assert (result.value, result.stdout) == ("('[Errno 9] Bad file descriptor', 0)", "")


def test_pytest_captures_descriptors(client: Client, tmp_path: Path) -> None:
    (tmp_path / "test_capture.py").write_text(
        """import os, subprocess

def test_descriptors(capfd):
    print('print')
    os.write(1, b'raw\\n')
    os.system('echo system')
    subprocess.run('echo run >&2', shell=True)
    out, err = capfd.readouterr()
    assert (out, err) == ('print\\nraw\\nsystem\\n', 'run\\n')
"""
    )
    code = f"import os, pytest\nstatus = pytest.main(['-q', '-p', 'no:cacheprovider', {str(tmp_path)!r}])\nint(status)"
    result = client.ok(code)
    assert result.value == "0", result.stdout
    assert "1 passed" in result.stdout
    assert client.ok("import os; os.write(1, b'here\\n');").stdout == "here\n"
