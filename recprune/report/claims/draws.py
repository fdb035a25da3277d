"""Resampled users, the same for every cell of a data set, so that any two cells are compared pairwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from recprune.cells.rows import CELL
from recprune.cells.users import VALUES
from recprune.errors import ReportError
from recprune.evaluation.intervals import resamples

DRAWS, FEWER = 10_000, 2_000  # a family of a hundred comparisons needs p-values below 0.025 / 100
MANY_USERS = 20_000  # from here on FEWER draws: they take memory, and intervals are narrow anyway
BLOCK = 1 << 23  # numbers held at once


class Draws:
    """Sums over the users, as they are (row 0) and resampled (the others), of the test nDCG@10 of cells.

    users  the values of every user (`recprune.cells.users`), of one data set and protocol
    A bootstrap over users, all seeds together (see `recprune.evaluation.paired_ratio`): a draw takes the same people
    in every seed and every cell. Sums, since all that is done with them is to divide one by another.
    """

    def __init__(self, users: pd.DataFrame, draws: int | None = None, seed: int = 0):
        cells = zip(*(users[name] for name in CELL), strict=True)
        self._values = dict(zip(cells, users[VALUES], strict=True))
        n = max((len(values) for values in self._values.values()), default=0)
        self.n_users, self._seed = n, seed
        self.draws = draws or (DRAWS if n <= MANY_USERS else FEWER)
        self._sums: dict[tuple, np.ndarray] = {}
        self._kept: list[np.ndarray] = []

    def of(self, cells: list[tuple]) -> dict[tuple, np.ndarray]:
        """The sums of each cell, (1 + draws,): the sample's own first.

        Users that a cell lacks count as 0: all cells of a seed lack the same ones, and nothing is added.
        Raises ReportError for a cell without values.
        """
        new = [cell for cell in dict.fromkeys(cells) if cell not in self._sums]
        if lacking := [cell for cell in new if cell not in self._values]:
            raise ReportError(
                f"per_user.parquet lacks cells that cells.csv has, such as {' '.join(map(str, lacking[0]))}: "
                "gather them together"
            )
        if new:
            values = np.stack([self._padded(self._values[cell]) for cell in new], axis=1)
            blocks = [values.sum(axis=0, keepdims=True), *(times @ values for times in self._times())]
            self._sums |= dict(zip(new, np.ascontiguousarray(np.concatenate(blocks).T), strict=True))
        return {cell: self._sums[cell] for cell in cells}

    @property
    def cells(self) -> set[tuple]:
        """The cells whose values somebody has asked for."""
        return set(self._sums)

    def _padded(self, values: np.ndarray) -> np.ndarray:
        values = np.nan_to_num(np.asarray(values, np.float64))
        return np.pad(values, (0, self.n_users - len(values)))  # a seed whose split has fewer users

    def _times(self) -> Iterator[np.ndarray]:
        """Blocks of (draws x users): how often each user is drawn; the same on every call."""
        if not self._kept:
            drawn = resamples(self.n_users, self.draws, np.random.default_rng(self._seed), BLOCK)
            self._kept = [times.astype(np.uint16) for times in drawn]
        return (times.astype(np.float64) for times in self._kept)
