"""`%interp` inside other code: a call that waits, with the GIL released, for the kernel's answer."""

import builtins
import sys

import _xinterp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from typing import Any

    from .execution import Shell

_LINE = r"""(?m)^(?P<indent>[ \t]*)(?:(?P<target>[^\n=%#'"]+?)[ \t]*=[ \t]*)?%interp(?P<words>(?:[ \t][^\n]*)?)$"""
_EXPRESSION = r"\{([^{}]+)\}|\$([A-Za-z_]\w*)"
FUNCTION = "__xinterp_command__"


def _string_lines(source: str) -> set[int]:
    """The numbers of lines that begin inside a string."""
    import io
    import tokenize

    inside: set[int] = set()
    try:
        starts: list[int] = []
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in (tokenize.FSTRING_START, tokenize.TSTRING_START):
                starts.append(token.start[0])
            elif token.type in (tokenize.FSTRING_END, tokenize.TSTRING_END):
                inside.update(range(starts.pop() + 1, token.end[0] + 1))
            elif token.type == tokenize.STRING:
                inside.update(range(token.start[0] + 1, token.end[0] + 1))
    except tokenize.TokenError, SyntaxError:
        pass  # what could be read counts; the compiler says what is wrong
    return inside


def rewrite(source: str) -> str:
    """Python in place of `%interp` lines; the same number of lines."""
    if "%interp" not in source:
        return source
    import re

    blanked = re.sub(_LINE, lambda match: f"{match['indent']}pass", source)
    inside = _string_lines(blanked)

    def replace(match: re.Match[str]) -> str:
        if source.count("\n", 0, match.start()) + 1 in inside:
            return match[0]
        call = f"{FUNCTION}({match['words'].strip()!r}, {match['target'] is None}, locals())"
        return f"{match['indent']}{match['target']} = {call}" if match["target"] else f"{match['indent']}{call}"

    return re.sub(_LINE, replace, source)


def expand(words: str, names: dict[str, object]) -> str:
    """``{expression}`` and ``$name`` replaced by their values; what cannot be evaluated stays as it is."""
    import re

    def value(match: re.Match[str]) -> str:
        try:
            return str(eval(match[1] or match[2], names))
        except Exception:
            return match[0]

    return re.sub(_EXPRESSION, value, words)


def run(request: dict[str, object]) -> dict[str, object]:
    """One command; raises xinterp.CommandError with the kernel's sentence."""
    result: dict[str, object] = _xinterp.command(request, _own_part)
    if not result["ok"]:
        from xinterp import CommandError

        raise CommandError(result["error"])
    return result


def ask_kernel(request: dict[str, object]) -> dict[str, Any]:
    """What the kernel answers on its own, and this interpreter has no part in. RuntimeError in the child of a fork."""

    def no_part(wish: dict[str, Any], shipment: int) -> dict[str, object]:
        raise AssertionError(wish)

    return _xinterp.command(request, no_part)


def whereabouts(name: str) -> list[str]:
    """A line on which other interpreters have the variable and how to get it; none if none is known to have it."""
    try:
        result = ask_kernel({"command": "whereabouts", "name": name})
    except Exception:  # in the child of a fork; or what somebody has raised has no text for a name
        return []
    return [result["text"]] if result["ok"] and result["text"] else []


def _own_part(wish: dict[str, Any], shipment: int) -> dict[str, object]:
    """What the kernel would ask this very interpreter between cells: its lane waits for the command."""
    import __main__

    from . import transfer, variables

    namespace = __main__.__dict__
    if wish["needs"] == "variables":
        return {"own": variables.describe(namespace)}
    if wish["needs"] == "pack":
        return {"packed": transfer.pack(wish["names"], namespace, shipment)}
    return {"packed": wish["packed"], "unpacked": transfer.unpack(wish["packed"]["parcels"], namespace)}


def is_command_error(error: BaseException) -> bool:
    """Whether ``run`` has raised it."""
    xinterp = sys.modules.get("xinterp")
    return xinterp is not None and isinstance(error, xinterp.CommandError)


def make_function(shell: Shell) -> Callable[..., object]:
    """What a rewritten `%interp` line calls."""

    def command(words: str, show: bool, local_names: dict[str, object]) -> object:
        result = run({"line": expand(words, {**shell.namespace, **local_names})})
        if show and "html" in result:
            display = vars(builtins)["display"]  # IPython's, once that is up: %%capture takes what that shows
            display({"text/plain": result["text"], "text/html": result["html"]}, raw=True)
        elif show and result["text"]:
            print(result["text"], end="")
        return None if show else result["value"]

    return command
