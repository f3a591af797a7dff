"""pdb in cells: it asks through the front end, knows nothing of the kernel's own frames, and ends with its cell."""

import sys

from .import_hooks import after_import, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, ModuleType, TracebackType
    from typing import Any

_SKIPPED_MODULES = ("_xinterp_shell.*", "asyncio.*", "bdb")  # what runs a cell: stepping out of it does not lead there
_OWN_FILES = "<frozen _xinterp_shell"
_DELIMITERS = " \t\n`@#%^&*()=+[{]}\\|;:'\",<>?"  # between the words of a command, pdb's own

_asking: list[Any] = []  # the debuggers that wait for a command, the innermost last


def install() -> None:
    """Set pdb up as soon as somebody imports it."""
    after_import("pdb", _patch)


def active() -> bool:
    """Whether a debugger waits for a command."""
    return bool(_asking)


def complete(request: dict[str, Any]) -> dict[str, object]:
    """The content of a complete_reply: its commands, and the names of the frame that it looks at."""
    code, end = request["code"], request.get("cursor_pos")
    end = len(code) if end is None else max(0, min(end, len(code)))
    line = code[:end].rpartition("\n")[2].lstrip()
    word = line[max(map(line.rfind, _DELIMITERS)) + 1 :]
    return {
        "status": "ok",
        "matches": _matches(_asking[-1], word, line),
        "cursor_start": end - len(word),
        "cursor_end": end,
        "metadata": {},
    }


def leave_cell() -> None:
    """A cell has ended: what was to stop at its next line must not stop in the next cell. Breakpoints stay."""
    pdb = sys.modules.get("pdb")
    debugger = pdb.Pdb._last_pdb_instance if pdb else None  # type: ignore[attr-defined]
    if debugger is not None and getattr(debugger, "botframe", None) is not None:
        debugger.set_continue()
        for name in ("__return__", "__exception__"):  # what it leaves among the locals of a cell's own frame
            sys.modules["__main__"].__dict__.pop(name, None)


def without_prompt(traceback: TracebackType | None) -> None:
    """Cut the debugger's frames off the traceback of an interrupt at its prompt."""
    before = traceback
    while traceback is not None:
        if traceback.tb_frame.f_code is _ask_commands_code and before is not None:
            before.tb_next = None
            return
        if traceback.tb_frame.f_globals.get("__name__") not in ("bdb", "pdb"):
            before = traceback
        traceback = traceback.tb_next


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


def _patch(pdb: ModuleType) -> None:
    initialize, own_stack, own_user_exception = pdb.Pdb.__init__, pdb.Pdb.get_stack, pdb.Pdb.user_exception

    def __init__(self: Any, *args: Any, **options: Any) -> None:
        initialize(self, *args, **options)
        self.nosigint = True  # the stop button ends the cell, also after `continue`
        self.completekey = None  # no readline: the front end completes
        self.skip = {*(self.skip or ()), *_SKIPPED_MODULES}

    def get_stack(self: Any, f: FrameType | None, t: TracebackType | None) -> tuple[list[tuple[FrameType, int]], int]:
        stack, index = own_stack(self, f, t)
        own = [i for i, (frame, _) in enumerate(stack) if frame.f_code.co_filename.startswith(_OWN_FILES)]
        below = own[-1] + 1 if own else 0
        return stack[below:], max(0, index - below)

    def user_exception(self: Any, frame: FrameType, exc_info: Any) -> None:
        if not self.is_skipped_module(frame.f_globals.get("__name__")):  # a coroutine's end, seen by what runs it
            own_user_exception(self, frame, exc_info)

    for replacement in (__init__, get_stack, user_exception, _cmdloop):
        replace(pdb.Pdb, replacement)


def _cmdloop(self: Any) -> None:
    # CPython's own asks again after an interrupt, for ever: no other cell could run. Here it ends the cell.
    _asking.append(self)
    try:
        self.cmdloop()
    except KeyboardInterrupt:
        self.forget()
        self.set_continue()
        raise
    finally:
        _asking.remove(self)


_ask_commands_code = _cmdloop.__code__
