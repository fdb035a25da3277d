"""Links from docs/ into the rest of the checkout: on a forge they lead there; in the pages, to what of it is in them.

A Markdown file that a page includes is a place of that page, another file a copy to download, and a folder, of which no
copy is made, the words alone.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes

DOCS = Path(__file__).resolve().parent
PLACE = re.compile(r"^(?:#+ (?P<heading>.+)|```\{include\} (?P<path>\S+))$", re.M)


def places() -> dict[Path, tuple[str, str]]:
    """Each included file -> the page that has it, and the anchor of the heading above it there, or ""."""
    found = {}
    for page in sorted(DOCS.glob("*.md")):
        anchor = ""
        for match in PLACE.finditer(page.read_text("utf-8")):
            if heading := match["heading"]:
                anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            else:
                found[(DOCS / match["path"]).resolve()] = page.stem, anchor
    return found


def setup(app):
    """The extension of Sphinx."""
    known = places()

    def lead(app, doctree):
        for link in list(doctree.findall(addnodes.pending_xref)):
            target = str(link.get("reftarget", ""))
            there = (DOCS / target).resolve()
            file = there.with_name(f"{there.name}.md") if link.get("refdomain") == "doc" else there
            if there.is_relative_to(DOCS) or link.get("refdomain") not in (None, "", "doc"):
                continue
            if file in known:
                page, anchor = known[file]
                link.update_all_atts({"reftarget": page, "refdomain": "doc"}, replace=True)
                link["reftargetid"] = anchor or None
            elif file.is_file():
                copy = addnodes.download_reference(
                    "", "", *link.children, reftarget=f"../{file.relative_to(DOCS.parent)}"
                )
                link.replace_self(copy)
            elif there.is_dir():
                link.replace_self(nodes.inline("", "", *link.children))

    # before Sphinx looks for what is to be copied, at 500
    app.connect("doctree-read", lead, priority=400)
    return {"parallel_read_safe": True}
