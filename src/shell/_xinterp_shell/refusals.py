"""Extension modules that do not load in an interpreter, and what to do about it."""

_REFUSALS = (
    r"module [\w.]+ does not support loading in subinterpreters",
    r"cannot load module more than once per process",  # numpy
    r"Interpreter change detected - this module can only be loaded into one interpreter per process",  # Cython's
    r"PyO3 modules do not yet support subinterpreters",
    r"failed to import from subinterpreter due to exception",  # single-phase initialization, which runs in main
)

_OF_NUMPY = ("module numpy.", "module sklearn.")  # scikit-learn imports a module of its own before numpy


def of(error: BaseException | None) -> str | None:
    """What an extension module says that does not load in this interpreter, if that is behind an ImportError."""
    if not isinstance(error, ImportError):
        return None
    import re

    seen = 0
    while error is not None and seen < 20:
        text = str(error) if type(error) in (ImportError, ModuleNotFoundError) else ""
        for pattern in _REFUSALS:
            if found := re.search(pattern, text):
                return found[0]
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def ways_out(refusal: str) -> list[str]:
    """Lines for the person whose cell it is."""
    if refusal.startswith(("cannot", "Interpreter change", "PyO3")):
        return [
            "It has been loaded in another interpreter of this kernel: run the cell there (%interp lists them),",
            "or restart the kernel and load it here first.",
        ]
    if refusal.startswith("failed"):
        return [
            "Parts of this package load in main, with what they need, and nowhere else.",
            "Run the cell in main: %%interp main",
        ]
    if refusal.startswith(_OF_NUMPY):
        return [
            "numpy, and what is built on it, works in one interpreter of a process.",
            "Run the cell in main: %%interp main",
        ]
    return [
        "This extension module refuses interpreters with a GIL of their own. Run the cell in main (%%interp main),",
        "or, if main does not need it too, in one with main's GIL: %interp create NAME --preset shared",
    ]
