"""Manage the kernel's interpreters from Python, in any of them: the same commands as `%interp`.

Interpreters are named by their names or ids. Each function raises :class:`CommandError`, a RuntimeError with one or two
plain lines, where the magic would show an error.

>>> xinterp.create("alice", "bob")
[1, 2]
>>> xinterp.get("alice").exec("x = 42")
>>> xinterp.share("x", from_="alice", to="bob")
{'x': 'copied'}
>>> xinterp.get("bob").call(eval, "x")
42
>>> xinterp.close("alice", "bob")
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.interpreters import Interpreter
    from typing import Any

    Target = str | int

__all__ = [
    "CommandError",
    "close",
    "create",
    "diff",
    "get",
    "interrupt",
    "list",
    "rename",
    "reset",
    "share",
    "use",
    "vars",
    "wait",
]

_list = list


class CommandError(RuntimeError):
    """A command of the kernel that could not be carried out: one or two plain lines."""


def _run(request: dict[str, object]) -> dict[str, object]:
    try:
        import _xinterp

        in_kernel = _xinterp.in_kernel()
    except ModuleNotFoundError:
        in_kernel = False
    if not in_kernel:
        raise CommandError(
            "there are no interpreters to manage here: this is a plain Python, and only an xinterp kernel has them. "
            "Run this in a cell of a notebook with that kernel."
        )
    from _xinterp_shell.commands import run

    return run(request)


def _targets(targets: tuple[Target, ...]) -> _list[Target]:
    return _list(targets)


def list() -> _list[dict[str, Any]]:
    """The interpreters, main first.

    Each is a dict: id, name (or None), preset, gil ("own" or "with main"), state ("idle", "running", "closing"), cells
    (that it has run), memory (bytes of its own small-object arenas; None where it uses main's), age (seconds), origin.

    >>> ids = xinterp.create("alice", preset="shared")
    >>> [(row["id"], row["name"], row["preset"], row["gil"]) for row in xinterp.list()]
    [(0, 'main', 'main', 'own'), (1, 'alice', 'shared', 'with main')]
    """
    return _run({"command": "list"})["value"]  # type: ignore[return-value]


def create(
    *names: str, preset: str = "notebook", if_missing: bool = False, fresh: bool = False, n: int | None = None
) -> _list[int]:
    """Create interpreters with these names, or ``n`` with ids only; return their ids.

    ``preset`` is "isolated", "notebook" or "shared". An existing name is an error, unless ``if_missing`` keeps it or
    ``fresh`` resets it. A notebook's cell that is run again keeps what it has made.

    >>> xinterp.create("alice", "bob")
    [1, 2]
    >>> xinterp.create("alice", if_missing=True)
    [1]
    >>> len(xinterp.create(n=2))
    2
    """
    request: dict[str, object] = {"command": "create", "names": _list(names), "preset": preset}
    request |= {"if_missing": if_missing, "fresh": fresh}
    if n is not None:
        request["n"] = n
    return _run(request)["value"]  # type: ignore[return-value]


def get(name_or_id: Target) -> Interpreter:
    """The interpreter as a :class:`concurrent.interpreters.Interpreter`, with a ``name`` (None if it has none).

    >>> ids = xinterp.create("alice")
    >>> alice = xinterp.get("alice")
    >>> alice, alice.name
    (Interpreter(1), 'alice')
    >>> alice.call(sum, [1, 2, 3])
    6
    """
    found: Any = _run({"command": "get", "target": name_or_id})["value"]
    from concurrent.interpreters import Interpreter

    interpreter = Interpreter(found["id"])
    interpreter.name = found["name"] or None  # type: ignore[attr-defined]
    return interpreter


def use(*targets: Target) -> None:
    """Send this client's following plain cells there; ``use("main")`` returns."""
    _run({"command": "use", "targets": _targets(targets)})


def close(*targets: Target, force: bool = False) -> None:
    """Finalize and destroy. One that runs is refused, unless ``force`` interrupts it first."""
    _run({"command": "close", "targets": _targets(targets), "force": force})


def reset(*targets: Target, force: bool = False) -> _list[int]:
    """Replace by fresh interpreters under the same names and presets; return the new ids.

    >>> ids = xinterp.create("alice", preset="isolated")
    >>> xinterp.reset("alice") == ids
    False
    """
    return _run({"command": "reset", "targets": _targets(targets), "force": force})["value"]  # type: ignore[return-value]


def rename(target: Target, name: str) -> None:
    """Give an interpreter another name.

    >>> ids = xinterp.create("alice")
    >>> xinterp.rename("alice", "alicia")
    >>> xinterp.get(1).name
    'alicia'
    """
    _run({"command": "rename", "target": target, "name": name})


def interrupt(*targets: Target) -> _list[bool]:
    """Raise KeyboardInterrupt there and nowhere else; for each, whether it has stopped within a second."""
    return _run({"command": "interrupt", "targets": _targets(targets)})["value"]  # type: ignore[return-value]


def wait(*targets: Target, timeout: float | None = None) -> None:
    """Wait until the targets' detached cells (all, without targets) have ended; ``timeout`` is in seconds.

    >>> xinterp.wait(timeout=5)
    """
    request: dict[str, object] = {"command": "wait", "targets": _targets(targets)}
    if timeout is not None:
        request["timeout"] = timeout
    _run(request)


def vars(target: Target) -> _list[dict[str, Any]]:
    """The variables of an interpreter, by name: each a dict with name, type, size (bytes) and value (80 characters).

    No code runs for it: values of classes that a cell has defined are told by their type. CommandError if the
    interpreter is busy.

    >>> ids = xinterp.create("alice")
    >>> xinterp.get("alice").exec("x = 42")
    >>> xinterp.vars("alice")
    [{'name': 'x', 'size': 28, 'type': 'int', 'value': '42'}]
    """
    return _run({"command": "vars", "targets": [target]})["value"]  # type: ignore[return-value]


def diff(a: Target, b: Target) -> _list[dict[str, Any]]:
    """The variables of two interpreters side by side: each a dict with name, a and b (as ``vars`` has them, or None).

    ``same`` is "same memory" (a buffer that both have), "equal", "looks equal" (as far as it is told), "differs", or
    which of the two has it: "only in alice".

    >>> ids = xinterp.create("alice", "bob")
    >>> xinterp.get("alice").exec("x, y = 1, 2")
    >>> xinterp.get("bob").exec("x, y = 1, 3")
    >>> [(row["name"], row["same"]) for row in xinterp.diff("alice", "bob")]
    [('x', 'equal'), ('y', 'differs')]
    """
    return _run({"command": "diff", "targets": [a, b]})["value"]  # type: ignore[return-value]


def share(*names: str, from_: Target = "main", to: Target | _list[Target] = "main") -> dict[str, str]:
    """Copy variables from one interpreter to others; return for each how it crossed.

    "copied" (numbers, text, bytes), "shared buffer" (a memoryview: both see the same memory), "shared array" (numpy's;
    a memoryview where numpy cannot be imported), "by value" (functions and classes of cells, with all that they use,
    and instances of such classes) or "pickled". If any cannot cross, CommandError names it, its type and the reason,
    and nothing is bound. Waits until the interpreters' running cells have ended.

    >>> numbers, text, pixels = [1, 2], "text", memoryview(bytearray(4))
    >>> ids = xinterp.create("alice")
    >>> xinterp.share("numbers", "text", "pixels", to="alice")
    {'numbers': 'pickled', 'pixels': 'shared buffer', 'text': 'copied'}
    """
    targets = to if isinstance(to, _list) else [to]
    return _run({"command": "share", "names": _list(names), "from": from_, "to": targets})["value"]  # type: ignore[return-value]
