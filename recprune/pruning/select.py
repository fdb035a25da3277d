"""Exactly k units stay: the one place where scores become a choice.

    ranking = Ranking(scores, seed)
    keep    = ranking.first(k)         a mask with exactly k True

Ties are broken by a seeded hash of the unit's number, never by position, and the choices for several k are nested.
Units are not sorted. Where all compete, a sample of the scores says between which two the k-th highest lies, so that
but for a few passes of comparisons only the units between those are looked at (Floyd and Rivest, 1975, "Expected time
bounds for selection").
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from recprune.mixing import splitmix64

SAMPLE = 1 << 17  # scores that say where to look; of fewer than four times as many all are looked at
MARGIN = 5  # standard deviations of a rank in the sample, to either side
BLOCK = 1 << 22  # units of groups that are looked at together


class Ranking:
    """Units from the most important one down, as far as anybody asks.

    scores  (n,) floats, high = keep
    seed    of the order among units that score alike
    groups  (n,) group of each unit, a whole number from 0 on, or None. With groups the units are ordered by their rank
            quantile within the group, (rank + 1/2) / size, so that every prefix takes its share of each group. A
            shorter array, (c,), is that of every row of the matrix of c columns whose entries the units are
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
        return len(self.scores) if self.among is None else int(np.count_nonzero(self.among))

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

    columns  the places of a row of units (see `Ranking`) in the order of their groups
    width    (G,) places of each group in a row
    size     (G,) units of each group that can be chosen
    """

    def __init__(self, ranking: Ranking, groups: np.ndarray):
        self.scores, self.among, self.seed = ranking.scores, ranking.among, ranking.seed
        self.rows, rest = divmod(len(self.scores), max(1, len(groups)))
        if rest:
            raise ValueError(f"{len(groups)} groups for {len(self.scores)} units; one for each is needed, or a divisor")
        self.columns, self.width = _by_group(groups)
        if self.among is None:
            self.size = self.rows * self.width
        else:
            there = np.count_nonzero(self.among.reshape(self.rows, len(groups)), axis=0)
            self.size = np.bincount(groups, there, len(self.width)).astype(np.int64)

    def first(self, k: int) -> np.ndarray:
        """(n,) bool mask of the k units of least rank quantile: of every group the best."""
        keep, wanted = np.zeros(len(self.scores), bool), self._shares(k)
        for group, number, there in self._blocks():
            keep[number[self._best(number, there, wanted[group])]] = True
        return keep

    def _blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Some groups (b,), the numbers of their units (b x w), and which of these there are and can be chosen.

        The smallest groups come first: those of a block are of about one size.
        """
        start = np.cumsum(self.width) - self.width
        order = np.argsort(self.width, kind="stable")
        order = order[np.searchsorted(self.width[order], 1) :]
        while len(order):
            width = self.width[order[: max(1, BLOCK // (self.rows * self.width[order[0]]))]]
            fits = (np.arange(1, len(width) + 1) * width * self.rows <= BLOCK) & (width <= 2 * width[0])
            taken = max(1, int(np.count_nonzero(fits)))
            group, order = order[:taken], order[taken:]
            place = np.arange(self.width[group[-1]])
            there = place < self.width[group, None]
            column = self.columns[np.where(there, start[group, None] + place, 0)]
            number = np.arange(self.rows)[:, None] * len(self.columns) + column[:, None]
            there = np.broadcast_to(there[:, None], number.shape).reshape(len(group), -1)
            number = number.reshape(len(group), -1)
            yield group, number, there if self.among is None else there & self.among[number]

    def _best(self, number: np.ndarray, there: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """(b x w) bool: the `wanted` (b,) best units of each group that are `there`."""
        scores = np.where(there, self.scores[number], -np.inf)
        place = np.minimum(scores.shape[1] - wanted, scores.shape[1] - 1)
        least = np.take_along_axis(np.partition(scores, np.unique(place), axis=1), place[:, None], axis=1)
        least[wanted == 0] = np.inf
        chosen = scores > least
        missing = wanted - np.count_nonzero(chosen, axis=1)
        tied = (scores == least) & there
        row, column = np.nonzero(tied & (missing > 0)[:, None])
        order = np.lexsort((splitmix64(number[row, column], self.seed), row))
        place = np.arange(len(order)) - np.searchsorted(row, row)
        order = order[place < missing[row]]
        chosen[row[order], column[order]] = True
        return chosen

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


def _by_group(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The positions (n,) sorted by their group, and the number of positions in each group (G,)."""
    width = np.bincount(groups)
    narrow = np.int32 if len(groups) < 2**31 else np.int64
    row = sparse.csr_array(  # a counting sort, by SciPy's transposition
        (np.arange(len(groups), dtype=narrow), groups.astype(narrow), np.array([0, len(groups)], narrow)),
        shape=(1, max(1, len(width))),
    )
    return row.tocsc().data, width


def how_many(n: int, keep: float) -> int:
    """Number of units that stay of n: the nearest whole number to keep * n, at least 1.

    Raises ValueError unless 0 < keep <= 1.
    """
    if isinstance(keep, bool) or not isinstance(keep, int | float | np.floating | np.integer) or not 0 < keep <= 1:
        raise ValueError(f"keep is {keep!r}; a share greater than 0 and at most 1 is needed")
    return max(1, round(keep * n))
