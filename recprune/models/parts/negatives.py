"""Items that a user has not interacted with, drawn by the million."""

from __future__ import annotations

import numpy as np

from recprune.interactions import Interactions

BITMAP = 2**31  # pairs: up to 256 MB a bitmap answers, which is faster than a search


class Positives:
    """The pairs that are training interactions, asked for arrays of keys user * n_items + item at once."""

    def __init__(self, train: Interactions):
        self.n_items = train.n_items
        self.keys = train.user.astype(np.int64) * train.n_items + train.item  # sorted, as the log is
        n_pairs = train.n_users * train.n_items
        self.bits = np.packbits(self._flags(n_pairs), bitorder="little") if n_pairs <= BITMAP else None

    def _flags(self, n_pairs: int) -> np.ndarray:
        flags = np.zeros(n_pairs, bool)
        flags[self.keys] = True
        return flags

    def __contains__(self, key) -> bool:
        return bool(self.among(np.array([key]))[0])

    def among(self, keys: np.ndarray) -> np.ndarray:
        """Bools, shaped like the keys (int64): whether each of them is a positive."""
        if self.bits is not None:
            return (self.bits[keys >> 3] >> (keys & 7).astype(np.uint8)) & 1 > 0
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return self.keys[at] == keys

    def uniform_negatives(self, users: np.ndarray, rng: np.random.Generator, rounds: int = 8) -> np.ndarray:
        """For each entry of `users` an item uniform over those that the user has no interaction with.

        Drawn in one block; what hits a positive is drawn again, at most `rounds` times (a user who has
        nearly everything keeps a few). Returns int64, shaped like `users`.
        """
        items = rng.integers(0, self.n_items, users.size)
        first = users.ravel().astype(np.int64) * self.n_items
        open_ = np.flatnonzero(self.among(first + items))
        for _ in range(rounds - 1):
            if not open_.size:
                break
            items[open_] = rng.integers(0, self.n_items, open_.size)
            open_ = open_[self.among(first[open_] + items[open_])]
        return items.reshape(users.shape)


def labelled_pairs(train: Interactions, seed: int, most: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Users, items and labels (n,), n <= `most`: interactions (1), and for each an unseen item of the same user (0).

    The interactions are drawn uniformly, without replacement; all of them where there are few.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(train.nnz)[: most // 2])
    users, items = train.user[chosen], train.item[chosen]
    unseen = Positives(train).uniform_negatives(users, rng)
    label = np.repeat([1, 0], len(chosen))
    return np.concatenate([users, users]), np.concatenate([items, unseen]).astype(np.int64), label


def any_pairs(train: Interactions, seed: int, most: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Users and items (most,), uniform over users with interactions x the catalogue: what a full ranking scores."""
    rng = np.random.default_rng(seed)
    return rng.choice(np.unique(train.user), most), rng.integers(0, train.n_items, most)
