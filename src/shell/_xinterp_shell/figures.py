"""pyplot's figures, told apart by shell: a subshell's cell neither shows nor closes those that main's is drawing."""

import _thread

from .import_hooks import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any


class _Pending:
    """What matplotlib_inline keeps as attributes of its function ``show``."""

    def __init__(self) -> None:
        self._draw_called = False
        self._to_draw: list[object] = []


_own: dict[int, tuple[dict[Any, Any], _Pending]] = {}  # by the subshell's thread


def install() -> None:
    """Tell them apart as soon as somebody draws. Once, before the first subshell."""
    after_import("matplotlib._pylab_helpers", _separate_figures)
    after_import("matplotlib_inline.backend_inline", _separate_pending)


def begin() -> None:
    """The calling thread is a subshell's."""
    from collections import OrderedDict

    _own[_thread.get_ident()] = OrderedDict(), _Pending()


def end() -> None:
    """It ends, and its figures go."""
    _own.pop(_thread.get_ident(), None)


class _Figures:
    """Stands where pyplot has its figures by number: the calling shell's."""

    def __init__(self, mains: dict[Any, Any]) -> None:
        self._mains = mains

    def _here(self) -> dict[Any, Any]:
        own = _own.get(_thread.get_ident())
        return self._mains if own is None else own[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._here(), name)

    def __getitem__(self, number: Any) -> Any:
        return self._here()[number]

    def __setitem__(self, number: Any, manager: Any) -> None:
        self._here()[number] = manager

    def __delitem__(self, number: Any) -> None:
        del self._here()[number]

    def __contains__(self, number: object) -> bool:
        return number in self._here()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._here())

    def __len__(self) -> int:
        return len(self._here())

    def __eq__(self, other: object) -> bool:
        return self._here() == other

    __hash__ = None  # type: ignore[assignment]


class _Show:
    """Stands where matplotlib_inline has its function, with the calling shell's attributes."""

    def __init__(self, show: Any) -> None:
        vars(self)["_mains"] = show

    def __call__(self, *args: Any, **options: Any) -> object:
        return self._mains(*args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._here(), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._here(), name, value)

    def _here(self) -> Any:
        own = _own.get(_thread.get_ident())
        return self._mains if own is None else own[1]


def _separate_figures(module: ModuleType) -> None:
    module.Gcf.figs = _Figures(module.Gcf.figs)


def _separate_pending(module: ModuleType) -> None:
    module.show = _Show(module.show)  # type: ignore[attr-defined]
