"""Whatever a cell starts belongs to it: threads, work for executors, subprocesses.

asyncio's tasks and callbacks need nothing: they run in a copy of the context in which they were made, and the cell is a
context variable. Everything else is told here.
"""

import _thread
import os
import sys

import _xinterp

from . import environment, forks
from .import_hooks import after_import
from .stand_ins import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_STDOUT, _STDERR = 1, 2
launches: dict[int, Any] = {}  # by thread: the worker process (worker_pools.py) that it is starting
_TIME_TO_END = 0.25  # seconds that a child has after an interrupt: subprocess.Popen._sigint_wait_secs


def install() -> None:
    """Set up the streams and the functions that start something."""
    sys.stdout = _with_buffer(_xinterp.stdout)
    sys.stderr = _with_buffer(_xinterp.stderr)
    if _xinterp.interpreter != 0:
        _make_this_the_main_thread()
    _carry_threads()
    after_import("concurrent.futures.thread", _carry_work_items)
    _give_pipes_to_subprocesses()
    os.register_at_fork(after_in_child=launches.clear)
    if _xinterp.interpreter == 0:
        os.register_at_fork(before=_before_fork, after_in_child=_xinterp.after_fork_in_child)
        os.register_at_fork(after_in_child=forks.prepare_end)


def _with_buffer(stream: Any) -> Any:
    import io

    class Buffer(io.BufferedIOBase):
        """The bytes side of a stream: what is written is shown as UTF-8 text."""

        def write(self, data: Any, /) -> int:
            raw = bytes(data)
            stream.write(raw.decode("utf-8", "replace"))
            return len(raw)

        def writable(self) -> bool:
            return True

        def fileno(self) -> int:
            return stream.fileno()

    stream.buffer = Buffer()
    return stream


def _make_this_the_main_thread() -> None:
    """``threading`` must take the thread that runs this interpreter for the main one: CPython names the process's."""
    stand_in(_thread, "_get_main_thread_ident", lambda _original: _xinterp.main_thread())


def _carry_threads() -> None:
    def start_joinable(original: Any, function: Callable[[], object], *args: Any, **options: Any) -> Any:
        return original(_xinterp.carry(function) if callable(function) else function, *args, **options)

    def start_new(original: Any, function: Callable[..., object], *args: Any) -> int:
        return original(_xinterp.carry(function) if callable(function) else function, *args)  # type: ignore[no-any-return]

    stand_in(_thread, "start_joinable_thread", start_joinable)
    for name in ("start_new_thread", "start_new"):
        stand_in(_thread, name, start_new)


def _carry_work_items(module: ModuleType) -> None:
    """Work for an executor belongs to the cell that submits it, not to the one that made the thread."""
    from _operator import call

    def initialize(original: Any, self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self._xinterp_call = _xinterp.carry(call)

    def run(original: Any, self: Any, *args: Any) -> None:
        getattr(self, "_xinterp_call", call)(original, self, *args)

    stand_in(module._WorkItem, "__init__", initialize)
    stand_in(module._WorkItem, "run", run)


def pipe_for_child(descriptor: int) -> int:
    """What the child that the calling thread starts gets for 1 or 2."""
    launch = launches.get(_thread.get_ident())
    if launch is None or not launch.is_inherited:
        return _xinterp.process_pipe(descriptor)
    return launch.pipes[descriptor - 1]  # type: ignore[no-any-return]


def _child_descriptor(descriptor: int, default: int) -> int:
    """What a child gets for a descriptor that it would inherit (-1) or that is one of the process's own."""
    own = default if descriptor == -1 else descriptor
    pipe = pipe_for_child(own) if own in (_STDOUT, _STDERR) else own
    return descriptor if pipe == own else pipe


def _before_fork() -> None:
    _xinterp.before_fork(pipe_for_child(_STDOUT), pipe_for_child(_STDERR))


def _start(start: Callable[..., int], *args: Any, **options: Any) -> int:
    """Start a child of this cell that can be interrupted: it inherits its thread's mask, and lanes block SIGINT."""
    import _signal  # type: ignore[import-not-found]

    before = _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGINT])
    try:
        return _xinterp.start_process(start, args, options)
    finally:
        if _signal.SIGINT in before:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


def _give_pipes_to_subprocesses() -> None:
    import _posixsubprocess

    variables, child_stdout, child_stderr = 5, 9, 11  # places of fork_exec's arguments env_list, c2pwrite and errwrite

    def fork_exec(original: Any, *args: Any) -> int:
        if len(args) <= child_stderr:
            return original(*args)  # type: ignore[no-any-return]
        given = list(args)
        if given[variables] is None and (own := environment.for_child()) is not None:
            given[variables] = [b"%s=%s" % variable for variable in own.items()]
        given[child_stderr] = _child_descriptor(given[child_stderr], _STDERR)
        given[child_stdout] = _child_descriptor(given[child_stdout], _STDOUT)
        return _start(original, *given)

    stand_in(_posixsubprocess, "fork_exec", fork_exec)
    for name in ("posix_spawn", "posix_spawnp"):
        stand_in(os, name, _spawn)
    stand_in(os, "system", _system)


def _spawn(original: Any, path: Any, argv: Any, env: Any, /, *, file_actions: Any = (), **options: Any) -> int:
    # First of all actions: the caller's own may put something else in their place.
    pipes = [(pipe, number) for number in (_STDOUT, _STDERR) if (pipe := pipe_for_child(number)) != number]
    actions = [*((os.POSIX_SPAWN_DUP2, *pipe) for pipe in pipes), *(file_actions or ())]
    if env is None:
        env = environment.for_child()
    return _start(original, path, argv, env, file_actions=actions, **options)


def _system(_original: object, command: Any) -> int:
    """Run the command in a shell, its output under the current cell; return its wait status."""
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", command], None)
    try:
        return os.waitpid(pid, 0)[1]
    except KeyboardInterrupt:
        _reap(pid)
        raise


def _reap(pid: int) -> None:
    """Wait a short while for a child that has been interrupted too, as subprocess does. (C's system() waits on.)"""
    import time

    until = time.monotonic() + _TIME_TO_END
    try:
        while os.waitpid(pid, os.WNOHANG)[0] == 0 and time.monotonic() < until:
            time.sleep(0.002)
    except ChildProcessError:
        pass  # the interrupt came when it had just been waited for
