"""What JupyterLab's debugger shows of an interpreter that is not stopped, and rich representations of variables."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .display import Displayer


class _Code:
    co_filename, co_name = "<variables>", "<module>"


class _Frame:
    """What debugpy takes for a frame: of the namespace."""

    f_code, f_back, f_lineno = _Code, None, 1

    def __init__(self, namespace: dict[str, object]) -> None:
        self.f_globals = self.f_locals = namespace


class _Presentation:
    """What debugpy asks its debugger for."""

    def __init__(self) -> None:
        from _pydevd_bundle.pydevd_api import PyDevdAPI

        self.variable_presentation = PyDevdAPI.VariablePresentation()


class Explorer:
    """The namespace as a tree. It lives until the next look: references lead to objects as they were."""

    def __init__(self, namespace: dict[str, object]) -> None:
        from . import debug_server

        debug_server.import_pydevd()
        from _pydevd_bundle import pydevd_frame_utils, pydevd_suspended_frames

        self._manager = pydevd_suspended_frames.SuspendedFramesManager()
        self._tracker = pydevd_suspended_frames._FramesTracker(self._manager, _Presentation())
        self._frame = _Frame(namespace)
        frames = pydevd_frame_utils.create_frames_list_from_frame(self._frame)
        self._tracker.track("namespace", frames)

    def children(self, reference: int | None) -> list[dict[str, Any]]:
        """The variables, or what is in one of them."""
        parent = self._manager.get_variable(id(self._frame) if reference is None else reference)
        return [variable.get_var_data() for variable in parent.get_children_variables()]


def rich(displayer: Displayer, value: object) -> dict[str, object]:
    """The data and metadata of a display_data message."""
    data, metadata = displayer.bundle(value) or ({}, {})
    return {"data": data, "metadata": {name: part for name, part in metadata.items() if name in data}}


def modules() -> list[dict[str, object]]:
    """What has been imported from Python files."""
    found: list[dict[str, object]] = []
    for number, (name, module) in enumerate(sys.modules.copy().items()):
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if isinstance(origin, str) and origin.endswith(".py"):
            found.append({"id": number, "name": name, "path": origin})
    return found
