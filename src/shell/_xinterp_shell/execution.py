"""What runs an interpreter's cells: its namespace with `In` and `Out`, and the answers to what the kernel asks."""

import atexit
import builtins
import sys

import _xinterp

from . import debugged, environment, event_loop, forks, prompts, tracebacks
from .display import Displayer
from .ipython import IPython
from .payloads import Payloads
from .runner import Runner
from .running import RunningCells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    Request = dict[str, Any]


class Shell:
    """One interpreter's. Its methods are called on its lane, ``consult`` beside that."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = sys.modules["__main__"].__dict__
        self.displayer = Displayer(self._report_error)
        self.cells = RunningCells()
        self.payloads = Payloads(self.cells)
        self._runner = Runner(self)
        self.loop = self._runner.loop  # of this interpreter's own lane
        event_loop.install()
        self.execute = self._runner.execute  # on its lane; a subshell has a runner of its own
        self.inputs: list[str] = [""]
        self.outputs: dict[int, object] = {}
        self._results: list[object] = ["", "", ""]  # what _, __ and ___ were set to
        self.namespace.update(In=self.inputs, _ih=self.inputs, Out=self.outputs, _oh=self.outputs)
        self.namespace.update(_="", __="", ___="", _i="", _ii="", _iii="")
        sys.displayhook = self._show_result
        sys.ps1, sys.ps2, sys.ps3 = "In : ", "...: ", "Out: "  # by these libraries and pdb know an interactive Python
        self.ipython = IPython(self)
        self.ipython.install()
        if _xinterp.interpreter != 0:
            atexit.register(self._let_go)  # the first that registers is called last

    def _let_go(self) -> None:
        """The interpreter ends: what cells have left goes while the modules that it uses are still there.

        As in a python that ends. CPython empties modules that something still refers to in any order.
        """
        import gc
        from types import ModuleType

        sys.modules["__main__"] = fresh = ModuleType("__main__")
        self.namespace = fresh.__dict__
        self.outputs.clear()
        self._results.clear()
        for name in ("last_exc", "last_type", "last_value", "last_traceback"):
            sys.__dict__.pop(name, None)
        gc.collect()  # 1.0 to 1.4 times the time of a close without it; much less if cells have left much

    def consult(self, request: Request) -> dict[str, object]:
        """Answer a question of somebody who types, beside what the lane runs."""
        from .turns import ShortTurns

        with ShortTurns():
            return self.ask(request)

    def ask(self, request: Request) -> dict[str, object]:
        """Answer a question of the kernel's, whose name is that of a method."""
        debugged.unwatch()
        answer: dict[str, object] = getattr(self, request["question"])(request)
        return answer

    def complete(self, request: Request) -> dict[str, object]:
        from .completion import complete

        if prompts.active() and "\n" not in request["code"].strip():  # a prompt takes one line: more is a cell
            from . import debugging

            answer = debugging.complete(request)
            if answer["matches"]:
                return answer
        return complete(self.namespace, request)

    def inspect(self, request: Request) -> dict[str, object]:
        from .inspection import inspect

        return inspect(self.namespace, request)

    def names(self, request: Request) -> dict[str, object]:
        """The user's variables whose names begin like that."""
        from .variables import names_of

        return {
            "status": "ok",
            "names": [name for name in names_of(self.namespace) if name.startswith(request["begun"])],
        }

    def is_complete(self, request: Request) -> dict[str, object]:
        from .completeness import is_complete
        from .kernel_object import kernel

        return is_complete(request, kernel.shell)

    def variables(self, request: Request) -> dict[str, object]:
        """What is in the namespace; see variables.py."""
        from .variables import describe

        return {"status": "ok", **describe(self.namespace)}

    def has(self, request: Request) -> dict[str, object]:
        """Whether it is the name of a user's variable."""
        from .variables import has_variable

        return {"status": "ok", "has": has_variable(request["name"], self.namespace)}

    def pack(self, request: Request) -> dict[str, object]:
        """Variables on their way to other interpreters; see transfer.py."""
        from .transfer import pack

        return pack(request["names"], self.namespace, request["shipment"])

    def unpack(self, request: Request) -> dict[str, object]:
        """Variables that have come from another interpreter."""
        from .transfer import unpack

        return unpack(request["parcels"], self.namespace, request.get("partly", False))

    def begin_with_mains_environment(self, request: Request) -> dict[str, object]:
        """An interpreter that was made ahead is handed out."""
        environment.begin_with_mains()
        return {"status": "ok"}

    def debug(self, request: Request) -> dict[str, object]:
        """Switch the debugger on or off here, or tell it what is there; see debug_questions.py."""
        from .debug_questions import answer

        return answer(self, request)

    def call_back(self, message: Request) -> dict[str, object]:
        """Call what waits for a comm message; inside the event loop, as cells are."""
        from . import comms

        debugged.watch()
        try:
            self._runner.loop.begin_cell()
            comms.handle(message)
            if _xinterp.in_forked_child():
                forks.end(None)
        finally:
            self._runner.loop.end_cell()
            debugged.unwatch()
        return {"status": "ok"}

    def write_history(self, request: Request) -> dict[str, object]:
        """Cells for IPython's history file."""
        from .history import write

        return write(request)

    def read_history(self, request: Request) -> dict[str, object]:
        """What a history_request asks for, of all sessions."""
        from .history import answer

        return answer(request)

    def wait_in_loop(self, descriptor: int) -> bool:
        """Let tasks and timers go on until the lane has work; False if there are none."""
        return self._runner.wait_in_loop(descriptor)

    def run_in_loop(self, coroutine: Coroutine[Any, Any, object]) -> object:
        """What awaits at the level of a cell."""
        return (event_loop.loop_of_this_thread() or self._runner.loop).run(coroutine)

    def remember_input(self, request: Request) -> None:
        """A cell as typed, for `In` and `_i`."""
        if not request["store_history"]:
            return
        typed, count = request["typed"], request["count"]
        # `In` has a place for every cell of the notebook; those that ran elsewhere leave theirs empty.
        self.inputs.extend([""] * (count + 1 - len(self.inputs)))
        names = self.namespace
        names["_iii"], names["_ii"], names["_i"] = names.get("_ii", ""), names.get("_i", ""), self.inputs[count - 1]
        names[f"_i{count}"] = typed
        self.inputs[count] = typed

    def _show_result(self, result: object) -> None:
        """``sys.displayhook``: show a cell's result and remember it."""
        cell = self.cells.current
        if result is None or cell.silent:
            return
        bundle = self.displayer.bundle(result)
        if bundle is not None:
            data, metadata = bundle
            content = {"execution_count": cell.count, "data": data, "metadata": metadata}
            _xinterp.publish("execute_result", content)
        self._remember_result(result, cell.count)

    def _remember_result(self, result: object, count: int) -> None:
        if result is self.outputs:
            return
        names = self.namespace
        # A person who uses one of these names for something else keeps it, and so does gettext, which uses a builtin.
        kept = zip(("_", "__", "___"), self._results, strict=True)
        is_ours = all(name not in names or names[name] is value for name, value in kept)
        self._results = [result, *self._results[:2]]
        if is_ours and not hasattr(builtins, "_"):
            names["_"], names["__"], names["___"] = self._results
        names[f"_{count}"] = result
        self.outputs[count] = result

    def _report_error(self, error: Exception) -> None:
        """An error in somebody's representation does not lose the cell."""
        lines: Any = tracebacks.describe(error)["traceback"]
        print("\n".join(lines), file=sys.stderr)
