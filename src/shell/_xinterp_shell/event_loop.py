"""Top-level await: one event loop an interpreter, which goes on between cells while it has something to do."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine
    from typing import Any


class EventLoop:
    """Made by the first cell that awaits."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, coroutine: Coroutine[Any, Any, object]) -> object:
        """Run a cell's coroutine to its end. An interrupt cancels it."""
        import asyncio

        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        task = self._loop.create_task(coroutine)
        try:
            return self._loop.run_until_complete(task)
        except BaseException:
            if not task.done():
                task.cancel()
                self._loop.run_until_complete(asyncio.wait([task]))
            if task.done() and not task.cancelled():
                task.exception()  # seen: it is the one that is raised, or the cell was interrupted
            raise

    def wait(self, descriptor: int) -> bool:
        """Run tasks and timers until the descriptor is readable; False if there are none."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return False
        import asyncio

        if not asyncio.all_tasks(loop) and not getattr(loop, "_scheduled", None) and not getattr(loop, "_ready", None):
            return False
        loop.add_reader(descriptor, loop.stop)
        try:
            loop.run_forever()
        except KeyboardInterrupt:  # between cells there is nothing to interrupt
            pass
        finally:
            loop.remove_reader(descriptor)
        return True
