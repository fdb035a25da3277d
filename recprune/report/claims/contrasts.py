"""From a contrast to numbers: what its effect is in each model, and whether that counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from recprune.evaluation.intervals import Estimate
from recprune.report.claims.claim import WORTH, Contrast
from recprune.report.claims.influences import Moved, Users
from recprune.report.claims.measures import MEASURES, QUALITY, RATIOS
from recprune.report.claims.pairs import Pairs, chosen, four_cells, points_of, shares
from recprune.report.claims.training import Training, refusal, training_of
from recprune.report.claims.wording import BY_ARITHMETIC

SAME = "the same numbers on both sides"


class Judged(NamedTuple):
    """An effect with its two-sided 95 % interval, and one-sided p-values of "the claim does not hold" and "it may
    hold"; NaN where there is none of them."""

    effect: float = np.nan
    lo: float = np.nan
    hi: float = np.nan
    p_yes: float = np.nan
    p_no: float = np.nan


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One comparison.

    family, model    the model; "" for a family as a whole (each model counts alike)
    judged           what was found
    points, seeds    shares compared, and seeds of each; of a family its models, and the seeds that all of them have
    shares, chosen   the shares kept, and what validation chose, in words
    left_out         why the comparison does not count, in words; "" where it does
    training         of both sides
    without          of a family, or of their difference: the least and the largest effect with one model left out
    survives         whether it lies on the same side of 0 with its interval, whichever model is left out
    """

    family: str
    model: str
    judged: Judged
    points: int
    seeds: int
    shares: str = ""
    chosen: str = ""
    left_out: str = ""
    training: Training = field(default_factory=Training)
    without: tuple[float, float] = (np.nan, np.nan)
    survives: bool = False


class OfModel(NamedTuple):
    """The effect in a model, how users and seeds move it (None of another measure than quality), and whether the model
    counts among its family: it does where the contrast alone is what does not count."""

    effect: Effect
    moved: Moved | None
    counts: bool


def in_models(
    contrast: Contrast, of_models: Pairs, cells: pd.DataFrame, users: Users, left_out: dict[str, str]
) -> list[OfModel]:
    """The effects of a contrast in each model that has its cells.

    of_models  its `compared_pairs` among `cells`;  users  of the same data set and protocol
    left_out   model -> why it does not count (`counted.left_out`)
    """
    found = []
    for model, pairs in of_models.items():
        mine = cells[cells["model"] == model]
        estimate, moved = estimated(contrast, pairs, mine, users)
        training = training_of(contrast, pairs)
        same = SAME if moved is not None and moved.is_nothing else ""
        why = left_out.get(model, "") or same or refusal(contrast, training)
        effect = Effect(
            family=mine["family"].iloc[0],
            model=model,
            judged=judged(contrast, estimate),
            points=len(pairs[points_of(pairs)].drop_duplicates()),
            seeds=pairs["seed"].nunique(),
            shares=shares(pairs),
            chosen=chosen(contrast, pairs),
            left_out=f"{BY_ARITHMETIC}: {contrast.identity}" if contrast.identity else why,
            training=training,
        )
        found.append(OfModel(effect, moved, not why))
    return found


def estimated(
    contrast: Contrast, pairs: pd.DataFrame, cells: pd.DataFrame, users: Users
) -> tuple[Estimate, Moved | None]:
    """The effect of some pairs of one model, whose `cells` are given; of quality also how users and seeds move it."""
    if contrast.measure != QUALITY:
        return _over_seeds(contrast, pairs, cells), None
    moved = users.moved(four_cells(contrast, pairs, cells), list(pairs["seed"]))
    return moved.estimate, moved


def judged(contrast: Contrast, found: Estimate) -> Judged:
    """An estimate held against what the contrast expects."""
    sign, yes = (-1 if contrast.expect == "lower" else 1), contrast.bound
    if contrast.measure in RATIOS:
        in_logs = _judged(found, sign, np.log(yes), np.log(yes))
        return in_logs._replace(**{name: float(np.exp(getattr(in_logs, name))) for name in ("effect", "lo", "hi")})
    no = WORTH if (contrast.measure, contrast.expect) == (QUALITY, "higher") else yes
    return _judged(found, sign, yes, no)


def _judged(found: Estimate, sign: int, yes: float, no: float) -> Judged:
    beyond = Estimate(sign * found.mean, found.error, found.freedom)
    below = Estimate(-beyond.mean, found.error, found.freedom)
    interval = found.interval
    return Judged(found.mean, interval.lo, interval.hi, beyond.beyond(sign * yes), below.beyond(-sign * no))


def _over_seeds(contrast: Contrast, pairs: pd.DataFrame, cells: pd.DataFrame) -> Estimate:
    """The mean of the measure over seeds (in each the mean over points), by Student's t; without seeds in which it was
    not measured. Of RATIOS the logarithm. One seed has no spread, and so no interval: it decides nothing."""
    dense = cells[cells["side"] == "dense"].set_index("seed").loc[pairs["seed"]].set_axis(pairs.index)
    values = MEASURES[contrast.measure](pairs, dense).astype(float).groupby(pairs["seed"]).mean().dropna().to_numpy()
    if len(values) == 0:
        return Estimate(np.nan, np.nan, np.nan)
    is_constant = np.ptp(values) <= 1e-12 * abs(values.mean())  # what rounding leaves of a number that never varies
    values = np.log(values) if contrast.measure in RATIOS else values
    if len(values) == 1:
        return Estimate(float(values[0]), np.nan, np.nan)
    error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return Estimate(float(values.mean()), 0.0 if is_constant else error, len(values) - 1)
