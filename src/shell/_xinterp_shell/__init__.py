"""The shell of one interpreter: what runs its cells. Imported in every interpreter, on its own lane.

It imports no third-party module and little of the standard library: a lane costs what Python costs.
"""


def create() -> object:
    """Set this interpreter up and return its shell."""
    from . import attribution, builtin_functions, calls, queues, startup, waiting
    from .execution import Shell

    shell = Shell()
    attribution.install()
    waiting.install()
    queues.install()
    calls.install()
    builtin_functions.install(shell)
    startup.run(shell.namespace)
    return shell
