"""Functions of other modules that do something else in cells. The function objects themselves stay as they are."""

import _xinterp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType
    from typing import Any


def stand_in(owner: Any, name: str, implementation: Callable[..., Any]) -> None:
    """From now on a call of the module's or class's function runs ``implementation(original, *args, **kwargs)``.

    The function keeps its identity, and so its name, signature, type and pickle, for code that has imported it before
    too. Arguments that do not fit the implementation go to the original, whose error has the words that people know.
    """
    found = vars(owner).get(name)
    if found is None:  # inherited: other heirs keep theirs
        found = _copy(getattr(owner, name))
        setattr(owner, name, found)
    _xinterp.stand_in(owner, getattr(found, "__func__", found), implementation)  # within a class or static method


def _copy(function: FunctionType) -> FunctionType:
    copy = type(function)(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    for name in ("__module__", "__qualname__", "__doc__", "__kwdefaults__", "__annotate__", "__type_params__"):
        setattr(copy, name, getattr(function, name))
    copy.__dict__.update(function.__dict__)
    return copy


def replace(owner: Any, replacement: Any) -> None:
    """Put a function with parameters of its own in the place of the module's or class's own one of that name."""
    original = getattr(owner, replacement.__name__)
    replacement.__annotate__ = None  # it names what is not imported at run time
    for attribute in ("__module__", "__qualname__", "__doc__"):
        setattr(replacement, attribute, getattr(original, attribute))
    setattr(owner, replacement.__name__, replacement)
