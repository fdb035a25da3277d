"""What a load says: which columns it took, which it left, and what the usual filter will keep."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from recprune.datasets.readers import Found
from recprune.interactions import Interactions
from recprune.splits import CORE, MIN_RATING, k_core

SHOWN = 8  # columns that are named among those left
FILTERED = 30_000_000  # interactions up to which the filter is tried: on two cores a few seconds


def summary(where: str, found: Found) -> str:
    """One line. `where` is the name of the file or data set."""
    log = found.log
    parts = [", ".join(f"{role} = {column}" for role, column in found.roles.items())] if found.roles else []
    if found.left:
        more = f" and {len(found.left) - SHOWN} more" if len(found.left) > SHOWN else ""
        parts.append(f"left: {', '.join(found.left[:SHOWN])}{more}")
    parts.append(f"{_size(log)}, {log.nnz:,} interactions{_times(log)}")
    parts += found.notes
    if log.nnz <= FILTERED:
        parts.append(_filter(log))
    return f"{where}: {'; '.join(parts)}"


def _size(log: Interactions) -> str:
    return f"{log.n_users:,} users x {log.n_items:,} items"


def _times(log: Interactions) -> str:
    if log.timestamp is None:
        return ", no times"
    first, last = (datetime.fromtimestamp(float(f(log.timestamp)), UTC) for f in (np.min, np.max))
    if (last - first).total_seconds() < 2:
        return f", all within {(last - first).total_seconds():.3g} s of {first:%Y-%m-%d %H:%M:%S}"
    return f" from {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _filter(log: Interactions) -> str:
    """What `split` keeps of the log where it is given no other filter."""
    rated = log if log.rating is None else log.select(log.rating >= MIN_RATING)
    kept = k_core(rated, users=CORE, items=CORE)
    words = f"ratings from {MIN_RATING} and " if log.rating is not None else ""
    rule = f"{words}{CORE} interactions for each user and item"
    if kept.nnz == 0:
        return f"the usual filter, {rule}, keeps none: give min_rating and core"
    return f"the usual filter, {rule}, keeps {_size(kept)}, {kept.nnz:,}"
