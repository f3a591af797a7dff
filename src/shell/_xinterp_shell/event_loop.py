"""An event loop for each thread that runs cells: what they await runs in it, and its tasks go on between cells.

A cell without `await` runs outside it, so that `asyncio.run` works there. What such a cell starts with
`asyncio.create_task` and the like belongs to this loop nevertheless, and goes on when the cell has ended.
"""

import _thread
import sys

from .import_hooks import after_import, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine
    from types import ModuleType
    from typing import Any

_loops: dict[int, EventLoop] = {}  # by thread


class EventLoop:
    """Made when it is first needed, for the thread that made this object: a lane's, or a subshell's."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = _thread.get_ident()
        _loops[self._thread] = self

    def run(self, coroutine: Coroutine[Any, Any, object]) -> object:
        """Run a cell's coroutine to its end. An interrupt cancels it, and shows where it waited."""
        import asyncio

        loop = self.get()
        task = loop.create_task(_await(coroutine))
        try:
            return loop.run_until_complete(task)
        except BaseException as error:
            if not task.done():
                task.cancel()
                loop.run_until_complete(asyncio.wait([task]))
                if isinstance(error, KeyboardInterrupt):
                    return _after_interrupt(task)
            if not task.cancelled():
                task.exception()  # seen: it is the one that is raised
            raise

    def wait(self, descriptor: int) -> bool:
        """Run tasks and timers until the descriptor is readable; False if there are none."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return False
        import asyncio

        tasks = asyncio.all_tasks(loop)
        if not tasks and not getattr(loop, "_scheduled", None) and not getattr(loop, "_ready", None):
            return False
        loop.add_reader(descriptor, loop.stop)
        try:
            loop.run_forever()
        except (KeyboardInterrupt, SystemExit) as error:
            _report(error, tasks)
        finally:
            loop.remove_reader(descriptor)
        return True

    def get(self) -> asyncio.AbstractEventLoop:
        """asyncio's object."""
        import asyncio

        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
            # asyncio calls a handler in the context of the task that has failed: what it writes is shown there.
            self._loop.set_exception_handler(lambda loop, context: loop.default_exception_handler(context))
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


_GRACE = 0.5  # seconds that cancelled tasks have for their end


def install() -> None:
    """Make them asyncio's loops for the code of cells, as soon as somebody imports that."""
    after_import("asyncio", _patch, whole=True)


def loop_of_this_thread() -> EventLoop | None:
    """None on a thread that runs no cells."""
    return _loops.get(_thread.get_ident())


def _patch(asyncio: ModuleType) -> None:
    policy = asyncio.events._get_event_loop_policy()
    own_loop, create_own_task = policy.get_event_loop, asyncio.create_task

    def get_event_loop() -> object:
        cells = loop_of_this_thread()
        if cells is not None and policy._local._loop is None:  # nobody has set another one
            return cells.get()
        return own_loop()

    def create_task(coro: Any, **options: Any) -> object:
        cells = loop_of_this_thread()
        if cells is not None and asyncio._get_running_loop() is None:
            return cells.get().create_task(coro, **options)
        return create_own_task(coro, **options)

    policy.get_event_loop = get_event_loop
    replace(asyncio.tasks, create_task)
    asyncio.create_task = asyncio.tasks.create_task


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
