"""An event loop for each thread that runs cells: cells run inside it, and their tasks go on between cells.

A cell that awaits is a task of the loop, which runs meanwhile. Any other cell is inside the loop too, though the loop
does not run: it is the thread's running loop and a task of it is the current one, so that code finds what it finds in a
coroutine. `asyncio.run` and the like set this aside while they run another loop.

asyncio is not imported before a cell needs it: a cell that imports it is inside the loop from then on.
"""

import _thread
import os
import sys

import _xinterp

from . import forks
from .import_hooks import after_import
from .stand_ins import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Generator
    from types import ModuleType
    from typing import Any

    type Aside = tuple[EventLoop, asyncio.BaseEventLoop, asyncio.Task[Any] | None, bool]

_loops: dict[int, EventLoop] = {}  # by thread
_c: Any = None  # the module _asyncio, once asyncio has been imported


class EventLoop:
    """Made when it is first needed, for the thread that made this object: a lane's, or a subshell's."""

    def __init__(self) -> None:
        self._loop: asyncio.BaseEventLoop | None = None
        self._task: asyncio.Task[None] | None = None  # the current one of a cell that does not await
        self._in_cell = False
        self._task_at_fork: asyncio.Task[Any] | None = None
        self._entered = False  # a cell is inside the loop, which does not run
        self._thread = _thread.get_ident()
        # What cells set in context variables stays set for the next one. The thread is in this context, but for the
        # time that the loop runs: the tasks of cells that await enter it then.
        self._context = _xinterp.enter_new_context()
        _loops[self._thread] = self

    def begin_cell(self) -> None:
        """A cell, or a callback, begins on this thread."""
        self._leave()  # an interrupt may have come in the midst of the last cell's end
        self._in_cell = True
        if _c is not None:
            self._enter()

    def end_cell(self) -> None:
        """It has ended."""
        self._in_cell = False
        self._leave()

    def enter_after_import(self) -> None:
        """asyncio has been imported, maybe in the midst of a cell and maybe by another thread than the cell's."""
        if not self._in_cell:
            return
        if self._thread == _thread.get_ident():
            self._enter()
            return
        self._entered, loop = True, self.get()
        loop._thread_id = self._thread  # type: ignore[attr-defined]
        before = _c._get_running_loop()
        _c._set_running_loop(loop)
        try:
            self._task = _c.Task(_stay(loop), loop=loop, eager_start=True)
        finally:
            _c._set_running_loop(before)
        _xinterp.set_running_loop(self._thread, loop, self._task)

    def run(self, coroutine: Coroutine[Any, Any, object]) -> object:
        """Run a cell's coroutine to its end. An interrupt cancels it, and shows where it waited."""
        import asyncio

        loop = self.get()
        in_context = _xinterp.in_context(self._context)  # or in a copy of it, which the code has made
        task = loop.create_task(_await(coroutine), context=self._context if in_context else None)

        def complete(awaited: Any) -> object:
            run: Callable[[Any], object] = loop.run_until_complete
            return _xinterp.outside_context(self._context, run, awaited) if in_context else run(awaited)

        try:
            return complete(task)
        except BaseException as error:
            if not task.done():
                task.cancel()
                complete(asyncio.wait([task]))
                if isinstance(error, KeyboardInterrupt):
                    return _after_interrupt(task)
            if not task.cancelled():
                task.exception()  # seen: it is the one that is raised
            raise

    def wait(self, descriptor: int) -> bool:
        """Run the loop until the descriptor is readable; False if there is none."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return False
        self._leave()
        import asyncio

        tasks = asyncio.all_tasks(loop)
        loop.add_reader(descriptor, loop.stop)
        try:
            loop.run_forever()
            if _xinterp.in_forked_child():
                forks.end(None)
        except (KeyboardInterrupt, SystemExit) as error:
            if _xinterp.in_forked_child():
                forks.end(error)
            _report(error, tasks)
        finally:
            loop.remove_reader(descriptor)
        return True

    def get(self) -> asyncio.BaseEventLoop:
        """asyncio's object."""
        import asyncio

        if self._loop is None or self._loop.is_closed():
            self._loop = loop = asyncio.EventLoop()
            # asyncio calls a handler in the context of the task that has failed: what it writes is shown there.
            loop.set_exception_handler(lambda loop, context: loop.default_exception_handler(context))
        return self._loop

    def end(self) -> None:
        """Its thread ends: tasks are cancelled, as `asyncio.run` does at its end."""
        del _loops[self._thread]
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        import asyncio

        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=_GRACE))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def remember_task(self) -> None:
        """The thread is about to fork, which makes it forget its current task in the child."""
        self._task_at_fork = _c.current_task(self._loop) if _c is not None and self.look() else None

    def goes_on_in_child(self) -> bool:
        """What a forked child does with the loop.

        A cell that does not await goes on outside it, and so does what multiprocessing runs. A cell that awaits needs
        it. A task that forks between cells ends its step in the child, which ends with that.
        """
        if self._entered:
            self.end_cell()
        if self._loop is None or not self._loop.is_running():
            return False
        _c._set_running_loop(self._loop)
        _c._swap_current_task(self._loop, self._task_at_fork)
        if not self._in_cell:
            self._loop._ready.clear()  # type: ignore[attr-defined]
            self._loop.stop()
        return True

    def look(self) -> Aside | None:
        """What is to be set aside, if the thread's running loop is that of its cells."""
        loop = _c._get_running_loop()
        if self._loop is None or loop is not self._loop:
            return None
        return self, self._loop, _c.current_task(loop), self._entered

    def set_aside(self, loop: Any) -> None:
        """Let no loop run on this thread."""
        _c._swap_current_task(loop, None)
        if self._entered:
            self._entered = False
            loop._run_forever_cleanup()
        else:
            _c._set_running_loop(None)

    def put_back(self, loop: Any, task: Any, entered: bool) -> None:
        """Take that back, also if it was done in part or has been taken back in part."""
        _c._set_running_loop(None)
        if entered and loop.is_closed():
            self._enter()
            return
        self._entered = entered
        if entered and not loop.is_running():
            loop._run_forever_setup()
        _c._set_running_loop(loop)
        _c._swap_current_task(loop, task)

    def _enter(self) -> None:
        loop = self.get()
        self._entered = True
        loop._run_forever_setup()
        self._task = _c.Task(_stay(loop), loop=loop, eager_start=True)
        _c._swap_current_task(loop, self._task)

    def _leave(self) -> None:
        if not self._entered:
            return
        loop, task = self._loop, self._task
        assert loop is not None
        _c._set_running_loop(loop)
        _c._swap_current_task(loop, None)
        loop._run_forever_cleanup()
        self._entered, self._task = False, None
        if task is not None and not task.done():
            _c.Future.set_result(task, None)  # nothing runs it to its end: it is that of the cell


_GRACE = 0.5  # seconds that cancelled tasks have for their end


def install() -> None:
    """Put cells inside their loop once asyncio has been imported, and let other loops run there all the same."""
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
    after_import("asyncio", _patch, whole=True)
    after_import("uvloop", lambda module: _patch_loop(module.Loop))
    after_import("anyio._core._eventloop", lambda module: stand_in(module, "run", _aside))


def loop_of_this_thread() -> EventLoop | None:
    """None on a thread that runs no cells."""
    return _loops.get(_thread.get_ident())


class _Never:
    """What the current task of a cell that does not await waits for: like a future that nothing completes."""

    _asyncio_future_blocking = True

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __await__(self) -> Generator[_Never]:
        yield self

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def add_done_callback(self, *_: object, **__: object) -> None:
        pass

    def cancel(self, *_: object, **__: object) -> bool:
        return False


async def _stay(loop: asyncio.AbstractEventLoop) -> None:
    await _Never(loop)


def _patch(asyncio: ModuleType) -> None:
    global _c
    import _asyncio

    stand_in(asyncio.runners, "run", _aside)
    stand_in(asyncio.runners.Runner, "run", _aside)
    _patch_loop(asyncio.base_events.BaseEventLoop)
    classes = type(asyncio.events._get_event_loop_policy()).__mro__
    stand_in(next(cls for cls in classes if "get_event_loop" in vars(cls)), "get_event_loop", _get_event_loop)
    os.register_at_fork(after_in_child=_after_fork_in_child)
    _c = _asyncio
    for cells in [*_loops.values()]:
        cells.enter_after_import()


def _patch_loop(loop_type: Any) -> None:
    for name in ("run_forever", "run_until_complete"):
        stand_in(loop_type, name, _aside)


def _look() -> Aside | None:
    cells = loop_of_this_thread()
    return None if cells is None else cells.look()


def _set_aside(aside: Aside) -> None:
    cells, loop, _, _ = aside
    cells.set_aside(loop)


def _put_back(aside: Aside) -> None:
    cells, loop, task, entered = aside
    cells.put_back(loop, task, entered)


_aside = _xinterp.bracket(_look, _set_aside, _put_back)


def _get_event_loop(original: Callable[[Any], object], policy: Any) -> object:
    """Where no loop runs, it is that of the thread's cells, unless another one has been set."""
    cells = loop_of_this_thread()
    if cells is not None and policy._local._loop is None:
        return cells.get()
    return original(policy)


def _before_fork() -> None:
    cells = loop_of_this_thread()
    if cells is not None:
        cells.remember_task()


def _after_fork_in_child() -> None:
    """Once before and once after asyncio has done the same, which lets no loop run in the child."""
    cells = loop_of_this_thread()
    _loops.clear()
    if cells is not None and cells.goes_on_in_child():
        _loops[_thread.get_ident()] = cells


async def _await(coroutine: Coroutine[Any, Any, object]) -> object:
    """Its frame tells the cell's frames from those of the loop, in tracebacks and in the debugger."""
    return await coroutine


def _after_interrupt(task: asyncio.Task[object]) -> object:
    """What becomes of a cell that was cancelled for an interrupt: one that has handled it goes its own way."""
    import asyncio

    try:
        return task.result()
    except asyncio.CancelledError as cancelled:
        raise KeyboardInterrupt().with_traceback(cancelled.__traceback__) from None


def _report(error: BaseException, tasks: set[asyncio.Task[object]]) -> None:
    """Tell of an interrupt (or exit) under the cell of the task that it has ended; between tasks it ends nothing."""
    from . import tracebacks

    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is error:
            lines: Any = tracebacks.describe(error)["traceback"]
            task.get_context().run(print, f"{task.get_name()} was stopped:", *lines, sep="\n", file=sys.stderr)
