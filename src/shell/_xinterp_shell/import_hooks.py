"""Do something to a module as soon as it has been imported, without importing it."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_hooks: dict[str, Callable[[ModuleType], None]] = {}


class _Loader:
    """The module's own loader, which calls the hook when it is done."""

    def __init__(self, loader: object, hook: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._hook = hook

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader: what asks it for resources or source finds it.
        module.__spec__.loader = self._loader  # type: ignore[union-attr, assignment]
        module.__loader__ = self._loader  # type: ignore[assignment]
        self._loader.exec_module(module)  # type: ignore[attr-defined]
        self._hook(module)


class _Finder:
    """Finds what the finders after it find, for the modules that have a hook."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        hook = _hooks.pop(name, None)
        if hook is None:
            return None
        for finder in sys.meta_path:
            if finder is self:  # type: ignore[comparison-overlap]
                continue
            spec = finder.find_spec(name, path, target)  # type: ignore[arg-type]
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, hook)  # type: ignore[assignment]
                return spec
        return None


def after_import(name: str, hook: Callable[[ModuleType], None]) -> None:
    """Call ``hook(module)`` after the module's first import, or now if it has been imported."""
    if name in sys.modules:
        hook(sys.modules[name])
        return
    if not _hooks and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]
    _hooks[name] = hook


def replace(owner: Any, replacement: Any) -> None:
    """Put a function in the place of the module's or class's own one of that name; it looks like that one."""
    original = getattr(owner, replacement.__name__)
    replacement.__annotate__ = None  # it names what nobody imports when the program runs
    for attribute in ("__module__", "__qualname__", "__doc__"):
        setattr(replacement, attribute, getattr(original, attribute))
    setattr(owner, replacement.__name__, replacement)
