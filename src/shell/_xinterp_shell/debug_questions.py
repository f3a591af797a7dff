"""What the kernel asks an interpreter on behalf of the debugger."""

import base64
import json

from . import debug_server, debug_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .execution import Shell


_explorer: debug_variables.Explorer | None = None
_shell: Shell | None = None


def answer(shell: Shell, request: dict[str, Any]) -> dict[str, object]:
    """The content of an answer to the kernel's question, of which ``what`` says what it is."""
    global _explorer, _shell
    _shell = shell
    answered: dict[str, object] = {"status": "ok"}
    match request["what"]:
        case "import":
            debug_server.import_pydevd()
        case "attach":
            debug_server.attach(request["generation"])
        case "detach":
            debug_server.detach(request["generation"])
        case "modules":
            answered["modules"] = debug_variables.modules()
        case "rich":
            if request["name"] not in shell.namespace:
                raise NameError(f"name {request['name']!r} is not defined")
            answered |= debug_variables.rich(shell.displayer, shell.namespace[request["name"]])
        case "variables":
            if _explorer is None or request["reference"] is None:
                _explorer = debug_variables.Explorer(shell.namespace)
            answered["variables"] = _explorer.children(request["reference"])
    return answered


def encoded(value: object) -> str:
    """A variable's rich representation, evaluated in its frame: letters and digits, which no repr changes."""
    assert _shell is not None  # it has attached the debugger
    return base64.b16encode(json.dumps(debug_variables.rich(_shell.displayer, value)).encode()).decode()
