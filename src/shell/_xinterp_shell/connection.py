"""The file that says where clients find the kernel, for those who look for it in ipykernel."""

from .kernel_object import kernel
from .stand_ins import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def patch(connect: ModuleType) -> None:
    """Let ipykernel's functions know this kernel's file."""

    def get_connection_file(original: Any, app: object = None) -> str:
        return kernel.about["connection_file"] if app is None else original(app)  # type: ignore[no-any-return]

    stand_in(connect, "get_connection_file", get_connection_file)
