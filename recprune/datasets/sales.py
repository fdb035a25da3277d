"""A log of sales: quantities have a sign, since what is bought can be taken back, and some buyers are not known."""

from __future__ import annotations

import re
from collections.abc import Hashable

import numpy as np
import pandas as pd


def is_quantity(column: str) -> bool:
    """Whether the name of a column of weights says that it is of sales, where a negative number is a return."""
    return re.sub(r"[\W_]", "", column.lower()) in ("quantity", "qty")


def settle(frame: pd.DataFrame, user: Hashable, item: Hashable, quantity: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """((rows,) which rows stay, notes): the sales that are left once returns took back what they return.

    quantity    (rows,) of each sale; negative where something is returned

    The quantities of a (user, item) pair are added up with their sign; a pair that comes to nothing, or less, is left
    out. The rows of a pair that stay are those in which it was bought, so that no return is its latest time. A row
    without a user, or of no quantity, is left out. One without an item stays: it is for the caller to name.
    """
    known = frame[user].notna().to_numpy()
    notes = [f"{(~known).sum():,} rows without a user are left out"] if not known.all() else []
    nothing = known & (quantity == 0)
    notes += [f"{nothing.sum():,} rows of no quantity are left out"] if nothing.any() else []
    returned = known & (quantity < 0)
    stays = known & (quantity > 0)
    if not returned.any():
        return stays, notes
    users, items = pd.factorize(frame[user])[0], pd.factorize(frame[item])[0]
    pair = pd.factorize(users.astype(np.int64) * (len(frame) + 1) + items)[0]
    total = np.bincount(pair, np.where(known, quantity, 0.0))
    gone = np.unique(pair[returned])
    gone = gone[total[gone] <= 0]
    taken = f"{returned.sum():,} rows of negative quantity take back what was bought"
    notes.append(f"{taken}: {len(gone):,} (user, item) pairs come to nothing and are left out")
    return stays & (total[pair] > 0), notes
