"""The executed notebooks behind the rows, as pages that open without Jupyter and without a network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup
from tqdm import tqdm

from recprune.files import write_atomically
from recprune.report.page import formulas
from recprune.report.page.html import rendered
from recprune.report.page.policy import content_policy
from recprune.study.rows.places import has_rows

FOLDER = "notebooks"  # below the report
_MARK = '<meta name="source" content="{}">'


@dataclass(frozen=True)
class Executed:
    """An executed notebook.

    path   the file
    name   its folder below runs: study/data set/protocol/model/method
    keys   of the runs it was, as in the column `run` of the rows (more than one where an older stamp still lies there)
    rows   whether it measured cells of its own
    """

    path: Path
    name: str
    keys: tuple[str, ...]
    rows: bool

    @property
    def page(self) -> str:
        """Where its page lies below the report."""
        return f"{FOLDER}/{self.name}.html"


def executed(results: Path, runs: Iterable[str]) -> list[Executed]:
    """The executed notebooks of finished runs that measured rows of this report, by name.

    runs  keys of the runs that the rows are of
    Beside them, those of the same study that measure nothing but show the data or compare. A folder whose name starts
    with a dot is unfinished.
    """
    folder = runs_folder(Path(results))
    if folder is None:
        return []
    found = [_executed(path, folder) for path in sorted(folder.rglob("executed.ipynb"))]
    found = [notebook for notebook in found if not any(part.startswith(".") for part in notebook.name.split("/"))]
    wanted, studies = set(runs), set()
    ours = []
    for notebook in sorted(found, key=lambda one: (one.name.split("/")[0] != results.name, one.name)):
        if wanted & set(notebook.keys):  # two studies may share a run: it is shown once
            wanted -= set(notebook.keys)
            studies.add(_place(notebook))
            ours.append(notebook)
    ours += [
        notebook for notebook in found if not notebook.rows and notebook not in ours and _place(notebook) in studies
    ]
    return sorted(ours, key=lambda one: one.name)


def runs_folder(results: Path) -> Path | None:
    """The folder of the runs: in `results` or above it, for results/<study> and results/own/<data set>[/<study>]."""
    places = [results, *list(results.absolute().parents)[:3]]
    return next((place / "runs" for place in places if (place / "runs").is_dir()), None)


def write_notebooks(notebooks: list[Executed], report: Path) -> dict[str, str]:
    """A page for each notebook is written below `report`, pages of notebooks gone are removed; key of a run -> page.

    A page is written anew only when the notebook or what renders it changed: it carries a hash of both.
    """
    report, version = Path(report), _version()
    due = []
    for notebook in notebooks:
        content = notebook.path.read_bytes()
        source = hashlib.sha256(version + content).hexdigest()
        if not _is_of(report / notebook.page, source):
            due.append((notebook, content, source))
    if due:
        render = _renderer()
        for notebook, content, source in tqdm(due, desc="notebooks as pages", delay=3):
            write_atomically(report / notebook.page, render(notebook, content, source, report))
    here = {report / notebook.page for notebook in notebooks}
    for page in (report / FOLDER).rglob("*.html"):
        if page not in here:
            page.unlink()
    return {key: notebook.page for notebook in notebooks for key in notebook.keys}


def _executed(path: Path, folder: Path) -> Executed:
    keys = tuple(sorted(stamp.stem for stamp in path.parent.glob("*.done")))
    rows = has_rows(path.parent / "cells.csv")
    return Executed(path, path.parent.relative_to(folder).as_posix(), keys, rows)


def _place(notebook: Executed) -> tuple[str, ...]:
    """Study, data set and protocol of a run's folder."""
    return tuple(notebook.name.split("/")[:3])


def _version() -> bytes:
    """What a page depends on beside its notebook."""
    here = Path(__file__).parent
    code = [(here / name).read_bytes() for name in ("notebooks.py", "formulas.py", "templates/notebook.html")]
    made = (metadata.version("nbconvert"), _style(), content_policy())
    return b"\0".join([*code, *(text.encode() for text in made)])


def _is_of(page: Path, source: str) -> bool:
    try:
        with page.open() as file:
            return _MARK.format(source) in file.read(1000)
    except (FileNotFoundError, UnicodeDecodeError):
        return False


def _renderer():
    """(notebook, content, hash, report) -> HTML. nbconvert is imported when there is something to render."""
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="basic")  # the cells alone: other templates ask a network for scripts

    def render(notebook: Executed, content: bytes, source: str, report: Path) -> str:
        try:
            document = nbformat.reads(content.decode(), as_version=4)
        except (ValueError, KeyError, AttributeError, nbformat.ValidationError):
            return _page(notebook, source, report, "<p>This file cannot be read as a notebook.</p>")
        document.cells = _with_parameters_once(document.cells)
        for cell in document.cells:
            if cell.cell_type == "markdown":
                cell.source = formulas.with_pictures(cell.source)
        body, _ = exporter.from_notebook_node(document)
        return _page(notebook, source, report, body)

    return render


def _with_parameters_once(cells: list) -> list:
    """Without the defaults, where a run put its own parameters below them."""
    tags = [set(cell.metadata.get("tags", ())) for cell in cells]
    if not any("injected-parameters" in of for of in tags):
        return cells
    return [cell for cell, of in zip(cells, tags, strict=True) if "parameters" not in of]


def _page(notebook: Executed, source: str, report: Path, body: str) -> str:
    def up(path: Path) -> str:
        return quote(Path(os.path.relpath(path, (report / notebook.page).parent)).as_posix())

    return rendered(
        "notebook.html",
        mark=Markup(_MARK.format(source)),
        name=notebook.name,
        policy=Markup(content_policy()),
        style=Markup(_style()),
        report=up(report / "index.html"),
        source=up(notebook.path),
        body=Markup(body),
    )


@cache
def _style() -> str:
    """The style of every page: ours, and pygments' colours for code. It stands in the page, which so needs no file."""
    from pygments.formatters import HtmlFormatter

    own = resources.files("recprune.report.page").joinpath("assets", "notebook.css").read_text()
    return own + HtmlFormatter(style="default").get_style_defs(".highlight") + "\n"


def describe(notebook: Executed) -> dict[str, str]:
    """Data set, protocol, model and method of a run, from its folder; missing parts are empty."""
    parts = [*notebook.name.split("/"), "", "", "", "", ""]
    return dict(zip(("study", "dataset", "protocol", "model", "method"), parts, strict=False))
