"""The values of users that are kept where there are many: of a sample of them, so that a file can be committed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recprune.cells.users import VALUES
from recprune.mixing import splitmix64

MANY_USERS = 20_000  # beyond which a data set's values are those of a sample
SAMPLE = 2_500  # users of it


def sampled(users: pd.DataFrame) -> pd.DataFrame:
    """The values of users (`recprune.cells.users`), those of data sets of more than MANY_USERS cut to SAMPLE of them.

    The same people in all cells and seeds of a data set and protocol, as paired comparisons need: of
    the users that any cell has a value of, those whose code has the lowest hash; they stay in the order of their codes.
    A split that has something to find for some of its users alone (`strong`) so has fewer values than SAMPLE in a seed.
    What was cut before stays as it is. (The intervals in the rows are of all users.)
    """
    parts = []
    for _, cells in users.groupby(["dataset", "protocol"], sort=False):
        values = [np.asarray(each, np.float32) for each in cells[VALUES]]
        n = max(map(len, values))
        if n > MANY_USERS:
            chosen = _chosen(values, n)
            cells = cells.assign(**{VALUES: [_padded(each, n)[chosen] for each in values]})
        parts.append(cells)
    return pd.concat(parts, ignore_index=True) if parts else users


def _chosen(values: list[np.ndarray], n: int) -> np.ndarray:
    """(at most SAMPLE,) codes of the users whose values are kept, ascending."""
    known = np.zeros(n, bool)
    for each in values:
        known[: len(each)] |= ~np.isnan(each)
    codes = np.flatnonzero(known)
    lowest = np.argsort(splitmix64(codes.astype(np.uint64)), kind="stable")[:SAMPLE]
    return np.sort(codes[lowest])


def _padded(values: np.ndarray, n: int) -> np.ndarray:
    return np.pad(values, (0, n - len(values)), constant_values=np.nan)  # a seed whose split has fewer users
