"""What `_tracemalloc` is in an interpreter where CPython refuses it: it traces nothing.

Traces are the process's, and their objects are main's: none can be looked at here.
"""


def start(nframe: int = 1, /) -> None:
    """Refuse: it would trace the whole process, and only main can look at the traces."""
    raise RuntimeError(
        "tracemalloc traces all interpreters: start it in main (%%interp main), and look at the traces there"
    )


def stop() -> None:
    """Nothing is traced."""


def is_tracing() -> bool:
    """Whether traces can be looked at here."""
    return False


def clear_traces() -> None:
    """There are none."""


def reset_peak() -> None:
    """There is none."""


def get_traceback_limit() -> int:
    """The number of frames of each trace, if there were any."""
    return 1


def get_traced_memory() -> tuple[int, int]:
    """The current and the peak size of the traced memory."""
    return 0, 0


def get_tracemalloc_memory() -> int:
    """The memory that traces take."""
    return 0


def _get_traces() -> list[object]:
    return []


def _get_object_traceback(obj: object, /) -> None:
    """Where the object was allocated is not known."""
