"""Where a place in a piece of code is: in a string, in brackets, on a magic's line. For code that is being typed."""

_OPENING, _CLOSING = "([{", ")]}"
_PREFIX = frozenset("rbuftRBUFT")


class Open:
    """A bracket or a string that is not closed."""

    def __init__(self, text: str, start: int, prefix: str = "") -> None:
        self.text = text  # the bracket, or the quotes
        self.start = start  # of the bracket or the quotes
        self.prefix = prefix  # of a string, in small letters

    @property
    def is_string(self) -> bool:
        return self.text[0] in "'\""


class Scan:
    """A piece of code from its beginning to its end."""

    def __init__(self, code: str) -> None:
        self.open: list[Open] = []  # at the end, the innermost last
        self.in_comment = False  # at the end
        self.magics: list[tuple[int, int]] = []  # lines of magics and of ! commands, without their indentation
        position = 0
        while position < len(code):
            position = self._step(code, position)

    def _step(self, code: str, position: int) -> int:
        """Read what begins there; return where the next begins."""
        self.in_comment = False
        inner = self.open[-1] if self.open else None
        character = code[position]
        if inner and inner.is_string:
            return self._in_string(code, position, inner)
        if inner is None and character in "%!" and _begins_statement(code, position):
            end = _end_of_line(code, position)
            self.magics.append((position, end))
            return end
        if character == "#":
            end = _end_of_line(code, position)
            self.in_comment = end == len(code)
            return end
        if character in "'\"":
            quotes = character * 3 if code.startswith(character * 3, position) else character
            start = position
            while start > 0 and code[start - 1] in _PREFIX:
                start -= 1
            self.open.append(Open(quotes, position, code[start:position].lower()))
            return position + len(quotes)
        if character in _OPENING:
            self.open.append(Open(character, position))
        elif character in _CLOSING and inner and inner.text == _OPENING[_CLOSING.index(character)]:
            self.open.pop()
        return position + 1

    def _in_string(self, code: str, position: int, string: Open) -> int:
        character = code[position]
        if character == "\\":
            return position + 2
        if code.startswith(string.text, position):
            self.open.pop()
            return position + len(string.text)
        if character == "\n" and len(string.text) == 1:  # it was never closed
            self.open.pop()
        elif character == "{" and {"f", "t"} & set(string.prefix):
            if code.startswith("{{", position):
                return position + 2
            self.open.append(Open("{", position))
        return position + 1


def _end_of_line(code: str, position: int) -> int:
    end = code.find("\n", position)
    return len(code) if end < 0 else end


def _begins_statement(code: str, position: int) -> bool:
    """Whether only indentation stands before it on its line, or an assignment (``files = !ls``)."""
    before = code[code.rfind("\n", 0, position) + 1 : position].strip()
    if not before:
        return True
    target = before.removesuffix("=").rstrip()
    parts = target.split(",")
    return target != before and all(part.strip().replace(".", "a").isidentifier() for part in parts)


def blanked(code: str, start: int, stop: int) -> str:
    """The code with spaces in the place of that part: every other character stands where it was."""
    part = "".join("\n" if character == "\n" else " " for character in code[start:stop])
    return code[:start] + part + code[stop:]


def without_marks(code: str) -> str:
    """The code with spaces in the place of ! commands and of the marks of magics, behind which there may be code."""
    for start, end in Scan(code).magics:
        marks = len(code[start:end]) - len(code[start:end].lstrip("%"))
        code = blanked(code, start, start + marks if marks else end)
    return code


def cursor(request: dict[str, object]) -> int:
    """Where the cursor of a request is: a number of characters; at the end if it says nothing."""
    code, position = str(request["code"]), request.get("cursor_pos")
    return len(code) if not isinstance(position, int) else max(0, min(position, len(code)))
