"""Removal of training samples by data alone: a split with fewer training interactions, the same validation and test."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from recprune.errors import kind_of
from recprune.pruning.criteria import find
from recprune.pruning.criterion import Criterion
from recprune.pruning.rounds import Walk, one_round
from recprune.pruning.select import Ranking, how_many
from recprune.splits import Split

SAMPLE_UNITS = ("interaction", "user", "item")


def prune_samples(
    split: Split, criterion: str | Criterion = "random", keep: float = 0.5, seed: int = 0, unit: str = "interaction"
) -> Split:
    """A split with exactly round(keep * n) training interactions; validation and test stay as they are.

    criterion   a name of `CRITERIA`, or a Criterion of the user's own
    unit        interaction; or user, item: whole users' histories, or all interactions of items, go, and n counts those
                that have any. A user's or an item's score is the mean over its interactions

    What a user has seen in the unpruned log stays out of the rankings, so that models trained on more
    or on less data are judged on the same candidates. A criterion may weight what stays (`train.weight`).

    Raises ValueError for an unknown criterion or unit, a share outside (0, 1], and data that lack what the
    criterion looks at (times, ratings).
    """
    return SamplePath(split, criterion, seed, unit).cut(keep)


class SamplePath(Walk[Split]):
    """The pruned versions of one split by one criterion: scored once, nested. Arguments and errors as `prune_samples`.

    seconds   of scoring
    scores    (nnz,) of each training interaction, high = keep
    """

    def __init__(self, split: Split, criterion: str | Criterion, seed: int = 0, unit: str = "interaction"):
        if not isinstance(split, Split):
            raise TypeError(f"a Split is needed (rp.split of a log), not {kind_of(split)}")
        if unit not in SAMPLE_UNITS:
            raise ValueError(f"unknown unit {unit!r} of samples; known: {', '.join(SAMPLE_UNITS)}")
        self.rule, self.split, self.seed = find(criterion, "samples"), split, seed
        if self.rule.weights is not None and unit != "interaction":
            raise ValueError(
                f"criterion {self.rule.name!r} weights interactions by how likely each was to stay: "
                f"unit {unit!r} is not possible"
            )
        started = time.perf_counter()
        self.scores, strata = self.rule.of_samples(split, seed)
        self.group = None if unit == "interaction" else getattr(split.train, unit)
        if self.group is None:
            self.ranking = Ranking(self.scores, seed, strata)
        else:
            self.present, self.position = np.unique(self.group, return_inverse=True)
            mean = np.bincount(self.position, self.scores) / np.bincount(self.position)
            self.ranking = Ranking(mean, seed)
        self.seconds = time.perf_counter() - started

    def cut(self, keep: float) -> Split:
        """The split with exactly round(keep * n) units. Raises ValueError for a share outside (0, 1]."""
        return one_round(self, self.split, keep)

    def score(self, split: Split) -> Ranking:
        """The ranking of the units, the same for every share."""
        return self.ranking

    def remove(self, split: Split, ranking: Ranking, share: float) -> Split:
        """The split with the interactions of the first units of the ranking."""
        kept = ranking.first(how_many(len(ranking), share))
        return remaining(split, kept if self.group is None else kept[self.position], self.rule, self.seed)


def remaining(split: Split, kept: np.ndarray, rule: Criterion, seed: int) -> Split:
    """The split with the training interactions that are `kept` (nnz,), weighted where the criterion says so."""
    changes = {} if rule.weights is None else {"weight": rule.weights(split.train, kept, seed)}
    return replace(split, train=split.train.select(kept, **changes))
