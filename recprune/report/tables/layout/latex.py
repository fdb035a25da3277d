"""A table as LaTeX, whatever its names are made of."""

from __future__ import annotations

import re
import unicodedata

from recprune.report.tables.layout.table import Column, Table

SENTENCE = 60  # characters in a cell: what is longer is no name and no number
LONG = 60  # rows: more do not fit a page
_SMALL = "\\footnotesize\n\\setlength{\\tabcolsep}{3pt}\n"


def to_latex(table: Table) -> str:
    """The table as a float with booktabs rules, never wider than the text; of more than LONG rows, as a longtable.

    Sentences are broken into lines. Needs \\usepackage{array,booktabs,graphicx}, and longtable for the long ones.
    """
    text = table.text.map(escape)
    text.columns = [_head(column) for column in table.columns]
    marked = text.where(~table.bold.set_axis(text.columns, axis=1), "\\textbf{" + text + "}")
    kinds = "@{}" + "".join(map(_kind, table.columns)) + "@{}"
    style, caption, label = marked.style.hide(axis="index"), escape(table.caption), f"tab:{table.anchor}"
    if len(text) > LONG:
        body = style.to_latex(hrules=True, column_format=kinds, environment="longtable", caption=caption, label=label)
        body = body.replace(f"\\caption[]{{{caption}}} \\\\\n", "")  # once is enough
        return f"\\begingroup\n\\scriptsize\n\\setlength{{\\tabcolsep}}{{2.5pt}}\n{body}\\endgroup\n"
    body = style.to_latex(hrules=True, column_format=kinds)
    # the tabular at its own width, shrunk only where it would run out of the page
    return (
        f"\\begin{{table}}[tbp]\n\\centering\n\\caption{{{caption}}}\n\\label{{{label}}}\n{_SMALL}"
        f"\\resizebox{{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}}{{!}}{{%\n{body}}}\n\\end{{table}}\n"
    )


def _kind(column: Column) -> str:
    """How a column is set: sentences in a box of their own, words to the left, numbers to the right."""
    if max(map(len, column.text), default=0) > SENTENCE:
        return r">{\raggedright\arraybackslash}p{5cm}"
    return "l" if column.format.left else "r"


def _head(column: Column) -> str:
    """A column's head, in two lines where one would be wider than all that stands below it."""
    head, widest = column.head, max(map(len, column.text), default=0)
    breaks = [found.end() for found in re.finditer(r"[ -](?=\w)", head)]
    if not breaks or len(head) <= widest:
        return escape(head)
    place = min(breaks, key=lambda end: max(len(head[:end].strip()), len(head) - end))
    side = "l" if column.format.left else "r"
    return f"\\shortstack[{side}]{{{escape(head[:place])}\\\\{escape(head[place:])}}}"


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"$|$",
    "<": r"$<$",
    ">": r"$>$",
    '"': r"{\char34}",
    "`": r"\textasciigrave{}",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
    "\N{THIN SPACE}": r"\,",
    "±": r"$\pm$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "·": r"$\cdot$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "≈": r"$\approx$",
    "≠": r"$\neq$",
    "−": "$-$",
    "→": r"$\to$",
    "←": r"$\leftarrow$",
    "∞": r"$\infty$",
    "√": r"$\sqrt{}$",
    "∑": r"$\sum$",
    "–": "--",
    "—": "---",
    "‑": "-",
    "…": r"\dots{}",
    "‘": "{`}",
    "’": "{'}",
    "“": "{``}",
    "”": "{''}",
    "•": r"\textbullet{}",
    "°": r"\textdegree{}",
    "µ": r"$\mu$",
    "§": r"\S{}",
    "†": r"\dag{}",
    "²": "$^2$",
    "³": "$^3$",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ı": r"\i{}",
}
_LATEX |= {
    letter: f"${command}$"
    for letter, command in {
        "α": r"\alpha",
        "β": r"\beta",
        "γ": r"\gamma",
        "δ": r"\delta",
        "ε": r"\epsilon",
        "λ": r"\lambda",
        "μ": r"\mu",
        "π": r"\pi",
        "ρ": r"\rho",
        "σ": r"\sigma",
        "τ": r"\tau",
        "Δ": r"\Delta",
        "Σ": r"\Sigma",
        "Ω": r"\Omega",
    }.items()
}
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
    "\u0323": "d",
}


_APART = "\0"  # stands between characters that must not become one


def escape(text: str) -> str:
    """The text so that LaTeX prints it as it stands, in ASCII; a character that fonts lack by its number, [U+4E2D]."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    text = re.sub(r"([-',])(?=\1)", f"\\1{_APART}", text)  # typed twice: neither a dash nor a quotation mark
    escaped = "".join(map(_escaped, text)).replace(_APART, "{}")
    escaped = escaped.replace(" \\%", "~\\%")  # a number keeps its sign on its line
    # after the end of a row, LaTeX reads a star or a bracket as an option of the line break
    return "{" + escaped[0] + "}" + escaped[1:] if escaped[:1] in ("*", "[") else escaped


def _escaped(character: str) -> str:
    if character in _LATEX:
        return _LATEX[character]
    if character.isascii():
        return character if character.isprintable() or character == _APART else ""
    letter, *marks = list(unicodedata.normalize("NFD", character))
    if letter.isascii() and letter.isalpha() and len(marks) == 1 and marks[0] in _ACCENTS:
        return f"\\{_ACCENTS[marks[0]]}{{{letter}}}"
    return f"[U+{ord(character):04X}]"
