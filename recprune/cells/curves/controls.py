"""The controls: what is reached by a smaller dense model, and without any rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from recprune.cells.bench import Bench
from recprune.cells.curves.distilled import LENGTH, with_lists
from recprune.cells.curves.walk import Curve, is_shown, points, seeds
from recprune.cells.measure import Cell, Measured, measure_formats, measure_pruned, to_rows
from recprune.cells.once import once
from recprune.errors import StudyError
from recprune.evaluation import footprint
from recprune.models import Recommender, build
from recprune.pruning import ParameterPath, prune
from recprune.pruning.budget import quality

WITHOUT_A_RULE = ("none", "retrain", "fine-tune")  # reset; reset and trained again; trained on
DISTIL = "distil"  # the smaller dense models once more, with the dense one as their teacher


def smaller_curve(bench: Bench) -> Curve:
    """The curve of the same model, trained dense with about the given shares of the parameters.

    A control is to be the best of its size: its shape is chosen on the first seed's validation among `shapes`; with
    DISTIL among the recoveries it also learns from the dense model; and a table of users who can be folded in is left
    out, of the dense model too, where users are solved for when they are served.
    """
    cells, smallest = [], None
    for seed, share in points(bench, bench.p.keep):
        small = in_that_shape(bench, seed, share)
        if is_shown(bench, seed, share):
            smallest = small
        cells += _smaller(bench, small, "model", "retrain", share, seed)
        cells += _items_alone(bench, small, share, seed)
        if DISTIL in bench.p.recoveries:
            cells += _smaller(bench, _distilled(bench, small, seed), "model", DISTIL, share, seed)
    for seed in bench.p.seeds:
        cells += _items_alone(bench, bench.dense(seed).model, 1.0, seed)
    return Curve(to_rows(cells), smallest)


def _smaller(bench: Bench, small: Recommender, unit: str, recovery: str, share: float, seed: int) -> list[Measured]:
    kept = footprint(small).parameters / footprint(bench.dense(seed).model).parameters
    cell = _control(unit, "smaller-dense", recovery, kept, seed)
    return measure_formats(bench, small, cell, train_s=small.train_seconds, asked=share)


def _items_alone(bench: Bench, model: Recommender, share: float, seed: int) -> list[Measured]:
    """The cells of the model without its users' rows, all but one, since a table has one; none of a model that cannot
    do without them, or has none."""
    if not model.folds_in or "user-row" not in model.structure():
        return []
    path = ParameterPath(model, bench.split(seed), "random", "user-row", seed=seed)
    alone = path.cut(1 / model.n_users).compact()
    alone.train_seconds = model.train_seconds
    return _smaller(bench, alone, "item-tables", "retrain", share, seed)


def _distilled(bench: Bench, small: Recommender, seed: int) -> Recommender:
    """A model of the same shape, trained on what the dense one would recommend as well."""
    of, teacher = bench.split(seed), bench.dense(seed).model
    lists = teacher.recommend(np.arange(of.n_users), k=LENGTH)
    told = replace(of, train=with_lists(of.train, lists))
    return bench.train(build(bench.p.model, **small.hyperparameters()), seed, told)


@once
def first_smaller(bench: Bench, share: float) -> Recommender:
    """The first seed's model of about `share` of the parameters, trained, in the shape that is best on validation."""
    seed = bench.p.seeds[0]
    trained = [bench.train(shape, seed) for shape in bench.dense(seed).model.shapes(share)]
    if len(trained) == 1:
        return trained[0]
    return max(trained, key=lambda model: quality(model, bench.split(seed)))  # of equals the first


def in_that_shape(bench: Bench, seed: int, share: float) -> Recommender:
    """The model of a seed of about `share` of the parameters, trained, in the shape that the first seed chose."""
    first = first_smaller(bench, share)
    if seed == bench.p.seeds[0]:
        return first
    return bench.train(build(bench.p.model, **first.hyperparameters()), seed)


def control_rows(bench: Bench) -> pd.DataFrame:
    """The rows of what is reached without a rule: everything reset to zero; and of models of gradient descent, that
    trained again, and the dense model trained on as fine-tuning does. Of these three those of `recoveries`: none,
    retrain, fine-tune; by default all.

    Raises StudyError where another recovery is asked for.
    """
    asked = set(bench.p.recoveries or WITHOUT_A_RULE)
    if wrong := asked - {*WITHOUT_A_RULE, DISTIL}:
        raise StudyError(f"recoveries = {sorted(wrong)}: the controls have {', '.join((*WITHOUT_A_RULE, DISTIL))}")
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
