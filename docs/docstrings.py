"""Docstrings as Sphinx reads them. Ours are plain text: a sentence, then names with what they are, in columns.

    keep       share of the units that stays
    recovery   none, refit, fine-tune, rewind or retrain,
               after every round

becomes a list of definitions, what is indented otherwise is code, and no sign of a formula is taken for markup.
"""

import re

NAMED = re.compile(r"(\S+(?:, \S+)*?)( {2,}|:  ?)(\S.*)")  # a name, or several with commas; a gap; what it is
LITERAL = re.compile(r"(`[^`]+`)")
SPECIAL = re.compile(r"([\\*_|])")
CODE = " " * 4


def to_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring, its indentation taken off, as reStructuredText."""
    found: list[str] = []
    for paragraph in _paragraphs(lines):
        found += [*_shown(paragraph), ""]
    return found


def _paragraphs(lines: list[str]) -> list[list[str]]:
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            paragraphs[-1].append(line.rstrip())
        elif paragraphs[-1]:
            paragraphs.append([])
    return [paragraph for paragraph in paragraphs if paragraph]


def _shown(paragraph: list[str]) -> list[str]:
    """One paragraph: code, prose, or prose and the definitions in it."""
    if all(line.startswith(CODE) for line in paragraph):
        return ["::", "", *(f"    {line}" for line in paragraph)]
    shown: list[str] = []
    inside = False
    for line in paragraph:
        named = NAMED.fullmatch(line) if not line.startswith(" ") else None
        if named and named[2] != ": " and len(named[1]) <= 60:
            shown += [*([] if inside or not shown else [""]), f"{_escaped(named[1])}", f"    {_escaped(named[3])}"]
            inside = True
        elif inside and line.startswith(" "):
            shown.append(f"    {_escaped(line.strip())}")
        else:
            shown += [*([""] if inside else []), _escaped(line.strip())]
            inside = False
    return shown


def _escaped(text: str) -> str:
    """Names between backticks as code, all other signs as they are."""
    parts = LITERAL.split(text)
    return "".join(f"`{part}`" if LITERAL.fullmatch(part) else SPECIAL.sub(r"\\\1", part) for part in parts)


def setup(app):
    """The extension of Sphinx."""

    def read(app, what, name, thing, options, lines):
        lines[:] = to_rst(lines)

    app.connect("autodoc-process-docstring", read)
    return {"parallel_read_safe": True}
