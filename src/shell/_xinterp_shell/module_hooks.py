"""What changes other people's modules as soon as they are imported, and is imported then: no lane has it before.

Beside these, what every cell needs registers its own: attribution, builtin_functions, event_loop, waiting, ipython.
"""

import _xinterp

from .import_hooks import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

# The imported module, the module of this package, and its function that is called with the imported one.
_FOR_CALLS = [
    ("concurrent.interpreters", "calls", "complete"),
    ("_interpqueues", "queues", "announce_changes"),
    ("concurrent.interpreters._queues", "queues", "wait_in_queues"),
]
_HOOKS = [
    ("traceback", "remote_errors", "guard"),
    ("pdb", "debugging", "patch"),
    ("IPython.core.debugger", "debugging", "patch_ipythons"),
    ("IPython.terminal.debugger", "debugging", "patch_terminals"),
    ("comm", "comms", "provide"),
    ("ipykernel.ipkernel", "comms", "provide_again"),
    ("ipykernel.comm.comm", "comms", "adapt"),
    ("ipykernel.connect", "connection", "patch"),
    ("multiprocessing.popen_fork", "worker_pools", "give_pipes"),
    ("multiprocessing.popen_spawn_posix", "worker_pools", "give_pipes"),
    ("multiprocessing.popen_forkserver", "worker_pools", "give_pipes"),
    ("multiprocessing.spawn", "worker_pools", "set_workers_up"),
    ("multiprocessing.pool", "worker_pools", "follow_pool"),
    ("concurrent.futures.process", "worker_pools", "follow_executor"),
    ("concurrent.futures._base", "worker_pools", "carry_callbacks"),
]
_LOKY = [
    ("backend.popen_loky_posix", "worker_pools", "give_pipes"),
    ("backend.spawn", "worker_pools", "set_workers_up"),
    ("process_executor", "worker_pools", "follow_executor"),
]


_registered: set[str] = set()


def install() -> None:
    """Register all, for an interpreter that runs cells."""
    install_for_calls()
    for name, own, function in _HOOKS:
        _register(name, own, function)
    for package in ("joblib.externals.loky", "loky"):
        for name, own, function in _LOKY:
            _register(f"{package}.{name}", own, function)


def install_for_calls() -> None:
    """Register those of `concurrent.interpreters`, however often that is asked for. They need no kernel."""
    for name, own, function in _FOR_CALLS:
        _register(name, own, function)


def _register(name: str, own: str, function: str) -> None:
    if name not in _registered:
        _registered.add(name)
        after_import(name, _hook(own, function))


def _hook(own: str, function: str) -> Callable[[ModuleType], None]:
    def call(module: ModuleType) -> None:
        found = _xinterp.defer_interrupts(__import__, f"{__package__}.{own}", None, None, (function,))
        getattr(found, function)(module)

    return call
