"""How far each user moves the effect of a comparison: what its interval is made of, linear and exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recprune.cells.rows import CELL
from recprune.cells.users import VALUES
from recprune.errors import ReportError
from recprune.evaluation.intervals import Estimate, over_users_and_seeds


@dataclass(frozen=True, eq=False)
class Moved:
    """An effect in every seed, and how far each user moves it.

    seeds (n_seeds,), of_seeds (n_seeds,), influences (n_users, n_seeds): see `over_users_and_seeds`
    """

    seeds: np.ndarray
    of_seeds: np.ndarray
    influences: np.ndarray

    @property
    def is_nothing(self) -> bool:
        """Whether both sides are the same numbers: no seed and no user makes a difference."""
        return len(self.seeds) > 0 and not self.of_seeds.any() and not self.influences.any()

    @property
    def estimate(self) -> Estimate:
        """The mean over seeds, as sure as users and seeds let it be; NaN without a seed."""
        if len(self.seeds) == 0:
            return Estimate(np.nan, np.nan, np.nan)
        return over_users_and_seeds(self.of_seeds, self.influences)

    def minus(self, other: Moved) -> Moved:
        """The difference of the two in the seeds that both have."""
        return _weighted([self, other], [1.0, -1.0])


def mean_of(many: Sequence[Moved]) -> Moved:
    """Their mean, each counting alike, in the seeds that all of them have; influences of the same users."""
    return _weighted(many, [1 / len(many)] * len(many))


def _weighted(many: Sequence[Moved], weights: Sequence[float]) -> Moved:
    seeds = sorted(set.intersection(*(set(each.seeds) for each in many)))
    n_users = len(many[0].influences)
    of_seeds, influences = np.zeros(len(seeds)), np.zeros((n_users, len(seeds)))
    for each, weight in zip(many, weights, strict=True):
        places = np.searchsorted(each.seeds, seeds)
        of_seeds += weight * each.of_seeds[places]
        influences += weight * each.influences[:, places]
    return Moved(np.array(seeds), of_seeds, influences)


class Users:
    """The test nDCG@10 of every user in the cells of one data set and protocol.

    users  the values of every user (`recprune.cells.users`)
    Users that a cell lacks (NaN, or a split with fewer of them) count as 0: all cells of a seed lack the same ones, and
    nothing is added. Of seeds that differ in the number of their users, the first ones are taken for the same people.
    """

    def __init__(self, users: pd.DataFrame):
        cells = zip(*(users[name] for name in CELL), strict=True)
        self._values = dict(zip(cells, users[VALUES], strict=True))
        self.n_users = max((len(values) for values in self._values.values()), default=0)
        self.asked: set[tuple] = set()  # the cells whose values somebody has asked for

    def of(self, cell: tuple) -> np.ndarray:
        """(n_users,) values of a cell. Raises ReportError for a cell without any."""
        if cell not in self._values:
            raise ReportError(
                f"per_user.parquet lacks cells that cells.csv has, such as {' '.join(map(str, cell))}: "
                "gather them together"
            )
        self.asked.add(cell)
        values = np.nan_to_num(np.asarray(self._values[cell], np.float64))
        return np.pad(values, (0, self.n_users - len(values)))

    def moved(self, four: Sequence[Sequence[tuple]], seeds: Sequence[int]) -> Moved:
        """The effect of pairs of cells: in each seed the mean over its pairs of

            sum_u A_u / sum_u X_u - sum_u B_u / sum_u Y_u

        four   the cells A, B, X, Y of each pair;  seeds  the seed of each pair
        A user moves a ratio A / X by (A_u - (sum A / sum X) X_u) / sum X. Undefined (NaN) where a sum below is 0.
        """
        known = np.unique(np.asarray(seeds))
        of_seeds, influences = np.zeros(len(known)), np.zeros((self.n_users, len(known)))
        counts = np.zeros(len(known))
        for a, b, x, y, seed in zip(*four, seeds, strict=True):
            place = int(np.searchsorted(known, seed))
            first, by_first = self._ratio(a, x)
            second, by_second = self._ratio(b, y)
            of_seeds[place] += first - second
            influences[:, place] += by_first - by_second
            counts[place] += 1
        return Moved(known, of_seeds / counts, influences / counts)

    def _ratio(self, above: tuple, below: tuple) -> tuple[float, np.ndarray]:
        """The ratio of the sums of two cells, and how far each user moves it."""
        values, base = self.of(above), self.of(below)
        total = base.sum() or np.nan  # against nothing no ratio is defined
        ratio = values.sum() / total
        return ratio, (values - ratio * base) / total
