"""What in a cell is IPython's."""

import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LINE = r"""(?mx)
    ^[ \t]*(?:[%!?]|[,;/][^\s,;/])          # %magic, !command, ?obj; ,f a b  ;f a b  /f a
  | ^[^\n\#'"]*[\w.*\])}'"][ \t]*\?{1,2}[ \t]*;?[ \t]*$    # obj?  obj.*?
  | ^[ \t]*[\w.,()\[\]{}'"* \t]+=[ \t]*[%!]               # x = !ls  x = %magic
  | ^[ \t]*(?:>>>|In[ ]\[\d+\]:|\.\.\.)[ ]?               # pasted prompts
"""


def looks_like_ipython(source: str) -> bool:
    """Whether any line of a cell that is no Python could be."""
    import re

    return re.search(_LINE, source) is not None


def is_automagic(source: str, namespace: dict[str, Any], is_python: bool) -> bool:
    """Whether it is one line with a magic without its `%`: `ls -l`, or `pwd` where nothing else is called that."""
    line = source.strip()
    word, _, rest = line.partition(" ")
    if "\n" in line or not word.isidentifier() or word in namespace or hasattr(builtins, word):
        return False
    if rest and (is_python or rest.lstrip().startswith(("=", ","))):
        return False
    from ..magic_names import LINE

    return word in LINE
