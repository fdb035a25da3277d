"""All figures, by name: for notebooks one at a time, for `make figures` all of them as files.

    best(cells)                                       who_pays(cells)
    tradeoff(cells, side="parameters", models=None)   curve(cells)
    rounds(cells, side="parameters")                  time_saved(cells)
    pareto(cells, cost="bytes_disk")                  safe_sparsity(cells)
    importance(scores, criterion, unit, keep)         protocol_order(cells)   protocol_curves(cells)
    both(cells)

Each takes rows of one data set under one protocol (those of protocols: under several; `importance`: scores) and returns
(figure, the data drawn in it).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from recprune.errors import NothingToDrawError
from recprune.files import write_atomically
from recprune.report import captions
from recprune.report.best import best
from recprune.report.both import both, safe_by_samples
from recprune.report.cells import FLOORS, canonical, studies
from recprune.report.grouping import groups
from recprune.report.heatmap import safe_sparsity
from recprune.report.pareto import pareto
from recprune.report.protocols import several
from recprune.report.protocols_figures import protocol_curves, protocol_order
from recprune.report.rounds import rounds
from recprune.report.safe import safe_points
from recprune.report.scores import importance
from recprune.report.style import FORMATS, SINGLE, render
from recprune.report.tables import escape
from recprune.report.time_saved import time_saved
from recprune.report.tradeoff import curve, tradeoff
from recprune.report.who_pays import who_pays

__all__ = [
    "Drawing",
    "best",
    "both",
    "curve",
    "drawings",
    "importance",
    "pareto",
    "protocol_curves",
    "protocol_order",
    "rounds",
    "safe_by_samples",
    "safe_sparsity",
    "time_saved",
    "to_latex",
    "tradeoff",
    "who_pays",
    "write_figures",
]


@dataclass(frozen=True)
class Drawing:
    """A figure with its file name (no ending), what it shows, and the data drawn."""

    name: str
    caption: str
    figure: Figure
    data: pd.DataFrame
    _rendered: dict[str, bytes] = field(default_factory=dict, repr=False)

    def rendered(self, form: str) -> bytes:
        """The figure as a file of `form`; drawn once, however often it is asked for."""
        if form not in self._rendered:
            self._rendered[form] = render(self.figure, form)
        return self._rendered[form]


def drawings(cells: pd.DataFrame) -> Iterator[Drawing]:
    """Every figure that the rows suffice for, study after study."""
    for name, rows in studies(cells):
        yield from _of_study(name, rows)
    yield from across_protocols(cells)


def _of_study(name: str, rows: pd.DataFrame) -> Iterator[Drawing]:
    rows = rows[rows["unit"] != "history"]
    if rows.empty:
        return
    found = safe_points(canonical(rows))
    yield from _made(f"best-{name}", lambda: best(rows), captions.best)
    if (~rows["model"].isin(FLOORS)).any():
        for cost, stem, words in (
            ("bytes_disk", "pareto", "bytes on disk"),
            ("p50_ms", "pareto-latency", "milliseconds per user"),
        ):
            caption = lambda data, words=words: captions.pareto(data, words)  # noqa: E731
            yield from _made(f"{stem}-{name}", lambda cost=cost: pareto(rows, cost, found), caption)
    yield from _made(f"safe-sparsity-{name}", lambda: safe_sparsity(rows, found), captions.safe_sparsity)
    yield from _made(f"who-pays-{name}", lambda: who_pays(rows), captions.who_pays)
    for group, mine in groups(rows):
        drawn = tradeoff(mine, group.side)
        yield Drawing(f"tradeoff-{group.stem}-{name}", captions.tradeoff(drawn[1], group.what, group.side), *drawn)
    for side, stem in (("parameters", "rounds"), ("samples", "rounds-samples")):
        caption = lambda data, side=side: captions.rounds(data, side)  # noqa: E731
        yield from _made(f"{stem}-{name}", lambda side=side: rounds(rows, side), caption)
    yield from _made(f"time-saved-{name}", lambda: time_saved(rows), captions.time_saved)
    yield from _made(f"samples-and-parameters-{name}", lambda: both(rows), captions.both)


def across_protocols(cells: pd.DataFrame) -> Iterator[Drawing]:
    """Figures that set several protocols of one data set side by side."""
    for name, rows in several(cells):
        yield from _made(f"protocols-order-{name}", lambda rows=rows: protocol_order(rows), captions.protocol_order)
        yield from _made(f"protocols-pruning-{name}", lambda rows=rows: protocol_curves(rows), captions.protocol_curves)


def _made(
    name: str, draw: Callable[[], tuple[Figure, pd.DataFrame]], caption: Callable[[pd.DataFrame], str]
) -> Iterator[Drawing]:
    """The drawing, or none where the rows hold nothing of it."""
    try:
        figure, data = draw()
    except NothingToDrawError:
        return
    yield Drawing(name, caption(data), figure, data)


def write_figures(drawn: Iterable[Drawing], results: Path) -> list[Path]:
    """Write each drawing to <results>/figures as PDF, SVG and PNG, with the CSV of what is drawn and a LaTeX figure with its
    caption; returns the paths. README.md lists all figures that are there with their captions."""
    folder, paths, listed = Path(results) / "figures", [], {}
    for drawing in drawn:
        files = {form: drawing.rendered(form) for form in FORMATS}
        files["csv"] = drawing.data.to_csv(index=False, lineterminator="\n").encode()
        files["tex"] = to_latex(drawing).encode()
        paths += [write_atomically(f"{folder / drawing.name}.{form}", content) for form, content in files.items()]
        listed[drawing.name] = drawing.caption
    return [*paths, write_atomically(folder / "README.md", _index(folder, listed).encode())] if listed else paths


def to_latex(drawing: Drawing) -> str:
    """A figure environment, over both columns where the figure is wider than one; it needs no package but graphicx."""
    kind = "figure" if drawing.figure.get_size_inches()[0] <= SINGLE else "figure*"
    return (
        f"\\begin{{{kind}}}[t]\n\\centering\n\\includegraphics{{{drawing.name}.pdf}}\n"
        f"\\caption{{{escape(drawing.caption)}}}\n\\label{{fig:{drawing.name}}}\n\\end{{{kind}}}\n"
    )


_SECTION = re.compile(r"^## (?P<name>\S+)\n\n!\[.*?\]\(.*?\)\n\n(?P<caption>.+)\n", re.MULTILINE)


def _index(folder: Path, listed: dict[str, str]) -> str:
    """The figures drawn now, and those listed before that are still there, by name."""
    path = folder / "README.md"
    before = (
        {match["name"]: match["caption"] for match in _SECTION.finditer(path.read_text("utf-8"))}
        if path.exists()
        else {}
    )
    known = {name: text for name, text in before.items() if (folder / f"{name}.png").exists()}
    known |= {name: _markdown(text) for name, text in listed.items()}
    sections = "".join(f"\n## {name}\n\n![{name}]({name}.png)\n\n{known[name]}\n" for name in sorted(known))
    return (
        "# Figures\n\nEach as PDF, SVG and PNG, with the CSV of exactly what is drawn and a LaTeX figure with its caption.\n"
        f"{sections}"
    )


def _markdown(text: str) -> str:
    """`text` so that Markdown prints it as it stands, on one line: a data set may be called anything."""
    return " ".join(re.sub(r"([\\|*_<`\[\]])", r"\\\1", text).split())
