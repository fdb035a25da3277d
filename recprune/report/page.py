"""One HTML file of the whole report: a plot to explore, a recommendation, all tables and figures. It asks no network for anything.

`page_data` and `choice` say what its script draws and chooses from, `page_tables` and `notebooks` make the rest;
the script and the style are in `assets`. Without the script, tables and figures are still there to read.
"""

from __future__ import annotations

import base64
from html import escape
from importlib import resources
from pathlib import Path

import pandas as pd
from plotly.offline import get_plotlyjs

from recprune.files import write_atomically
from recprune.report.cells import heading, studies
from recprune.report.figures import Drawing
from recprune.report.notebooks import Executed, describe, executed, write_notebooks
from recprune.report.page_data import page_data, to_json
from recprune.report.page_forms import CHOOSE, EXPLORE
from recprune.report.page_tables import link, table_html
from recprune.report.table import Table

ACROSS = "protocols-"  # names of what sets several protocols side by side
CLAIMS = "claims"
HEADLINE = "safe-sparsity-"
HEAVY = 2_000_000  # bytes of an SVG beyond which the page shows the PNG
SCRIPTS = ("page.js", "plot.js", "choice.js", "tables.js")
# nothing is fetched, and no browser may be talked into it
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"


def write_page(cells: pd.DataFrame, drawn: list[Drawing], tabled: list[Table], results: Path) -> Path:
    """Write <results>/report/index.html, and a page for each executed notebook beside it; returns the path of the first.

    The same rows and notebooks give the same bytes.
    """
    report = Path(results) / "report"
    notebooks = executed(Path(results), cells["run"])
    pages = write_notebooks(notebooks, report)
    sections = [
        ("explore", "Explore", EXPLORE),
        ("choose", "Which should I use?", CHOOSE),
        *_evidence(cells, drawn, tabled),
        *([("notebooks", "Executed notebooks", _notebooks(notebooks))] if notebooks else []),
    ]
    return write_atomically(report / "index.html", _document(sections, to_json(page_data(cells, pages))))


def _document(sections: list[tuple[str, str, str]], data: str) -> str:
    contents = "".join(f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title, _ in sections)
    body = "\n".join(
        f'<section id="{name}"><h2>{escape(title)}</h2>\n{inside}\n</section>' for name, title, inside in sections
    )
    scripts = "\n".join(f"<script>\n{_asset(name)}</script>" for name in SCRIPTS)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>recprune: report</title><style>\n{_asset('page.css')}</style></head>\n<body>\n"
        "<header><h1>What can be removed from a recommender</h1>\n"
        "<p>Pruning of collaborative filtering and of deep recommenders: how much goes before ranking quality is lost, and "
        "what that buys. Every number here comes from "
        f"{link(Path('../cells.csv'), 'cells.csv')}, one row for each measured cell; choices are made on validation, test confirms them.</p>"
        f'\n<nav aria-label="Contents"><ul>{contents}</ul></nav></header>\n<main>\n{body}\n</main>\n'
        f'<script type="application/json" id="data">{data}</script>\n'
        f"<script>{get_plotlyjs()}</script>\n{scripts}\n</body></html>\n"
    )


def _evidence(cells: pd.DataFrame, drawn: list[Drawing], tabled: list[Table]) -> list[tuple[str, str, str]]:
    """Sections of tables and figures: the claims, each study, across protocols, and what belongs to none of these."""
    groups = [(name, heading(rows)) for name, rows in studies(cells)]
    names = [name for name, _ in groups]
    claims = [table for table in tabled if table.name.startswith(CLAIMS)]
    left = [table for table in tabled if table not in claims]
    sections = [("claims", "Claims and verdicts", "\n".join(map(table_html, claims)))] if claims else []
    for number, (name, title) in enumerate([*groups, (ACROSS, "Across protocols"), ("", "More")]):
        figures = [drawing for drawing in drawn if _group(drawing.name, names) == name]
        tables = [table for table in left if _group(table.name, names) == name]
        if figures or tables:
            sections.append((f"study-{number}", title, _study(figures, tables)))
    return sections


def _group(artefact: str, names: list[str]) -> str:
    """The study whose name an artefact's name ends in (the longest such), ACROSS, or "" for none."""
    if artefact.startswith(ACROSS):
        return ACROSS
    return max((name for name in names if artefact.endswith(f"-{name}")), key=len, default="")


def _study(figures: list[Drawing], tables: list[Table]) -> str:
    """The table of safe sparsity in the open, figures one by one, the other tables folded."""
    first = [table for table in tables if table.name.startswith(HEADLINE)]
    rest = [table for table in tables if table not in first]
    parts = [table_html(table) for table in first]
    if figures:
        parts.append(_folded(f"Figures ({len(figures)})", "\n".join(map(_figure, figures)), is_open=True))
    if rest:
        parts.append(_folded(f"More tables ({len(rest)})", "\n".join(map(table_html, rest)), is_open=not first))
    return "\n".join(parts)


def _folded(title: str, inside: str, is_open: bool = False) -> str:
    return f"<details{' open' * is_open}><summary>{escape(title)}</summary>\n{inside}\n</details>"


def _figure(drawing: Drawing) -> str:
    # an SVG inside the page would share its ids with the others; as an image it keeps them to itself
    picture, kind = drawing.rendered("svg"), "svg+xml"
    if len(picture) > HEAVY:
        picture, kind = drawing.rendered("png"), "png"
    files = " · ".join(
        link(Path(f"../figures/{drawing.name}.{form}"), form.upper()) for form in ("pdf", "svg", "png", "csv")
    )
    caption = escape(drawing.caption)
    image = f'<img alt="{caption}" src="data:image/{kind};base64,{base64.b64encode(picture).decode()}">'
    return f'<figure>{image}<figcaption>{caption} <span class="files">{files}</span></figcaption></figure>'


def _notebooks(notebooks: list[Executed]) -> str:
    """An index of the notebooks' pages, by data set, protocol and model."""
    groups: dict[str, list[str]] = {}
    for notebook in notebooks:
        words = describe(notebook)
        title = " · ".join(word for word in (words["dataset"], words["protocol"], words["model"]) if word)
        item = f"<li>{link(Path(notebook.page), words['method'] or notebook.name)}</li>"
        groups.setdefault(title or notebook.name, []).append(item)
    lists = "\n".join(
        f'<div class="group"><h3>{escape(title)}</h3><ul>{"".join(items)}</ul></div>' for title, items in groups.items()
    )
    return (
        "<p>Each cell was measured by one of these pages of prose, code and plots. To run one yourself: <code>make lab</code>.</p>"
        '<p class="filter"><label>Notebooks with <input type="search" data-filter="notebook-list" placeholder="model, method"></label> '
        f'<output>{len(notebooks)} notebooks</output></p>\n<div id="notebook-list" class="notebooks">{lists}</div>'
    )


def _asset(name: str) -> str:
    return resources.files("recprune.report").joinpath("assets", name).read_text(encoding="utf-8")
