"""JupyterLab's debugger, over the protocol that it speaks: debug_request, debug_reply and debug_event."""

import pytest
from debuggers import CELL, Debugger, label
from harness import Client, Kernel


@pytest.fixture
def client(debug_client: Client) -> Client:
    return debug_client


def test_a_cell_stops_at_its_breakpoint_and_goes_on(debugger: Debugger, place: str) -> None:
    path = debugger.set_breakpoints(place + CELL, 4)
    cell = debugger.client.send(place + CELL)
    stop = debugger.stop()
    assert stop.reason == "breakpoint"
    assert stop.places == [(label(place) + "double", 4), (label(place) + "<module>", 7)]
    assert {frame["source"]["path"] for frame in stop.frames} == {path}
    assert stop.variables() == {"number": "0", "twice": "0"}
    assert stop.variables("Globals")["data"] == "{'key': [1, 2]}"
    stop.go_on()
    stop = debugger.stop()
    assert stop.variables() == {"number": "1", "twice": "2"}
    debugger.set_breakpoints(place + CELL)
    stop.go_on()
    assert debugger.client.result(cell).stdout == "done 4\n"


def test_steps_over_into_and_out(debugger: Debugger, place: str) -> None:
    cell = debugger.run(place + CELL, 7)
    stop = debugger.stop()
    assert stop.places == [(label(place) + "<module>", 7)]
    stop = stop.step("stepIn")
    assert stop.places[0] == (label(place) + "double", 3)
    stop = stop.step("next")
    assert stop.places[0] == (label(place) + "double", 4)
    stop = stop.step("stepOut")
    assert (stop.reason, stop.places) == ("step", [(label(place) + "<module>", 7)])
    debugger.set_breakpoints(place + CELL)
    stop.go_on()
    assert debugger.client.result(cell).stdout == "done 4\n"


def test_a_condition_a_hit_count_and_a_log_point(debugger: Debugger, place: str) -> None:
    cell = debugger.run(place + CELL, {"line": 4, "condition": "twice == 2"})
    stop = debugger.stop()
    assert stop.variables() == {"number": "1", "twice": "2"}
    stop.go_on()
    assert debugger.client.result(cell).stdout == "done 4\n"
    cell = debugger.run(place + CELL, {"line": 4, "hitCondition": "3"})
    stop = debugger.stop()
    assert stop.variables() == {"number": "2", "twice": "4"}
    stop.go_on()
    debugger.client.result(cell)
    cell = debugger.run(place + CELL, {"line": 4, "logMessage": "twice is {twice}"})
    debugger.client.result(cell)
    said = [debugger.event("output")["output"] for _ in range(3)]
    assert said == ["twice is 0\n", "twice is 2\n", "twice is 4\n"]


def test_a_condition_that_raises_says_so_and_does_not_stop(debugger: Debugger) -> None:
    cell = debugger.run(CELL, {"line": 3, "condition": "missing"})
    assert "NameError: name 'missing' is not defined" in debugger.event("output")["output"]
    assert debugger.client.result(cell).stdout == "done 4\n"


def test_variables_are_looked_into_evaluated_and_changed(debugger: Debugger, place: str) -> None:
    cell = debugger.run(place + CELL, 4)
    stop = debugger.stop()
    data = next(variable for variable in stop.scope("Globals") if variable["name"] == "data")
    key = debugger.children(data)["'key'"]
    assert key["value"] == "[1, 2]"
    assert {name: item["value"] for name, item in debugger.children(key).items() if name.isdigit()} == {
        "0": "1",
        "1": "2",
    }
    assert stop.evaluate("twice + 40") == "40"
    assert stop.evaluate("[n * 10 for n in range(twice + 2)]") == "[0, 10]"
    frame = stop.frames[0]["id"]
    debugger.do("setExpression", expression="twice", value="100", frameId=frame)
    assert stop.evaluate("twice") == "100"
    debugger.do("evaluate", expression="twice = 7", frameId=frame, context="repl")
    assert stop.evaluate("twice") == "7"
    assert stop.evaluate("twice", context="hover") == "7"
    locals_ = next(each for each in debugger.do("scopes", frameId=frame)["scopes"] if each["name"] == "Locals")
    debugger.do("setVariable", variablesReference=locals_["variablesReference"], name="twice", value="8")
    assert stop.evaluate("twice") == "8"
    assert "NameError" in debugger.refusal("evaluate", expression="missing", frameId=frame, context="repl")
    matches = debugger.do("completions", text="twi", column=4, frameId=frame)["targets"]
    assert [match["label"] for match in matches] == ["twice"]
    debugger.set_breakpoints(place + CELL)
    stop.go_on()
    debugger.client.result(cell)


def test_a_local_is_copied_to_the_globals(debugger: Debugger, place: str) -> None:
    cell = debugger.run(place + CELL, 4)
    stop = debugger.stop()
    frame = stop.frames[0]["id"]
    debugger.do("copyToGlobals", srcVariableName="twice", dstVariableName="copied", srcFrameId=frame)
    assert stop.variables("Globals")["copied"] == "0"
    why = debugger.refusal("copyToGlobals", srcVariableName="twice", dstVariableName="a b", srcFrameId=frame)
    assert why == "'a b' is no name of a variable."
    debugger.set_breakpoints(place + CELL)
    stop.go_on()
    debugger.client.result(cell)
    assert debugger.client.ok(f"{place}copied").value == "0"


RICH = """class Rich:
    def _repr_html_(self):
        return "<b>rich ü</b>"
def show(value):
    return 1
show(Rich())"""


def test_rich_representations_of_a_stopped_frame_s_variables(debugger: Debugger, place: str) -> None:
    cell = debugger.run(place + RICH, 6)
    stop = debugger.stop()
    rich = debugger.do("richInspectVariables", variableName="value", frameId=stop.frames[0]["id"])
    assert rich["data"]["text/html"] == "<b>rich ü</b>"
    special = debugger.do("richInspectVariables", variableName="special variables", frameId=stop.frames[0]["id"])
    assert special == {"data": {}, "metadata": {}}
    assert "missing" in debugger.refusal("richInspectVariables", variableName="missing", frameId=stop.frames[0]["id"])
    stop.go_on()
    debugger.client.result(cell)


def test_main_s_variables_are_there_while_nothing_is_stopped(debugger: Debugger) -> None:
    client = debugger.client
    client.ok(f"{RICH}\ntree = {{'a': [1, (2, 3)]}}\nrich = Rich()")
    found = {each["name"]: each for each in debugger.do("inspectVariables")["variables"]}
    assert found["tree"]["value"] == "{'a': [1, (...)]}"
    assert not {"In", "Out", "exit", "__name__", "_i", "_i1", "_"} & found.keys()
    assert debugger.children(found["tree"])["'a'"]["value"] == "[1, (2, 3)]"
    assert debugger.do("richInspectVariables", variableName="rich")["data"]["text/html"] == "<b>rich ü</b>"
    assert debugger.refusal("richInspectVariables", variableName="missing") == (
        "NameError: name 'missing' is not defined"
    )


def test_modules_and_sources(debugger: Debugger) -> None:
    modules = debugger.do("modules")["modules"]
    paths = {module["name"]: module["path"] for module in modules}
    assert paths["json"].endswith("/json/__init__.py")
    source = debugger.do("source", source={"path": paths["json"]}, sourceReference=0)["content"]
    assert "JavaScript Object Notation" in source
    assert len(debugger.do("modules", startModule=1, moduleCount=2)["modules"]) == 2
    path = debugger.set_breakpoints(CELL)
    assert debugger.do("source", source={"path": path})["content"] == CELL
    assert debugger.refusal("source", source={"path": "/no/such/file.py"}) == (
        "there is no source at '/no/such/file.py'."
    )


def test_cells_that_ran_before_it_was_switched_on_are_known(client: Client, place: str) -> None:
    helper = f"{place}def early(n):\n    m = n + 1\n    return m\n\n\n"  # newlines at the end count
    client.ok(helper)
    debugger = Debugger(client)
    debugger.switch_on()
    path = debugger.set_breakpoints(helper, 4)
    cell = client.send(f"{place}early(1)")
    stop = debugger.stop()
    assert (stop.places[0], stop.variables()) == ((label(place) + "early", 4), {"n": "1", "m": "2"})
    other = stop.frames[1]["source"]["path"]
    assert stop.frames[0]["source"]["path"] == path != other
    assert debugger.do("source", source={"path": other})["content"] == f"{place}early(1)"
    stop.go_on()
    assert client.result(cell).value == "2"


def test_the_last_line_s_step_ends_the_cell_and_stops_nowhere_else(debugger: Debugger, place: str) -> None:
    code = f"{place}first = 1\nlast = 2"
    cell = debugger.run(code, 3)
    stop = debugger.stop()
    assert stop.places == [(label(place) + "<module>", 3)]
    debugger.do("next", threadId=stop.thread)
    assert debugger.client.result(cell).status == "ok"
    assert debugger.client.ok(f"{place}first + last").value == "3"
    debugger.client.read_available()
    debugger._read()
    assert "stopped" not in [event["event"] for event in debugger.events]


def test_exceptions_stop_where_they_are_raised(debugger: Debugger, place: str) -> None:
    debugger.do("setExceptionBreakpoints", filters=["raised"])
    code = f"{place}def divide():\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        pass\ndivide()"
    cell = debugger.run(code)
    stop = debugger.stop()
    assert (stop.reason, stop.places[0]) == ("exception", (label(place) + "divide", 4))
    assert debugger.do("exceptionInfo", threadId=stop.thread)["description"] == "division by zero"
    stop.go_on()
    assert debugger.client.result(cell).status == "ok"


def test_exceptions_that_end_the_cell_stop(debugger: Debugger, place: str) -> None:
    debugger.do("setExceptionBreakpoints", filters=["uncaught"])
    caught = f"{place}try:\n    1 / 0\nexcept ZeroDivisionError:\n    pass"
    assert debugger.client.result(debugger.run(caught)).status == "ok"
    cell = debugger.run(f"{place}def divide():\n    here = 1\n    1 / 0\ndivide()")
    stop = debugger.stop()
    assert stop.reason == "exception"
    assert stop.places[0] == (label(place) + "divide", 4)
    assert stop.variables() == {"here": "1"}
    stop.go_on()
    result = debugger.client.result(cell)
    assert result.error == "ZeroDivisionError: division by zero"
    assert "pydevd" not in result.traceback


def test_the_breakpoint_function_stops_in_the_front_end(debugger: Debugger, place: str) -> None:
    cell = debugger.run(f"{place}x = 1\nbreakpoint()\ny = 2")
    stop = debugger.stop()
    assert stop.places == [(label(place) + "<module>", 4)]
    stop.go_on()
    assert debugger.client.result(cell).status == "ok"


def test_a_silent_cell_takes_no_breakpoints_away(debugger: Debugger, place: str) -> None:
    debugger.set_breakpoints(place + CELL, 8)
    debugger.client.ok(f"{place}quiet = 1", silent=True)
    debugger.client.ok(f"{place}quiet = 2", store_history=False)
    cell = debugger.client.send(place + CELL)
    debugger.stop().go_on()
    assert debugger.client.result(cell).stdout == "done 4\n"


def test_equal_code_of_two_cells_has_breakpoints_of_its_own(debugger: Debugger, place: str) -> None:
    first, second = f"{place}def f(n):\n    return n\nf(1)  # a", f"{place}def f(n):\n    return n\nf(1)  # b"
    debugger.set_breakpoints(second, 3)
    debugger.client.ok(first)
    cell = debugger.client.send(second)
    stop = debugger.stop()
    assert stop.places[0] == (label(place) + "f", 3)
    stop.go_on()
    assert debugger.client.result(cell).value == "1"


def test_text_that_is_no_unicode_loses_nothing(debugger: Debugger, place: str) -> None:
    debugger.do("setExceptionBreakpoints", filters=["uncaught"])
    cell = debugger.run(f"{place}name = '\\\\u\\udcff \\U0001f600'\nraise ValueError(name)")
    stop = debugger.stop()
    assert debugger.do("exceptionInfo", threadId=stop.thread)["description"] == "\\u\ufffd \U0001f600"
    stop.go_on()
    assert debugger.client.result(cell).status == "error"
    debugger.do("setExceptionBreakpoints", filters=[])
    cell = debugger.run(place + CELL, 8)
    debugger.stop().go_on()
    assert debugger.client.result(cell).stdout == "done 4\n"


def test_a_function_s_breakpoint_stops_at_its_first_line(debugger: Debugger, place: str) -> None:
    debugger.do("setFunctionBreakpoints", breakpoints=[{"name": "double"}])
    cell = debugger.run(place + CELL)
    stop = debugger.stop()
    assert stop.reason == "function breakpoint"
    assert stop.places[0][0] == label(place) + "double"
    debugger.do("setFunctionBreakpoints", breakpoints=[])
    stop.go_on()
    assert debugger.client.result(cell).stdout == "done 4\n"


def test_a_cell_with_magics_stops(debugger: Debugger, client: Client) -> None:
    client.ok("%interp create alice")
    code = "%%interp alice\n\n\nhere = %pwd\nlast = 1"
    cell = debugger.run(code, 5)
    stop = debugger.stop()
    assert stop.places == [("[alice] <module>", 5)]
    stop.go_on()
    assert client.result(cell).status == "ok"


def test_switched_off_it_leaves_nothing_behind(debugger: Debugger, place: str) -> None:
    client = debugger.client
    cell = debugger.run(place + CELL, 4)
    debugger.stop()
    debugger.switch_off()  # what is stopped goes on
    assert client.result(cell).stdout == "done 4\n"
    look = f"""{place}import sys, threading
servers = [t for t in threading._active.values() if getattr(t, "is_pydev_daemon_thread", False) and t.is_alive()]
for thread in servers: thread.join(5)
sys.monitoring.get_tool(sys.monitoring.DEBUGGER_ID), sys.gettrace(), sys.breakpointhook.__name__"""
    assert client.ok(look).value == "(None, None, 'breakpointhook')"
    assert client.ok(place + CELL).stdout == "done 4\n"
    debugger.switch_on()
    assert debugger.do("debugInfo")["breakpoints"] == []
    cell = debugger.run(place + CELL, 6)
    stop = debugger.stop()
    assert stop.places == [(label(place) + "<module>", 6)]
    debugger.set_breakpoints(place + CELL)
    stop.go_on()
    assert client.result(cell).stdout == "done 4\n"


def test_a_cell_behind_the_answer_to_disconnect_meets_nothing_of_the_debugger(debugger: Debugger, place: str) -> None:
    client, target = debugger.client, place if label(place) else ""
    client.ok(
        f"{target}import pydevd, sys, time\nfrom _xinterp_shell import debug_server\nown = pydevd.stoptrace\n"
        "pydevd.stoptrace = lambda: (time.sleep(1), own())"  # it waits for threads
    )
    debugger.switch_off()
    gone = "debug_server._attached, sys.breakpointhook is sys.__breakpointhook__, sys.monitoring.get_tool(0)"
    assert client.ok(f"{target}pydevd.stoptrace = own\n{gone}").value == "(None, True, None)"


# --- The state that a front end finds


def test_another_front_end_finds_breakpoints_and_what_is_stopped(
    debug_kernel: Kernel, debugger: Debugger, place: str
) -> None:
    info = debugger.do("debugInfo")
    assert (info["isStarted"], info["hashMethod"], info["tmpFileSuffix"]) == (True, "Murmur2", ".py")
    assert (info["richRendering"], info["copyToGlobals"], info["stoppedThreads"]) == (True, True, [])
    cell = debugger.run(place + "first = 1\n# a comment\nlast = 2", 3)
    stop = debugger.stop()
    with debug_kernel.connect() as second:
        reloaded = Debugger(second)
        info = reloaded.do("debugInfo")
        path = stop.frames[0]["source"]["path"]
        assert info["isStarted"]
        assert [each["line"] for each in info["breakpoints"][0]["breakpoints"]] == [stop.frames[0]["line"]]
        assert info["breakpoints"][0]["source"] == path
        assert path.startswith(info["tmpFilePrefix"])
        assert info["stoppedThreads"] == [stop.thread]
        frames = reloaded.do("stackTrace", threadId=info["stoppedThreads"][0])["stackFrames"]
        assert frames == stop.frames
        reloaded.do("continue", threadId=stop.thread)
    assert debugger.client.result(cell).status == "ok"


def test_paths_of_cells_are_those_that_front_ends_make(client: Client) -> None:
    info = Debugger(client).do("debugInfo")
    for code in ("", "a = 1", "ü = 'é'\n", "x" * 1001):
        path = Debugger(client).do("dumpCell", code=code)["sourcePath"]
        assert path == f"{info['tmpFilePrefix']}{murmur2(code.encode(), info['hashSeed'])}{info['tmpFileSuffix']}"


def murmur2(data: bytes, seed: int) -> int:
    """MurmurHash2 for 32 bits, as JupyterLab computes it."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = seed ^ len(data)
    for i in range(0, len(data) - len(data) % 4, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    if rest := data[len(data) - len(data) % 4 :]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


# --- What makes no sense


def test_requests_that_make_no_sense_are_refused_with_a_sentence(client: Client) -> None:
    debugger = Debugger(client)
    assert (
        debugger.refusal("threads") == "'threads' needs the debugger, which is off: initialize and attach come first."
    )
    assert debugger.refusal("fly") == "'fly' is no request that this debugger knows."
    assert debugger.refusal("dumpCell") == "dumpCell: 'code' must be a string."
    assert debugger.refusal("terminate") == (
        "the debugger does not end the kernel: restart it or shut it down in the Kernel menu."
    )
    debugger.switch_on()
    why = "setBreakpoints: 'source' must have a path, and 'breakpoints' must be a list of objects with a line."
    for wrong in ({}, {"source": {}}, {"source": {"path": "a.py"}, "breakpoints": [5]}):
        assert debugger.refusal("setBreakpoints", **wrong) == why
    assert debugger.refusal("stackTrace", threadId=12345) == "that thread has ended."
    assert debugger.refusal("scopes", frameId=12345) == "that frame has gone on, or has ended."
    assert debugger.refusal("variables", variablesReference=12345) == "what the variables belonged to has gone on."
    assert debugger.refusal("modules", startModule="x").startswith("'modules': what it says makes no sense")
    reply = client.result(client.request("debug_request", {"seq": 1}, "control"), "control").reply["content"]
    assert reply["evalue"] == "debug_request: 'command' is missing."
    assert client.ok("1 + 1").value == "2"


def test_without_debugpy_it_says_what_to_install(fresh: Kernel) -> None:
    fresh.client.ok("import sys\nsys.modules['debugpy'] = None")
    debugger = Debugger(fresh.client)
    why = "the debugger needs debugpy, which is not installed: run %pip install debugpy, and switch the debugger on again."
    assert debugger.refusal("initialize") == why
    assert not debugger.do("debugInfo")["isStarted"]
    fresh.client.ok("del sys.modules['debugpy']")
    debugger.switch_on()
    assert debugger.do("debugInfo")["isStarted"]


def test_debugpy_that_a_cell_has_started_is_left_alone(fresh: Kernel) -> None:
    fresh.client.ok("import debugpy\nport = debugpy.listen(0, in_process_debug_adapter=True)")
    assert "debugpy is in use in this interpreter already" in Debugger(fresh.client).refusal("initialize")


def test_a_stop_is_told_after_the_variables_that_were_asked_for_before_it(debugger: Debugger, client: Client) -> None:
    """JupyterLab would show those instead of the frame's."""
    client.ok(
        "import time\nclass Slow:\n    def __repr__(self):\n        time.sleep(0.1)\n        return 'slow'\nslow = Slow()"
    )
    code = "x = 1\ny = 2"
    debugger.set_breakpoints(code, 2)
    asked = debugger.send("inspectVariables")
    cell = client.send(code)
    stop = debugger.stop()
    events = [m["content"] for messages in client.iopub.values() for m in messages if m["msg_type"] == "debug_event"]
    told = max(event["seq"] for event in events if event["event"] == "stopped")
    reply = client.result(asked, "control").reply["content"]
    assert reply["success"] and reply["seq"] < told
    stop.go_on()
    assert client.result(cell).status == "ok"
