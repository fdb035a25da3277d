"""What was measured here, among the pages: {measured}`words <report/index.html>` leads to a copy of that page.

A page that `make reproduce`, `make report` or `make quick` made lies below results/ or results/quick/; the first of the
two that has it is meant, and a star stands for any study. It is copied with all that it leads to. Where neither has it,
the words alone stay, and say so: these pages are made on any checkout, whatever was measured there.
"""

import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docutils import nodes
from sphinx.util.docutils import SphinxRole

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
PLACES = (RESULTS, RESULTS / "quick")


def page(pattern: str) -> Path | None:
    """The page that a pattern like report/notebooks/*/ml-100k/all/data.html means, or None."""
    return next((path for place in PLACES for path in sorted(place.glob(pattern))), None)


class Links(HTMLParser):
    """All that a page loads or leads to."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Of each tag, the addresses."""
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


def belonging(start: Path) -> set[Path]:
    """The page and all files below results/ that it, and the pages it leads to, need."""
    found, due = set(), [start]
    while due:
        path = due.pop()
        found.add(path)
        if path.suffix == ".html":
            links = map(urlsplit, Links(path.read_text("utf-8")).found)
            near = {(path.parent / unquote(link.path)).resolve() for link in links if link.path and not link.scheme}
            due += [file for file in near - found if file.is_relative_to(RESULTS) and file.is_file()]
    return found


class Measured(SphinxRole):
    """The role: a link to the copy, or words that say that there is none."""

    def run(self):
        """(nodes, messages), as docutils has it."""
        words, _, pattern = self.text.removesuffix(">").rpartition(" <")
        self.env.note_reread()  # results may come and go without a change of the page
        path = page(pattern)
        if path is None:
            return [nodes.Text(f"{words} (not made here)")], []
        self.env.metadata[self.env.docname].setdefault("measured", []).append(path)
        up = "../" * self.env.docname.count("/")
        return [nodes.reference("", words, refuri=f"{up}{path.relative_to(ROOT).as_posix()}")], []


def copy(app, exception):
    """What the pages lead to is copied where it is not there yet."""
    if exception:
        return
    starts = {path for data in app.env.metadata.values() for path in data.get("measured", ())}
    for file in {file for start in starts for file in belonging(start)}:
        to = Path(app.outdir, file.relative_to(ROOT))
        if not to.exists() or to.stat().st_mtime != file.stat().st_mtime:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, to)


def setup(app):
    """The extension of Sphinx."""
    app.add_role("measured", Measured())
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True}
