"""How `make docs` makes the manual of the pages in this folder."""

from ipython_pygments_lexers import IPython3Lexer
from pygments.lexer import bygroups, inherit
from pygments.token import Keyword, Operator, Text
from sphinx.application import Sphinx

project = "xinterp"
author = "the xinterp authors"
project_copyright = "the xinterp authors"
html_title = "xinterp"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3  # links to a heading, as GitHub makes them
nitpicky = True

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["manual.css"]
html_copy_source = False
html_show_sourcelink = False
highlight_language = "none"  # of indented blocks: commands and what they say


class CellLexer(IPython3Lexer):
    """Examples are cells, with `%interp` and `!ls` in them. What stands below `%%interp` is Python too."""

    tokens = {"root": [(r"(%%)(interp)(.*\n)", bygroups(Operator, Keyword, Text)), inherit]}


def setup(app: Sphinx) -> None:
    app.add_lexer("python", CellLexer)
