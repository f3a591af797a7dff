"""The environment of an interpreter is its own, and so is that of what it starts."""

from pathlib import Path

import pytest
from harness import Client, Kernel, wait_until

# What a child sees of XX, by each way to start one.
WAYS = {
    "getoutput": "import subprocess; subprocess.getoutput('echo $XX')",
    "run": "import subprocess; subprocess.run(['sh', '-c', 'echo $XX'], capture_output=True, text=True).stdout.strip()",
    "popen": "import os; os.popen('echo $XX').read().strip()",
    "system": "import os; os.system('test \"$XX\" = {0}') or '{0}'",
    "posix_spawn": "import os; os.waitpid(os.posix_spawn('/bin/sh', ['sh', '-c', 'test \"$XX\" = {0}'], None), 0)[1] or '{0}'",
    "environ": "import os; os.environ['XX']",
    "environb": "import os; os.environb[b'XX'].decode()",
    "asyncio": "import asyncio; p = await asyncio.create_subprocess_shell('echo $XX', stdout=-1); (await p.communicate())[0].decode().strip()",
    "spawn": "import multiprocessing as m, os\nwith m.get_context('spawn').Pool(1) as pool: x = pool.apply(os.getenv, ['XX'])\nx",
    "forkserver": "import multiprocessing as m, os\nwith m.get_context('forkserver').Pool(1) as pool: x = pool.apply(os.getenv, ['XX'])\nx",
}


@pytest.mark.parametrize("way", WAYS)
def test_children_get_the_environment_of_their_interpreter(fresh: Kernel, way: str) -> None:
    client = fresh.client
    client.ok("%interp create alice bob")
    for name in ("main", "alice", "bob"):
        client.ok(f"%%interp {name}\nimport os; os.environ['XX'] = '{name}'")
    for name in ("main", "alice", "bob"):
        assert client.ok(f"%%interp {name}\n" + WAYS[way].format(name)).value == repr(name)


def test_a_new_interpreter_begins_with_mains_environment_of_that_time(fresh: Kernel) -> None:
    client = fresh.client
    client.ok("%interp create alice")
    client.ok("%%interp alice\nimport os; os.environ['ALICES'] = '1'")
    look = "import os; os.environ.get('ALICES'), os.environ.get('MAINS'), os.environ.get('HOME') is not None"
    for number in range(6):  # more than there are spares
        client.ok(f"import os; os.environ['MAINS'] = '{number}'")
        client.ok(f"%interp create bob{number}")
        client.ok("os.environ['MAINS'] = 'later'")
        assert client.ok(f"%%interp bob{number}\n{look}").value == f"(None, '{number}', True)"
        shown = client.ok(f"%%interp bob{number}\nimport subprocess; subprocess.getoutput('echo $ALICES $MAINS')")
        assert shown.value == f"'{number}'"


def test_an_interpreter_made_by_python_begins_with_mains_environment(client: Client) -> None:
    code = "import os\nfrom concurrent import interpreters\nos.environ['MAINS'] = 'yes'\ni = interpreters.create()\ni.exec('import os; print(os.environ[\"MAINS\"])')\ni.close()\ndel os.environ['MAINS']"
    assert client.ok(code).stdout == "yes\n"


def test_c_code_reads_mains_environment(fresh: Kernel) -> None:
    client = fresh.client
    client.ok("%interp create alice")
    read = "import ctypes; f = ctypes.CDLL(None).getenv; f.restype = ctypes.c_char_p; f(b'XX')"
    client.ok("import os; os.environ['XX'] = 'main'")
    client.ok("%%interp alice\nimport os; os.environ['XX'] = 'alice'")
    assert client.ok(read).value == client.ok(f"%%interp alice\n{read}").value == "b'main'"


def test_what_the_functions_of_os_change_is_what_children_get(client: Client, target: str) -> None:
    result = client.ok(
        target
        + """import os, subprocess
shown = lambda **given: subprocess.run('echo $XX $YY', shell=True, capture_output=True, text=True, **given).stdout
os.putenv('XX', 'put')                    # os.environ does not know of it
os.environb[b'YY'] = b'bytes'
print('XX' in os.environ, os.environ['YY'], shown(), end='')
os.reload_environ()
print(os.environ['XX'])
os.unsetenv(b'XX')
print('XX' in os.environ, shown(), end='')
del os.environ['YY']
os.environ.pop('XX')
print(repr(shown()))
os.environ['XX'] = 'mine'
print(shown(env={'XX': 'given', 'PATH': os.environ['PATH']}), shown(), sep='', end='')
with os.popen('echo $XX') as pipe: print(pipe.read(), end='')
del os.environ['XX']
os.environ['XX'] = 'ä\\udcff'
print(subprocess.run(['sh', '-c', 'printf %s "$XX"'], capture_output=True).stdout)
del os.environ['XX']"""
    )
    assert result.stdout == ("False bytes put bytes\nput\nTrue bytes\n'\\n'\ngiven\nmine\nmine\nb'\\xc3\\xa4\\xff'\n")


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("os.putenv('A=B', 'x')", "ValueError: illegal environment variable name"),
        ("os.putenv('A', 'x\\0')", "ValueError: embedded null byte"),
        ("os.environ['A'] = 1", "TypeError: str expected, not int"),
        ("os.environ[''] = 'x'", "OSError: [Errno 22] Invalid argument"),
        ("os.unsetenv('')", "OSError: [Errno 22] Invalid argument"),
        ("os.putenv(1, 'x')", "TypeError: expected str, bytes or os.PathLike object, not int"),
        ("del os.environ['no_such_variable']", "KeyError: 'no_such_variable'"),
    ],
)
def test_errors_of_the_environment_are_pythons(client: Client, target: str, call: str, error: str) -> None:
    assert client.run(f"{target}import os\n{call}").error == error


@pytest.mark.parametrize("function", ["execv('/bin/sh', ['sh', '-c', script])", "execlp('sh', 'sh', '-c', script)"])
def test_a_program_that_replaces_the_process_gets_the_environment(fresh: Kernel, tmp_path: Path, function: str) -> None:
    client, file = fresh.client, tmp_path / "seen"
    client.ok("%interp create alice")
    client.ok("import os; os.environ['XX'] = 'main'")
    client.send(f"%%interp alice\nimport os; os.environ['XX'] = 'alice'; script = 'echo $XX > {file}'\nos.{function}")
    wait_until(lambda: file.exists() and file.read_text(), "the program")
    assert file.read_text() == "alice\n"
