"""Worker processes: what they write belongs to the cell that has given them work, and so does Stop.

The processes of a pool (multiprocessing.Pool, ProcessPoolExecutor, joblib's loky) live longer than the cell that has
started them. Each gets pipes of its pool, whose cell changes with each piece of work. Any other process that forkserver
starts takes the pipes of the cell that starts it, instead of the server's. What workers print arrives line by line, as
in a terminal.
"""

import _thread
import os

import _xinterp

from .attribution import launches
from .stand_ins import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType
    from typing import Any

_STDOUT, _STDERR = 1, 2
_WORKERS = {  # what pools' processes run, by module; its first argument is the queue of their work
    "multiprocessing.pool": "worker",
    "concurrent.futures.process": "_process_worker",
    "joblib.externals.loky.process_executor": "_process_worker",
    "loky.process_executor": "_process_worker",
}
# Run in a worker before anything else. Such a process knows nothing of the kernel: the text comes in its pickled data.
_SET_UP = """\
import os, sys
for number, pipe in enumerate(pipes, 1):
    descriptor = pipe.detach()
    os.dup2(descriptor, number)
    os.close(descriptor)
if hasattr(sys.stdout, "reconfigure"):
    sys.stdout.reconfigure(line_buffering=True)
"""

_pools = 0  # that this interpreter has had


class _Launch:
    """The start of one process."""

    def __init__(self, process: Any, method: str) -> None:
        target = getattr(process, "_target", None)
        self._owned: tuple[int, ...] = ()
        if target is None or _WORKERS.get(getattr(target, "__module__", "")) != getattr(target, "__name__", None):
            self.pipes: tuple[int, ...] = _xinterp.process_pipe(_STDOUT), _xinterp.process_pipe(_STDERR)
        else:
            self._owned = _xinterp.worker_pipes(_pool_of(process._args[0]).number)
            places = zip(self._owned, (_STDOUT, _STDERR), strict=True)
            self.pipes = tuple(place if pipe < 0 else pipe for pipe, place in places)
        self.is_inherited = method != "forkserver"  # else the server starts it, with descriptors of its own

    def end(self) -> None:
        for pipe in self._owned:
            if pipe >= 0:
                os.close(pipe)


class _Pool:
    """The workers that take their work from one queue."""

    def __init__(self) -> None:
        global _pools
        _pools += 1
        self.number = _xinterp.interpreter << 32 | _pools
        # The cell, the one that shows its output, and the workers that are known to work for it.
        self._given: tuple[int, int, list[int]] | None = None

    def give(self, workers: Iterable[int]) -> None:
        """They work for the current cell from now on."""
        given = _xinterp.current_cell(), _xinterp.output_cell(), [*workers]
        if given == self._given:
            return
        self._given = given
        _xinterp.work_given(self.number)
        for worker in given[2]:
            _xinterp.process_started(worker)


class _SetUp:
    """Becomes, where it is unpickled, a call of exec."""

    def __reduce__(self) -> tuple[object, ...]:
        from multiprocessing.reduction import DupFd  # type: ignore[attr-defined]

        launch = launches.get(_thread.get_ident())
        pipes = () if launch is None or launch.is_inherited else launch.pipes
        return exec, (_SET_UP, {"pipes": [DupFd(pipe) for pipe in pipes]})


def _pool_of(queue: Any) -> _Pool:
    pool: _Pool | None = getattr(queue, "_xinterp_pool", None)
    if pool is None:
        pool = queue._xinterp_pool = _Pool()
    return pool


def give_pipes(module: ModuleType) -> None:
    def launch_process(original: Any, self: Any, process_obj: Any) -> None:
        thread = _thread.get_ident()
        launch = launches[thread] = _Launch(process_obj, self.method)
        try:
            original(self, process_obj)
        finally:
            launches.pop(thread, None)
            launch.end()
        _xinterp.process_started(self.pid)

    stand_in(module.Popen, "_launch", launch_process)


def set_workers_up(module: ModuleType) -> None:
    def get_data(original: Any, *args: Any, **options: Any) -> dict[str, Any]:
        return {**original(*args, **options), "xinterp": _SetUp()}

    stand_in(module, "get_preparation_data", get_data)


def follow_pool(module: ModuleType) -> None:
    def check_running(original: Any, self: Any) -> None:  # called by every method that gives work
        original(self)
        if not isinstance(self, module.ThreadPool):
            _pool_of(self._inqueue).give(worker.pid for worker in [*self._pool])

    def initialize(original: Any, self: Any, pool: Any, callback: Any, error_callback: Any) -> None:
        original(self, pool, *(each and _xinterp.carry(each) for each in (callback, error_callback)))

    stand_in(module.Pool, "_check_running", check_running)
    stand_in(module.ApplyResult, "__init__", initialize)


def follow_executor(module: ModuleType) -> None:
    def submit(original: Any, self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        queue = self._call_queue
        if queue is None:  # it is shut down
            return original(self, fn, *args, **kwargs)
        pool = _pool_of(queue)
        pool.give([*self._processes])
        future = original(self, fn, *args, **kwargs)
        pool.give([*self._processes])  # the first work starts them
        return future

    stand_in(module.ProcessPoolExecutor, "submit", submit)


def carry_callbacks(module: ModuleType) -> None:
    """What is called when a future is done belongs to the cell that has asked for it: joblib gives work from there."""

    def add_done_callback(original: Any, self: Any, fn: Callable[[Any], object]) -> None:
        original(self, _xinterp.carry(fn))

    stand_in(module.Future, "add_done_callback", add_done_callback)
