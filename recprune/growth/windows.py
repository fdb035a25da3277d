"""The protocol `windows`: a log is cut in time, and what comes after the first cut comes in windows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recprune.interactions import DataError, Interactions
from recprune.splits import Split, check_log, check_options, filtered, times_of

NEEDED = "windows"  # what errors call the protocol


@dataclass(frozen=True, eq=False)
class Windows:
    """A log that comes in pieces, over one table of users and items: all that ever come.

    log        all of it, after the filter; with its times permuted where `shuffled`
    parts      the windows, in the order of time
    train      what lies before the first of them
    shuffled   whether this is the static control
    """

    log: Interactions
    train: Interactions
    parts: tuple[Interactions, ...]
    seed: int
    shuffled: bool
    options: dict

    def before(self, window: int) -> Interactions:
        """All that lies before a window, counted from 0: what is known when it begins."""
        last = np.inf if window >= len(self.parts) else times_of(self.parts[window], NEEDED).min()
        return self.log.select(times_of(self.log, NEEDED) < last)

    @cached_property
    def split(self) -> Split:
        """What lies before the first window, as `prune` takes it: without validation, and the first window for test."""
        return as_split(self.train, self.seed, self.options, self.parts[0])

    def summary(self) -> dict[str, object]:
        """Counts, and how many of those who come in the windows were there before."""
        comers = [np.unique(part.user) for part in self.parts]
        warm = [np.isin(who, self.before(w).user).mean() for w, who in enumerate(comers)]
        return {
            "data set": self.log.name,
            "times": "shuffled" if self.shuffled else "as they are",
            **self.options,
            "users": self.log.n_users,
            "items": self.log.n_items,
            "before the first window": self.train.nnz,
            "in each window": ", ".join(f"{part.nnz:,}" for part in self.parts),
            "users of each window": ", ".join(f"{len(who):,}" for who in comers),
            "of these with a history": ", ".join(f"{share:.0%}" for share in warm),
        }


def windows(
    log: Interactions,
    n: int = 4,
    start: float = 0.5,
    min_rating: float | None = None,
    core: int | None = None,
    shuffled: bool = False,
    seed: int = 0,
) -> Windows:
    """A log cut in time: the first share `start` of its interactions, then `n` windows of about as many each.

    min_rating, core   the filter, as of `recprune.split` under the protocol `temporal`
    shuffled           the times are permuted among the interactions, by `seed`: nothing changes over time any more but
                       how much is known, the static control

    Interactions of one moment are in one window. A pair occurs once in a log: one that was bought again has the time at
    which it was bought last.

    Raises TypeError for what is no log, ValueError for an option out of range, DataError for a log without times, or
    one whose moments are too few for so many windows.
    """
    check_log(log)
    check_options("temporal", seed, min_rating, core)
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n is {n!r}; a whole number of windows from 1 on is needed")
    if isinstance(start, bool) or not isinstance(start, float) or not 0 < start < 1:
        raise ValueError(f"start is {start!r}; a share of the interactions between 0 and 1 is needed")
    times_of(log, NEEDED)
    kept, options = filtered(log, "temporal", min_rating, core)
    if kept.nnz == 0:
        raise DataError(f"{log.name}: the filter {options} leaves none of {log.nnz:,} interactions; core=0 keeps all")
    times = times_of(kept, NEEDED)
    if shuffled:
        times = np.random.default_rng([seed, int(log.content_hash[:8], 16)]).permutation(times)
        kept = replace(kept, timestamp=times)
    ends = np.quantile(times, start + (1 - start) * np.arange(n) / n, method="lower")
    window = np.searchsorted(ends, times, side="left")  # 0: at most the first end
    parts = [kept.select(window == number) for number in range(n + 1)]
    if empty := [number for number, part in enumerate(parts) if part.nnz == 0]:
        raise DataError(
            f"{log.name}: window {empty[0]} of {n} is empty: too many of its {kept.nnz:,} interactions are of one "
            "moment; fewer windows are needed"
        )
    return Windows(kept, parts[0], tuple(parts[1:]), int(seed), bool(shuffled), options)


def as_split(train: Interactions, seed: int, options: dict, test: Interactions | None = None) -> Split:
    """A split of nothing but training interactions, and perhaps a test part."""
    none = train.select(np.zeros(0, np.int64))
    return Split(
        train=train,
        validation=none,
        test=none if test is None else test,
        protocol=NEEDED,
        seed=seed,
        options=options,
        data_hash=train.content_hash,
        unpruned=train,
    )
