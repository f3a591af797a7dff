"""PYTHONSTARTUP: what a person wants to have in every interactive Python."""

import io
import os
import sys

import _xinterp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(namespace: dict[str, Any]) -> None:
    """Run that file in main before its first cell; what goes wrong in it is told on the terminal and stops nothing."""
    path = None if sys.flags.ignore_environment else os.environ.get("PYTHONSTARTUP")
    if not path or _xinterp.interpreter != 0:
        return
    try:
        with io.open_code(path) as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        namespace["__file__"] = path
        exec(code, namespace)
    except BaseException:
        import traceback

        print(f"xinterp: PYTHONSTARTUP ({path}) failed:", file=sys.__stderr__)
        traceback.print_exc(file=sys.__stderr__)
        if sys.__stderr__ is not None:
            sys.__stderr__.flush()
    finally:
        namespace.pop("__file__", None)
