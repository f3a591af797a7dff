"""JupyterLab's debugger in this interpreter: debugpy's debug server, which speaks DAP with the kernel.

debugpy is imported when somebody switches the debugger on, and what it watches is given back when he switches it off.
"""

import _thread
import sys

import _xinterp

from . import commands, debugged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType
    from typing import Any

    Paths = tuple[str, str, str]

_PATHS = "NORM_PATHS_AND_BASE_CONTAINER"  # pydevd's: from the file of a code object to its path, twice, and its name
_NO_STEP, _RUNS = -1, 1  # pydevd's


class _Attached:
    """While the debugger is on. ``generation`` counts how often it was switched on."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.socket: Any = None
        self.breakpoint_hook = sys.breakpointhook


_changing = _thread.allocate_lock()  # whoever attaches or detaches
_attached: _Attached | None = None
_registered = False


class _CellPaths(dict[str, "Paths"]):
    """pydevd's table, which knows cells: their code says ``<In [3]>``, front ends say the path of their source."""

    def __setitem__(self, filename: str, paths: Paths) -> None:
        """debugpy keeps what it has made up itself: of cells nothing, a silent one's number is the next one's too."""
        from .tracebacks import cell_number

        if cell_number(filename) is None:
            super().__setitem__(filename, paths)

    def __missing__(self, filename: str) -> Paths:
        from .tracebacks import cell_number

        number = cell_number(filename)
        path = (
            commands.ask_kernel({"command": "debugger", "what": "path", "count": number})
            if number is not None
            else None
        )
        if not isinstance(path, str):
            raise KeyError(filename)
        paths = path, path, path.rpartition("/")[2]
        super().__setitem__(filename, paths)
        return paths


def attach(generation: int) -> None:
    """Connect the debug server with the kernel; return when it knows the breakpoints."""
    global _attached
    with _changing:
        if _attached is not None and _attached.generation > generation:
            raise ConnectionError("the debugger was switched off meanwhile")
        if _attached is not None and _attached.generation < generation:
            _detach(_attached)
        if _attached is not None:
            return
        pydevd = _import()
        _register_end()
        debugged.server = sys.modules[__name__]
        _attached = attached = _Attached(generation)
        try:
            descriptor = commands.ask_kernel({"command": "debugger", "what": "socket", "generation": generation})
            if not isinstance(descriptor, int):
                raise ConnectionError("the debugger was switched off meanwhile")
            _connect(pydevd, attached, descriptor)
        except BaseException:
            _detach(attached)
            raise


def detach(generation: int) -> None:
    """End the debug server: nothing is watched any more, its threads end."""
    with _changing:
        if _attached is not None and _attached.generation == generation:
            _detach(_attached)


def import_pydevd() -> Any:
    """debugpy's debug server, made fit for this interpreter."""
    with _changing:
        return _import()


def _detach(attached: _Attached) -> None:
    """On a thread of its own: interrupts come for this one, as the interpreter may be about to end."""
    import threading

    thread = threading.Thread(target=_stop, args=(attached,))
    thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]
    try:
        thread.start()
    except RuntimeError:  # there are none here
        _stop(attached)
        return
    interrupt = None
    while thread.is_alive():
        try:
            thread.join()
        except KeyboardInterrupt as error:
            interrupt = error
    if interrupt is not None:
        raise interrupt


def _stop(attached: _Attached) -> None:
    global _attached
    import pydevd

    sys.breakpointhook = attached.breakpoint_hook  # before the threads end, which takes up to a second
    if attached.socket is not None:
        _shut_down(attached.socket, "SHUT_RD")  # the thread that reads from it ends, which is waited for
    try:
        pydevd.stoptrace()
    finally:
        if attached.socket is not None:
            _shut_down(attached.socket, "SHUT_RDWR")  # the kernel knows
            attached.socket.close()
        _attached = None


def _is_servers(code: CodeType) -> bool:
    compiled = "<stringsource>", "_pydevd_sys_monitoring/_pydevd_sys_monitoring_cython.pyx"
    return "/debugpy/_vendored/" in code.co_filename or (code.co_filename in compiled and "pydevd" in code.co_qualname)


def _shut_down(end: Any, how: str) -> None:
    import socket

    try:
        end.shutdown(getattr(socket, how))
    except OSError:
        pass  # the kernel has closed the other end


def forget_this_thread() -> None:
    """It is another one for ``threading`` from here on."""
    if _attached is not None:
        _monitoring()._thread_local_info.__dict__.pop("thread_info", None)


def watch() -> None:
    """People's code begins on this thread."""
    if _attached is not None:
        monitoring = _monitoring()
        # By code objects, which are equal if only their files differ: this cell's breakpoints are others.
        monitoring._code_to_func_code_info_cache.clear()
        monitoring.start_monitoring(all_threads=False)


def unwatch() -> None:
    """It has ended. What the kernel does on this thread is not debugged, nor are questions of somebody who types."""
    if _attached is None:
        return
    import threading

    monitoring = _monitoring()
    monitoring.start_monitoring(all_threads=False)  # knows the thread from here on
    monitoring.stop_monitoring(all_threads=False)
    # Who has stepped over the last line of a cell does not stop in the next one.
    step = getattr(threading.current_thread(), "additional_info", None)
    if step is not None and step.pydev_step_cmd != _NO_STEP:
        _go_on(step)


def _go_on(step: Any) -> None:
    """What pydevd knows of a thread: it has not stopped, and it does not step."""
    step.pydev_step_cmd, step.pydev_step_stop, step.pydev_state = _NO_STEP, None, _RUNS
    step.update_stepping_info()


def without_frames(traceback: TracebackType | None) -> None:
    """Cut the debug server's frames off the traceback of an interrupt while the cell was stopped."""
    before = traceback
    while traceback is not None:
        if before is not None and _is_servers(traceback.tb_frame.f_code):
            before.tb_next = None
            return
        before, traceback = traceback, traceback.tb_next


def _import() -> Any:
    import os

    # It would say on stderr that it cannot stop in frozen modules of the standard library.
    name = "PYDEVD_DISABLE_FILE_VALIDATION"
    before = os.environ.get(name)
    os.environ[name] = "1"
    hook = sys.breakpointhook
    try:
        from debugpy._vendored.force_pydevd import pydevd
    finally:
        sys.breakpointhook = hook
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
    _know_cells()
    _leave_stops_with_interrupts(pydevd.PyDB)
    if _xinterp.interpreter != 0:
        # Interpreters of their own have no daemon threads. These end when the socket is shut down.
        from _pydevd_bundle import pydevd_daemon_thread

        pydevd_daemon_thread.PyDBDaemonThread.daemon = property(lambda thread: False, lambda thread, value: None)
    if _attached is None and pydevd.get_global_debugger() is not None:
        raise RuntimeError(
            "debugpy is in use in this interpreter already: restart the kernel, and do not call it in cells"
        )
    if sys.monitoring.get_tool(sys.monitoring.DEBUGGER_ID) not in (None, "pydevd"):
        raise RuntimeError("pdb is in use in this interpreter: end that first (c or q at its prompt)")
    return pydevd


def _know_cells() -> None:
    import pydevd_file_utils

    old = getattr(pydevd_file_utils, _PATHS)
    if type(old) is _CellPaths:
        return
    paths = _CellPaths(old)
    for module in list(sys.modules.values()):
        if getattr(module, _PATHS, None) is old:
            setattr(module, _PATHS, paths)
    for function in (
        pydevd_file_utils.get_abs_path_real_path_and_base_from_file,
        pydevd_file_utils.get_abs_path_real_path_and_base_from_frame,
    ):
        function.__defaults__ = (paths,)


def _leave_stops_with_interrupts(debugger: Any) -> None:
    """Or a thread that an interrupt has taken out of its stop would stop again at the next line."""
    wait = debugger.do_wait_suspend
    if wait.__module__ == __name__:
        return

    def do_wait_suspend(self: Any, thread: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return wait(self, thread, *arguments, **options)
        except BaseException:
            _go_on(thread.additional_info)
            raise

    debugger.do_wait_suspend = do_wait_suspend


def _connect(pydevd: Any, attached: _Attached, descriptor: int) -> None:
    import socket

    end = socket.socket(fileno=descriptor)
    attached.socket = end.dup()  # the debug server closes its own, which does not wake the thread that reads from it
    pydevd.start_client = lambda host, port: end
    from debugpy._vendored import force_pydevd as force

    pydevd.settrace(
        "localhost",
        port=1,  # never used
        suspend=False,
        wait_for_ready_to_run=True,
        notify_stdin=False,
        patch_multiprocessing=False,
        dont_trace_start_patterns=(str(force.__file__).partition("_vendored")[0],),
        dont_trace_end_patterns=(),
    )
    pydevd.install_breakpointhook(force.debugpy_breakpointhook)


def _register_end() -> None:
    """Once per interpreter: what is to happen when it ends, and in a fork's child."""
    global _registered
    if _registered:
        return
    _registered = True
    import os
    import threading

    # Before threads are waited for, which atexit is too late for.
    threading._register_atexit(_end)  # type: ignore[attr-defined]
    os.register_at_fork(after_in_child=_end_in_child)


def _end() -> None:
    if _attached is not None:
        _stop(_attached)  # no thread can be started any more


def _end_in_child() -> None:
    """A child has none of the server's threads: where it stopped, it would stop for ever."""
    global _attached
    if _attached is not None:
        sys.breakpointhook = _attached.breakpoint_hook
        _attached = None
        sys.monitoring.clear_tool_id(sys.monitoring.DEBUGGER_ID)
        sys.monitoring.free_tool_id(sys.monitoring.DEBUGGER_ID)


def _monitoring() -> Any:
    """The module that is called for each line, which may be compiled."""
    from _pydevd_sys_monitoring import pydevd_sys_monitoring

    return sys.modules[pydevd_sys_monitoring.stop_monitoring.__module__]
