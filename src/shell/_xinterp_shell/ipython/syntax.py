"""What in a cell is IPython's."""

import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
_ONLY_AST = 0x400  # ast.PyCF_ONLY_AST
_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

_LINE = r"""(?mx)
    ^[ \t]*[%!?,;/]                        # %magic, !command, ?obj; ,f a b  ;f a b  /f a
  | ^[^\n\#'"]*[\w.*\])}'"][ \t]*\?{1,2}[ \t]*;?[ \t]*$    # obj?  obj.*?
  | ^[ \t]*[\w.,()\[\]{}'"* \t]+=[ \t]*[%!]               # x = !ls  x = %magic
  | ^[ \t]*(?:>>>|In[ ]\[\d+\]:|\.\.\.)[ ]?               # pasted prompts
"""


def is_python(source: str) -> bool:
    """Whether it can be parsed as it stands."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(source, "<cell>", "exec", _ONLY_AST | _TOP_LEVEL_AWAIT, dont_inherit=True)
        except SyntaxError, ValueError, OverflowError, MemoryError, RecursionError:
            return False
    return True


def unindented(source: str) -> str:
    """A cell without the indentation that all its lines have: a block that was copied out of another one."""
    begin = len(source) - len(source.lstrip())
    if begin == 0 or source[begin - 1] not in " \t":
        return source
    import textwrap

    return textwrap.dedent(source[:begin].replace("\f", "") + source[begin:])


def looks_like_ipython(source: str) -> bool:
    """Whether any line of a cell that is no Python could be."""
    import re

    return re.search(_LINE, source) is not None


def is_automagic(source: str, namespace: dict[str, Any]) -> bool:
    """Whether it is one line that begins with the name of a magic, without its `%`, and nothing else is called that.

    Python or not: IPython does not look whether `time + 1` is. It leaves assignments and attributes alone.
    """
    line = source.strip()
    word = line[: len(line) - len(line.lstrip(_LETTERS))]
    if not word or len(line.splitlines()) != 1 or word in namespace or hasattr(builtins, word):
        return False
    if line[len(word) :].lstrip().startswith(("=", ",")) or line[len(word) :].startswith((".", "*")):
        return False
    from ..magic_names import LINE

    return word in LINE
