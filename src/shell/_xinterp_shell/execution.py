"""Running cells: last-expression results, top-level await, `In` and `Out`."""

import __main__
import _ast
import builtins
import sys

import _xinterp

from . import commands, debugging, tracebacks
from .display import Displayer
from .event_loop import EventLoop
from .ipython import IPython, MissingIPythonError
from .kernel_object import kernel
from .payloads import Exit, Payloads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import CodeType
    from typing import Any

    Request = dict[str, Any]

_ONLY_AST = 0x400  # ast.PyCF_ONLY_AST
_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_COROUTINE = 0x80  # inspect.CO_COROUTINE
_FUTURES = 0x1FE0000  # all of __future__'s flags
_RESULT = "__xinterp_result__"
_CANCELLED = 125  # errno.ECANCELED: a system call that an interrupt ended (src/python/blocking_calls.cpp)


def _ends_with_semicolon(source: str, last: Any) -> bool:
    """Whether a semicolon follows the last expression; those in strings and comments are none."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    line, *others = lines[last.end_lineno - 1 :]
    rest = [line.encode()[last.end_col_offset :].decode(), *others]
    return any(";" in text.partition("#")[0] for text in rest)


def _restore_interrupts() -> None:
    """A handler that a cell has set for SIGINT is that cell's: the stop button stops the next one."""
    if _xinterp.interpreter == 0:
        import _signal  # type: ignore[import-not-found]

        if _signal.getsignal(_signal.SIGINT) is not _signal.default_int_handler:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)


class Shell:
    """One interpreter's. Its methods are called on its lane, ``consult`` beside that."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = __main__.__dict__
        self.displayer = Displayer(self._report_error)
        self.payloads = Payloads()
        self._loop = EventLoop()
        self._loop.install()
        self._future_flags = 0
        self.inputs: list[str] = [""]
        self.outputs: dict[int, object] = {}
        self.typed = ""  # the cell that runs, as typed
        self._results: list[object] = ["", "", ""]  # what _, __ and ___ were set to
        self._count = 0
        self._silent = False
        self.namespace.update(In=self.inputs, _ih=self.inputs, Out=self.outputs, _oh=self.outputs)
        self.namespace.update(_="", __="", ___="", _i="", _ii="", _iii="")
        sys.displayhook = self._show_result
        sys.ps1, sys.ps2, sys.ps3 = "In : ", "...: ", "Out: "  # by these libraries and pdb know an interactive Python
        self._ipython = IPython(self)
        self._ipython.install()

    def execute(self, request: Request) -> dict[str, object]:
        """Run a cell; return the content of its execute_reply."""
        try:
            try:
                return self._run(request)
            except BaseException as error:
                return self._failed(error)
        except KeyboardInterrupt as error:  # it came while an error was being described
            return self._failed(error)

    def consult(self, request: Request) -> dict[str, object]:
        """Answer a question of somebody who types, beside what the lane runs."""
        from .turns import ShortTurns

        with ShortTurns():
            answer: dict[str, object] = getattr(self, request["question"])(request)
        return answer

    def complete(self, request: Request) -> dict[str, object]:
        from .completion import complete

        if debugging.active():
            return debugging.complete(request)
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

    def call_back(self, message: Request) -> dict[str, object]:
        """Call what waits for a comm message; within the event loop where there may be one, as ipykernel does."""
        from . import comms

        if "asyncio" in sys.modules:
            self._loop.run(comms.handle_in_loop(message))
        else:
            comms.handle(message)
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
        return self._loop.wait(descriptor)

    def run_in_loop(self, coroutine: Coroutine[Any, Any, object]) -> object:
        """What awaits at the level of a cell."""
        return self._loop.run(coroutine)

    def _run(self, request: Request) -> dict[str, object]:
        self._count, self._silent, self.typed = request["count"], request["silent"], request["typed"]
        self.payloads.take()  # what a callback or a thread has asked for since the last cell
        source = commands.rewrite(request["code"])
        compiled = None
        if self._ipython.cells is None:
            filename = tracebacks.cell_filename(self._count)
            tracebacks.remember_source(filename, request["code"])
            try:
                compiled = self._compile(source, filename)
            except SyntaxError:
                if not self._ipython.is_needed(source, is_python=False):
                    self._remember_input(request)
                    raise
            else:
                if self._ipython.is_needed(source, is_python=True):
                    compiled = None
        self.namespace.pop("__warningregistry__", None)  # once a cell, not once a session
        try:
            if compiled is None:
                return self._run_in_ipython(request, source)
            self._remember_input(request)
            self._run_plainly(*compiled)
        finally:
            debugging.leave_cell()
            _restore_interrupts()
        expressions = {name: self._evaluate(text) for name, text in request["user_expressions"].items()}
        return {"status": "ok", "user_expressions": expressions, "payload": self.payloads.take()}

    def _run_plainly(self, code: CodeType, is_shown: bool) -> None:
        try:
            try:
                if code.co_flags & _COROUTINE:
                    self._loop.run(eval(code, self.namespace))
                else:
                    exec(code, self.namespace)
            finally:
                result = self.namespace.pop(_RESULT, None)
            if type(result) is Exit:  # `exit` without parentheses
                result()
            elif is_shown:
                sys.displayhook(result)
        finally:
            if (cells := self._ipython.cells) is not None:
                cells.finish_plain_cell()

    def _run_in_ipython(self, request: Request, source: str) -> dict[str, object]:
        try:
            cells = self._ipython.load()
        except MissingIPythonError:
            self._remember_input(request)
            raise
        error, shown = cells.run(request, source)
        if error is None:
            expressions = cells.evaluate(request["user_expressions"])
            return {"status": "ok", "user_expressions": expressions, "payload": self.payloads.take()}
        return self._failed(error, shown)

    def _compile(self, source: str, filename: str) -> tuple[CodeType, bool]:
        """The cell, which assigns its last expression to a name if it ends with one, and whether that is shown.

        One code object: who steps through the cell sees one frame.
        """
        flags = _TOP_LEVEL_AWAIT | self._future_flags
        tree: Any = compile(source, filename, "exec", flags | _ONLY_AST, dont_inherit=True)
        last = tree.body[-1] if tree.body else None
        is_shown = isinstance(last, _ast.Expr) and not _ends_with_semicolon(source, last.value)
        if isinstance(last, _ast.Expr):
            place = {name: getattr(last, name) for name in last._attributes}
            tree.body[-1] = _ast.Assign([_ast.Name(_RESULT, _ast.Store(), **place)], last.value, **place)
        code = compile(tree, filename, "exec", flags, dont_inherit=True)
        self._future_flags |= code.co_flags & _FUTURES
        return code, is_shown

    def _remember_input(self, request: Request) -> None:
        if not request["store_history"]:
            return
        typed = self.typed
        # `In` has a place for every cell of the notebook; those that ran elsewhere leave theirs empty.
        self.inputs.extend([""] * (self._count + 1 - len(self.inputs)))
        names = self.namespace
        names["_iii"], names["_ii"], names["_i"] = names.get("_ii", ""), names.get("_i", ""), self.inputs[-2]
        names[f"_i{self._count}"] = typed
        self.inputs[self._count] = typed

    def _show_result(self, result: object) -> None:
        """``sys.displayhook``: show a cell's result and remember it."""
        if result is None or self._silent:
            return
        bundle = self.displayer.bundle(result)
        if bundle is not None:
            data, metadata = bundle
            content = {"execution_count": self._count, "data": data, "metadata": metadata}
            _xinterp.publish("execute_result", content)
        self._remember_result(result)

    def _remember_result(self, result: object) -> None:
        if result is self.outputs:
            return
        names = self.namespace
        # A person who uses one of these names for something else keeps it, and so does gettext, which uses a builtin.
        kept = zip(("_", "__", "___"), self._results, strict=True)
        is_ours = all(name not in names or names[name] is value for name, value in kept)
        self._results = [result, *self._results[:2]]
        if is_ours and not hasattr(builtins, "_"):
            names["_"], names["__"], names["___"] = self._results
        names[f"_{self._count}"] = result
        self.outputs[self._count] = result

    def _evaluate(self, text: str) -> dict[str, object]:
        try:
            bundle = self.displayer.bundle(eval(text, self.namespace)) or ({}, {})
            return {"status": "ok", "data": bundle[0], "metadata": bundle[1]}
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return tracebacks.describe(error, remember=False)

    def _failed(self, error: BaseException, shown: list[str] | None = None) -> dict[str, object]:
        """The content of the reply; ``shown``: the traceback as IPython has it."""
        if isinstance(error, OSError) and error.errno == _CANCELLED:
            try:
                _xinterp.raise_if_interrupted()
            except KeyboardInterrupt as interrupt:
                interrupt.__traceback__ = error.__traceback__
                interrupt.__context__ = None
                error, shown = interrupt, None
        reply: dict[str, Any] = tracebacks.describe(error, shown)
        if commands.is_command_error(error) or isinstance(error, MissingIPythonError):
            reply["ename"], reply["traceback"] = "UsageError", str(error).split("\n")
        elif type(error) is NameError and (name := tracebacks.missing_variable(error, self.namespace)):
            reply["traceback"] += commands.whereabouts(name)
        return {**reply, "user_expressions": {}, "payload": self.payloads.take()}

    def _report_error(self, error: Exception) -> None:
        """An error in somebody's representation does not lose the cell."""
        lines: Any = tracebacks.describe(error)["traceback"]
        print("\n".join(lines), file=sys.stderr)
