"""What a load says: which columns it took, which it left, and what the usual filter will keep."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from recprune.datasets.readers import Found
from recprune.interactions import Interactions
from recprune.splits import CORE, MIN_RATING, k_core

EARLY = 315_532_800  # 1980: before, hardly anything was logged
GIANT = 20  # users from which on it is told that one has a quarter of all interactions
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
    parts += _giant(log) + _published(log) + list(found.notes)
    if log.nnz <= FILTERED:
        parts.append(_filter(log))
    return f"{where}: {'; '.join(parts)}"


def _size(log: Interactions) -> str:
    return f"{log.n_users:,} users x {log.n_items:,} items"


def _times(log: Interactions) -> str:
    if log.timestamp is None:
        return ", no times"
    first, last = (datetime.fromtimestamp(float(f(log.timestamp)), UTC) for f in (np.min, np.max))
    early = " (if these are seconds since 1970)" if last.timestamp() < EARLY else ""
    if (last - first).total_seconds() < 2:
        return f", all within {(last - first).total_seconds():.3g} s of {first:%Y-%m-%d %H:%M:%S}{early}"
    return f" from {first:%Y-%m-%d} to {last:%Y-%m-%d}{early}"


def _giant(log: Interactions) -> list[str]:
    """A word where one user has a quarter of all interactions: a robot, or all users whose id was not known."""
    count = np.bincount(log.user, minlength=log.n_users)
    largest = int(count.argmax())
    if log.n_users < GIANT or 4 * count[largest] < log.nnz:
        return []
    return [f"user {log.users[largest].item()!r} alone has {count[largest] / log.nnz:.0%} of them"]


def _published(log: Interactions) -> list[str]:
    """A word where the log comes as a published split."""
    if log.part is None:
        return []
    return [f"a published split (protocol given): {(log.part == 0).sum():,} train, {(log.part == 1).sum():,} test"]


def _filter(log: Interactions) -> str:
    """What `split` keeps of the log where it is given no other filter."""
    rated = log if log.rating is None else log.select(log.rating >= MIN_RATING)
    kept = k_core(rated, users=CORE, items=CORE)
    words = f"ratings from {MIN_RATING} and " if log.rating is not None else ""
    rule = f"{words}{CORE} interactions for each user and item"
    if kept.nnz == 0:
        return f"the usual filter, {rule}, keeps none: give min_rating and core"
    return f"the usual filter, {rule}, keeps {_size(kept)}, {kept.nnz:,}"
