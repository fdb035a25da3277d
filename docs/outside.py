"""Links from docs/ into the rest of the checkout: on a forge they lead there; in the pages, to what of it is in them.

A Markdown file that a page includes is a place of that page, another file a copy to download, and a folder, of which no
copy is made, the words alone.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PLACE = re.compile(r"^(?:#+ (?P<heading>.+)|```\{include\} (?P<path>\S+))$", re.M)


def places() -> dict[Path, tuple[str, str]]:
    """Each included file -> the page that has it, and the anchor of the heading above it there, or ""."""
    known = {}
    for page in sorted(DOCS.glob("*.md")):
        anchor = ""
        for match in PLACE.finditer(page.read_text("utf-8")):
            if heading := match["heading"]:
                anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            else:
                known[(DOCS / match["path"]).resolve()] = page.stem, anchor
    return known


def found(link: addnodes.pending_xref) -> Path | None:
    """What a link leads to: from docs/, or from the root, where a page includes a file of the root; None: neither."""
    target, plain = str(link.get("reftarget", "")).partition("#")[0], link.get("refdomain") != "doc"
    names = [target] if plain else [f"{target}.md"]
    paths = [(folder / name).resolve() for folder in (DOCS, ROOT) for name in names if name]
    return next((path for path in paths if path.exists()), None)


def setup(app):
    """The extension of Sphinx."""
    known = places()

    def lead(app, doctree):
        for link in list(doctree.findall(addnodes.pending_xref)):
            there = found(link) if link.get("refdomain") in (None, "", "doc") else None
            if there is None or (link.get("refdomain") == "doc" and there.is_relative_to(DOCS)):
                continue
            page, anchor = known.get(there, (there.stem, ""))
            if there in known or there.is_relative_to(DOCS):
                link.update_all_atts({"reftarget": page, "refdomain": "doc"}, replace=True)
                link["reftargetid"] = anchor or None
            elif there.is_file():
                copy = addnodes.download_reference("", "", *link.children, reftarget=f"../{there.relative_to(ROOT)}")
                link.replace_self(copy)
            else:
                link.replace_self(nodes.inline("", "", *link.children))

    # before Sphinx looks for what is to be copied, at 500
    app.connect("doctree-read", lead, priority=400)
    return {"parallel_read_safe": True}
