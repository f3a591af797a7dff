"""What stands in the stream of a transfer besides the values: by_value.py writes it, arrival.py carries it out."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FunctionType, ModuleType
    from typing import Any

    from .names import Step


class Begin:
    """Tells both sides what the next object in the stream is to the one that it belongs to."""

    def __init__(self, step: Step, value: object) -> None:
        self.step = step
        self.value = value


class End:
    """The end of a step."""


class Assignment:
    """An object's content, set when the stream is read."""

    def __init__(self, target: object, how: str, step: Step, value: object) -> None:
        self.target = target
        self.how = how
        self.step = step
        self.value = value


class Part:
    """One of the values that cross together, and what a sentence calls it."""

    def __init__(self, label: str, value: object) -> None:
        self.label = label
        self.value = value


class Beside:
    """A place in what crosses beside the stream."""

    def __init__(self, index: int) -> None:
        self.index = index


class Module:
    """A module, and the names that the code which uses it has."""

    def __init__(self, module: ModuleType, named: set[str]) -> None:
        self.module = module
        self.named = named


class Annotate:
    """A function that makes annotations."""

    def __init__(self, function: FunctionType) -> None:
        self.function = function


class Globals:
    """The globals of functions: a dict of the transfer's, or a module's own."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.name = namespace.get("__name__", "__main__")
        module = sys.modules.get(self.name)
        self.of_module = self.name != "__main__" and module is not None and module.__dict__ is namespace
        self.sent: set[str] = set()


def shown(value: object) -> object:
    """What a sentence is about."""
    return value.module if isinstance(value, Module) else value
