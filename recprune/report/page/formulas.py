"""Formulas of a notebook's prose as pictures, so that a page shows them without a network and without a script."""

from __future__ import annotations

import base64
import io
import re
from functools import cache
from html import escape

import matplotlib as mpl
from matplotlib import mathtext
from matplotlib.font_manager import FontProperties

from recprune.report.figures.drawing.style import paper

#: code first: a dollar sign inside it is no formula
_PARTS = re.compile(
    r"(?P<code>```.*?```|~~~.*?~~~|`[^`\n]+`)|\$\$(?P<block>.+?)\$\$|(?<![\\$\w])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\w$])",
    re.S,
)
_SIZE = 11  # points; an em of the text around is 12
_SAME = {r"\lvert": "|", r"\rvert": "|", r"\lVert": r"\|", r"\rVert": r"\|"}  # what matplotlib calls otherwise


def with_pictures(markdown: str) -> str:
    """The text with each $formula$ and $$formula$$ as an image whose text is the formula; code is left as it is."""
    return _PARTS.sub(_replace, markdown)


def _replace(found: re.Match) -> str:
    if found["code"]:
        return found[0]
    return f'<p class="formula">{picture(found["block"])}</p>' if found["block"] else picture(found["inline"])


@cache
def picture(formula: str) -> str:
    """An <img> of one formula, or its source as code where matplotlib cannot read it.

    Without `|`, which would end a table's cell.
    """
    formula = " ".join(formula.split())
    words = escape(formula).replace("|", "&#124;")
    drawn = re.sub(r"\\[lr][vV]ert\b", lambda name: _SAME[name[0]], formula)
    buffer = io.BytesIO()
    try:
        with paper(), mpl.rc_context({"text.parse_math": True}):  # in the figures a dollar is a dollar
            font = FontProperties(size=_SIZE, math_fontfamily="dejavuserif")
            depth = mathtext.math_to_image(f"${drawn}$", buffer, prop=font, format="svg")
    except ValueError:
        return f"<code>{words}</code>"
    svg = re.sub(rb"<metadata>.*?</metadata>", b"", buffer.getvalue(), flags=re.S)  # it holds the date
    source = base64.b64encode(svg).decode()
    style = f"vertical-align:{-depth / 12:.3f}em"
    return f'<img class="formula" alt="{words}" style="{style}" src="data:image/svg+xml;base64,{source}">'
