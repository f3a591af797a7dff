"""Do something when a module is imported, just before or as soon as it has been, without importing it."""

import sys

import _xinterp

from . import shadows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType, TracebackType
    from typing import Any

_hooks: dict[str, Callable[[ModuleType], None]] = {}
_whole: set[str] = set()  # imports that an interrupt waits for
_executed: set[str] = set()  # of these
_hooks_before: dict[str, Callable[[], None]] = {}
_lost: dict[str, ModuleType | None] = {}  # modules whose import has failed, as others know them
_substitutes: dict[str, str] = {}


class _Loader:
    """The module's own loader, which calls the hook when it is done."""

    def __init__(self, loader: object) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        known = _lost.get(spec.name)
        return self._loader.create_module(spec) if known is None else known  # type: ignore[attr-defined, no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader: what asks it for resources or source finds it.
        module.__spec__.loader = self._loader  # type: ignore[union-attr, assignment]
        module.__loader__ = self._loader  # type: ignore[assignment]
        name = module.__name__
        if name in _lost:
            _bind_submodules(module)
        is_executed = name in _executed and _lost.get(name) is module
        _lost[name] = module  # until all is done
        execute = self._loader.exec_module  # type: ignore[attr-defined]
        if name not in _whole:
            execute(module)
        elif not is_executed:
            _xinterp.defer_interrupts(_execute, execute, module)
        # An import that fails or is interrupted, in the hook too, is made again: so is the hook's call then.
        if (hook := _hooks.get(name)) is not None:
            hook(module)
            _hooks.pop(name, None)
        _lost.pop(name, None)


def _execute(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    execute(module)
    _executed.add(module.__name__)  # the interrupt that rises now takes it out of sys.modules, and changes nothing else


class _Substitute:
    """The loader of a module that CPython may refuse in this interpreter: another module's content is in it then."""

    def __init__(self, loader: Any, instead: str) -> None:
        self._loader = loader
        self._instead = instead
        self._refused = False

    def create_module(self, spec: object) -> object:
        try:
            return self._loader.create_module(spec)  # type: ignore[no-any-return]
        except ImportError:
            self._refused = True
            return None

    def exec_module(self, module: ModuleType) -> None:
        if not self._refused:
            self._loader.exec_module(module)
            return
        from importlib import import_module

        content = vars(import_module(self._instead))
        vars(module).update({name: value for name, value in content.items() if not name.startswith("__")})


class _Finder:
    """Finds what the finders after it find, for the modules that have a hook."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        if (hook := _hooks_before.pop(name, None)) is not None:
            try:
                hook()
            except BaseException:
                _hooks_before[name] = hook
                raise
        if not (name in _hooks or name in _lost or name in _whole or name in _substitutes):
            return None
        for finder in sys.meta_path:
            if finder is self:  # type: ignore[comparison-overlap]
                continue
            spec = finder.find_spec(name, path, target)  # type: ignore[arg-type]
            if spec is not None:
                if name in _substitutes and not shadows.is_users_file(name, spec):
                    spec.loader = _Substitute(spec.loader, _substitutes[name])  # type: ignore[assignment]
                elif spec.loader is not None and not shadows.is_users_file(name, spec):
                    spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
                return spec
        return None


def remember_failed_imports(traceback: TracebackType | None) -> None:
    """Make the next import of the modules whose import has failed, or was interrupted, whole again.

    CPython takes such a module out of sys.modules, and leaves there what it had imported: that refers to it, as its
    submodules do, and would see the half of it for the rest of the process. So the next import fills the same object.
    """
    failed: dict[str, dict[str, object]] = {}
    while traceback is not None:
        names = traceback.tb_frame.f_globals
        name = names.get("__name__")
        if traceback.tb_frame.f_code.co_name == "<module>" and isinstance(name, str) and name not in sys.modules:
            failed[name] = names
        traceback = traceback.tb_next
    if not failed:
        return
    _lost.update(dict.fromkeys(failed))
    for user in list(sys.modules.values()):
        for value in list(getattr(user, "__dict__", {}).values()):
            if type(value) is type(sys) and value.__dict__ is failed.get(value.__name__):
                _lost[value.__name__] = value


def _bind_submodules(package: ModuleType) -> None:
    """The import of the package binds those only that it loads, not those that are there already."""
    for name, module in list(sys.modules.items()):
        parent, _, child = name.rpartition(".")
        if parent == package.__name__ and module is not None:
            setattr(package, child, module)


def after_import(name: str, hook: Callable[[ModuleType], None], whole: bool = False) -> None:
    """Call ``hook(module)`` after the module's first import, or now if it has been imported.

    ``whole``: an interrupt while it is imported rises afterwards. For what the kernel itself needs later.
    """
    if (module := shadows.installed(name)) is not None:
        __import__(name)  # another thread may be in the midst of it
        hook(module)
        return
    _install()
    _hooks[name] = hook
    if whole:
        _whole.add(name)


def import_whole(name: str) -> None:
    """Let an interrupt that comes while the module is imported rise afterwards."""
    if name not in sys.modules:
        _install()
        _whole.add(name)


def before_import(name: str, hook: Callable[[], None]) -> None:
    """Call ``hook()`` when the module is about to be imported for the first time."""
    if shadows.installed(name) is None:
        _install()
        _hooks_before[name] = hook


def when_refused(name: str, instead: str) -> None:
    """Let the module be the content of ``instead`` where CPython refuses it in this interpreter."""
    _install()
    _substitutes[name] = instead


def _install() -> None:
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]
