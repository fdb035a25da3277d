"""One HTML file of the whole report: a plot to explore, a recommendation, all tables, without a network; the pictures
of its figures lie beside the rows.

`data` and `choice` say what its script draws and chooses from, `views` and `notebooks` make the rest; the HTML is in
`templates`, script and style are in `assets`. Without the script, tables and figures are still there to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from recprune.cells import further
from recprune.files import write_atomically
from recprune.report.evidence import Evidence, ProtocolsEvidence, StudyEvidence
from recprune.report.page.data import page_data, to_json
from recprune.report.page.html import rendered
from recprune.report.page.notebooks import Executed, describe, executed, write_notebooks
from recprune.report.page.policy import content_policy
from recprune.report.page.views import Figure, FigureView, TableView, figure_view, table_view
from recprune.report.tables.layout.table import Table
from recprune.study.rows.places import has_rows, places

ACROSS = "/protocols"  # no study is called so
#: stems of tables: with a section of their own; not folded
CLAIMS, FIRST = ("claims", "claims-when", "counter-examples"), "safe-sparsity"
#: the first before anything is painted, the others after all that they find in the page
SCRIPTS = (
    "theme.js",
    "page.js",
    "axes.js",
    "marks.js",
    "plot.js",
    "explore.js",
    "moves.js",
    "choice.js",
    "tables.js",
    "address.js",
)

#: where its pictures may come from: beside it. What 'self' is of a page opened as a file, browsers disagree about
PICTURES = ("'self'", "file:")


@dataclass(frozen=True)
class Section:
    """A part of the page with its anchor, its title and the template that fills it."""

    name: str
    title: str
    template: str


@dataclass(frozen=True)
class StudySection(Section):
    """The figures and tables of one study, or of what belongs to none; `first` are the tables that are not folded."""

    first: list[TableView]
    figures: list[FigureView]
    more: list[TableView]


@dataclass(frozen=True)
class ClaimsSection(Section):
    """The tables of claims."""

    tables: list[TableView]


@dataclass(frozen=True)
class NotebooksSection(Section):
    """The index of the executed notebooks: their number, and title -> links."""

    count: int
    groups: dict[str, list[dict[str, str]]]


def write_page(evidence: Evidence, drawn: Sequence[Figure], tabled: Sequence[Table]) -> Path:
    """The page report/index.html of a results folder is written, and one for each executed notebook beside it.

    drawn, tabled  figures and tables that go into it; pictures of the figures that are not beside the rows are written
    Returns its path. The same rows and notebooks give the same bytes.
    """
    report = evidence.folder / "report"
    place = list(dict.fromkeys(each.dataset for each in evidence.explored))
    studies = sorted(evidence.explored, key=lambda each: (place.index(each.dataset), each.protocol))
    runs = {run for rows in (evidence.cells, *(study.rows for study in studies)) for run in rows["run"]}
    notebooks = executed(evidence.folder, runs)
    pages = write_notebooks(notebooks, report)
    sections = [
        Section("explore", "Explore", "explore.html"),
        Section("choose", "Which should I use?", "choose.html"),
        *_claims([table for table in tabled if table.stem in CLAIMS], evidence.folder),
        *_studies(studies, drawn, [table for table in tabled if table.stem not in CLAIMS], evidence.folder),
        *_notebooks(notebooks),
    ]
    scripts = [*map(_asset, SCRIPTS)]
    page = rendered(
        "index.html",
        policy=Markup(content_policy(scripts, PICTURES)),
        sections=sections,
        rows=[file.relative_to(evidence.folder).as_posix() for file in _rows(evidence.folder)],
        data=Markup(to_json(page_data(studies, pages))),
        style=_asset("page.css"),
        scripts=scripts,
    )
    return write_atomically(report / "index.html", page)


def _rows(results: Path) -> Iterator[Path]:
    """The files that have rows: a study of audits or of windows has no cells, others nothing further."""
    for file in (place / name for place in places(results) for name in ("cells.csv", further.FILE)):
        if has_rows(file):
            yield file


def _claims(tables: Sequence[Table], results: Path) -> Sequence[Section]:
    views = [table_view(table, results) for table in tables]
    return [ClaimsSection("claims", "Claims and verdicts", "claims.html", views)] if views else []


def _studies(
    studies: Sequence[StudyEvidence], drawn: Sequence[Figure], tabled: Sequence[Table], results: Path
) -> Sequence[Section]:
    """A section of each study, one across protocols, and one of what belongs to none of these."""
    titles = {study.name: study.heading for study in studies} | {ACROSS: "Across protocols", "": "More"}

    def group(artefact: Figure | Table) -> str:
        return ACROSS if artefact.of is ProtocolsEvidence else artefact.study if artefact.study in titles else ""

    sections = []
    for number, (name, title) in enumerate(titles.items()):
        figures = [figure_view(figure, results) for figure in drawn if group(figure) == name]
        tables = [table for table in tabled if group(table) == name]
        first, more = (
            [table_view(t, results) for t in tables if (t.stem == FIRST) == is_first] for is_first in (True, False)
        )
        if figures or tables:
            sections.append(StudySection(f"study-{number}", title, "study.html", first, figures, more))
    return sections


def _notebooks(notebooks: Sequence[Executed]) -> Sequence[Section]:
    """An index of the notebooks' pages, by data set, protocol and model."""
    groups: dict[str, list[dict[str, str]]] = {}
    for notebook in notebooks:
        words = describe(notebook)
        title = " · ".join(word for word in (words["dataset"], words["protocol"], words["model"]) if word)
        link = {"href": quote(notebook.page), "text": words["method"] or notebook.name}
        groups.setdefault(title or notebook.name, []).append(link)
    known = NotebooksSection("notebooks", "Executed notebooks", "notebooks.html", len(notebooks), groups)
    return [known] if notebooks else []


def _asset(name: str) -> Markup:
    return Markup(resources.files("recprune.report.page").joinpath("assets", name).read_text(encoding="utf-8"))
