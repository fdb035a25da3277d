"""The controls: what is reached by a smaller dense model, and without any rule."""

from __future__ import annotations

import pandas as pd

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import Curve, is_shown, points, seeds
from recprune.cells.measure import Cell, measure_formats, measure_pruned, to_rows
from recprune.cells.once import once
from recprune.errors import StudyError
from recprune.evaluation import evaluate, footprint
from recprune.models import Recommender, build
from recprune.pruning import ParameterPath, prune
from recprune.splits import Split

WITHOUT_A_RULE = ("none", "retrain", "fine-tune")  # reset; reset and trained again; trained on


def smaller_curve(bench: Bench) -> Curve:
    """The curve of the same model, trained dense with about the given shares of the parameters.

    A control is to be the best of its size: its shape is chosen on the first seed's validation among `shapes`.
    """
    cells, smallest = [], None
    for seed, share in points(bench, bench.p.keep):
        dense, small = bench.dense(seed).model, _in_that_shape(bench, seed, share)
        if is_shown(bench, seed, share):
            smallest = small
        kept = footprint(small).parameters / footprint(dense).parameters
        cell = _control("model", "smaller-dense", "retrain", kept, seed)
        cells += measure_formats(bench, small, cell, train_s=small.train_seconds, asked=share)
    return Curve(to_rows(cells), smallest)


@once
def first_smaller(bench: Bench, share: float) -> Recommender:
    """The first seed's model of about `share` of the parameters, trained, in the shape that is best on validation."""
    seed = bench.p.seeds[0]
    trained = [bench.train(shape, seed) for shape in bench.dense(seed).model.shapes(share)]
    if len(trained) == 1:
        return trained[0]
    return max(trained, key=lambda model: _quality(model, bench.split(seed)))  # of equals the first


def _in_that_shape(bench: Bench, seed: int, share: float) -> Recommender:
    first = first_smaller(bench, share)
    if seed == bench.p.seeds[0]:
        return first
    return bench.train(build(bench.p.model, **first.hyperparameters()), seed)


def _quality(model: Recommender, of: Split) -> float:
    return evaluate(model, of, on="validation", k=10).mean["ndcg@10"]


def control_rows(bench: Bench) -> pd.DataFrame:
    """The rows of what is reached without a rule: everything reset to zero; and of models of gradient descent, that
    trained again, and the dense model trained on as fine-tuning does. Of these three those of `recoveries`: none,
    retrain, fine-tune; by default all.

    Raises StudyError where another recovery is asked for.
    """
    asked = set(bench.p.recoveries or WITHOUT_A_RULE)
    if wrong := asked - set(WITHOUT_A_RULE):
        raise StudyError(f"recoveries = {sorted(wrong)}: the controls have {', '.join(WITHOUT_A_RULE)}")
    cells = []
    for seed in seeds(bench):
        model, of = bench.dense(seed).model, bench.split(seed)
        possible = asked if hasattr(model, "descend") else asked & {"none"}
        for recovery in [r for r in ("none", "retrain") if r in possible]:
            reset = prune(model, of, criterion="zero-reset", recovery=recovery, seed=seed)
            cells += measure_pruned(bench, reset, _control("weight", "zero-reset", recovery, 0.0, seed))
        if "fine-tune" in possible:
            on = ParameterPath(model, of, "random", recovery="fine-tune", seed=seed).cut(1.0)
            cells += measure_pruned(bench, on, _control("model", "train-on", "fine-tune", 1.0, seed))
    return to_rows(cells)


def _control(unit: str, criterion: str, recovery: str, kept: float, seed: int) -> Cell:
    return Cell(
        side="control", unit=unit, criterion=criterion, schedule="one-shot", recovery=recovery, kept=kept, seed=seed
    )
