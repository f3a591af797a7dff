"""python -m xinterp -f CONNECTION_FILE: the kernel, in this very python.

It imports next to nothing: what it imports, the user's cells find imported, and Jupyter waits for it.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _load_kernel() -> Callable[[list[str]], int] | str:
    """The kernel's entry, or a sentence that says why there is none."""
    try:
        from xinterp._kernel import run
    except ImportError as error:
        again = f"from its wheel or its sources: {sys.executable} -m pip install --force-reinstall PATH"
        if error.path is not None:  # it was found
            return f"the kernel could not be loaded: {error}. Install it again, with all that belongs to it, {again}"
        here = f"{sys.version_info.major}.{sys.version_info.minor}{sys.abiflags}"
        return f"this xinterp was built for {_built_for()}, and this is Python {here}. Install it for this one, {again}"
    return run


def _built_for() -> str:
    """The Python whose extension module lies beside this file."""
    import re
    from pathlib import Path

    for module in Path(__file__).parent.iterdir():
        if built := re.match(r"_kernel\.cpython-3(\d+)(t?)", module.name):
            return f"Python 3.{built[1]}{built[2]}"
    return "another machine"


def _leave_no_trace() -> None:
    """Make this python what it is when it has been started with no program: what cells see is theirs alone."""
    import builtins

    names = vars(sys.modules["__main__"])
    names.clear()
    names.update(__name__="__main__", __doc__=None, __package__=None, __loader__=builtins.__loader__, __spec__=None)
    names.update(__builtins__=builtins)
    sys.argv[:] = [""]
    for name in [name for name in sys.modules if name == "xinterp" or name.startswith("xinterp.")]:
        del sys.modules[name]  # in a cell, it is the kernel's own


def _leave_current_folder() -> None:
    """Import nothing from it, which may have a `json.py`. The kernel puts it in for cells."""
    if sys.flags.safe_path:
        return
    try:
        here = os.getcwd()
    except OSError:  # it has been removed; Python has then left it out
        return
    if sys.path[0] == here:
        del sys.path[0]


def main(arguments: list[str]) -> int:
    """Serve until the kernel is shut down and end the process; return an exit status if there is nothing to serve."""
    _leave_current_folder()
    if arguments[:1] == ["install"]:
        from xinterp.kernelspecs import main as install

        return install(arguments[1:])
    run = _load_kernel()
    if isinstance(run, str):
        print(f"xinterp: {run}", file=sys.stderr)
        return 1
    _leave_no_trace()
    return run(arguments)
