"""IPython's shell over an interpreter's own ``__main__``: xeus-python's, with the kernel's output, history and loop.

Imports IPython: to be imported by cells.py only.
"""

import __main__
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import _xinterp
from IPython.core.autocall import ExitAutocall
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import UsageError
from IPython.core.events import EventManager, available_events
from IPython.core.inputtransformer2 import classic_prompt, ipython_prompt, leading_empty_lines
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult
from IPython.core.oinspect import Inspector
from IPython.core.payload import PayloadManager
from traitlets import Instance, Type, default
from traitlets.config import Config
from xeus_python_shell.compiler import XCachingCompiler
from xeus_python_shell.shell import XPythonShell, XPythonShellApp

from .. import forks, prompts, tracebacks
from ..display import encode
from ..kernel_object import kernel, show_under
from .history import SessionHistory
from .hooks import MessageHooks
from .magics import FIRST_LINE, KernelMagics, describe_interp
from .syntax import is_python, unindented
from .system import run_in_terminal

if TYPE_CHECKING:
    from ..execution import Shell
    from ..payloads import Payloads
    from ..running import RunningCell


def keep_line_numbers(lines: list[str]) -> list[str]:
    """Instead of IPython's leading_empty_lines: an empty line may stand for the %%interp line.

    Not where IPython looks at the first one: cell magics, prompts, indented cells.
    """
    full = [line for line in lines if not line.isspace()]
    if full and re.match(r"[^\s%>I]|%(?!%)|I(?!n \[)", full[0]):
        return lines
    return leading_empty_lines(lines)


def leading_indent(lines: list[str]) -> list[str]:
    """Instead of IPython's, which also empties lines of spaces, in strings as well."""
    return unindented("".join(lines)).splitlines(keepends=True)


def _unless_python(transform: Callable[[list[str]], list[str]]) -> Callable[[list[str]], list[str]]:
    """What is Python as it stands is left so: prompts within its strings."""

    def apply(lines: list[str]) -> list[str]:
        changed = transform(lines)
        return lines if changed != lines and is_python("".join(lines)) else changed

    return apply


def _clean_up() -> list[Callable[[list[str]], list[str]]]:
    """How IPython looks at a cell first, so that Python means what it does where IPython is not up."""
    others: list[Callable[[list[str]], list[str]]] = [leading_indent, classic_prompt, ipython_prompt]
    return [keep_line_numbers, *map(_unless_python, others)]


class CellCompiler(XCachingCompiler):
    """Cells' code is called what cells without IPython call theirs."""

    def __init__(self) -> None:
        super().__init__()
        # With it Python's own errors at the end of a cell become `_IncompleteInputError: incomplete input`.
        self.flags &= ~_ALLOW_INCOMPLETE_INPUT

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        return _cell_of(kernel.shell).code_name(raw_code)

    def format_code_name(self, name: str) -> tuple[str, str] | None:
        label = tracebacks.cell_label(name)
        return ("Cell", label) if label else super().format_code_name(name)


class OfCell:
    """An attribute that every running cell has for itself: subshells run theirs beside main's own."""

    def __init__(self, default: object) -> None:
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"{owner.__name__}.{name}"

    def __get__(self, holder: Any, owner: type) -> Any:
        return self if holder is None else _cell_of(holder).ipython.get(self._name, self._default)

    def __set__(self, holder: Any, value: object) -> None:
        _cell_of(holder).ipython[self._name] = value


def _cell_of(holder: Any) -> RunningCell:
    shell: Shell = holder.notebook if isinstance(holder, ZMQInteractiveShell) else holder.shell.notebook
    return shell.cells.current


_ALLOW_INCOMPLETE_INPUT = 0x4000  # ast.PyCF_ALLOW_INCOMPLETE_INPUT
_AT_THE_END = ("post_execute", "post_run_cell")


class OwnCell:
    """What IPython tells of a cell of the kernel's; a cell that its code runs, as %%capture does, is no such one."""

    def __init__(self) -> None:
        self.shown: tuple[BaseException, list[str]] | None = None  # its error, and its traceback's lines
        self._result: ExecutionResult | None = None  # while its code runs

    def begin_code(self, result: ExecutionResult) -> None:
        self._result = result

    def end_code(self) -> None:
        self._result = None

    def has_raised(self, error: BaseException) -> bool:
        """Whether an error that IPython shows is the cell's own; else its code has asked for that."""
        result = self._result
        return result is None or error is result.error_in_exec or error is result.error_before_exec


class Events(EventManager):
    """Hooks are code of their own: what they raise is shown where it happens, and does not fail the cell."""

    def trigger(self, event: str, *args: Any, **options: Any) -> None:
        own = self.shell.own_cell
        if own is not None and event in _AT_THE_END:
            return  # the kernel calls them when it has shown the cell's error
        self.shell.own_cell = None
        try:
            super().trigger(event, *args, **options)
        finally:
            self.shell.own_cell = own


class CellInspector(Inspector):
    """What ``obj?`` says: of something that a cell has defined the cell, of the kernel's own no file."""

    def info(self, *args: Any, **options: Any) -> Any:
        found = super().info(*args, **options)
        name = str(found["file"] or "").rpartition("/")[2]
        if name.startswith("<"):
            label = tracebacks.cell_label(name)
            found["file"] = f"Cell {label}" if label else None
        return found


class Exiter(ExitAutocall):
    """``exit`` and ``quit``."""

    def __call__(self, keep_kernel: bool = False) -> None:
        self._ip.keepkernel_on_exit = keep_kernel
        self._ip.ask_exit()


class CellPayloads(PayloadManager):
    """Those of the interpreter, whether or not IPython runs its cells."""

    def __init__(self, payloads: Payloads, **options: Any) -> None:
        super().__init__(**options)
        self._payloads = payloads

    def write_payload(self, data: dict[str, Any], single: bool = True) -> None:
        self._payloads.write(data, single)

    def read_payload(self) -> list[dict[str, Any]]:
        return self._payloads.read()

    def clear_payload(self) -> None:
        self._payloads.take()


class Publisher(MessageHooks, DisplayPublisher):
    """What is displayed goes to the front end."""

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        source: object = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **options: Any,
    ) -> None:
        self._validate_data(data, metadata)
        content = {
            "data": {kind: encode(value) for kind, value in data.items()},
            "metadata": metadata or {},
            "transient": transient or {},
        }
        self.send("update_display_data" if update else "display_data", content)

    def clear_output(self, wait: bool = False) -> None:
        self.send("clear_output", {"wait": bool(wait)})


class Results(MessageHooks, DisplayHook):
    """A cell's result goes to the front end."""

    exec_result = OfCell(None)
    _content = OfCell(None)

    def quiet(self) -> bool:
        """Whether the cell ends with a semicolon: the one that runs, which need not be in the history."""
        return bool(self.semicolon_at_end_of_expression(self.shell.running))

    def start_displayhook(self) -> None:
        self._content = None

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        data = {kind: encode(value) for kind, value in format_dict.items()}
        self._content = {"execution_count": self.prompt_count, "data": data, "metadata": md_dict or {}}

    def finish_displayhook(self) -> None:
        if self._content is not None:
            self.send("execute_result", self._content)
        self._content = None


class ZMQInteractiveShell(XPythonShell):
    """The name is what libraries look for to find out that they are in a notebook."""

    exiter = Instance(ExitAutocall)
    displayhook_class = Type(Results)
    inspector_class = Type(CellInspector)
    display_pub_class = Type(Publisher)

    running = OfCell("")  # the cell that runs, as Python
    own_cell = OfCell(None)  # while it is one of the kernel's
    last_result = OfCell(None)

    def __init__(self, use_jedi: bool, shell: Shell, **options: Any) -> None:
        self.notebook = shell
        self.keepkernel_on_exit = False
        self.is_starting = False
        self.interrupted_start: KeyboardInterrupt | None = None
        super().__init__(use_jedi, **options)
        self.kernel = kernel
        self.compiler_class = CellCompiler
        self.input_transformer_manager.cleanup_transforms[:] = _clean_up()
        kernel.shell = self  # last: other threads complete and inspect with it from now on

    @property
    def execution_count(self) -> int:
        return self.notebook.cells.current.count

    @execution_count.setter
    def execution_count(self, count: int) -> None:
        self.notebook.cells.current.count = count

    @default("exiter")
    def _make_exiter(self) -> Exiter:
        return Exiter(self)

    @default("banner1")
    def _make_banner(self) -> str:
        return ""

    # --- what it is made of

    def init_environment(self) -> None:
        """As ipykernel does: colours, and no pager, which nobody could operate."""
        import os

        wanted = {"TERM": "xterm-color", "CLICOLOR": "1", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}
        for name, value in {**wanted, "PAGER": "cat", "GIT_PAGER": "cat"}.items():
            if os.environ.get(name) != value:  # the process's: not more often than needed, other threads may look
                os.environ[name] = value

    def init_virtualenv(self) -> None:
        """The kernel runs in the Python whose packages it has."""

    def init_user_ns(self) -> None:
        """``get_ipython`` is a builtin here: functions that use it can go to other interpreters."""
        super().init_user_ns()
        del self.user_ns["get_ipython"]

    def init_history(self, *args: object, **options: object) -> None:
        self.history_manager = SessionHistory(shell=self, parent=self)
        self.configurables.append(self.history_manager)

    def init_events(self) -> None:
        self.events = Events(self, available_events)
        self.events.register("pre_execute", self._clear_warning_registry)

    def init_payload(self) -> None:
        self.payload_manager = CellPayloads(self.notebook.payloads, parent=self)
        self.configurables.append(self.payload_manager)

    def init_display_formatter(self) -> None:
        super().init_display_formatter()
        self.display_formatter.ipython_display_formatter.enabled = True

    def init_magics(self) -> None:
        super().init_magics()
        describe_interp()
        self.register_magics(KernelMagics)
        self.magics_manager.register_alias("ed", "edit")

    def enable_gui(self, gui: str | None = None) -> None:
        """No GUI's event loop runs here; figures are drawn inline."""
        if gui not in (None, "", "inline", "asyncio"):
            message = (
                f"this kernel runs no event loop of {gui}. Use %matplotlib inline, or %matplotlib widget where "
                "ipympl is installed."
            )
            raise UsageError(message)

    # --- under which message output is shown

    def get_parent(self) -> dict[str, Any]:
        """The message under which the output of the calling code is shown: its cell's request."""
        return kernel.get_parent()

    def set_parent(self, parent: dict[str, Any] | None) -> None:
        """Show what the calling thread writes from now on under that message, until its next cell."""
        show_under(parent)

    def set_thread_parent(self, parent: dict[str, Any] | None) -> int:
        """Do what set_parent() does; return what reset_thread_parent() takes."""
        return show_under(parent)

    def reset_thread_parent(self, token: int) -> None:
        """Show what the calling thread writes where it was shown before that set_thread_parent()."""
        _xinterp.show_under(token)

    @property
    def parent_header(self) -> dict[str, Any]:
        return self.get_parent()

    @parent_header.setter
    def parent_header(self, parent: dict[str, Any] | None) -> None:
        self.set_parent(parent)

    # --- what cells ask for

    def ask_exit(self) -> None:
        self.payload_manager.write_payload({"source": "ask_exit", "keepkernel": self.keepkernel_on_exit})

    def set_next_input(self, s: str, replace: bool = False) -> None:
        """Put text into the front end's next cell; with ``replace`` into this one."""
        self.payload_manager.write_payload({"source": "set_next_input", "text": s, "replace": replace})

    def system(self, cmd: str) -> None:
        """Run a command in a shell; its output appears while it runs."""
        __tracebackhide__ = True
        if cmd.rstrip().endswith("&"):
            message = "Background processes are not supported here: use subprocess.Popen, or %%script --bg."
            raise OSError(message)
        status = run_in_terminal(self.var_expand(cmd, depth=1))
        self.user_ns["_exit_code"] = status
        if self.system_raise_on_error and status != 0:
            import subprocess

            raise subprocess.CalledProcessError(status, cmd)

    system_piped = system

    # --- errors

    def run_own_cell(
        self, source: str, **options: Any
    ) -> tuple[ExecutionResult, tuple[BaseException, list[str]] | None]:
        """Run a cell of the kernel's. Its result, and what IPython shows of its error."""
        self.own_cell = own = OwnCell()
        try:
            self.last_result = result = super().run_cell(source, **options)
        finally:
            self.own_cell = None
        return result, own.shown

    def take_hooks(self) -> list[Callable[[], None]]:
        """What is registered for the end of the cell that has run, whether or not by IPython."""
        result = self.last_result
        self.last_result = None
        if result is None:  # IPython has come up in the midst of it
            result = ExecutionResult(ExecutionInfo("", False, False, True, None))
        arguments = {"post_execute": (), "post_run_cell": (result,)}
        return [
            partial(self.events.trigger, event, *arguments[event])
            for event in (_AT_THE_END if not result.info.silent else _AT_THE_END[:1])
            if self.events.callbacks[event]
        ]

    def run_cell(self, *args: Any, **options: Any) -> ExecutionResult:
        """Run a cell within a cell, for a magic or a hook. Its errors are shown, and the outer cell does not fail."""
        outer = self.own_cell, self.displayhook.exec_result, self.running
        self.own_cell = None
        try:
            return super().run_cell(*args, **options)
        finally:
            self.own_cell, self.displayhook.exec_result, self.running = outer

    async def run_ast_nodes(self, *args: Any, **options: Any) -> bool:
        own: OwnCell | None = self.own_cell
        if own is None:
            return await super().run_ast_nodes(*args, **options)
        own.begin_code(options["result"])
        try:
            return await super().run_ast_nodes(*args, **options)
        finally:
            own.end_code()

    def transform_cell(self, raw_cell: str) -> str:
        # IPython looks for macros, `exit` and the like in cells of one line. An empty line may stand for the line with
        # %%interp.
        code = raw_cell.lstrip("\n")
        before = raw_cell[: len(raw_cell) - len(code)] if "\n" not in code.rstrip("\n") else ""
        self.running = before + str(super().transform_cell(raw_cell[len(before) :]))
        return self.running

    @contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        # It puts a function in the place of the stream's write() and takes it away again, in no order if cells overlap.
        if _xinterp.is_subshell():
            yield
        else:
            with super()._tee(channel):
                yield

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **options: Any) -> None:
        if exc_tuple is None:
            exc_tuple = sys.exc_info()
        if isinstance(exc_tuple[1], SystemExit) and _xinterp.in_forked_child():
            forks.end(exc_tuple[1])  # IPython would say how to leave a notebook
        if isinstance(exc_tuple[1], KeyboardInterrupt):
            if self.is_starting:  # it will be the error of the cell
                self.interrupted_start = exc_tuple[1]
                return
            prompts.without_prompt(exc_tuple[2])
        if exc_tuple[1] is None or not self._looks_as_without_ipython(exc_tuple[1]):
            super().showtraceback(exc_tuple, *args, **options)
            return
        lines: Any = tracebacks.describe(exc_tuple[1])["traceback"]
        self._showtraceback(exc_tuple[0], exc_tuple[1], lines)
        if self.call_pdb and not isinstance(exc_tuple[1], SyntaxError):
            self.debugger(force=True)

    def showsyntaxerror(self, *args: Any, **options: Any) -> None:
        error = sys.exception()
        if error is None or not self._looks_as_without_ipython(error):
            super().showsyntaxerror(*args, **options)
            return
        lines: Any = tracebacks.describe(error)["traceback"]
        self._showtraceback(type(error), error, lines)

    def _looks_as_without_ipython(self, error: BaseException) -> bool:
        """Whether it is shown as where IPython is not up: unless %xmode, or the error's class, says otherwise."""
        if isinstance(error, UsageError):
            return False
        if _has_group(error):  # IPython cannot format these yet
            return True
        return self.InteractiveTB.mode == "Context" and not hasattr(error, "_render_traceback_")

    def _format_exception_for_storage(self, exception: BaseException, *args: Any, **options: Any) -> Any:
        try:
            return super()._format_exception_for_storage(exception, *args, **options)
        except Exception:  # the exception's own code
            return tracebacks.describe(exception)["traceback"]

    def show_usage_error(self, exc: BaseException) -> None:
        if "magic function `%%interp`" in str(exc):
            exc.args = (FIRST_LINE,)
        self._showtraceback(type(exc), exc, [f"UsageError: {exc}"])

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        # The cell's own error is its reply's; any other is shown where it happens.
        own: OwnCell | None = self.own_cell
        if own is not None and own.has_raised(evalue):
            own.shown = (evalue, stb)
            return
        content = {"ename": etype.__name__, "evalue": tracebacks.text_of(evalue), "traceback": stb}
        _xinterp.publish("error", content)


def _has_group(error: BaseException) -> bool:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if isinstance(current, BaseExceptionGroup):
            return True
        seen.add(id(current))
        current = current.__cause__ or current.__context__
    return False


class IPKernelApp(XPythonShellApp):
    """Configuration: profile, ipython_config.py and ipython_kernel_config.py, startup files and extensions.

    The name is ipykernel's, and so are the section of the configuration and what libraries look for in it.
    """

    name = "ipython-kernel"

    def start_in(self, shell: Shell, made: Callable[[IPKernelApp], None]) -> None:
        """Make the shell of this interpreter, call ``made(app)``, then run extensions and startup files."""
        self._notebook = shell
        self._made = made
        self.exec_PYTHONSTARTUP = False  # the kernel has run it
        self.initialize(argv=[])
        if self.shell.interrupted_start is not None:
            raise self.shell.interrupted_start

    def init_crash_handler(self) -> None:
        """An error of a cell is no crash."""

    def init_shell(self, use_jedi: bool = False) -> None:
        _xinterp.defer_interrupts(self._make_shell, use_jedi)

    def _make_shell(self, use_jedi: bool) -> None:
        namespace = self._notebook.namespace
        last_results = {name: namespace.get(name, "") for name in ("_", "__", "___")}
        self.shell = ZMQInteractiveShell.instance(
            use_jedi,
            self._notebook,
            parent=self,
            ipython_dir=self.ipython_dir,
            profile_dir=self.profile_dir,
            user_module=__main__,
            compiler_class=CellCompiler,
        )
        self.shell.configurables.append(self)
        # Libraries look whether the section is there, and people for the file.
        known = {} if _xinterp.in_forked_child() else {"connection_file": kernel.about["connection_file"]}
        self.shell.config["IPKernelApp"] = Config(known)
        namespace.update(last_results)
        vars(self.shell.displayhook).update(last_results)
        self._made(self)

    def init_code(self) -> None:
        """Startup files and the like. IPython logs an interrupt there and goes on; here it ends the cell."""
        self.shell.is_starting = True
        try:
            super().init_code()
        finally:
            self.shell.is_starting = False
