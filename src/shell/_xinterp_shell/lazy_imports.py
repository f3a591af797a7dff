"""What a name bound by ``lazy import`` (Python 3.15) means.

Code that looks the name up gets the module, which is imported then. Reading the namespace as a dict gives an object
that stands for the import instead.
"""

import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LazyImport = getattr(types, "LazyImportType", None)


def resolved(value: Any) -> Any:
    """The value as code gets it by its name. Raises ImportError if it is a lazy import that fails."""
    return value.resolve() if _LazyImport is not None and type(value) is _LazyImport else value


def resolve_owners(namespace: dict[str, Any], code: str) -> None:
    """Put what lazy imports stand for into the namespace, for the names whose attributes the code asks for."""
    if _LazyImport is None:
        return
    for name, value in namespace.items():
        if type(value) is _LazyImport and type(name) is str and f"{name}." in code:
            try:
                namespace[name] = value.resolve()
            except Exception:  # the code would fail too
                pass
