"""Completion: what can stand at the cursor, also while the interpreter runs something, and whether code is complete."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import Client, Kernel, wait_until
from python_under_test import said_by_python

COMMANDS = ["list", "create", "use", "close", "reset", "rename", "interrupt", "wait", "share", "vars", "diff", "help"]
TYPES = "_jupyter_types_experimental"
# Holds the GIL in C until somebody writes into the pipe.
HOLD_GIL = "import ctypes, os\nprint('held')\npipe = os.open({path!r}, os.O_RDONLY)\nctypes.PyDLL(None).read(pipe, ctypes.create_string_buffer(1), 1)"


def ask_once(client: Client, kind: str, code: str, **content: Any) -> dict[str, Any]:
    """The reply to a question about code; `|` in it is the cursor."""
    before, cursor, after = code.partition("|")
    position = {"cursor_pos": len(before)} if cursor else {"cursor_pos": len(code)}
    content = {"code": before + after, **position, **content}
    return client.result(client.request(f"{kind}_request", content)).reply["content"]


def ask(client: Client, kind: str, code: str, **content: Any) -> dict[str, Any]:
    """The same of an interpreter that can answer."""
    before, _, after = code.partition("|")
    return client.ask(kind, before + after, cursor_pos=len(before), **content)


def complete(client: Client, code: str) -> tuple[list[str], str]:
    """What can stand at the cursor, and the text that it replaces."""
    reply = ask(client, "complete", code)
    assert reply["status"] == "ok"
    text = code.replace("|", "")[reply["cursor_start"] : reply["cursor_end"]]
    return reply["matches"], text


def kinds(client: Client, code: str) -> list[tuple[str, str, str]]:
    """The text, type and signature of every match; asked for again as above, and while jedi was too slow for types."""
    for _ in range(5):
        found = ask(client, "complete", code)["metadata"].get(TYPES, [])
        if found and all(m["type"] != "<unknown>" for m in found):
            break
    return [(m["text"], m["type"], m["signature"]) for m in found]


@pytest.fixture(params=["jedi", "rlcompleter"])
def anywhere(request: pytest.FixtureRequest, client: Client, target: str) -> str:
    """The magic line for the interpreter under test, in which jedi is installed or is not."""
    if request.param == "rlcompleter":
        client.ok(f"{target}import sys\nhad_jedi, sys.modules['jedi'] = sys.modules.get('jedi', ...), None")
        request.addfinalizer(
            lambda: client.ok(
                f"{target}if had_jedi is ...: del sys.modules['jedi']\nelse: sys.modules['jedi'] = had_jedi"
            )
        )
    return target


@pytest.fixture
def held(client: Client, target: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The magic line for an interpreter in whose cell C code keeps the GIL; there is bob, too."""
    client.ok("%interp create bob")
    assert complete(client, "%%interp bob\nprin")[0] == ["print"]  # what this imports needs main's GIL the first time
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    cell = client.send((target or "%%interp main\n").replace("\n", " &\n") + HOLD_GIL.format(path=str(pipe)))
    client.wait_for_text(cell, "held")
    descriptor = os.open(pipe, os.O_WRONLY)

    def let_go() -> None:
        os.write(descriptor, b".")
        os.close(descriptor)
        assert client.result(cell).status == "ok"

    request.addfinalizer(let_go)
    # The cell has opened the pipe. From the first question on that finds no answer, C code has the GIL.
    wait_until(lambda: not ask_once(client, "complete", f"{target}prin")["matches"], "C code keeps the GIL")
    return target


# --- what the namespace and the code hold


def test_names_of_the_cells_interpreter(client: Client, anywhere: str) -> None:
    client.ok(f"{anywhere}only_here = 'text'")
    assert complete(client, f"{anywhere}x = only_") == (["only_here"], "only_")
    assert complete(client, f"{anywhere}é = 'ü'; only_") == (["only_here"], "only_")
    assert complete(client, "only_" if anywhere else "%%interp main\nonly_") == (
        [] if anywhere else ["only_here"],
        "" if anywhere else "only_",
    )


def test_plain_cells_ask_the_interpreter_that_is_in_use(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\nonly_alices = 1")
    client.ok("%interp use alice")
    assert complete(client, "only_al") == (["only_alices"], "only_al")


def test_attributes_of_live_objects(client: Client, anywhere: str) -> None:
    client.ok(
        f"{anywhere}class Box:\n    pass\nbox = Box()\nbox.inner = Box()\nbox.inner.tagged = 'text'\nbox._hidden = 1"
    )
    assert complete(client, f"{anywhere}print(box.inner.tag|)") == (["tagged"], "tag")
    assert complete(client, f"{anywhere}box.") == (["inner"], "")
    assert complete(client, f"{anywhere}box._hid") == (["_hidden"], "_hid")
    assert complete(client, f"{anywhere}f'{{box.inn") == (["inner"], "inn")


def test_types_and_signatures(client: Client, anywhere: str) -> None:
    client.ok(f"{anywhere}def halve(number, *, times=1): pass\nclass halver: pass\nhalved = 3")
    assert sorted(kinds(client, f"{anywhere}hal")) == [
        ("halve", "function", "(number, *, times=1)"),
        ("halved", "instance", ""),
        ("halver", "class", ""),
    ]
    reply = ask(client, "complete", f"{anywhere}halv")
    assert [(m["start"], m["end"]) for m in reply["metadata"][TYPES]] == [
        (reply["cursor_start"], reply["cursor_end"])
    ] * len(reply["matches"])


def test_keyword_arguments(client: Client, anywhere: str) -> None:
    client.ok(f"{anywhere}def halve(number, *, times=1): pass")
    assert complete(client, f"{anywhere}halve(2, tim")[0][0] == "times="


def test_keys(client: Client, anywhere: str) -> None:
    client.ok(f"{anywhere}d = {{'one': 1, 'other': 2, 'it\\'s': 3, 4: 5, 'deep': {{'inner': 1}}}}")
    assert complete(client, f'{anywhere}d["o') == (["one", "other"], "o")
    assert complete(client, f"{anywhere}print(d['|'])") == (["one", "other", "it\\'s", "deep"], "")
    assert complete(client, f"{anywhere}d[") == (["'one'", "'other'", '"it\'s"', "4", "'deep'"], "")
    assert complete(client, f"{anywhere}d['deep'][\"") == (["inner"], "")
    client.ok(f"{anywhere}class Table:\n    def _ipython_key_completions_(self): return ['left', 'right']\nt = Table()")
    assert complete(client, f"{anywhere}t['le") == (["left"], "le")


@pytest.mark.needs("pandas")
def test_columns_of_a_table(ipython_client: Client) -> None:
    ipython_client.ok("import pandas\ntable = pandas.DataFrame({'weight': [1], 'height': [2]})")
    assert complete(ipython_client, "table['wei") == (["weight"], "wei")
    assert complete(ipython_client, "table.hei") == (["height"], "hei")


def test_without_jedi_there_are_rlcompleters_words(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\nimport sys\nsys.modules['jedi'] = None")
    assert complete(client, "%%interp alice\nwhi") == (["while"], "whi")
    assert kinds(client, "%%interp alice\nprin") == [
        ("print", "function", said_by_python("import inspect; print(inspect.signature(print))"))
    ]


def test_importing_jedi_leaves_the_recursion_limit(client: Client) -> None:
    client.ok("%interp create alice")
    assert complete(client, "%%interp alice\nprin") == (["print"], "prin")
    result = client.ok("%%interp alice\nimport sys\nprint('jedi' in sys.modules, sys.getrecursionlimit())")
    assert result.stdout == "True 1000\n"


# --- magics and paths


def test_magics_before_ipython_is_loaded(client: Client, target: str) -> None:
    assert complete(client, f"{target}%timei") == (["%timeit", "%%timeit"], "%timei")
    assert complete(client, f"{target}x = %timei") == (["%timeit", "%%timeit"], "%timei")
    assert complete(client, f"{target}%%tim") == (["%%time", "%%timeit"], "%%tim")
    assert complete(client, f"{target}if 1:\n    %inte") == (["%interp", "%%interp"], "%inte")
    assert complete(client, f"{target}timei") == (["%timeit", "%%timeit"], "timei")
    code = f"{target}import sys\n[name for name in ('IPython', 'xeus_python_shell') if name in sys.modules]"
    assert client.ok(code).value == "[]"


def test_the_list_of_magics_is_that_of_the_installed_ipython() -> None:
    module = ast.parse((Path(__file__).parents[2] / "src/shell/_xinterp_shell/magic_names.py").read_text())
    names: dict[str, Any] = {}
    exec(compile(module, "magic_names.py", "exec"), names)
    code = "import json; from IPython.core.interactiveshell import InteractiveShell as Shell; magics = Shell.instance().magics_manager.magics; print(json.dumps([sorted(magics['line']), sorted(magics['cell'])]))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert [sorted(names["LINE"]), sorted(names["CELL"])] == json.loads(told)


def test_code_behind_a_magic(client: Client, target: str) -> None:
    client.ok(f"{target}number = 3")
    assert complete(client, f"{target}%time number.bit_l") == (["bit_length"], "bit_l")
    assert complete(client, f"{target}%%timeit\nnumber.bit_l") == (["bit_length"], "bit_l")
    assert complete(client, f"{target}!echo it's\nnumber.bit_l|\n!ls") == (["bit_length"], "bit_l")


def test_paths(client: Client, target: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("script.py", "folder/data.csv", "with space.txt", ".hidden"):
        (tmp_path / name).touch()
    here = str(tmp_path)
    assert complete(client, f"{target}open('{here}/scr") == ([f"{here}/script.py"], f"{here}/scr")
    assert complete(client, f"{target}open('{here}/with s|')") == ([f"{here}/with space.txt"], f"{here}/with s")
    assert complete(client, f"{target}%cd {here}/") == ([f"{here}/folder/"], f"{here}/")
    assert complete(client, f"{target}%run {here}/") == ([f"{here}/folder/", f"{here}/script.py"], f"{here}/")
    assert complete(client, f"{target}!cat {here}/folder/d") == ([f"{here}/folder/data.csv"], f"{here}/folder/d")
    assert complete(client, f"{target}%load {here}/.h") == ([f"{here}/.hidden"], f"{here}/.h")
    assert complete(client, f"{target}open('{here}/nowhere/") == ([], "")


def test_nothing_in_comments_and_unreadable_code(client: Client, target: str) -> None:
    assert complete(client, f"{target}# prin") == ([], "")
    assert complete(client, f"{target}'prin") == ([], "")
    assert complete(client, f"{target})) prin")[0] == ["print"]
    assert complete(client, f"{target}nothing.at.all.") == ([], "")


# --- the kernel's own magics


@pytest.fixture
def three(client: Client) -> Client:
    client.ok("%interp create alice bob")
    client.ok("%%interp alice\nalices = 1\nalso = 2")
    client.ok("mains = 1")
    return client


@pytest.mark.parametrize(
    ("code", "matches", "replaced"),
    [
        ("%%interp ", ["main", "alice", "bob", "all"], ""),
        ("%%interp al", ["alice", "all"], "al"),
        ("%%interp alice,", ["main", "bob"], ""),
        ("%%interp alice, b", ["bob"], "b"),
        ("%%interp alice ", ["--create", "--help", "--preset", "--in", "--out", "--timeout"], ""),
        ("%%interp alice --p", ["--preset"], "--p"),
        ("%%interp alice --preset ", ["isolated", "notebook", "shared"], ""),
        ("%%interp alice --preset=no", ["notebook"], "no"),
        ("%%interp alice --in m", ["mains"], "m"),
        ("%%interp alice --in=m", ["mains"], "m"),
        ("%%interp alice --out al", ["alices", "also"], "al"),
        ("%%interp alice --out also,ali", ["alices"], "ali"),
        ("%%interp alice & --cr", ["--create"], "--cr"),
        ("%%interp alice # ", [], ""),
        ("# a comment\n\n%%interp b|\nprint()", ["bob"], "b"),
        ("%interp ", COMMANDS, ""),
        ("%interp cl", ["close"], "cl"),
        ("%interp use ", ["main", "alice", "bob"], ""),
        ("%interp close ", ["alice", "bob", "all"], ""),
        ("%interp close alice ", ["bob"], ""),
        ("%interp close alice --f", ["--force"], "--f"),
        ("%interp rename ", ["alice", "bob"], ""),
        ("%interp rename alice ", [], ""),
        ("%interp diff main a", ["alice"], "a"),
        ("%interp create --", ["--preset", "--if-missing", "--fresh"], "--"),
        ("%interp wait alice --timeout ", [], ""),
        ("%interp share ma", ["mains"], "ma"),
        ("%interp share al| --from alice", ["alices", "also"], "al"),
        ("%interp share x --from alice --to ", ["main", "alice", "bob"], ""),
        ("for name in 'ab':\n    %interp reset a|\nx = 1", ["alice", "all"], "a"),
        ("table = %interp li", ["list"], "li"),
        ("%interp nonsense ", [], ""),
    ],
)
def test_targets_options_and_commands(three: Client, code: str, matches: list[str], replaced: str) -> None:
    assert complete(three, code) == (matches, replaced)


def test_the_kernels_magics_answer_while_main_keeps_the_gil(client: Client, held: str) -> None:
    assert complete(client, "%interp lis") == (["list"], "lis")
    assert complete(client, "%%interp ma") == (["main"], "ma")
    assert ask(client, "inspect", "%interp list")["data"]["text/plain"].startswith("command ")


# --- beside what runs


@pytest.mark.parametrize(
    "code", ["while True: pass", "import time\ntime.sleep(60)", "import threading\nthreading.Event().wait()"]
)
def test_a_busy_interpreter_answers(client: Client, target: str, code: str) -> None:
    client.ok(f"{target}alone = 'text'")
    cell = client.send(f"{target}print('on')\n{code}")
    client.wait_for_text(cell, "on")
    assert complete(client, f"{target}alone.isdec") == (["isdecimal"], "isdec")
    assert ask(client, "inspect", f"{target}alone", detail_level=0)["found"] is True
    assert ask(client, "is_complete", "1 + 1")["status"] == "complete"
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "


def test_an_interpreter_that_waits_for_input_answers(client: Client, target: str) -> None:
    client.ok(f"{target}alone = 1")
    cell = client.send(f"{target}typed = input('?')", allow_stdin=True)
    client.client.get_stdin_msg(timeout=60)
    assert complete(client, f"{target}alo") == (["alone"], "alo")
    client.client.input("words")
    assert client.result(cell).status == "ok"
    assert client.ok(f"{target}typed").value == "'words'"


def test_c_code_that_keeps_the_gil_leaves_questions_without_an_answer(client: Client, held: str) -> None:
    assert ask_once(client, "complete", f"{held}prin")["matches"] == []
    assert ask_once(client, "inspect", f"{held}print")["found"] is False
    assert ask_once(client, "is_complete", f"{held}1 + 1") == {"status": "unknown"}


def test_others_answer_meanwhile(client: Client, held: str) -> None:
    if held:  # main's GIL is free
        assert complete(client, "prin") == (["print"], "prin")
    assert complete(client, "%%interp bob\nprin") == (["print"], "prin")


LOUD = """
import sys
class Loud:
    @property
    def noise(self):
        print('out')
        print('err', file=sys.stderr)
        display('shown')
        __import__('os').system('echo subprocess')
        try:
            input()
        except Exception:
            pass
        return 'text'
loud = Loud()
"""


def test_what_peoples_code_shows_in_completion_is_dropped(client: Client, target: str) -> None:
    client.ok(target + LOUD)
    client.iopub.clear()
    question = client.request("complete_request", {"code": f"{target}loud.noise.isdec", "cursor_pos": None})
    result = client.result(question)
    assert result.reply["content"]["matches"] == ["isdecimal"]
    assert [message["msg_type"] for message in result.messages] == ["status", "status"]
    result = client.ok(f"{target}loud.noise")  # the same shows all of it
    assert (result.stdout, result.stderr) == ("out\nsubprocess\n", "err\n")
    shown = [m for messages in client.iopub.values() for m in messages if m["msg_type"] in ("stream", "display_data")]
    assert {m["parent_header"]["msg_id"] for m in shown} == {result.reply["parent_header"]["msg_id"]}


def test_errors_in_peoples_code_leave_completion_empty(client: Client, target: str) -> None:
    client.ok(
        f"{target}class Broken:\n    def __dir__(self): raise SystemExit\n    def __getattr__(self, name): raise SystemExit(name)\nbroken = Broken()"
    )
    assert complete(client, f"{target}broken.some.th") == ([], "")
    assert client.ok(f"{target}1").value == "1"


SLOW = """
import sys
from threading import Event
sys.modules['jedi'] = None  # rlcompleter gets the attributes, and nothing else
entered, released = Event(), Event()
class Slow:
    @property
    def inner(self):
        entered.set()
        while not released.is_set():
            pass
        return 'text'
slow = Slow()
"""


def ask_and_enter(client: Client, target: str, code: str) -> str:
    """A question that has got into people's code. A machine that is busy with other tests may have it dropped before."""
    while True:
        question = client.request("complete_request", {"code": target + code, "cursor_pos": None})
        if client.ok(f"{target}entered.wait(5)").value == "True":
            return question


def test_an_interrupt_of_the_cell_leaves_the_question_alone(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\n" + SLOW)
    question = ask_and_enter(client, "%%interp alice\n", "slow.inner.isdec")
    cell = client.send("%%interp alice\nprint('on')\nwhile True: pass")
    client.wait_for_text(cell, "on")
    client.interrupt()
    assert client.result(cell).error == "KeyboardInterrupt: "
    client.ok("%%interp alice\nreleased.set()")
    assert client.result(question).reply["content"]["matches"] == ["isdecimal"]


def test_a_close_ends_the_question(client: Client) -> None:
    client.ok("%interp create alice")
    client.ok("%%interp alice\n" + SLOW)
    question = ask_and_enter(client, "%%interp alice\n", "slow.inner.isdec")
    assert client.ok("%interp close alice").stdout == "closed alice.\n"
    assert client.result(question).reply["content"]["matches"] == []


def test_questions_behind_one_that_waits_are_answered_or_dropped(client: Client, target: str) -> None:
    client.ok(target + SLOW)
    client.ok(
        f"{target}entered = type(released)()\nclass Waiting:\n    @property\n    def inner(self):\n"
        "        entered.set()\n        released.wait()\nwaiting = Waiting()"
    )
    while client.ok(f"{target}entered.is_set()").value == "False":  # on a busy machine it may be dropped before that
        assert ask_once(client, "complete", f"{target}waiting.inner.x")["matches"] == []
    assert ask_once(client, "complete", f"{target}slo")["matches"] == []
    client.ok(f"{target}released.set()\ndel sys.modules['jedi']")


def test_a_kernel_ends_while_a_question_is_stuck(fresh: Kernel) -> None:
    client = fresh.client
    client.ok("import sys\nsys.modules['jedi'] = None\nfrom threading import Event\nentered = Event()")
    client.ok(
        "import time\nclass Stuck:\n    @property\n    def inner(self):\n        entered.set()\n        time.sleep(60)\nstuck = Stuck()"
    )
    ask_and_enter(client, "", "stuck.inner.x")
    client.request("shutdown_request", {"restart": False}, "control")
    assert fresh.wait_for_end(5)


# --- with IPython


def test_with_ipython_up_its_completer_answers(fresh: Kernel) -> None:
    client = fresh.client
    client.ok("%interp create alice")
    for target in ("", "%%interp alice\n"):
        client.ok(f"{target}get_ipython()\nd = {{'one': 1}}")
        client.ok(
            f"{target}from IPython.core.magic import register_line_magic\n@register_line_magic\ndef my_magic(line): 'Mine.'"
        )
        assert complete(client, f"{target}%my_ma") == (["%my_magic"], "%my_ma")
        assert complete(client, f"{target}%inter") == (["%interp", "%%interp"], "%inter")
        assert complete(client, f'{target}d["o') == (["one"], "o")
        assert complete(client, f"{target}d.clea") == (["clear"], "clea")
        assert kinds(client, f"{target}d.clea") == [("clear", "function", "()")]
        assert ask(client, "is_complete", f"{target}%%bash\nls")["status"] == "incomplete"
        assert "Mine." in ask(client, "inspect", f"{target}%my_magic")["data"]["text/plain"]


@pytest.mark.parametrize(
    "before",
    [
        "x = [" + "10, " * 1000,
        "x = [" + "1.5, " * 1000,
        "f(" + "a=1, " * 1000,
        "x = [" + "a.b, " * 1000 + "[",
        "(" * 999,
    ],
    ids=["numbers", "floats", "arguments", "attributes", "brackets"],
)
def test_a_long_line_is_completed_with_ipython_up(ipython_client: Client, ipython_target: str, before: str) -> None:
    ipython_client.ok(ipython_target + "my_name = {'my_key': 1}")
    assert complete(ipython_client, f"{ipython_target}{before}my_nam") == (["my_name"], "my_nam")
    assert complete(ipython_client, f"{ipython_target}{before}my_name['my_k") == (["my_key"], "my_k")
    assert complete(ipython_client, f"{ipython_target}{before}\n%my_name.clea")[0] == ["clear"]


# --- is_complete


@pytest.mark.parametrize(
    ("code", "status", "indent"),
    [
        ("1 + 1", "complete", None),
        ("for i in range(3):", "incomplete", "    "),
        ("for i in range(3):\n    print(i)", "incomplete", "    "),
        ("for i in range(3):\n    print(i)\n", "complete", None),
        ("x = (1 +", "incomplete", ""),
        ("x = )", "invalid", None),
        ("x = 1 + \\", "incomplete", ""),
        ("%interp list", "complete", None),
        ("%time x", "complete", None),
        ("x = %time 3", "complete", None),
        ("!echo it's", "complete", None),
        ("files = !ls", "complete", None),
        ("for i in range(3):\n    !ls", "incomplete", "    "),
        ("print?", "complete", None),
        ("print??", "complete", None),
        ("%timeit?", "complete", None),
        ("%%bash", "incomplete", ""),
        ("%%bash\nls", "incomplete", ""),
        ("%%bash\nls\n\n", "complete", None),
        ("%%interp alice", "incomplete", ""),
        ("%%interp alice\nfor i in range(3):", "incomplete", "    "),
        ("%%interp alice\nx = 1\n", "complete", None),
    ],
)
def test_is_complete(client: Client, code: str, status: str, indent: str | None) -> None:
    reply = ask(client, "is_complete", code)
    assert (reply["status"], reply.get("indent")) == (status, indent)
