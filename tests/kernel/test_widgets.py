"""ipywidgets in main and in lanes: callbacks, what they print, Output widgets, and a page that is loaded again."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from harness import Client, Kernel, Message, Result, plain
from pages import CONTROL, Page

IMPORT = "import ipywidgets as widgets\nfrom IPython.display import display\n"


@pytest.fixture
def client(ipython_client: Client) -> Client:
    return ipython_client


@pytest.fixture(params=["main's shell", "subshell"])
def page(request: pytest.FixtureRequest, client: Client) -> Iterator[Page]:
    """A page whose comm messages go through main's own shell, or as JupyterLab's through a subshell."""
    client.ok(IMPORT)
    page = Page(client, client.create_subshell() if request.param == "subshell" else None)
    yield page
    client.ok("import ipywidgets; ipywidgets.Widget.close_all()")
    page.client.close_interpreters()


@pytest.fixture(params=["main", "alice"])
def target(request: pytest.FixtureRequest, client: Client) -> str:
    """The magic line for an interpreter with ipywidgets."""
    if request.param == "main":
        return ""
    client.ok("%interp create alice")
    client.ok(f"%%interp alice\n{IMPORT}")
    return "%%interp alice\n"


def make(client: Client, target: str, code: str) -> str:
    """Run a cell whose last expression is a widget's id."""
    return eval(client.ok(f"{target}{code}").value or "")


def update(page: Page, widget: str, **state: Any) -> Result:
    """What the page says when the person changes a widget."""
    return page.tell(widget, {"method": "update", "state": state, "buffer_paths": []})


def click(page: Page, widget: str) -> Result:
    return page.tell(widget, {"method": "custom", "content": {"event": "click"}})


def outline(messages: list[Message]) -> list[Any]:
    """Messages with the ends of Output widgets' captures, and what stands between."""
    shown: list[Any] = []
    for message in messages:
        content = message["content"]
        if message["msg_type"] == "comm_msg" and "msg_id" in content["data"].get("state", {}):
            shown.append(("captures", content["data"]["state"]["msg_id"]))
        elif message["msg_type"] == "stream":
            shown.append(content["text"])
        elif message["msg_type"] in ("display_data", "error", "clear_output"):
            shown.append(message["msg_type"])
    return shown


# --- callbacks


def test_a_slider_and_a_button_call_their_interpreter(client: Client, page: Page, target: str) -> None:
    slider = make(client, target, "slider = widgets.IntSlider(max=50); slider.model_id")
    button = make(client, target, "button = widgets.Button(description='Go'); button.model_id")
    client.ok(f"{target}slider.observe(lambda change: print(change['old'], '->', change['new']), 'value')")
    client.ok(f"{target}button.on_click(lambda button: print(button.description, slider.value))")
    moved = update(page, slider, value=7)
    assert (moved.stdout, moved.stderr, moved.states) == ("0 -> 7\n", "", ["busy", "idle"])
    assert click(page, button).stdout == "Go 7\n"
    assert [content["data"]["state"] for content in update(page, slider, value=99).of("comm_msg")] == [
        {"value": 99},  # the echo of what the page has said
        {"value": 50},  # what became of it
    ]
    assert client.ok(f"{target}slider.value").value == "50"


def test_a_widget_is_displayed_by_its_id(client: Client, page: Page, target: str) -> None:
    cell = client.ok(f"{target}slider = widgets.IntSlider()\ndisplay(slider)\nslider")
    (opened,) = (m["comm_id"] for m in cell.of("comm_open") if m["data"]["state"]["_model_name"] == "IntSliderModel")
    view = {"version_major": 2, "version_minor": 0, "model_id": opened}
    for content in cell.of("display_data", "execute_result"):
        assert content["data"] == {
            "application/vnd.jupyter.widget-view+json": view,
            "text/plain": "IntSlider(value=0)",
        }
    assert len(cell.of("display_data", "execute_result")) == 2


def test_an_error_in_a_callback_is_shown_under_its_message(client: Client, page: Page, target: str) -> None:
    button = make(
        client, target, "button = widgets.Button(); button.on_click(lambda button: {}['no']); button.model_id"
    )
    clicked = click(page, button)
    (error,) = clicked.of("error")
    assert (error["ename"], error["evalue"]) == ("KeyError", "'no'")
    assert "button.on_click(lambda button: {}['no'])" in plain("\n".join(error["traceback"]))
    assert clicked.states == ["busy", "idle"]


def test_a_callback_runs_while_another_interpreter_is_busy(client: Client, page: Page) -> None:
    client.ok("%interp create alice")
    button = make(
        client,
        "%%interp alice\n",
        f"{IMPORT}button = widgets.Button(); button.on_click(lambda button: print('clicked')); button.model_id",
    )
    cell = client.send("print('begun', flush=True)\nwhile True: pass")
    client.wait_for_text(cell, "begun")
    assert click(page, button).stdout == "clicked\n"
    assert not client.idle(cell)
    client.interrupt()
    client.result(cell)


def test_binary_values_cross_both_ways(client: Client, page: Page, target: str) -> None:
    cell = client.ok(f"{target}image = widgets.Image(value=b'\\0first'); image.model_id")
    image = eval(cell.value or "")
    (opened,) = (m for m in cell.messages if m["msg_type"] == "comm_open" and m["content"]["comm_id"] == image)
    assert opened["content"]["data"]["buffer_paths"] == [["value"]]
    assert [bytes(buffer) for buffer in opened["buffers"]] == [b"\0first"]
    told = page.tell(
        image, {"method": "update", "state": {}, "buffer_paths": [["value"]]}, buffers=[b"\xffsecond" * 100_000]
    )
    assert told.stderr == ""
    assert client.ok(f"{target}len(image.value), bytes(image.value[:7])").value == r"(700000, b'\xffsecond')"


# --- interact, Output


def test_interact_shows_in_its_output_widget_what_the_function_shows(client: Client, page: Page, target: str) -> None:
    cell = client.ok(
        f"{target}def f(x):\n    print('x is', x); display(x)\n"
        "made = widgets.interactive(f, x=3); display(made)\nmade.children[0].model_id"
    )
    slider = eval(cell.value or "")
    request = cell.messages[0]["parent_header"]["msg_id"]
    # The function runs before the widget is displayed.
    assert outline(cell.messages) == [
        ("captures", request), "clear_output", "x is 3\n", "display_data", ("captures", ""), "display_data"
    ]  # fmt: skip
    message = page.post(slider, {"method": "update", "state": {"value": 5}, "buffer_paths": []})
    assert outline(page.done(message).messages) == [
        ("captures", message), "clear_output", "x is 5\n", "display_data", ("captures", "")
    ]  # fmt: skip


def test_interact_with_an_error(client: Client, page: Page, target: str) -> None:
    cell = client.ok(f"{target}f = widgets.interact(lambda x: 1 / x, x=(0, 3))\nf.widget.children[0].model_id")
    slider = eval(cell.value or "")
    told = update(page, slider, value=0)
    assert [error["ename"] for error in told.of("error")] == ["ZeroDivisionError"]


def test_an_output_widget_captures_in_cells_and_callbacks(client: Client, page: Page, target: str) -> None:
    client.ok(f"{target}out = widgets.Output(); button = widgets.Button()")
    button = make(
        client,
        target,
        "@button.on_click\n@out.capture()\ndef clicked(button):\n    print('clicked'); raise ValueError(3)\nbutton.model_id",
    )
    cell = client.ok(f"{target}print('before')\nwith out:\n    print('inside')\nprint('after')")
    request = cell.messages[0]["parent_header"]["msg_id"]
    assert outline(cell.messages) == ["before\n", ("captures", request), "inside\n", ("captures", ""), "after\n"]
    message = page.post(button, {"method": "custom", "content": {"event": "click"}})
    assert outline(page.done(message).messages) == [("captures", message), "clicked\n", "error", ("captures", "")]


def test_interpreters_capture_at_the_same_time(client: Client, page: Page) -> None:
    client.ok("%interp create alice bob")
    cell = client.ok(f"%%interp alice,bob\n{IMPORT}out = widgets.Output()\nwith out:\n    print('inside')")
    request = cell.messages[0]["parent_header"]["msg_id"]
    captures = [each[1] for each in outline(cell.messages) if each[0] == "captures"]
    assert sorted(captures) == ["", "", request, request]


# --- a page that is loaded again


def summary(message: Message, *widget_ids: str) -> dict[str, Any]:
    """The widgets' values in an answer to a page that is loaded."""
    states = message["content"]["data"]["states"]
    assert message["content"]["data"]["method"] == "update_states"
    return {widget: states[widget]["state"].get("value") for widget in widget_ids if widget in states}


def test_the_states_of_all_interpreters_are_one_answer(client: Client, page: Page) -> None:
    client.ok("%interp create alice bob")
    for name in ("alice", "bob"):
        client.ok(f"%%interp {name}\n{IMPORT}")
    in_main = make(client, "", "slider = widgets.IntSlider(1); slider.model_id")
    in_alice = make(client, "%%interp alice\n", "slider = widgets.IntSlider(2); slider.model_id")
    image = make(client, "%%interp bob\n", "image = widgets.Image(value=b'picture'); image.model_id")
    empty = make(client, "%%interp alice\n", "image = widgets.Image(); image.model_id")
    update(page, in_alice, value=22)
    answer = page.all_states()
    assert summary(answer, in_main, in_alice) == {in_main: 1, in_alice: 22}
    states = answer["content"]["data"]["states"]
    assert (states[image]["model_name"], states[image]["model_module"]) == ("ImageModel", "@jupyter-widgets/controls")
    buffers = {
        path[0]: (path[1:], bytes(buffer))
        for path, buffer in zip(answer["content"]["data"]["buffer_paths"], answer["buffers"], strict=True)
    }
    assert buffers == {image: (["state", "value"], b"picture"), empty: (["state", "value"], b"")}
    # Once more, and the widgets still call their own interpreters.
    client.ok("%%interp alice\nslider.observe(lambda change: print('in alice', change['new']), 'value')")
    assert summary(page.all_states(), in_main, in_alice) == {in_main: 1, in_alice: 22}
    assert update(page, in_alice, value=23).stdout == "in alice 23\n"
    client.ok("%%interp alice\nslider.close()")
    client.ok("%interp close bob")
    assert summary(page.all_states(), in_main, in_alice, image) == {in_main: 1}


def test_a_busy_interpreters_widgets_are_there_as_it_has_told_them(client: Client, page: Page) -> None:
    client.ok("%interp create alice")
    client.ok(f"%%interp alice\n{IMPORT}")
    in_main = make(client, "", "slider = widgets.IntSlider(1); slider.model_id")
    in_alice = make(client, "%%interp alice\n", "slider = widgets.IntSlider(2, max=50); slider.model_id")
    image = make(client, "%%interp alice\n", "image = widgets.Image(value=b'one'); image.model_id")
    client.ok("%%interp alice\nimage.value = b'two'; slider.max = 60")
    update(page, in_alice, value=55)
    whole = page.all_states()["content"]["data"]["states"]
    cell = client.send(
        "%%interp alice &\nimport time\nprint('begun', flush=True)\nwhile slider.value != 4: time.sleep(0.01)"
    )
    client.wait_for_text(cell, "begun")
    waiting = page.post(in_alice, {"method": "update", "state": {"value": 56}, "buffer_paths": []})
    answer = page.all_states()
    assert summary(answer, in_main, in_alice) == {in_main: 1, in_alice: 56}
    states = answer["content"]["data"]["states"]
    whole[in_alice]["state"]["value"] = 56
    assert states == whole
    assert answer["content"]["data"]["buffer_paths"] == [[image, "state", "value"]]
    assert [bytes(buffer) for buffer in answer["buffers"]] == [b"two"]
    client.ok("%interp interrupt alice")
    page.done(waiting)
    client.result(cell)
    page.done(answer["parent_header"]["msg_id"])
    answers = [m for m in client.iopub[answer["parent_header"]["msg_id"]] if m["msg_type"] == "comm_msg"]
    assert len(answers) == 1


def test_an_interpreter_that_fails_to_answer_does_not_hold_up_the_others(client: Client, page: Page) -> None:
    client.ok("%interp create alice")
    client.ok(f"%%interp alice\n{IMPORT}")
    in_main = make(client, "", "slider = widgets.IntSlider(1); slider.model_id")
    in_alice = make(client, "%%interp alice\n", "slider = widgets.IntSlider(2); slider.model_id")
    client.ok("%%interp alice\nslider.get_state = None")
    assert summary(page.all_states(), in_main, in_alice) == {in_main: 1, in_alice: 2}
    client.ok("%%interp alice\ndel slider.get_state")


def test_a_page_may_ask_for_one_widgets_state(client: Client, page: Page, target: str) -> None:
    slider = make(client, target, "slider = widgets.IntSlider(5); slider.model_id")
    assert slider in page.comms("jupyter.widget")
    (answer,) = page.tell(slider, {"method": "request_state"}).of("comm_msg")
    assert (answer["data"]["method"], answer["data"]["state"]["value"]) == ("update", 5)


def test_a_page_may_make_a_widget(client: Client, page: Page, target: str) -> None:
    state = {
        "_model_name": "IntSliderModel",
        "_model_module": "@jupyter-widgets/controls",
        "_model_module_version": "2.0.0",
        "_view_name": "IntSliderView",
        "_view_module": "@jupyter-widgets/controls",
        "_view_module_version": "2.0.0",
        "value": 8,
    }
    before = set(page.comms())
    comm_id = uuid.uuid4().hex
    content = {"comm_id": comm_id, "target_name": "jupyter.widget", "data": {"state": state, "buffer_paths": []}}
    page.done(page.send("comm_open", content, {"version": "2.1.0"}))
    assert comm_id in set(page.comms()) - before
    found = f"[w.value for w in ipywidgets.widgets.widget._instances.values() if w.model_id == '{comm_id}']"
    assert client.ok(f"{target}import ipywidgets\n{found}").value == "[8]"


def test_without_widgets_a_page_is_told_at_once(fresh: Kernel) -> None:
    page = Page(fresh.client)
    control, opened = page.open(CONTROL, metadata={"version": "1.0.0"})
    assert opened.of("comm_close") == [{"comm_id": control, "data": {}}]
    assert page.comms("jupyter.widget") == {}


def test_widgets_load_no_ipykernel(client: Client, page: Page) -> None:
    client.ok("%interp create alice")
    client.ok(f"%%interp alice\n{IMPORT}widgets.IntSlider()")
    assert (
        client.ok("%%interp alice\nimport sys\n[m for m in ('ipykernel', 'zmq', 'psutil') if m in sys.modules]").value
        == "[]"
    )


def test_comms_of_ipykernels_class_work(fresh: Kernel) -> None:
    client, page = fresh.client, Page(fresh.client)
    cell = client.ok(
        "import comm, ipykernel.ipkernel\nfrom ipykernel.comm import Comm\n"
        "c = Comm(target_name='t', comm_id='c', data={'a': 1}); c.send({'b': 2})\n"
        "c.on_msg(lambda message: print('told', message['content']['data']))\n"
        "comm.create_comm(target_name='u', comm_id='d');"
    )
    sent = [(m["msg_type"], m["content"]["comm_id"]) for m in cell.messages if m["msg_type"].startswith("comm_")]
    assert sent == [("comm_open", "c"), ("comm_msg", "c"), ("comm_open", "d")]
    assert page.comms() == {"c": {"target_name": "t"}, "d": {"target_name": "u"}}
    assert page.tell("c", 3).stdout == "told 3\n"
