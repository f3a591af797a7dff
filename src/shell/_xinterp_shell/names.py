"""What the code of a function names, what is found by its name, and sentences about what crosses."""

import sys
from types import CodeType, FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    type Step = tuple[str, str]  # how something is reached, and its name: ("uses", "lock")

_LOADS = ("LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")


class Refused(Exception):
    """Why something cannot cross: the label of the part, and the reason, which is the end of a sentence."""

    def __init__(self, label: str, reason: str, *, of_cells: bool = True) -> None:
        super().__init__(label, reason)
        self.label = label
        self.reason = reason
        self.of_cells = of_cells  # whether it has to do with what cells define


def names_of(code: CodeType) -> tuple[set[str], set[str]]:
    """The global names that the code itself looks up, and those that it binds."""
    import opcode

    operations = opcode.opname
    used: set[str] = set()
    bound: set[str] = set()
    own: set[str] = set()  # of a class's body
    extended = 0
    raw = code.co_code
    for place in range(0, len(raw), 2):
        operation, argument = operations[raw[place]], raw[place + 1] | extended
        extended = argument << 8 if operation == "EXTENDED_ARG" else 0
        if operation == "LOAD_GLOBAL":
            used.add(code.co_names[argument >> 1])
        elif operation in _LOADS:
            used.add(code.co_names[argument])
        elif operation in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            bound.add(code.co_names[argument])
        elif operation == "STORE_NAME":
            own.add(code.co_names[argument])
    return (used - own) | bound, bound


def all_names_of(code: CodeType) -> tuple[set[str], set[str], set[str]]:
    """Of the code and what is nested in it: the global names that running it looks up, those that its annotations do,
    and all names in it, attributes too."""
    used = names_of(code)[0]
    in_annotations: set[str] = set()
    mentioned = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner, more, names = all_names_of(constant)
            in_annotations |= more | inner if constant.co_name == "__annotate__" else more
            used |= set() if constant.co_name == "__annotate__" else inner
            mentioned |= names
    return used, in_annotations, mentioned


def is_stateless(function: object) -> bool:
    """Whether CPython shares the function by its code alone and runs it in `__main__` of the other interpreter."""
    if type(function) is not FunctionType or function.__closure__ or function.__defaults__:
        return False
    code = function.__code__
    if function.__kwdefaults__ or code.co_flags & 0x2A0:  # a generator or coroutine of any kind
        return False
    if any(type(constant) is CodeType for constant in code.co_consts):
        return False
    import builtins

    used, stored = names_of(code)
    return not stored and all(name in vars(builtins) and name not in function.__globals__ for name in used)


def found_by_name(thing: Any) -> bool:
    found: Any = sys.modules.get(thing.__module__)
    for name in thing.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is thing


def marker_name(value: object) -> str | None:
    """The name of a marker such as dataclasses.MISSING, of which there must be one."""
    module = sys.modules.get(type(value).__module__)
    if module is None or module.__name__ != "dataclasses":
        return None
    return next((name for name, found in vars(module).items() if found is value), None)


def described(value: Any) -> str:
    """An object by its type, as in "a _thread.lock"."""
    kind = type(value)
    name = (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def chain(steps: list[Step]) -> str:
    """The way to something: "it uses helper, which uses lock"."""
    return ", which ".join(f"{how} {name}" for how, name in steps)


def why_not(path: list[tuple[Step, object]], last: object, error: Exception) -> str:
    """Why a value (the path's first) cannot be pickled; the error came when `last` was looked at, at the path's end."""
    text = str(error).rstrip(".")
    cannot = "cannot be pickled" if text.startswith("cannot pickle") else f"cannot be pickled: {text}"
    steps, value = [step for step, _ in path[1:]], path[-1][1] if path else last
    if not steps:
        return text if last is value else f"it holds {described(last)}, which {cannot}"
    if last is value:
        return f"it {chain(steps)}, {described(value)}, which {cannot}"
    return f"it {chain(steps)}, {described(value)} that holds {described(last)}, which {cannot}"
