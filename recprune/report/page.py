"""One HTML file with all figures and tables, readable without a network, a script or a wide screen."""

from __future__ import annotations

import base64
import os
from html import escape
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from recprune.report.cells import heading, studies
from recprune.report.figures import Drawing
from recprune.report.tables import WORDS, Table
from recprune.study.files import write_atomically

ACROSS = "protocols-"  # names of what sets several protocols side by side
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
  max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1, h2 { line-height: 1.2; } h2 { border-top: 1px solid #ccc;
  padding-top: 1.2rem; margin-top: 2.4rem; overflow-wrap: anywhere; }
figure { margin: 1.5rem 0; } img { max-width: 100%; height: auto; }
figcaption, .caption { color: #555; font-size: .9rem; text-align: left; }
.wide { overflow-x: auto; margin: .4rem 0 1.8rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; white-space: nowrap; }
th.word, td.word { text-align: left; }
thead th { border-top: 2px solid #222; border-bottom: 1px solid #222; }
tbody tr:last-child td { border-bottom: 2px solid #222; }
li { overflow-wrap: anywhere; }
"""


def write_page(cells: pd.DataFrame, drawn: list[Drawing], tabled: list[Table], results: Path) -> Path:
    """Write <results>/report/index.html from rows, their drawings and their tables; returns its path.

    The same rows and notebooks give the same bytes.
    """
    results = Path(results)
    notebooks = executed(results)
    names = [name for name, _ in studies(cells)]
    parts = [
        "<h1>What can be removed from a recommender</h1>",
        "<p>Pruning of collaborative filtering and of deep models: how much goes before ranking quality is lost, "
        "and what it buys. "
        f'All of it is drawn from {link(Path("../cells.csv"), "cells.csv")}, one row per measured point.</p>',
    ]  # fmt: skip
    for name, rows in studies(cells):
        parts.append(f"<h2>{escape(heading(rows))}</h2>")
        parts += [_figure(drawing) for drawing in drawn if _belongs(drawing.name, name, names)]
        parts += [_table(table) for table in tabled if _belongs(table.name, name, names)]
    if any(table.name.startswith(ACROSS) for table in tabled):
        parts.append("<h2>Across protocols</h2>")
        parts += [_figure(drawing) for drawing in drawn if drawing.name.startswith(ACROSS)]
        parts += [_table(table) for table in tabled if table.name.startswith(ACROSS)]
    if notebooks:
        items = "".join(
            f"<li>{link(Path(os.path.relpath(path, results / 'report')), str(path.parent.relative_to(results)))}</li>"
            for path in notebooks
        )
        parts.append(
            f"<h2>Executed notebooks</h2><p>Each row comes from one of these; open them in Jupyter (make lab).</p>"
            f"<ul>{items}</ul>"
        )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>recprune: report</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )
    return write_atomically(results / "report" / "index.html", page)


def executed(results: Path) -> list[Path]:
    """The executed notebooks of finished runs below `results`; a folder whose name starts with a dot is unfinished."""
    found = results.glob("runs/**/executed.ipynb")
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(results).parts))


def link(path: Path, text: str) -> str:
    return f'<a href="{quote(path.as_posix())}">{escape(text)}</a>'


def _belongs(artefact: str, name: str, names: list[str]) -> bool:
    """Whether an artefact's name ends in this study's name, and in no longer one's."""
    return not artefact.startswith(ACROSS) and max((other for other in names if artefact.endswith(f"-{other}")), key=len) == name


def _figure(drawing: Drawing) -> str:
    # an SVG inside the page would share its ids with the others; as an image it keeps them to itself
    picture = base64.b64encode(drawing.rendered("svg")).decode()
    files = " · ".join(
        link(Path(f"../figures/{drawing.name}.{form}"), form.upper()) for form in ("pdf", "svg", "png", "csv")
    )
    caption = escape(drawing.caption)
    image = f'<img alt="{caption}" src="data:image/svg+xml;base64,{picture}">'
    return f"<figure>{image}<figcaption>{caption} {files}</figcaption></figure>"


def _table(table: Table) -> str:
    words = [column in WORDS for column in table.text.columns]
    kinds = [' class="word"' if word else "" for word in words]
    head = "".join(f"<th{kind}>{escape(column)}</th>" for kind, column in zip(kinds, table.text.columns, strict=True))
    rows = []
    for values, bold in zip(table.text.itertuples(index=False), table.bold.itertuples(index=False), strict=True):
        cells = (f"<b>{escape(value)}</b>" if best else escape(value) for value, best in zip(values, bold, strict=True))
        rows.append(
            "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, cells, strict=True)) + "</tr>"
        )
    files = " · ".join(link(Path(f"../tables/{table.name}.{form}"), form.upper()) for form in ("csv", "md", "tex"))
    # not a <caption>: that would be as wide as the table, and scroll out of sight with it
    return (f'<p class="caption">{escape(table.caption)} {files}</p><div class="wide"><table><thead><tr>{head}</tr></thead>'
            f'<tbody>{"".join(rows)}</tbody></table></div>')  # fmt: skip
