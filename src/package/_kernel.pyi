"""The kernel as an extension module (kernel/module.cpp)."""

def run(arguments: list[str], /) -> int:
    """Serve as a kernel: takes the main thread and ends the process, unless the arguments are wrong or ask for help."""
