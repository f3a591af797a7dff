"""Completion, inspection, and whether a piece of code is complete, in an interpreter's own namespace."""

import sys

_NAME = r"[^\W\d]\w*(?:\.\w*)*$"
_MAGIC_LINE = r"(?m)^\s*%.*$"


def _cursor(request: dict[str, object]) -> int:
    code, position = request["code"], request.get("cursor_pos")
    return len(code) if position is None else max(0, min(position, len(code)))  # type: ignore[arg-type, type-var, call-overload]


def complete(namespace: dict[str, object], request: dict[str, object]) -> dict[str, object]:
    """The content of a complete_reply."""
    import re

    end = _cursor(request)
    found = re.search(_NAME, str(request["code"])[:end])
    word = found[0] if found else ""
    matches = _matches(namespace, word) if word else []
    return {"status": "ok", "matches": matches, "cursor_start": end - len(word), "cursor_end": end, "metadata": {}}


def _matches(namespace: dict[str, object], word: str) -> list[str]:
    if "rlcompleter" not in sys.modules:
        sys.modules["readline"] = None  # type: ignore[assignment]  # rlcompleter must not take the terminal over
        try:
            import rlcompleter
        finally:
            del sys.modules["readline"]
    import rlcompleter

    completer = rlcompleter.Completer(namespace)
    found = completer.attr_matches(word) if "." in word else completer.global_matches(word)
    return sorted({match.rstrip("(): ") for match in found})


def inspect(namespace: dict[str, object], request: dict[str, object]) -> dict[str, object]:
    """The content of an inspect_reply: signature, type and documentation; the source for detail_level 1."""
    import re

    code, position = str(request["code"]), _cursor(request)
    while position < len(code) and (code[position].isalnum() or code[position] == "_"):
        position += 1
    found = re.search(r"[^\W\d]\w*(?:\.\w+)*\(?$", code[:position])
    missing: dict[str, object] = {"status": "ok", "found": False, "data": {}, "metadata": {}}
    if not found:
        return missing
    path = found[0].rstrip("(").split(".")
    import builtins

    try:
        value = namespace[path[0]] if path[0] in namespace else getattr(builtins, path[0])
        for name in path[1:]:
            value = getattr(value, name)
    except Exception:
        return missing
    return {
        **missing,
        "found": True,
        "data": {"text/plain": _describe(".".join(path), value, request.get("detail_level") == 1)},
    }


def _describe(name: str, value: object, with_source: bool) -> str:
    import inspect as inspection

    parts: list[str] = []
    try:
        parts.append(f"Signature: {name}{inspection.signature(value)}")  # type: ignore[arg-type]
    except TypeError, ValueError:
        text = repr(value)
        parts.append(f"Value:     {text if len(text) <= 200 else text[:197] + '...'}")
    parts.append(f"Type:      {type(value).__name__}")
    if with_source:
        try:
            parts.append("Source:\n" + inspection.getsource(value))  # type: ignore[arg-type]
        except OSError, TypeError:
            pass
    documentation = inspection.getdoc(value)
    if documentation:
        parts.append("Docstring:\n" + documentation)
    return "\n".join(parts)


def is_complete(request: dict[str, object]) -> dict[str, object]:
    """The content of an is_complete_reply, as a console wants it: a block ends with a blank line."""
    import codeop
    import re
    import warnings

    code = re.sub(_MAGIC_LINE, "pass", str(request["code"]))
    lines = code.split("\n")
    last = lines[-1]
    indent = last[: len(last) - len(last.lstrip())]
    if last.rstrip().endswith(":"):
        indent += "    "
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = codeop.CommandCompiler()(code, "<input>", "exec")
    except SyntaxError, OverflowError, ValueError:
        return {"status": "invalid"}
    open_block = len(lines) > 1 and last.strip() != "" and last[0] in " \t"
    if compiled is None or open_block:
        return {"status": "incomplete", "indent": indent}
    return {"status": "complete"}
