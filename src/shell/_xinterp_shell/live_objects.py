"""Objects that a piece of code names, found without running it: names, attributes, items of builtin containers."""

import builtins

from .lazy_imports import resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EXPRESSION = r"(?:[^\W\d]\w*)(?:\s*\.\s*[^\W\d]\w*|\[(?:'[^'\\\n]*'|\"[^\"\\\n]*\"|-?\d+)\])*$"
_CONTAINERS = (dict, list, tuple)


class NotFound(Exception):
    """There is no such object."""


def expression_before(code: str) -> str:
    """What ends there of the form ``name.attribute["item"]``; empty if nothing does."""
    import re

    found = re.search(_EXPRESSION, code)
    return found[0] if found else ""


def find(expression: str, namespace: dict[str, Any]) -> Any:
    """The object; raises NotFound. Attributes are got as usual, items of builtin containers only."""
    import ast

    try:
        return _value(ast.parse(expression.strip(), mode="eval").body, namespace)
    except NotFound:
        raise
    except Exception:  # no Python, no such name; or an attribute's own code fails
        raise NotFound from None


def _value(node: Any, namespace: dict[str, Any]) -> Any:
    import ast

    if isinstance(node, ast.Name):
        if node.id in namespace:
            return resolved(namespace[node.id])
        return getattr(builtins, node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, namespace), node.attr)
    if isinstance(node, ast.Subscript):
        container = _value(node.value, namespace)
        if type(container) in _CONTAINERS:
            return container[ast.literal_eval(node.slice)]
    raise NotFound


def keys(container: Any) -> list[Any]:
    """What can stand in brackets behind it, as far as it tells."""
    import sys

    method = getattr(type(container), "_ipython_key_completions_", None)
    if method is not None:
        return list(method(container))
    if isinstance(container, dict):
        return list(container)
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pandas is not None and isinstance(container, (pandas.DataFrame, pandas.Series)):
        return list(container.keys())
    if numpy is not None and isinstance(container, (numpy.ndarray, numpy.void)):
        return list(container.dtype.names or ())
    return []
