"""The effect in CF and in deep models, and whether the two differ whichever single model is left out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from recprune.report.claims.claim import Contrast
from recprune.report.claims.contrasts import Effect, Judged, OfModel, judged
from recprune.report.claims.influences import Moved, mean_of

FAMILIES = ("cf", "deep")
DIFFERENCE = "difference"  # CF less deep


def of_families(contrast: Contrast, found: Sequence[OfModel]) -> list[Effect]:
    """The effect in each family with models that count, and of quality the difference of the two.

    A mean over few unlike models may be one of them: `without` and `survives` say what is left without each.
    """
    members = {family: [each for each in found if each.counts and each.effect.family == family] for family in FAMILIES}
    effects = [_of_family(contrast, family, of) for family, of in members.items() if of]
    moved = [[each.moved for each in of if each.moved is not None] for of in members.values()]
    return [*effects, _difference(contrast, *moved)] if all(moved) else effects


def _of_family(contrast: Contrast, family: str, members: list[OfModel]) -> Effect:
    moved = [each.moved for each in members if each.moved is not None]
    if not moved:  # of models of different sizes: a mean, and no interval
        numbers = np.array([each.effect.judged.effect for each in members])
        means = [float(np.delete(numbers, place).mean()) for place in range(len(numbers)) if len(numbers) > 1]
        whole = Judged(float(numbers.mean()))
        return Effect(family=family, model="", judged=whole, points=len(numbers), seeds=0, without=_range(means))
    others = [mean_of(rest) for rest in _leaving_one_out(moved) if rest]
    return _whole(contrast, family, mean_of(moved), others, len(moved), len(moved) > 1)


def _difference(contrast: Contrast, cf: list[Moved], deep: list[Moved]) -> Effect:
    """CF less deep; a family of one model is that model, and nothing is known of the family without it."""
    left = chain(
        (mean_of(rest).minus(mean_of(deep)) for rest in _leaving_one_out(cf) if rest),
        (mean_of(cf).minus(mean_of(rest)) for rest in _leaving_one_out(deep) if rest),
    )
    whole = mean_of(cf).minus(mean_of(deep))
    return _whole(contrast, DIFFERENCE, whole, list(left), len(cf) + len(deep), min(len(cf), len(deep)) > 1)


def _whole(contrast: Contrast, family: str, moved: Moved, others: list[Moved], models: int, several: bool) -> Effect:
    sides = {_side(each) for each in (moved, *others)}
    return Effect(
        family=family,
        model="",
        judged=judged(contrast, moved.estimate),
        points=models,
        seeds=len(moved.seeds),
        without=_range([each.estimate.mean for each in others]),
        survives=several and len(sides) == 1 and sides != {0},
    )


def _leaving_one_out(moved: list[Moved]) -> list[list[Moved]]:
    return [moved[:place] + moved[place + 1 :] for place in range(len(moved))]


def _side(moved: Moved) -> int:
    """1 or -1 where the whole interval lies above or below 0, else 0."""
    interval = moved.estimate.interval
    return 1 if interval.lo > 0 else -1 if interval.hi < 0 else 0


def _range(numbers: list[float]) -> tuple[float, float]:
    return (min(numbers), max(numbers)) if numbers else (np.nan, np.nan)
