"""The curve of pruned samples: the model trained from scratch on every share of the training interactions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from recprune.cells.bench import Bench
from recprune.cells.curves.uphill import uphill
from recprune.cells.curves.walk import Curve, is_shown, points
from recprune.cells.measure import Cell, measure_formats, to_rows
from recprune.cells.once import latest, once
from recprune.errors import StudyError
from recprune.models.descent import GradientModel, with_equal_updates
from recprune.pruning import SamplePath
from recprune.pruning.budget import quality


@latest
def sample_path(bench: Bench, seed: int) -> SamplePath:
    """The split of a seed on its way down, as the parameters of the run say."""
    return SamplePath(bench.split(seed), bench.p.criterion, seed, bench.p.unit)


def sample_curve(bench: Bench) -> Curve:
    """The curve of the model trained on every share of the training interactions; the same test interactions.

    Under the recovery `retrain-updates` models of gradient descent make as many updates as on all interactions; under
    `retrain-tuned` what is `cheap_to_tune` is chosen again.
    """
    p, cells, smallest = bench.p, [], None
    for seed, share in points(bench, p.keep):
        path = sample_path(bench, seed)
        less, model = path.cut(share), bench.untrained()
        if p.recovery == "retrain-tuned":
            model = replace(model, **chosen_again(bench, share))
        if p.recovery == "retrain-updates":
            model = with_equal_updates(cast(GradientModel, model), bench.split(seed).train, less.train)
        bench.train(model, seed, less)
        if is_shown(bench, seed, share):
            smallest = model
        cell = Cell.of(p, "samples", share, seed)
        cells += measure_formats(bench, model, cell, train_s=model.train_seconds, score_s=path.seconds, on=less)
    return Curve(to_rows(cells), smallest)


@once
def chosen_again(bench: Bench, share: float) -> dict[str, Any]:
    """The values of what is `cheap_to_tune` that are best on validation once `share` of the first seed's samples stays.

    What suits all the data may suit a part of them less, and a curve is to show what the data lack. As the values for
    all of them, these are chosen on one split, and hold for every seed. Raises StudyError for another model.
    """
    seed, start, chosen = bench.p.seeds[0], bench.untrained(), dict[str, Any]()
    if not start.cheap_to_tune:
        raise StudyError(f"recovery retrain-tuned: {start.name} takes too long to train to be tuned at every share")
    less = sample_path(bench, seed).cut(share)
    for name in start.cheap_to_tune:

        def reached(value: float, name: str = name) -> float:
            return quality(bench.train(replace(start, **chosen | {name: value}), seed, less), less)

        chosen[name] = uphill(reached, getattr(start, name))
    return chosen
