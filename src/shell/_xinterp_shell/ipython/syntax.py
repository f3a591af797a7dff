"""What in a cell is IPython's: looked at only when the cell is no Python."""

_LINE = r"""(?mx)
    ^[ \t]*(?:[%!?]|[,;/][^\s,;/])          # %magic, !command, ?obj; ,f a b  ;f a b  /f a
  | ^[^\n\#'"]*[\w.*\])}'"][ \t]*\?{1,2}[ \t]*;?[ \t]*$    # obj?  obj.*?
  | ^[ \t]*[\w.,()\[\]{}'"* \t]+=[ \t]*[%!]               # x = !ls  x = %magic
  | ^[ \t]*(?:>>>|In[ ]\[\d+\]:|\.\.\.)[ ]?               # pasted prompts
"""


def looks_like_ipython(source: str) -> bool:
    """Whether any of its lines could be."""
    import re

    return re.search(_LINE, source) is not None
