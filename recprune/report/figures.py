"""All figures, by name: for notebooks one at a time, for `make figures` all of them as files.

    tradeoff(cells, side="parameters", models=None)   curve(cells)
    pareto(cells, cost="bytes_disk")                  safe_sparsity(cells)
    importance(scores, criterion, unit, keep)         protocol_order(cells)   protocol_curves(cells)
    both(cells)

Each takes rows of one data set under one protocol (the last two: under several; `importance`: scores) and returns (figure,
the data drawn in it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from recprune.report.both import both, safe_by_samples
from recprune.report.cells import FLOORS, heading, studies
from recprune.report.grouping import groups
from recprune.report.heatmap import safe_sparsity
from recprune.report.pareto import pareto
from recprune.report.protocols import several
from recprune.report.protocols_figures import protocol_curves, protocol_order
from recprune.report.scores import importance
from recprune.report.style import FORMATS, render
from recprune.report.tradeoff import curve, tradeoff
from recprune.study.files import write_atomically

__all__ = ["Drawing", "both", "curve", "drawings", "importance", "pareto", "protocol_curves", "protocol_order", "safe_by_samples",
           "safe_sparsity", "tradeoff", "write_figures"]  # fmt: skip


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
        where = heading(rows)
        sides = set(rows["side"])
        has_models = ~rows["model"].isin(FLOORS)
        if has_models.any() and rows.loc[has_models, "test_ndcg@10"].notna().any():
            for cost, stem, words in (
                ("bytes_disk", "pareto", "bytes on disk"),
                ("p50_ms", "pareto-latency", "milliseconds per user"),
            ):
                if (rows.loc[has_models, cost] > 0).any():
                    yield Drawing(
                        f"{stem}-{name}",
                        f"Quality against {words} on {where}: all models, dense and pruned, and each family's front.",
                        *pareto(rows, cost),
                    )
        if sides & {"parameters", "samples"}:
            yield Drawing(
                f"safe-sparsity-{name}",
                f"What each method removes safely on {where}: the largest share whose one-sided 95 % "
                "lower bound of validation nDCG@10 is at least 0.99 of the dense model's; "
                "a star where test did not confirm it.",
                *safe_sparsity(rows),
            )
        for group, mine in groups(rows):
            yield Drawing(
                f"tradeoff-{group.stem}-{name}",
                f"Test nDCG@10 relative to the dense model against the share kept of {group.what}, on {where}.",
                *tradeoff(mine, group.side),
            )
        if "both" in sides:
            yield Drawing(
                f"samples-and-parameters-{name}",
                f"Does less training data change how prunable a model is? Quality over the grid of both shares, on {where}.",
                *both(rows),
            )
    yield from _across_protocols(cells)


def _across_protocols(cells: pd.DataFrame) -> Iterator[Drawing]:
    for name, rows in several(cells):
        yield Drawing(
            f"protocols-order-{name}",
            f"Dense models on {name} under each protocol: test nDCG@10 with its 95 % interval over users, and the rank.",
            *protocol_order(rows),
        )
        if (rows["side"] == "parameters").any():
            yield Drawing(
                f"protocols-pruning-{name}",
                f"Test nDCG@10 relative to the dense model against the share of parameters kept, on {name} by protocol.",
                *protocol_curves(rows),
            )


def write_figures(drawn: Iterable[Drawing], results: Path) -> list[Path]:
    """Write each drawing to <results>/figures as PDF, SVG and PNG with the CSV of what is drawn; returns the paths."""
    paths = []
    for drawing in drawn:
        base = Path(results) / "figures" / drawing.name
        files = {form: drawing.rendered(form) for form in FORMATS}
        files["csv"] = drawing.data.to_csv(index=False, lineterminator="\n").encode()
        paths += [write_atomically(f"{base}.{form}", content) for form, content in files.items()]
    return paths
