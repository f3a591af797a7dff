"""Running cells on one thread: last-expression results, top-level await, errors."""

import _ast
import sys

import _xinterp

from . import commands, debugged, forks, import_hooks, prompts, tracebacks
from .event_loop import EventLoop
from .ipython import MissingIPythonError, syntax
from .payloads import Exit
from .running import RunningCell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType
    from typing import Any

    from .execution import Shell

    Request = dict[str, Any]
    Program = tuple[Iterable[CodeType], bool]

_ONLY_AST = 0x400  # ast.PyCF_ONLY_AST
_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_COROUTINE = 0x80  # inspect.CO_COROUTINE
_FUTURES = 0x1FE0000  # all of __future__'s flags
_CANCELLED = 125  # errno.ECANCELED: a system call that an interrupt ended (src/python/blocking_calls.cpp)


def _ends_with_semicolon(source: str, last: Any) -> bool:
    """Whether a semicolon follows the last expression; those in strings and comments are none."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    line, *others = lines[last.end_lineno - 1 :]
    rest = [line.encode()[last.end_col_offset :].decode(), *others]
    return any(";" in text.partition("#")[0] for text in rest)


def _restore_interrupts() -> None:
    """A handler that a cell has set for SIGINT is that cell's: the stop button stops the next one."""
    import _signal  # type: ignore[import-not-found]

    if _signal.getsignal(_signal.SIGINT) is not _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)


class Runner:
    """A lane's own thread, or that of a subshell of main. Its methods are called on it."""

    def __init__(self, shell: Shell, name: str = "") -> None:
        self.shell = shell
        self.loop = EventLoop()
        self._result = f"__xinterp_result{name}__"  # the name that the last expression is assigned to
        self._handles_signals = _xinterp.interpreter == 0 and not name
        self._future_flags = 0

    def execute(self, request: Request) -> dict[str, object]:
        """Run a cell; return the content of its execute_reply."""
        try:
            try:
                try:
                    self.loop.begin_cell()
                    reply = self._run(request)
                    if _xinterp.in_forked_child():
                        forks.end(None)
                except BaseException as error:
                    reply = self._failed(error)
            except KeyboardInterrupt as error:  # it came while an error was being described
                reply = self._failed(error)
            return {"user_expressions": {}, **reply, "payload": self.shell.payloads.take()}
        finally:
            self.shell.cells.end()
            self.loop.end_cell()

    def wait_in_loop(self, descriptor: int) -> bool:
        """Let tasks and timers go on until there is a cell; False if there are none."""
        debugged.watch()
        try:
            return self.loop.wait(descriptor)
        finally:
            debugged.unwatch()

    def _run(self, request: Request) -> dict[str, Any]:
        try:
            failure = self._run_cell(request)
        except BaseException as error:
            failure = self._failed(error)
        _xinterp.show_under(0)  # get_ipython().set_parent() holds for the cell's code
        cells = self.shell.ipython.cells
        if cells is not None:
            self._call_hooks(cells.take_hooks(), request, failure)
        if failure is not None:
            return failure
        wanted = request["user_expressions"]
        if cells is not None:
            return {"status": "ok", "user_expressions": cells.evaluate(wanted)}
        return {"status": "ok", "user_expressions": {name: self._evaluate(text) for name, text in wanted.items()}}

    def _run_cell(self, request: Request) -> dict[str, Any] | None:
        """Its error's reply, or None; or the error is raised."""
        shell, count = self.shell, request["count"]
        source = commands.rewrite(request["code"])
        cell = RunningCell(count, request["silent"], request["typed"], source, request["store_history"])
        shell.cells.begin(cell)
        program = self._understand(request, source, cell) if shell.ipython.cells is None else None
        self.shell.namespace.pop("__warningregistry__", None)  # once a cell, not once a session
        debugged.watch()
        try:
            if program is None:
                return self._run_in_ipython(request, source)
            shell.remember_input(request)
            self._run_plainly(*program)
            return None
        finally:
            debugged.unwatch()
            prompts.leave_cell()
            if self._handles_signals:
                _restore_interrupts()

    def _understand(self, request: Request, source: str, cell: RunningCell) -> Program | None:
        """The cell as Python; None if IPython is to run it. It means the same there."""
        shell, filename = self.shell, cell.code_name(source)
        tracebacks.remember_source(filename, request["code"])
        try:
            try:
                program = self._compile(source, filename)
            except SyntaxError:
                pasted = syntax.unindented(source)
                if pasted == source:
                    raise
                tracebacks.remember_source(filename, pasted)
                program = self._compile(pasted, filename)
        except SyntaxError:
            if shell.ipython.is_needed(source, is_python=False):
                return None
            shell.remember_input(request)
            raise
        return None if shell.ipython.is_needed(source, is_python=True) else program

    def _run_plainly(self, codes: Iterable[CodeType], is_shown: bool) -> None:
        result = None
        for code in codes:
            try:
                if code.co_flags & _COROUTINE:
                    self.loop.run(eval(code, self.shell.namespace))
                else:
                    exec(code, self.shell.namespace)
            finally:
                result = self.shell.namespace.pop(self._result, None)
        if type(result) is Exit:  # `exit` without parentheses
            result()
        elif is_shown:
            sys.displayhook(result)

    def _run_in_ipython(self, request: Request, source: str) -> dict[str, Any] | None:
        try:
            cells = self.shell.ipython.load()
        except MissingIPythonError:
            self.shell.remember_input(request)
            raise
        error, shown = cells.run(request, source)
        return None if error is None else self._failed(error, shown)

    def _call_hooks(self, hooks: list[Callable[[], None]], request: Request, failure: dict[str, Any] | None) -> None:
        """Those of IPython that follow a cell. What has failed is shown before them; the kernel shows an interrupt."""
        if hooks and failure is not None and failure["ename"] != "KeyboardInterrupt":
            if not request["silent"]:
                _xinterp.publish("error", {name: failure[name] for name in ("ename", "evalue", "traceback")})
            failure["is_shown"] = True
        for hook in hooks:
            hook()

    def _compile(self, source: str, filename: str) -> Program:
        """The cell, which assigns its last expression to a name if it ends with one, and whether that is shown.

        One code object: who steps through the cell sees one frame. If the compiler refuses that, each statement is
        compiled when it is its turn, as IPython does: what stands before a misplaced `return` runs.
        """
        flags = _TOP_LEVEL_AWAIT | self._future_flags
        tree: Any = compile(source, filename, "exec", flags | _ONLY_AST, dont_inherit=True)
        last = tree.body[-1] if tree.body else None
        is_shown = isinstance(last, _ast.Expr) and not _ends_with_semicolon(source, last.value)
        if isinstance(last, _ast.Expr):
            place = {name: getattr(last, name) for name in last._attributes}
            tree.body[-1] = _ast.Assign([_ast.Name(self._result, _ast.Store(), **place)], last.value, **place)
        try:
            return [self._code(tree, filename)], is_shown
        except SyntaxError:
            if len(tree.body) == 1:
                raise
            return (self._code(_ast.Module([statement]), filename) for statement in tree.body), is_shown

    def _code(self, tree: Any, filename: str) -> CodeType:
        code: CodeType = compile(tree, filename, "exec", _TOP_LEVEL_AWAIT | self._future_flags, dont_inherit=True)
        self._future_flags |= code.co_flags & _FUTURES
        return code

    def _evaluate(self, text: str) -> dict[str, object]:
        try:
            bundle = self.shell.displayer.bundle(eval(text, self.shell.namespace)) or ({}, {})
            return {"status": "ok", "data": bundle[0], "metadata": bundle[1]}
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return tracebacks.describe(error, remember=False)

    def _failed(self, error: BaseException, shown: list[str] | None = None) -> dict[str, Any]:
        """The content of the reply; ``shown``: the traceback as IPython has it. The end of a forked child."""
        if _xinterp.in_forked_child():
            forks.end(error)
        if isinstance(error, OSError) and error.errno == _CANCELLED:
            try:
                _xinterp.raise_if_interrupted()
            except KeyboardInterrupt as interrupt:
                interrupt.__traceback__ = error.__traceback__
                interrupt.__context__ = None
                error, shown = interrupt, None
        import_hooks.remember_failed_imports(error.__traceback__)
        reply: dict[str, Any] = tracebacks.describe(error, shown)
        if prompts.was_at_prompt(error):
            reply["keeps_queue"] = True
        if commands.is_command_error(error) or isinstance(error, MissingIPythonError):
            reply["ename"], reply["traceback"] = "UsageError", str(error).split("\n")
        elif type(error) is NameError and (name := tracebacks.missing_variable(error, self.shell.namespace)):
            reply["traceback"] += commands.whereabouts(name)
        return reply
