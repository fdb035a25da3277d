"""The curve of pruned samples: the model trained from scratch on every share of the training interactions."""

from __future__ import annotations

from typing import cast

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import Curve, is_shown, points
from recprune.cells.measure import Cell, measure_formats, to_rows
from recprune.cells.once import latest
from recprune.models.parts.training import GradientModel, with_equal_updates
from recprune.pruning import SamplePath


@latest
def sample_path(bench: Bench, seed: int) -> SamplePath:
    """The split of a seed on its way down, as the parameters of the run say."""
    return SamplePath(bench.split(seed), bench.p.criterion, seed, bench.p.unit)


def sample_curve(bench: Bench) -> Curve:
    """The curve of the model trained on every share of the training interactions; the same test interactions.

    Under the recovery `retrain-updates` models of gradient descent make as many updates as on all interactions.
    """
    p, cells, smallest = bench.p, [], None
    for seed, share in points(bench, p.keep):
        path = sample_path(bench, seed)
        less, model = path.cut(share), bench.untrained()
        if p.recovery == "retrain-updates":
            model = with_equal_updates(cast(GradientModel, model), bench.split(seed).train, less.train)
        bench.train(model, seed, less)
        if is_shown(bench, seed, share):
            smallest = model
        cell = Cell.of(p, "samples", share, seed)
        cells += measure_formats(bench, model, cell, train_s=model.train_seconds, score_s=path.seconds, on=less)
    return Curve(to_rows(cells), smallest)
