"""IPython, brought up in an interpreter when something there first needs it; from then on its cells run through it.

What needs it: a magic, ``!command`` or ``obj?`` in a cell, an import of IPython, a call of ``get_ipython``.
Nothing here imports IPython before that.
"""

import _thread
import builtins
import sys

import _xinterp

from ..import_hooks import after_import, before_import
from . import syntax

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..execution import Shell
    from .cells import Cells

_PATIENCE = 10.0  # seconds until IPython must be up on another thread
_PACKAGES = {"IPython": "ipython", "xeus_python_shell": "xeus-python-shell"}


class MissingIPythonError(ImportError):
    """A cell needs IPython, which is not there."""


class IPython:
    """One interpreter's, loaded or not. Its methods are called by code that runs in the interpreter, on any thread."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._cells: Cells | None = None
        self._made: Cells | None = None  # there before the code of the person's configuration has run
        self._loading = False
        self._lock = _thread.RLock()  # a subshell may need it at the same time as main

    @property
    def cells(self) -> Cells | None:
        """What runs cells, once IPython is up and its startup files have run."""
        return self._cells

    def install(self) -> None:
        """Be there when something needs it."""

        def get_ipython() -> object:
            """Return the running IPython shell of this interpreter; None where IPython is not installed."""
            return self.load_quietly()

        get_ipython.__module__ = "builtins"
        get_ipython.__qualname__ = "get_ipython"
        get_ipython.__annotations__ = {}
        builtins.get_ipython = get_ipython  # type: ignore[attr-defined]
        # Who brings it up on another thread waits for this import.
        after_import("IPython", lambda _module: self._report_failure(patience=0), whole=True)
        # They look whether a notebook's IPython has been imported; they do not ask for it.
        before_import("tqdm.autonotebook", self._report_failure)
        before_import("matplotlib", _choose_inline_figures)

    def is_needed(self, source: str, is_python: bool) -> bool:
        """Whether a cell is for IPython."""
        if not is_python and syntax.looks_like_ipython(source):
            return True
        return syntax.is_automagic(source, self._shell.namespace) and not _missing_packages()

    def load(self) -> Cells:
        """Bring IPython up. Raises MissingIPythonError with what is missing, or what its own start-up raises."""
        if self._cells is not None:
            return self._cells
        missing = _missing_packages()
        if missing:
            sentence = (
                f"this cell needs IPython, and {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not "
                f"installed in this Python.\nTo install: {sys.executable} -m pip install {' '.join(missing)}"
            )
            raise MissingIPythonError(sentence)
        with self._lock:
            if self._cells is None:
                self._loading = True
                try:
                    self._bring_up()
                finally:
                    self._loading = False
        assert self._cells is not None
        return self._cells

    def _bring_up(self) -> None:
        """Each step is over or has not begun if an interrupt ends this; the next call goes on behind it."""
        if self._made is None:
            self._made = _xinterp.defer_interrupts(_import_cells)(self._shell)
        try:
            if self._made.app is None:
                self._made.start()
        finally:
            if self._made.app is not None:
                self._cells = self._made

    def load_quietly(self, patience: float = _PATIENCE) -> Any:
        """IPython's shell; None if it is not installed, or just being brought up."""
        if self._cells is None and self._lock.acquire(timeout=patience):
            try:
                if not self._loading:
                    self.load()
            except MissingIPythonError:
                return None
            finally:
                self._lock.release()
        return None if self._cells is None else self._cells.ipython

    def _report_failure(self, patience: float = _PATIENCE) -> None:
        """Load; what its configuration or a startup file raises does not fail the import that has led here."""
        try:
            self.load_quietly(patience)
        except Exception as error:
            print(f"xinterp: IPython could not be started: {type(error).__name__}: {error}", file=sys.stderr)


def _import_cells() -> type[Cells]:
    from .cells import Cells

    return Cells


def _missing_packages() -> list[str]:
    return [package for module, package in _PACKAGES.items() if not _is_installed(module)]


def _is_installed(module: str) -> bool:
    import importlib.util

    return module in sys.modules or importlib.util.find_spec(module) is not None


def _choose_inline_figures() -> None:
    """Figures are shown in the notebook unless somebody has chosen another backend."""
    import os

    if not os.environ.get("MPLBACKEND") and _is_installed("matplotlib_inline"):
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
