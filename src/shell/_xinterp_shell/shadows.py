"""Files of the notebook's folder that have the name of an installed module, such as `random.py`.

Python looks in the current folder first, whichever code imports. Here, the user's code (cells, and files outside the
installed folders) finds the file, as in a console. Installed code (the standard library, IPython and this shell) finds
the installed module, whether it imports it at once, late, or from C.

Until a file hides a module, this is one finder, which costs nothing noticeable. From then on ``builtins.__import__`` is
replaced, and both modules of that name exist: the user's is in ``sys.modules``, and the installed one takes its place
while installed code imports it.
"""

import builtins
import sys

import _xinterp
from _frozen_importlib_external import PathFinder  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

# What IPython and the shell import beyond the standard library; a test compares them with what is installed. Other
# packages are left alone: in a checkout of pandas, every module imports that pandas.
_PACKAGES = frozenset(
    "IPython _brotli _pydev_bundle _pydevd_bundle astroid asttokens brotli comm debugpy decorator executing "  # noqa: SIM905
    "ipython_pygments_lexers jedi matplotlib_inline packaging parso pexpect prompt_toolkit ptyprocess pure_eval pydevd "
    "pygments stack_data traitlets typing_extensions urllib3 wcwidth xeus_python_shell".split()
)

# The standard library looks for these in sys.modules itself, and does not go on without: there it finds its own.
_LOOKED_UP = ("functools", "typing", "warnings")

_folders: list[str] = []  # where installed modules are
_prefixes: tuple[str, ...] = ()  # of their files
_hidden: dict[str, dict[str, ModuleType]] = {}  # by top-level name: the installed modules that are not in sys.modules
_users: dict[str, dict[str, ModuleType]] = {}  # the user's modules that are not there


def install() -> None:
    """Once in an interpreter, before anything else is imported there."""
    global _prefixes
    import os

    try:
        here = os.getcwd()
    except OSError:  # it has been removed
        here = ""
    _folders[:] = [folder for folder in sys.path if folder not in ("", here)]
    _prefixes = tuple(folder.rstrip("/") + "/" for folder in _folders)
    place = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
    finder = _Finder()
    sys.meta_path.insert(place, finder)  # type: ignore[arg-type]
    for name, module in list(sys.modules.items()):  # imported before this finder was there
        if not _is_users_module(module) and getattr(module.__spec__, "has_location", False):
            finder.find_spec(name)


def installed(name: str) -> ModuleType | None:
    """The installed module of that name if it has been imported, whatever ``sys.modules`` has."""
    top = name.partition(".")[0]
    module = sys.modules.get(name)
    if module is None or (top in _hidden and _is_users_module(sys.modules.get(top))):
        return _hidden.get(top, {}).get(name)
    return module


def is_users_file(name: str, spec: Any) -> bool:
    """Whether what is found for a module that installed code may want is a file of the user's."""
    return bool(_prefixes) and _is_guarded(name.partition(".")[0]) and _is_users({"__spec__": spec})


def _is_guarded(top: str) -> bool:
    return top in sys.stdlib_module_names or top in _PACKAGES or top.startswith("_sysconfigdata_")


def _is_users(names: dict[str, Any]) -> bool:
    """Whether a module's namespace is of the user's code: of `__main__`, or of a file outside the installed folders."""
    origin = getattr(names.get("__spec__"), "origin", None) or names.get("__file__")
    return origin not in ("frozen", "built-in") and not (type(origin) is str and origin.startswith(_prefixes))


def _is_users_module(module: object) -> bool:
    return _is_users(getattr(module, "__dict__", {}))


def _importer_is_users() -> bool:
    """Whether the innermost code that imports is the user's; frames of importlib and of import hooks are skipped."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if not _is_importlibs(name) and name not in (__name__, "_xinterp_shell.import_hooks"):
            return _is_users(frame.f_globals)
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _is_importlibs(name: object) -> bool:
    return str(name).partition(".")[0] in ("importlib", "_frozen_importlib", "_frozen_importlib_external")


class _Finder:
    """Is asked before CPython's own finder, which looks along ``sys.path``."""

    def find_spec(self, name: str, path: object = None, target: Any = None) -> object:
        if path is not None or not _is_guarded(name):
            return None
        found: Any = PathFinder.find_spec(name, None, target)
        if found is not None and not _is_users({"__spec__": found}):
            return found
        own: Any = PathFinder.find_spec(name, _folders, target)
        if own is None:
            return found
        _guard(name)
        return found if _importer_is_users() else own


def _guard(top: str) -> None:
    """A file hides the module: from now on, each import of the name depends on the importing code."""
    if not _hidden:
        import _frozen_importlib as bootstrap  # type: ignore[import-not-found]

        builtins.__import__ = _xinterp.importer(_import, builtins.__import__)
        bootstrap._gcd_import = _with_sides(bootstrap._gcd_import, bootstrap._resolve_name)
    _hidden.setdefault(top, {})


def _import(name: str, namespace: Any, wanted: Any, level: int, original: Any) -> ModuleType | None:
    """What ``__import__`` calls first: the module, or None if the import goes on as usual."""
    of_importer = namespace if type(namespace) is dict else {}
    top = name.partition(".")[0] if level == 0 else str(of_importer.get("__name__")).partition(".")[0]
    if top not in _hidden:
        return None
    # C code has no namespace: it passes that of the Python code that has called it, and an empty list.
    is_c = type(wanted) is list and not wanted
    is_loading = is_c and _is_importlibs(of_importer.get("__name__"))
    if is_c and not is_loading:
        is_users = top in _users and _is_users(of_importer)
        if name in sys.modules and not is_users:
            return None  # pickle, which looks for the class of an object, of the user's or not
    else:
        is_users = _is_users(of_importer) if of_importer and not is_loading else _importer_is_users()
    if is_users:
        _show_users(top)
        if top not in _LOOKED_UP:
            return None
        try:
            return original(name, namespace, None, wanted, level)  # type: ignore[no-any-return]
        finally:
            if _hidden[top]:
                _show_installed(top)
    if level == 0 and not is_c and (module := _known(name)) is not None:
        if not wanted:
            return _hidden[top][top]
        if all(hasattr(module, attribute) for attribute in wanted):
            return module
    return _as_installed(top, lambda: original(name, namespace, None, wanted, level), stays=is_c)


def _with_sides(original: Any, resolve: Any) -> Any:
    """The function of importlib that ``import_module`` calls, for both sides."""

    def _gcd_import(name: str, package: str | None = None, level: int = 0) -> ModuleType:
        full = resolve(name, package, level) if level > 0 else name
        top = full.partition(".")[0]
        if top not in _hidden:
            return original(name, package, level)  # type: ignore[no-any-return]
        if _importer_is_users():
            _show_users(top)
            return original(name, package, level)  # type: ignore[no-any-return]
        return _as_installed(top, lambda: original(full), stays=True)

    return _gcd_import


def _known(name: str) -> ModuleType | None:
    """An installed module that is not in ``sys.modules``, if it has been imported to its end."""
    module = _hidden[name.partition(".")[0]].get(name)
    return None if module is None or getattr(module.__spec__, "_initializing", False) else module


def _as_installed(top: str, load: Callable[[], ModuleType], stays: bool = False) -> ModuleType:
    """Import with the installed modules in ``sys.modules``; they stay there for code that looks there afterwards."""
    present = sys.modules.get(top)
    if present is not None and not _is_users_module(present):  # it is being loaded, or has stayed there
        return load()
    _show_installed(top)
    try:
        return load()
    finally:
        if not stays and top not in _LOOKED_UP:
            _put_aside(top)


def _show_installed(top: str) -> None:
    """Let ``sys.modules`` have the installed modules."""
    present = sys.modules.get(top)
    if present is not None and not _is_users_module(present):
        return
    if users := _take(top):
        _users[top] = users
    sys.modules.update(_hidden[top])


def _show_users(top: str) -> None:
    """Let ``sys.modules`` have what the user's code means by that name."""
    present = sys.modules.get(top)
    if present is not None and _is_users_module(present):
        return
    found = PathFinder.find_spec(top)
    if top in _users or (found is not None and _is_users({"__spec__": found})):
        _put_aside(top)
    elif present is None:  # nothing hides it any more
        sys.modules.update(_hidden[top])


def _put_aside(top: str) -> None:
    """Take the installed module out of ``sys.modules``; the user's, if it has been imported, is there again."""
    _hidden[top].update(_take(top))
    sys.modules.update(_users.pop(top, {}))


def _take(top: str) -> dict[str, ModuleType]:
    """Take a module out of ``sys.modules``, and all that is in it."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name == top or name.startswith(top + ".")}
