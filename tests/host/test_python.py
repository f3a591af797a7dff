"""`xinterp --python` is the python that the kernel was built for, with the kernel's modules: it prints what that prints.

Where the two paths of sys.executable must differ, both are told as `PYTHON`.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pexpect
import pytest

BUILD = Path(__file__).parents[2] / os.environ["XINTERP_BUILD"]
STOCK = (BUILD / "hosted/bin/python").resolve()
OWN = (BUILD / "python/bin" / STOCK.name).resolve()
CALLED = [str(BUILD / "bin/xinterp"), "--python"]


def normal(text: str) -> str:
    for path in (OWN, STOCK):
        text = text.replace(str(path), "PYTHON")
    return text


def run(command: list[str], *arguments: str, **options: object) -> tuple[int, str, str]:
    """The exit status, and what was written to stdout and stderr."""
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload]
    return done.returncode, normal(done.stdout), normal(done.stderr)


def default_interrupts() -> None:
    """As in a terminal: a shell's background jobs, and what nohup starts, ignore some signals."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def begin(command: list[str], code: str) -> subprocess.Popen[str]:
    """A process that has begun to run the code."""
    process = subprocess.Popen(
        [*command, "-c", f"print('on', flush=True)\n{code}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=default_interrupts,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "on\n"
    return process


FACTS = """
import sys, json
facts = {
    "flags": sys.flags,
    "version": (sys.version, sys.implementation, sys.api_version),
    "prefixes": (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, sys.platlibdir, sys._stdlib_dir),
    "path": sys.path,
    "executable": (sys.executable, sys._base_executable, sys.argv, sys.orig_argv),
    "options": (sys._xoptions, sys.warnoptions),
    "modules": sorted(sys.modules),
    "builtin modules": sorted({*sys.builtin_module_names} - {"_xinterp", "_interpreters"}),
    "streams": (sys.stdin, sys.stdout, sys.stderr, sys.getfilesystemencoding(), sys.stdout.line_buffering),
    "__main__": (__name__, __spec__, __file__, __builtins__),
    "threads": (sys.getswitchinterval(), sys.getrecursionlimit(), sys.thread_info),
}
import signal, site, sysconfig, warnings
facts |= {
    "site": (site.PREFIXES, site.ENABLE_USER_SITE, site.getsitepackages()),
    "filters": warnings.filters,
    "signals": [(number, signal.getsignal(number)) for number in sorted(signal.valid_signals())],
    "blocked signals": signal.pthread_sigmask(0, []),
    "sysconfig": {**sysconfig.get_config_vars(), "projectbase": None},  # the folder of the executable
    "paths": (sysconfig.get_paths(), sysconfig.get_platform(), sysconfig.is_python_build()),
}
print(json.dumps({name: repr(fact) for name, fact in facts.items()}))
"""


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-I"],
        ["-E", "-s"],
        ["-S"],
        ["-P", "-B", "-OO", "-q", "-u"],
        ["-X", "dev", "-X", "utf8", "-X", "anything=5", "-bb"],
        ["-W", "error::UserWarning", "-W", "ignore"],
        ["-X", "frozen_modules=off"],
    ],
    ids=" ".join,
)
def test_what_it_knows_of_itself(options: list[str], tmp_path: Path) -> None:
    script = tmp_path / "facts.py"
    script.write_text(FACTS)
    stock, own = (run(command, *options, str(script), "one", "-c", "--two") for command in ([str(STOCK)], CALLED))
    assert (stock[0], stock[2]) == (own[0], own[2]) == (0, "")
    assert json.loads(own[1]) == json.loads(stock[1])


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONPATH": "/somewhere:relative", "PYTHONDONTWRITEBYTECODE": "", "PYTHONUNBUFFERED": "1"},
        {"PYTHONHOME": "/usr"},
        {"PYTHONHOME": "/nowhere"},
        {"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "PYTHONHASHSEED": "7", "PYTHONUTF8": "1"},
        {"PYTHONIOENCODING": "latin-1:replace", "PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1"},
        {"PYTHONHASHSEED": "no number"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=lambda variables: " ".join(f"{name}={value}" for name, value in variables.items()),
)
def test_variables_of_the_environment(variables: dict[str, str], tmp_path: Path) -> None:
    code = "import sys; print(sys.flags, sys.path, sys.prefix, hash('a') if sys.flags.hash_randomization else 0, sys.stdout)"
    options = {"env": {"PYTHONHASHSEED": "3"} | os.environ | variables, "cwd": tmp_path}
    stock, own = (run([str(python)], "-c", code, **options) for python in (STOCK, OWN))
    # A fatal error tells which thread it was.
    assert [re.sub("thread 0x[0-9a-f]+", "thread", str(said)) for said in own] == [
        re.sub("thread 0x[0-9a-f]+", "thread", str(said)) for said in stock
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["-VV"],
        ["--help"],
        ["--help-all"],
        ["-Z"],
        ["-c"],
        ["-m", "no_such_module"],
        ["no_such_file.py"],
        ["-X", "utf8=perhaps"],
        ["-c", "raise SystemExit(7)"],
        ["-c", "raise SystemExit('a sentence')"],
        ["-c", "1/0"],
        ["-c", "x ="],
        ["-m", "site"],
        ["-m", "this"],
        ["-m", "timeit", "-h"],
        ["-m", "pip", "--version"],
        ["-m", "calendar", "2026", "1"],
        ["-c", "import atexit, threading, time; atexit.register(print, 'end'); threading.Thread(target=lambda: (time.sleep(0.05), print('thread'))).start()"],
        ["-c", "import os; os.kill(os.getpid(), 15)"],
        ["-c", "import os; os.abort()"],
        ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGINT); input()"],
        ["-c", "import os; os._exit(9)"],
        ["-X", "faulthandler", "-c", "import faulthandler; faulthandler.disable(); faulthandler._sigsegv()"],
        ["-c", "import sys; print(sys.stdin.read(), file=sys.stderr)"],
        ["-c", "import os; pid = os.fork(); print(pid == 0, flush=True) if pid == 0 else os.waitpid(pid, 0)"],
        [],
        ["-"],
        ["-i"],
        ["-x", "-"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_command_line(arguments: list[str], tmp_path: Path) -> None:
    stock, own = (
        run(
            [str(python)],
            *arguments,
            cwd=tmp_path,
            input="print('from stdin')\nimport sys; print(sys.argv, __name__)\n",
        )
        for python in (STOCK, OWN)
    )
    assert own == stock
    assert (
        run(CALLED, *arguments, cwd=tmp_path, input="print('from stdin')\nimport sys; print(sys.argv, __name__)\n")
        == own
    )


STARTING = {
    "subprocess": "import subprocess; print(subprocess.check_output([sys.executable, '-c', WHAT], text=True))",
    "another argv[0]": "import subprocess; print(subprocess.check_output(['x', '-c', WHAT], executable=sys.executable, text=True))",
    "shell": "import os; os.system(f'exec {sys.executable} -c \"{WHAT}\"')",
    "multiprocessing": "import multiprocessing\nfor how in ('spawn', 'forkserver', 'fork'):\n"
    "    with multiprocessing.get_context(how).Pool(1) as pool: print(how, pool.apply(eval, [LOOK]))",
    "process pool": "from concurrent.futures import ProcessPoolExecutor as E\n"
    "with E(1) as pool: print(pool.submit(eval, LOOK).result())",
    "runpy": "import runpy; runpy.run_module('__hello__', run_name='__main__')",
}


@pytest.mark.parametrize("how", STARTING)
def test_what_it_starts_through_sys_executable(how: str, tmp_path: Path) -> None:
    script = tmp_path / "start.py"
    look = "__import__('sys').executable, '_xinterp' in __import__('sys').builtin_module_names"
    script.write_text(f"import sys\nWHAT = {f'print({look})'!r}\nLOOK = {look!r}\nif __name__ == '__main__':\n" + "".join(f"    {line}\n" for line in STARTING[how].split("\n")))  # fmt: skip
    stock, own = run([str(STOCK)], str(script)), run(CALLED, str(script))
    assert own == (stock[0], stock[1].replace("False", "True"), stock[2])
    assert own[0] == 0 and ("True" in own[1]) == (how != "runpy")


@pytest.mark.parametrize("options", [[], ["--copies"], ["--system-site-packages"]], ids=["links", "copies", "system"])
def test_a_virtual_environment_of_it_is_it(options: list[str], tmp_path: Path) -> None:
    code = "import sys, site; print(sys.prefix, sys.base_prefix, sys.executable, sys.path, site.ENABLE_USER_SITE)"
    said = []
    for command in ([str(STOCK)], CALLED):
        folder = tmp_path / "environment"
        assert run(command, "-m", "venv", "--without-pip", "--clear", *options, str(folder)) == (0, "", "")
        said.append([run([str(folder / "bin" / name)], "-c", code) for name in ("python", "python3", STOCK.name)])
    assert said[0] == said[1]
    found = "import _xinterp, sys, xinterp; print(_xinterp.interpreter, sys._base_executable)"
    assert run([str(folder / "bin/python")], "-c", found) == (0, "0 PYTHON\n", "")


def test_pip_installs_into_a_virtual_environment_of_it(tmp_path: Path) -> None:
    assert run(CALLED, "-m", "venv", str(tmp_path / "environment")) == (0, "", "")
    package = tmp_path / "package"
    package.mkdir()
    (package / "greeting-1.0.dist-info").mkdir()
    (package / "greeting-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    (package / "greeting-1.0.dist-info/WHEEL").write_text(
        "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    (package / "greeting-1.0.dist-info/entry_points.txt").write_text("[console_scripts]\ngreet = greeting:greet\n")
    (package / "greeting-1.0.dist-info/RECORD").write_text("")
    (package / "greeting.py").write_text(
        "def greet():\n    import _xinterp\n    print('hello', _xinterp.interpreter)\n"
    )
    wheel = tmp_path / "greeting-1.0-py3-none-any.whl"
    run([str(STOCK)], "-m", "zipfile", "-c", str(wheel), *(str(path) for path in sorted(package.iterdir())))
    installed = run([str(tmp_path / "environment/bin/pip")], "install", "--no-index", "--quiet", str(wheel))
    assert (installed[0], installed[2]) == (0, "")
    assert run([str(tmp_path / "environment/bin/greet")]) == (0, "hello 0\n", "")


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}], ids=["basic", "new"])
def test_the_interactive_prompt(variables: dict[str, str], tmp_path: Path) -> None:
    said = []
    for command in ([str(STOCK)], CALLED):
        terminal = pexpect.spawn(
            command[0], [*command[1:], "-q"], env=os.environ | variables | {"HOME": str(tmp_path)}, cwd=tmp_path,
            encoding="utf-8", timeout=30, echo=False, dimensions=(24, 200),
        )  # fmt: skip
        answers = []
        for line, answer in (
            ("6 * 7", "42"),
            ("import sys; len(sys.ps1) * 1111", "4444"),
            ("1/0", "ZeroDivisionError: .*zero"),
        ):
            terminal.expect_exact(">>> ")
            terminal.sendline(line)
            terminal.expect(answer)
            answers.append(terminal.after)
        terminal.expect_exact(">>> ")
        terminal.sendline("import time\nwhile True: print('lo' + 'op'); time.sleep(0.01)\n")
        terminal.expect_exact("loop")
        terminal.sendintr()
        terminal.expect_exact("KeyboardInterrupt")
        terminal.expect_exact(">>> ")
        terminal.sendline("raise SystemExit(3)")
        terminal.expect(pexpect.EOF)
        terminal.close()
        said.append((answers, terminal.exitstatus))
    assert said[0] == said[1] and said[1][1] == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal(number: signal.Signals) -> None:
    said = []
    for command in ([str(STOCK)], CALLED):
        # Short sleeps: a signal that comes just before a long one does not end it.
        process = begin(command, "import time\nwhile True: time.sleep(0.01)")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        said.append((out, err.splitlines()[-1:], process.returncode))
    assert said[0] == said[1] and said[1][2] == -number


def test_the_kernels_modules_are_in_all_of_its_interpreters() -> None:
    look = "import _xinterp, _xinterp_shell, xinterp; print(_xinterp.interpreter, _xinterp.in_kernel(), xinterp.__spec__.origin)"
    code = f"{look}\nimport concurrent.interpreters as c\ni = c.create(); i.exec({look!r}); i.close()"
    assert run(CALLED, "-c", code) == (0, "0 False frozen\n1 False frozen\n", "")


@pytest.mark.parametrize(
    "call",
    [
        "_xinterp.stdout.write('x')",
        "_xinterp.stderr.write('x')",
        "_xinterp.publish('display_data', {})",
        "_xinterp.ask_input('?', False)",
        "_xinterp.command({'command': 'list'}, print)",
        "_xinterp.process_pipe(1)",
    ],
)
def test_what_takes_a_kernel_says_that_there_is_none(call: str) -> None:
    sentence = (
        "there is no kernel here: this is a plain Python. Run this in a cell of a notebook with the xinterp kernel."
    )
    status, out, err = run(CALLED, "-c", f"import _xinterp\n{call}")
    assert (status, out, err.splitlines()[-1]) == (1, "", f"RuntimeError: {sentence}")


def test_managing_interpreters_without_a_kernel_is_refused() -> None:
    status, _, err = run(CALLED, "-c", "import xinterp; xinterp.list()")
    assert status == 1
    assert err.splitlines()[-1].startswith(
        "xinterp.CommandError: there are no interpreters to manage here: this is a plain Python"
    )


def test_what_takes_no_kernel_works_without_one() -> None:
    code = """
import _xinterp
print(_xinterp.stdout.name, _xinterp.stderr.fileno(), _xinterp.stdout.flush(), _xinterp.current_cell())
print(_xinterp.carry(print)('carried'), _xinterp.sleep(None, 0.001), _xinterp.raise_if_interrupted())
print(_xinterp.parcel_count(), _xinterp.is_awaited(1))
"""
    assert run(CALLED, "-c", code) == (0, "<stdout> 2 None 0\ncarried\nNone None None\n0 False\n", "")


def test_an_interrupt_ends_the_kernels_own_waits() -> None:
    process = begin(CALLED, "import _xinterp; _xinterp.sleep(None, 1000)")
    while process.poll() is None:  # again, if it came just before the wait
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in process.communicate()[1].splitlines()


def test_a_missing_program_is_a_sentence(tmp_path: Path) -> None:
    copy = tmp_path / "bin/xinterp"
    copy.parent.mkdir()
    copy.write_bytes((BUILD / "bin/xinterp").read_bytes())
    copy.chmod(0o755)
    program = tmp_path / "python/bin" / STOCK.name
    assert run([str(copy)], "--python", "-c", "1") == (
        127,
        "",
        f"xinterp: {program} cannot be run: No such file or directory. The build of xinterp makes it.\n",
    )
