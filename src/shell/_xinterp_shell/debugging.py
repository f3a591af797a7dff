"""pdb in cells: it asks through the front end, knows nothing of the kernel's own frames, and ends with its cell."""

import sys
from _thread import get_ident

from .prompts import asking, of_threads
from .stand_ins import replace, stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import FrameType, ModuleType, TracebackType
    from typing import Any

# What runs cells, tasks and threads: stepping does not lead there.
_SKIPPED_MODULES = ("_xinterp_shell.*", "asyncio.*", "bdb", "selectors", "threading")
_IPYTHON = "IPython.core.interactiveshell"  # likewise, but its debugger reports each frame that is skipped
_OWN_FILES = "<frozen _xinterp_shell"
_CELLS = "<In ["
_DELIMITERS = " \t\n`@#%^&*()=+[{]}\\|;:'\",<>?"  # between the words of a command, pdb's own
_NEVER = -1  # bdb's stoplineno after `continue`
_GENERATORS = 0x2A0  # inspect.CO_GENERATOR, CO_COROUTINE and CO_ASYNC_GENERATOR


def complete(request: dict[str, Any]) -> dict[str, object]:
    """The content of a complete_reply: its commands, and the names of the frame that it looks at.

    ``asking``: the thread whose prompt the person sees; several may have one.
    """
    thread = request.get("asking")
    debugger = next((each for of, each in reversed(asking) if of == thread), asking[-1][1])
    code, end = request["code"], request.get("cursor_pos")
    end = len(code) if end is None else max(0, min(end, len(code)))
    line = code[:end].rpartition("\n")[2].lstrip()
    word = line[max(map(line.rfind, _DELIMITERS)) + 1 :]
    return {
        "status": "ok",
        "matches": _matches(debugger, word, line),
        "cursor_start": end - len(word),
        "cursor_end": end,
        "metadata": {},
    }


def _matches(debugger: Any, word: str, line: str) -> list[str]:
    begin = len(line) - len(word)
    finder = debugger.completenames
    if begin > 0:
        command = debugger.parseline(line)[0]
        finder = getattr(debugger, f"complete_{command}", debugger.completedefault)
    try:
        found = finder(word, line, begin, len(line))
    except Exception:  # an attribute that raises, a command that cannot be completed
        return []
    return sorted({match.rstrip("() ") for match in found})


def patch(pdb: ModuleType) -> None:
    own = pdb.Pdb

    def initialize(original: Any, self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self.own_tracer = self.monitoring_tracer
        self.nosigint = True  # the stop button ends the cell, also after `continue`
        self.completekey = None  # no readline: the front end completes
        self.pyrepl_input = None  # of Python 3.15, which reads from the terminal that the kernel was started in
        self.skip = {*(self.skip or ()), *_SKIPPED_MODULES}
        if self.stdin is sys.stdin:
            self.use_rawinput = 1  # its `debug` command passes on sys.stdin and sys.stdout, which have no prompt

    def get_stack(
        original: Any, self: Any, f: FrameType | None, t: TracebackType | None
    ) -> tuple[list[tuple[FrameType, int]], int]:
        stack, index = original(self, f, t)
        names = [frame.f_code.co_filename for frame, _ in stack]
        cell = next((i for i, name in enumerate(names) if name.startswith(_CELLS)), len(names))
        below = max((i + 1 for i in range(cell) if names[i].startswith(_OWN_FILES)), default=0)
        while below < index and _runs_code(self, stack[below][0]):
            below += 1
        return stack[below:], max(0, index - below)

    def set_trace(
        original: Any, self: Any, frame: FrameType | None = None, *, commands: list[str] | None = None
    ) -> None:
        of_threads[get_ident()] = self
        self.passes_over = False
        # JupyterLab's debugger takes what it would use, while that is on.
        is_taken = sys.monitoring.get_tool(sys.monitoring.DEBUGGER_ID) == "pydevd"
        self.monitoring_tracer = None if is_taken else self.own_tracer
        self.backend = "monitoring" if self.monitoring_tracer else "settrace"
        original(self, frame or sys._getframe().f_back, commands=commands)

    def trace_dispatch(original: Any, self: Any, frame: FrameType, event: str, arg: Any) -> Any:
        if self.passes_over and event == "line" and _is_statement(frame):
            self.passes_over = False
        if not self.passes_over and not _is_out_of_sight(frame, event):
            return original(self, frame, event, arg)
        return self.trace_dispatch if event != "call" or frame.f_trace or _is_statement(frame) else None

    def user_return(original: Any, self: Any, frame: FrameType, return_value: object) -> None:
        if _is_ipythons(frame) or self._wait_for_mainpyfile:  # what a cell awaits is not there yet; `%run -d`
            return
        original(self, frame, return_value)
        _tidy(frame, "__return__")
        if self.quitting or not _ends_here(self, frame):
            return
        if self.stoplineno != _NEVER and _is_ipythons(frame.f_back) and _returns(frame):
            pass_over(self)
        else:
            self.set_continue()

    def user_exception(original: Any, self: Any, frame: FrameType, exc_info: Any) -> None:
        if _is_ipythons(frame):  # a statement that awaits has ended
            pass_over(self)
        elif not _runs_code(self, frame):  # a coroutine's end, seen by what runs it
            original(self, frame, exc_info)
            _tidy(frame, "__exception__")

    # IPython runs a cell's statements one by one: who steps from one to the next passes over what is between them.
    def pass_over(self: Any) -> None:
        self.passes_over = True
        self.set_step()

    def cmdloop(original: Any, self: Any, intro: object = None) -> None:
        prompt = (get_ident(), self)
        asking.append(prompt)
        try:
            original(self, intro)
        finally:
            asking.remove(prompt)

    stand_in(own, "__init__", initialize)
    for implementation in (get_stack, set_trace, trace_dispatch, user_return, user_exception, cmdloop, _cmdloop):
        stand_in(own, implementation.__name__, implementation)
    own.passes_over = False

    # CPython's own use one debugger for all threads of an interpreter: the second that stops would take it from the
    # first. Only one can use sys.monitoring.
    def of_this_thread() -> Any:
        thread = get_ident()
        debugger = of_threads.setdefault(thread, None)  # before anything lets another thread look
        backend = "monitoring" if next(iter(of_threads)) == thread else "settrace"
        return debugger or own(mode="inline", backend=backend, colorize=True)

    def module_set_trace(_original: object, *, header: str | None = None, commands: list[str] | None = None) -> None:
        debugger = of_this_thread()
        if header is not None:
            debugger.message(header)
        debugger.set_trace(sys._getframe().f_back, commands=commands)

    def set_trace_async(original: Any, **options: Any) -> Coroutine[Any, Any, None]:
        own._last_pdb_instance = of_this_thread()
        return original(**options)  # type: ignore[no-any-return]

    stand_in(pdb, "set_trace", module_set_trace)
    stand_in(pdb, "set_trace_async", set_trace_async)


def patch_ipythons(module: ModuleType) -> None:
    # Its own let the cell go on after an interrupt.
    for name in ("interaction", "_cmdloop", "cmdloop"):
        if name in vars(module.Pdb):
            delattr(module.Pdb, name)
    if "commands" in module.Pdb.set_trace.__code__.co_varnames:
        return
    own = module.Pdb.set_trace

    # It is the thread's debugger from then on, and `breakpoint()` passes that on.
    def set_trace(self: Any, frame: FrameType | None = None, *, commands: list[str] | None = None) -> None:
        self.rcLines.extend(commands or ())
        own(self, frame or sys._getframe().f_back)

    replace(module.Pdb, set_trace)


def patch_terminals(module: ModuleType) -> None:
    # There is no terminal: it asks like IPython's other debugger.
    module.TerminalPdb.pt_init = lambda *_: None
    for name in ("cmdloop", "do_interact"):
        setattr(module.TerminalPdb, name, getattr(module.Pdb, name))


def _runs_code(debugger: Any, frame: FrameType) -> bool:
    """Whether it is the kernel's, a loop's or a thread's: below the frames that a person wants to see."""
    return _is_ipythons(frame) or debugger.is_skipped_module(frame.f_globals.get("__name__"))


def _is_ipythons(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_globals.get("__name__") == _IPYTHON


def _is_statement(frame: FrameType) -> bool:
    return frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(_CELLS)


def _is_out_of_sight(frame: FrameType, event: str) -> bool:
    """Whether nothing of it is reported, not even that it was skipped: the kernel's, and an async cell that goes on."""
    if frame.f_code.co_filename.startswith(_OWN_FILES):
        return True
    return event == "call" and _is_ipythons(frame) and bool(frame.f_code.co_flags & _GENERATORS)


def _tidy(frame: FrameType, name: str) -> None:
    """What the debugger leaves among the locals of a frame would be a variable of the interpreter's in a cell's own."""
    if frame.f_locals is frame.f_globals:
        frame.f_globals.pop(name, None)


def _ends_here(debugger: Any, frame: FrameType) -> bool:
    """Whether what the kernel, a loop or a thread has called ends with that frame's return: stepping ends too."""
    caller = frame.f_back
    if _is_ipythons(caller) and not _is_statement(frame):  # a magic, which the cell has called
        return False
    if caller is not None and not _runs_code(debugger, caller):
        return False
    return not frame.f_code.co_flags & _GENERATORS or _returns(frame)


def _returns(frame: FrameType) -> bool:
    """Whether it ends with a value: it may also wait as a coroutine does, or an exception may leave it."""
    from opcode import opmap

    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == opmap["RETURN_VALUE"]


def _cmdloop(_original: object, self: Any) -> None:
    # CPython's own asks again after an interrupt, for ever: no other cell could run. Here it ends the cell.
    try:
        self.cmdloop()
    except KeyboardInterrupt as interrupt:
        self.forget()
        self.set_continue()
        interrupt.at_prompt = True  # type: ignore[attr-defined]
        raise
