"""Whether a piece of code can be run as it is, or a console should ask for more of it."""

from . import source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def is_complete(request: dict[str, object], shell: Any) -> dict[str, object]:
    """The content of an is_complete_reply; ``shell``: IPython's, if it is up."""
    code = str(request["code"])
    if request.get("has_cell_magic"):  # %%interp: as for all cell magics a blank line ends the cell
        indent = _check(code)[1]
        done = code.count("\n") > 0 and not code.rpartition("\n")[2].strip()
        return {"status": "complete"} if done else {"status": "incomplete", "indent": indent}
    if shell is not None:
        status, indent = shell.check_complete(code)
        return {"status": status, "indent": indent} if status == "incomplete" else {"status": status}
    status, indent = _check(code)
    return {"status": status, "indent": indent} if status == "incomplete" else {"status": status}


def _check(code: str) -> tuple[str, str]:
    import codeop
    import warnings

    lines = code.split("\n")
    last = lines[-1]
    indent = last[: len(last) - len(last.lstrip())]
    if code.lstrip().startswith("%%"):
        return ("complete", "") if len(lines) > 1 and not last.strip() else ("incomplete", indent)
    if last.endswith("\\"):
        return "incomplete", indent
    if last.rstrip().endswith(":"):
        indent += "    "
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = codeop.CommandCompiler()(_as_python(code), "<input>", "exec")
    except SyntaxError, OverflowError, ValueError:
        return "invalid", ""
    open_block = len(lines) > 1 and last.strip() != "" and last[0] in " \t"
    return ("incomplete", indent) if compiled is None or open_block else ("complete", "")


def _as_python(code: str) -> str:
    """The code with something that Python accepts in the place of what only IPython does."""
    for start, end in source.Scan(code).magics:
        code = code[:start] + "0".ljust(end - start) + code[end:]
    lines = code.split("\n")
    for number, line in enumerate(lines):
        asked = line.strip()
        if (asked.endswith("?") or asked.startswith("?")) and "#" not in asked:
            name = asked.strip("?").lstrip("%").replace(".", "a").replace("*", "a")
            if name.isidentifier():
                lines[number] = line[: len(line) - len(line.lstrip())] + "0"
    return "\n".join(lines)
