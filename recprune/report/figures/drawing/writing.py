"""Figures as files: PDF, SVG, PNG, the CSV of what is drawn, LaTeX, and a list of all with their captions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from recprune.files import write_atomically
from recprune.report.figures.drawing.registry import Drawing
from recprune.report.figures.drawing.style import FORMATS, SINGLE
from recprune.report.tables.layout.latex import escape

CAPTIONS = (
    "captions.json"  # name -> caption, of every figure in the folder: also of those that were not drawn this time
)
HEAD = """# Figures

`make figures` writes each as PDF, SVG and PNG, with the CSV of exactly what is drawn, and as LaTeX with its caption.
"""


def write_figures(drawn: Iterable[Drawing], results: Path) -> list[Path]:
    """Write each drawing to <results>/figures/<study> as PDF, SVG and PNG, with the CSV of what is drawn and a LaTeX
    figure with its caption; returns the paths. README.md lists all figures that are there with their captions."""
    folder, paths, captions = Path(results) / "figures", [], {}
    for drawing in drawn:
        files = {form: drawing.rendered(form) for form in FORMATS}
        files["csv"] = drawing.data.to_csv(index=False, lineterminator="\n").encode()
        files["tex"] = to_latex(drawing).encode()
        paths += [write_atomically(folder / f"{drawing.name}.{form}", content) for form, content in files.items()]
        captions[drawing.name] = drawing.caption
    return [*paths, *_listed(folder, captions)] if captions else paths


def to_latex(drawing: Drawing) -> str:
    """A figure environment, over both columns where the figure is wider than one; it needs no package but graphicx."""
    kind = "figure" if drawing.figure.get_size_inches()[0] <= SINGLE else "figure*"
    return (
        f"\\begin{{{kind}}}[t]\n\\centering\n\\includegraphics{{{drawing.name}.pdf}}\n"
        f"\\caption{{{escape(drawing.caption)}}}\n\\label{{fig:{drawing.anchor}}}\n\\end{{{kind}}}\n"
    )


def _listed(folder: Path, captions: dict[str, str]) -> list[Path]:
    """Write the list of the figures drawn now, and of those drawn before that are still there, by name."""
    path = folder / CAPTIONS
    before = json.loads(path.read_text("utf-8")) if path.exists() else {}
    known = {name: text for name, text in before.items() if (folder / f"{name}.png").exists()} | captions
    known = dict(sorted(known.items()))
    sections = "".join(f"\n## {name}\n\n![{name}]({name}.png)\n\n{_markdown(text)}\n" for name, text in known.items())
    return [
        write_atomically(path, json.dumps(known, ensure_ascii=False, indent=1).encode() + b"\n"),
        write_atomically(folder / "README.md", (HEAD + sections).encode()),
    ]


def _markdown(text: str) -> str:
    """`text` so that Markdown prints it as it stands, on one line: a data set may be called anything."""
    return " ".join(re.sub(r"([\\|*_<`\[\]])", r"\\\1", text).split())
