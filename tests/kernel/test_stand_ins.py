"""Functions of other modules that do something else in cells are otherwise what they are in a plain Python."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import Client, Kernel

# Describes every function of the standard library, those of its classes too, in a file.
DESCRIBE = r"""
def describe_all(file):
    import importlib, inspect, io, json, pickle, pkgutil, re, sys, types, warnings

    packages = "asyncio", "concurrent", "concurrent.futures", "concurrent.interpreters", "importlib", "multiprocessing"
    left_out = "antigravity", "idlelib", "test", "this", "tkinter", "turtle", "turtledemo", "lib2to3", "pty", "tty"
    names = [name for name in sys.stdlib_module_names if name not in left_out]
    for package in packages:
        names += [f"{package}.{module.name}" for module in pkgutil.iter_modules(importlib.import_module(package).__path__)]

    def text_of(make):
        try:
            text = str(make())
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
        return re.sub(r" at 0x[0-9a-f]+|<_io\.[^>]*>|<_xinterp\.[^>]*>|[0-9]{6,}", "", text)

    def describe(thing):
        function = getattr(thing, "__func__", thing)
        found = {name: text_of(lambda: getattr(function, name)) for name in
                 ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__type_params__",
                  "__text_signature__", "__defaults__", "__kwdefaults__", "__dict__", "__objclass__")}
        found["self"] = text_of(lambda: type(getattr(function, "__self__")))
        found["type"] = type(thing).__name__
        found["repr"] = text_of(lambda: repr(function))
        found["signature"] = text_of(lambda: inspect.signature(function))
        found["source"] = text_of(lambda: inspect.getsource(function))
        found["pickle"] = text_of(lambda: pickle.loads(pickle.dumps(function)) is function)
        return found

    kinds = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, staticmethod, classmethod,
             types.WrapperDescriptorType, types.ClassMethodDescriptorType)
    found = {}
    for name in names:
        try:
            with warnings.catch_warnings(action="ignore"):
                module = importlib.import_module(name)
        except Exception:
            continue
        for attribute, value in [*vars(module).items()]:
            if isinstance(value, kinds):
                found[f"{name}.{attribute}"] = describe(value)
            elif isinstance(value, type) and value.__module__ in (name, "_" + name):
                for inner, method in [*vars(value).items()]:
                    if isinstance(method, kinds):
                        found[f"{name}.{attribute}.{inner}"] = describe(method)
    with open(file, "w") as output:
        json.dump(found, output)
    return len(found)
"""
# What a function says that is given arguments which do not fit; nothing if it does not refuse them at once.
REFUSALS = r"""
def refusals(functions):
    found = {}
    for function in functions:
        calls = [((1,) * 30, {}), ((), {"no_such_option": 1}), ((1,), {"no_such_option": 1})]
        for args, options in calls + [((), {})] * (type(function) is type(len)):
            try:
                function(*args, **options)
            except TypeError as error:
                traceback = error.__traceback__.tb_next
                while traceback is not None and "_xinterp_shell" in traceback.tb_frame.f_code.co_filename:
                    traceback = traceback.tb_next
                if traceback is None:
                    found[f"{function.__qualname__}{args}{options}"] = str(error)
            except BaseException:
                pass
    return found
"""
DIFFERENT = {
    # They have parameters that CPython 3.14 lacks: docs/concurrent-interpreters.md.
    "concurrent.interpreters.Interpreter.exec",
    "concurrent.interpreters.Interpreter.prepare_main",
    "_interpreters.run_string",  # says in its documentation what it does with exceptions
    "sys.__displayhook__",  # pickled by the name of what shows results
    # Of the installation and of the executable.
    "platform.architecture",
    "sysconfig.get_path",
    "sysconfig.get_paths",
    # Shows threads, of which a kernel has others.
    "threading._DeleteDummyThreadOnDel.__del__",
    # functools.total_ordering gives these the names that they have in the class that it has completed last.
    "functools._ge_from_lt",
    "functools._gt_from_lt",
    "functools._le_from_lt",
}

# Interpreters of their own have other modules under these names.
SUBSTITUTES = ("faulthandler.", "_tracemalloc.", "tracemalloc.")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """All functions, as a Python without the kernel has them."""
    file = tmp_path_factory.mktemp("plain") / "functions.json"
    subprocess.run([sys.executable, "-c", f"{DESCRIBE}\ndescribe_all({str(file)!r})"], check=True, timeout=100)
    described: dict[str, dict[str, str]] = json.loads(file.read_text())
    assert len(described) > 9000
    return described


def differences(plain: dict[str, dict[str, str]], file: Path) -> dict[str, Any]:
    here = json.loads(file.read_text())
    assert len(here) > 8000
    return {
        name: {part: (known[part], here[name][part]) for part in known if known[part] != here[name][part]}
        for name, known in plain.items()
        if name in here and known != here[name] and name not in DIFFERENT and not name.startswith(SUBSTITUTES)
    }


@pytest.mark.parametrize("place", ["main", "alice", "a subshell"])
def test_every_function_looks_as_in_a_plain_python(
    fresh: Kernel, plain: dict[str, dict[str, str]], place: str, tmp_path: Path
) -> None:
    client, file = fresh.client, tmp_path / "functions.json"
    options: Any = {"subshell": client.create_subshell()} if place == "a subshell" else {}
    target = "%%interp alice\n" if place == "alice" else ""
    if target:
        client.ok("%interp create alice")
    client.ok(f"{target}{DESCRIBE}\ndescribe_all({str(file)!r})", **options)
    assert differences(plain, file) == {}


@pytest.mark.parametrize("place", ["main", "alice"])
def test_functions_refuse_arguments_in_pythons_words(fresh: Kernel, place: str) -> None:
    client = fresh.client
    target = "%%interp alice\n" if place == "alice" else ""
    if target:
        client.ok("%interp create alice")
    used = (
        "import _thread, asyncio, concurrent.futures.thread, concurrent.interpreters, getpass, os, pdb, posix, queue, "
        "subprocess, time, traceback"
    )
    client.ok(target + used)
    names = client.ok(
        f"{target}import _xinterp\n"
        "[((f.__objclass__ if hasattr(f, '__objclass__') else f).__module__, f.__qualname__) "
        "for f in _xinterp.stand_ins()]"
    ).value
    assert names is not None and names.count("('") > 25  # found by looking: whatever has been exchanged
    find = (
        "import importlib, operator\n"
        "def find(module, name): return operator.attrgetter(name)(importlib.import_module(module))\n"
        f"{REFUSALS}\nfound = refusals([find(*name) for name in {names} if name not in (('builtins', 'input'), ('sys', 'breakpointhook'))])\n"
        "refused = len(found)"
    )
    plain = subprocess.run(
        [sys.executable, "-c", f"{used}\n{find}\nprint(sorted(found.items()))"],
        check=True,
        timeout=100,
        capture_output=True,
        text=True,
    )
    client.ok(target + find)
    assert client.ok(f"{target}print(sorted(found.items()))").stdout == plain.stdout
    assert plain.stdout.count("argument") > 40


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_functions_go_to_other_processes(client: Client, target: str, method: str) -> None:
    if target and method == "fork":
        pytest.skip("CPython forks in the main interpreter alone")
    code = f"""
import multiprocessing, os, time, warnings
with warnings.catch_warnings(action='ignore'), multiprocessing.get_context({method!r}).Pool(1) as pool:
    results = pool.map(os.system, ['true', 'false']), pool.map(time.sleep, [0.001])
results
"""
    assert client.ok(target + code).value == "([0, 256], [None])"


def test_a_function_that_was_imported_before_is_the_same_one(fresh: Kernel) -> None:
    code = "from threading import _start_joinable_thread as a\nfrom subprocess import _fork_exec as b\nimport _thread, _posixsubprocess, os, posix\n(a is _thread.start_joinable_thread, b is _posixsubprocess.fork_exec, os.system is posix.system)"
    assert fresh.client.ok(code).value == "(True, True, True)"


def test_a_builtin_function_is_no_method_of_a_class_that_has_it(client: Client, target: str) -> None:
    code = "import os, time\nclass Has:\n    run, wait = os.system, time.sleep\n(Has().run('true'), Has().wait(0))"
    assert client.ok(target + code).value == "(0, None)"
