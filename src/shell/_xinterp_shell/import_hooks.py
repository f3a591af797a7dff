"""Do something when a module is imported, just before or as soon as it has been, without importing it."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_hooks: dict[str, Callable[[ModuleType], None]] = {}
_hooks_before: dict[str, Callable[[], None]] = {}


class _Loader:
    """The module's own loader, which calls the hook when it is done."""

    def __init__(self, loader: object) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader: what asks it for resources or source finds it.
        module.__spec__.loader = self._loader  # type: ignore[union-attr, assignment]
        module.__loader__ = self._loader  # type: ignore[assignment]
        self._loader.exec_module(module)  # type: ignore[attr-defined]
        # An import that fails or is interrupted, in the hook too, is made again: so is the hook's call then.
        if (hook := _hooks.get(module.__name__)) is not None:
            hook(module)
            _hooks.pop(module.__name__, None)


class _Finder:
    """Finds what the finders after it find, for the modules that have a hook."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        if (hook := _hooks_before.pop(name, None)) is not None:
            try:
                hook()
            except BaseException:
                _hooks_before[name] = hook
                raise
        if name not in _hooks:
            return None
        for finder in sys.meta_path:
            if finder is self:  # type: ignore[comparison-overlap]
                continue
            spec = finder.find_spec(name, path, target)  # type: ignore[arg-type]
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
                return spec
        return None


def after_import(name: str, hook: Callable[[ModuleType], None]) -> None:
    """Call ``hook(module)`` after the module's first import, or now if it has been imported."""
    if name in sys.modules:
        __import__(name)  # another thread may be in the midst of it
        hook(sys.modules[name])
        return
    _install()
    _hooks[name] = hook


def before_import(name: str, hook: Callable[[], None]) -> None:
    """Call ``hook()`` when the module is about to be imported for the first time."""
    if name not in sys.modules:
        _install()
        _hooks_before[name] = hook


def _install() -> None:
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]


def replace(owner: Any, replacement: Any) -> None:
    """Put a function in the place of the module's or class's own one of that name; it looks like that one."""
    original = getattr(owner, replacement.__name__)
    replacement.__annotate__ = None  # it names what nobody imports when the program runs
    for attribute in ("__module__", "__qualname__", "__doc__"):
        setattr(replacement, attribute, getattr(original, attribute))
    setattr(owner, replacement.__name__, replacement)
