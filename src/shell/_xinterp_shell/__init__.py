"""The shell of one interpreter: what runs its cells. Imported in every interpreter, on its own lane.

It imports no third-party module and little of the standard library: a lane costs what Python costs.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .execution import Shell

the_shell: Shell  # this interpreter's


def create() -> object:
    """Set this interpreter up and return its shell."""
    global the_shell
    from . import shadows

    shadows.install()
    from . import (
        attribution,
        builtin_functions,
        environment,
        import_hooks,
        module_hooks,
        payloads,
        startup,
        waiting,
    )
    from .execution import Shell

    the_shell = shell = Shell()
    import_hooks.import_whole("numpy")  # which refuses to be loaded twice
    environment.install()
    attribution.install()
    waiting.install()
    module_hooks.install()
    _lend_modules()
    builtin_functions.install(shell)
    payloads.install(shell.payloads)
    _import_ahead()
    startup.run(shell.namespace)
    return shell


def _lend_modules() -> None:
    """What is the process's, and refused in interpreters of their own: what can be done there, is."""
    from .import_hooks import when_refused

    when_refused("faulthandler", "_xinterp_shell.faulthandler_here")
    when_refused("_tracemalloc", "_xinterp_shell.tracemalloc_here")


def _import_ahead() -> None:
    """What values take to cross: a C module's first import in a lane needs main's GIL, and main may be in C."""
    import _xinterp

    if _xinterp.interpreter == 0:
        return
    import sys

    import _collections  # type: ignore[import-not-found]  # noqa: F401
    import _functools  # type: ignore[import-not-found]
    import _interpreters  # noqa: F401
    import _operator  # noqa: F401
    import _sre  # type: ignore[import-not-found]  # noqa: F401
    import _struct  # noqa: F401
    import _types  # type: ignore[import-not-found]  # noqa: F401
    import itertools  # noqa: F401

    # All that _pickle wants of functools is `partial`; the whole of it is 0.6 MB of a lane's 3.5.
    stands_in = sys.modules.setdefault("functools", _functools) is _functools
    import _pickle  # noqa: F401

    if stands_in:
        del sys.modules["functools"]
