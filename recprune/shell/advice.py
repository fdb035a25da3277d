"""What is likely to go from a model on a log that nobody measured: what went on the data sets of the studies.

They are few, too few for a line through what went against users, items, density or concentration. So the prediction is
what went everywhere, and the interval is the range of what went, widened by the farthest that a data set lay outside of
the range of the others, each left out in turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from recprune.models import REGISTRY
from recprune.shell.known import Best, Known
from recprune.study.tuning.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Expected:
    """Shares of the units of a model that a rule removes at a loss of at most 1 % of nDCG@10.

    removed  data set -> share: safe on validation and confirmed on test, else 0
    wider    how far the interval reaches beyond the range of these shares
    """

    rule: Best
    removed: dict[str, float]
    wider: float = 1.0

    @property
    def least(self) -> float:
        """What went on each of the data sets."""
        return min(self.removed.values())

    @property
    def interval(self) -> tuple[float, float]:
        """The lower and the upper end; from 0 to 1 where fewer than two data sets tell."""
        if len(self.removed) < 2:
            return 0.0, 1.0
        return max(0.0, self.least - self.wider), min(1.0, max(self.removed.values()) + self.wider)


def expected(known: Known, without: Iterable[str] = ()) -> list[Expected]:
    """What is expected of each model by its rule: first of whom most data sets tell, then of whom most went on each.

    without  data sets that do not count: of a prediction for one of them
    The intervals reach beyond what was found by the farthest that one data set lies outside of the range of the others,
    of any of the models: of one model alone, two data sets that happen to be alike would promise too much.
    """
    found = [Expected(rule, _removed(known, rule, set(without))) for rule in known.rules]
    found = [each for each in found if each.removed]
    wider = max((distance for each in found for distance in left_out(each.removed)), default=1.0)
    found = [replace(each, wider=wider) for each in found]
    return sorted(found, key=lambda each: (-len(each.removed), -each.least, -max(each.removed.values())))


def left_out(removed: Mapping[str, float]) -> list[float]:
    """How far each data set, left out in turn, lies outside of the range of the others; nothing of fewer than two."""
    distances = []
    for dataset, share in removed.items() if len(removed) > 1 else ():
        others = [other for name, other in removed.items() if name != dataset]
        distances.append(max(0.0, min(others) - share, share - max(others)))
    return distances


def held(known: Known) -> tuple[int, int]:
    """Of all data sets and models, how often the interval of the other data sets, all of which know nothing of this
    one, holds what was removed from it; of how many. Of models that two others or more tell of."""
    whole, verdicts = {each.rule: each.removed for each in expected(known)}, []
    for one in known.data_sets:
        for each in expected(known, without=(one.dataset,)):
            share = whole[each.rule].get(one.dataset)
            if share is not None and len(each.removed) > 1:
                verdicts.append(holds(each.interval, share))
    return sum(verdicts), len(verdicts)


def holds(interval: tuple[float, float], share: float) -> bool:
    """Whether a share lies within an interval; shares are known to a millionth."""
    return interval[0] - 1e-6 <= share <= interval[1] + 1e-6


def _removed(known: Known, rule: Best, without: set[str]) -> dict[str, float]:
    """Data set -> the share that a rule removed. A model of another form does not count: EASE on a few neighbours an
    item has lost most of its matrix before."""
    return {
        one.dataset: one.removed if one.confirmed else 0.0
        for one in known.measured
        if one.method == rule.method
        and one.dataset not in without
        and not _of_another_form(known, rule.model, one.dataset, one.protocol)
    }


def _of_another_form(known: Known, model: str, dataset: str, protocol: str) -> bool:
    """Whether a model that takes all neighbours by default had a few of them on a data set."""
    values = Hyperparameters(profiles=known.profiles, tuned=known.tuned).of_name(dataset, model, protocol)
    return model in REGISTRY and getattr(REGISTRY[model], "neighbours", 0) is None and bool(values.get("neighbours"))
