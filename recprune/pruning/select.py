"""Exactly k units stay: the one place where scores become a choice.

    ranking = Ranking(scores, seed)
    keep    = ranking.first(k)         a mask with exactly k True

Ties are broken by a seeded hash of the unit's number, never by position, and the choices for several k are nested.
Units are not sorted: a sample of the scores says between which two the k-th highest lies, so that but for a few passes
of comparisons only the units between those are looked at (Floyd and Rivest, 1975, "Expected time bounds for
selection").
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recprune.mixing import splitmix64

SAMPLE = 1 << 17  # scores that say where to look; of fewer than four times as many all are looked at
MARGIN = 5  # standard deviations of a rank in the sample, to either side


class Ranking:
    """Units from the most important one down, as far as anybody asks.

    scores  (n,) floats, high = keep
    seed    of the order among units that score alike
    groups  (n,) group of each unit, a whole number from 0 on, or None. With groups the units are ordered by their rank
            quantile within the group, (rank + 1/2) / size, so that every prefix takes its share of each group
    among   (n,) bool: the units that can be chosen; None: all of them

    Raises ValueError for a score that is NaN.
    """

    def __init__(
        self, scores: np.ndarray, seed: int, groups: np.ndarray | None = None, among: np.ndarray | None = None
    ):
        scores = np.asarray(scores)
        self.scores = scores if scores.dtype.kind == "f" else scores.astype(np.float64)
        self.seed = seed
        self.among = None if among is None or among.all() else among
        if self.scores.size and np.isnan(self.scores.min()):
            raise ValueError(f"score of unit {int(np.isnan(self.scores).argmax())} is NaN")
        self._groups = None if groups is None else _Groups(self, groups)
        self._sample = self._sampled()

    def __len__(self) -> int:
        """Number of units that can be chosen."""
        return len(self.scores) if self.among is None else int(self.among.sum())

    def first(self, k: int) -> np.ndarray:
        """(n,) bool mask, True at the k most important units; at all that can be chosen where they are fewer."""
        if k >= len(self):
            return np.ones(len(self.scores), bool) if self.among is None else self.among.copy()
        if k <= 0:
            return np.zeros(len(self.scores), bool)
        return self._above(k) if self._groups is None else self._groups.first(k)

    def _above(self, k: int) -> np.ndarray:
        """`first` of units that all compete."""
        for low, high in (self._around(k), (-np.inf, np.inf)):
            keep, near = self.scores > high, self.scores >= low
            if self.among is not None:
                keep &= self.among
                near &= self.among
            near ^= keep
            between = np.flatnonzero(near)
            missing = k - int(np.count_nonzero(keep))
            if 0 <= missing <= len(between):
                break
        keep[between[self._best(self.scores[between], between, missing)]] = True
        return keep

    def _best(self, scores: np.ndarray, number: np.ndarray, k: int) -> np.ndarray:
        """Positions of the `k` best of a few units, with their numbers."""
        if not k:
            return np.empty(0, np.int64)
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        above, tied = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
        missing = k - len(above)
        if missing < len(tied):
            tied = tied[np.argpartition(splitmix64(number[tied], self.seed), missing - 1)[:missing]]
        return np.append(above, tied)

    def _around(self, k: int) -> tuple[float, float]:
        """Two scores that the k-th highest very probably lies between."""
        if not len(self._sample):
            return -np.inf, np.inf
        share = k / len(self)
        rank = (1 - share) * len(self._sample)
        margin = MARGIN * (share * (1 - share) * len(self._sample)) ** 0.5 + MARGIN
        low, high = int(rank - margin), int(rank + margin) + 1
        return (
            self._sample[low] if low >= 0 else -np.inf,
            self._sample[high] if high < len(self._sample) else np.inf,
        )

    def _sampled(self) -> np.ndarray:
        """Some scores of units that can be chosen, in ascending order; none where there are not many, or of groups."""
        if self._groups is not None or len(self) < 4 * SAMPLE:
            return np.empty(0)
        wanted = SAMPLE * min(8, len(self.scores) // len(self))  # of units that cannot be chosen none counts
        at = np.random.default_rng(0).integers(0, len(self.scores), wanted)
        return np.sort(self.scores[at if self.among is None else at[self.among[at]]])


class _Groups:
    """The same for units of which every group loses its share.

    group  (m,) of each unit that can be chosen
    rank   (m,) int32: how many units of its group come before it
    size   (G,) units of each group
    """

    def __init__(self, ranking: Ranking, groups: np.ndarray):
        among = ranking.among
        self.n, self.seed, self.among = len(ranking.scores), ranking.seed, among
        self.group = np.asarray(groups if among is None else groups[among])
        scores = ranking.scores if among is None else ranking.scores[among]
        number = np.arange(self.n) if among is None else np.flatnonzero(among)
        self.size = np.bincount(self.group) if len(self.group) else np.zeros(0, int)
        order = _by_group(np.argsort(-scores), self.group, len(self.size))
        order = _in_tie_order(order, self.group, scores, number, self.seed)
        self.rank = np.empty(len(order), np.int32)
        self.rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(self.size) - self.size, self.size)

    def first(self, k: int) -> np.ndarray:
        """(n,) bool mask of the k units of least rank quantile."""
        chosen = self.rank < self._shares(k)[self.group]
        if self.among is None:
            return chosen
        keep = np.zeros(self.n, bool)
        keep[self.among] = chosen
        return keep

    def _shares(self, k: int) -> np.ndarray:
        """(G,) how many units of each group are among the k of least rank quantile.

        Between two neighbouring numbers q as many are missing as have that quantile: groups, in an order by chance.
        """
        low, high = 0.0, 1.0
        while (middle := (low + high) / 2) not in (low, high):
            low, high = (middle, high) if self._up_to(middle).sum() <= k else (low, middle)
        here, further = self._up_to(low), self._up_to(high)
        next_ = np.flatnonzero(further > here)
        missing = k - here.sum()
        here[next_[np.argsort(splitmix64(next_, self.seed))[:missing]]] += 1
        return here

    def _up_to(self, quantile: float) -> np.ndarray:
        """(G,) units of each group whose quantile, (rank + 1/2) / size, is not above this one."""
        return np.floor(quantile * self.size + 0.5).astype(np.int64)


def _by_group(order: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Positions (m,) sorted by their group, otherwise in the order given: a counting sort, by SciPy's transposition."""
    narrow = np.int32 if len(order) < 2**31 else np.int64
    row = sparse.csr_array(
        (order.astype(narrow), group[order].astype(narrow), np.array([0, len(order)], narrow)),
        shape=(1, max(1, n_groups)),
    )
    return row.tocsc().data


def _in_tie_order(
    order: np.ndarray, group: np.ndarray, scores: np.ndarray, number: np.ndarray, seed: int
) -> np.ndarray:
    """The positions of equal score in a group, which stand beside each other, by the hash of their number."""
    same = (scores[order[1:]] == scores[order[:-1]]) & (group[order[1:]] == group[order[:-1]])
    if not same.any():
        return order
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    run = np.cumsum(~np.append(False, same)[tied])
    order = order.copy()
    order[tied] = order[tied[np.lexsort((splitmix64(number[order[tied]], seed), run))]]
    return order


def how_many(n: int, keep: float) -> int:
    """Number of units that stay of n: the nearest whole number to keep * n, at least 1.

    Raises ValueError unless 0 < keep <= 1.
    """
    if isinstance(keep, bool) or not isinstance(keep, int | float | np.floating | np.integer) or not 0 < keep <= 1:
        raise ValueError(f"keep is {keep!r}; a share greater than 0 and at most 1 is needed")
    return max(1, round(keep * n))
