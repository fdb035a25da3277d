"""Attacks by fake profiles: invented users whose histories are to lift one item into the lists of the real ones.

A profile is the item attacked for and as many other interactions, its fillers, as a real user has. Of logs that say who
interacted with what, and not how each item was liked, the fillers of the `average` attack are what an average user
has: an item is in a fake profile as often as in a real one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recprune.errors import kind_of
from recprune.evaluation.belonging import pattern
from recprune.evaluation.ranking import checked_scores
from recprune.interactions import Interactions
from recprune.splits import Split
from recprune.topk import rank_in_blocks
from recprune.typed import near

POPULAR = 10  # items that the profiles of the bandwagon attack have in common
SCORES = 1 << 22  # held at once
UNPOPULAR = 1 / 3  # of the items, from which targets are drawn


def _random(rng: np.random.Generator, popularity: np.ndarray, size: int) -> np.ndarray:
    return rng.choice(len(popularity), size, replace=False, p=_shares(popularity > 0))


def _average(rng: np.random.Generator, popularity: np.ndarray, size: int) -> np.ndarray:
    return rng.choice(len(popularity), size, replace=False, p=_shares(popularity))


def _bandwagon(rng: np.random.Generator, popularity: np.ndarray, size: int) -> np.ndarray:
    best = np.argsort(-popularity, kind="stable")[: min(POPULAR, size // 2)]
    rest = popularity.copy()
    rest[best] = 0
    return np.append(best, _random(rng, rest, size - len(best)))


#: (generator, (n_items,) popularity with 0 for what is not to be taken, size) -> (size,) fillers of one profile.
#: random and average: Lam and Riedl (2004, "Shilling recommender systems for fun and profit"); bandwagon: Mobasher et
#: al. (2007, "Toward trustworthy recommender systems"), items that are popular, and random ones
PROFILES: dict[str, Callable[[np.random.Generator, np.ndarray, int], np.ndarray]] = {
    "random": _random,
    "average": _average,
    "bandwagon": _bandwagon,
}


@dataclass(frozen=True, eq=False)
class Poisoned:
    """A split whose training part has fake users in it.

    split   its users are the real ones, with the codes that they had, then the fake ones; validation and test are
            those of the real users
    target  code of the item attacked for
    fakes   (n,) codes of the fake users
    """

    split: Split
    target: int
    fakes: np.ndarray


def poisoned(split: Split, target: int, profiles: str = "bandwagon", share: float = 0.01, seed: int = 0) -> Poisoned:
    """The split with fake profiles for one item in its training part: a share of the users who train, at least one.

    target    code of the item; profiles: a name of PROFILES

    Each has as many interactions as the mean user. Ratings: the highest for the target, for `average` an item's mean,
    else some of the log's; times, weights and attributes of users are drawn from those of the log.
    The same seed makes the same profiles. Raises ValueError for a code that is no item's, an unknown kind of profile,
    a share outside (0, 1], and where samples were pruned already; TypeError for what is no split.
    """
    _check(split, target, profiles, share)
    rng = np.random.default_rng([seed, int(split.data_hash[:8], 16), target])
    train = split.train
    real = np.unique(train.user)
    n, size = max(1, round(share * len(real))), max(1, round(train.nnz / len(real)) - 1)
    popularity = np.bincount(train.item, minlength=train.n_items).astype(np.float64)
    popularity[target] = 0
    size = min(size, int((popularity > 0).sum()))
    items = [np.sort(np.append(PROFILES[profiles](rng, popularity, size), target)) for _ in range(n)]
    fakes = np.arange(train.n_users, train.n_users + n)
    users = _ids(train.users, n)
    like = np.append(np.arange(train.n_users), rng.choice(real, n))
    about = None if train.user_attributes is None else train.user_attributes.iloc[like].reset_index(drop=True)
    more = _interactions(train, np.repeat(fakes, size + 1), np.concatenate(items), target, profiles, rng)
    joined = {name: np.concatenate([getattr(train, name), values]) for name, values in more.items()}

    def known(log: Interactions, **columns: Any) -> Interactions:
        return replace(log, users=users, user_attributes=about, **columns)

    poison = known(train, **joined)
    histories = {on: known(log) for on, log in split.histories.items()}
    validation, test = known(split.validation), known(split.test)
    attacked = replace(split, train=poison, unpruned=poison, validation=validation, test=test, histories=histories)
    return Poisoned(attacked, int(target), fakes)


def targets(split: Split, n: int, seed: int = 0) -> np.ndarray:
    """(n,) codes of items to attack for, drawn from the third of those trained on that has the fewest interactions.

    Raises ValueError where that third has fewer.
    """
    popularity = np.bincount(split.train.item, minlength=split.n_items)
    known = np.flatnonzero(popularity)
    rare = known[np.argsort(popularity[known], kind="stable")][: int(len(known) * UNPOPULAR)]
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= len(rare):
        raise ValueError(f"n is {n!r}; 1 to {len(rare)} items, a third of those trained on, can be attacked for")
    rng = np.random.default_rng([seed, int(split.data_hash[:8], 16), 29])
    return np.sort(rng.choice(rare, n, replace=False))


def hit_rate(model, split: Split, target: int, k: int = 10, real: int | None = None) -> np.ndarray:
    """(n_users,) whether the item is among the k best unseen ones of each user, 1 or 0.

    real  only so many users, the first ones, are looked at (of a poisoned split: the real ones); default all
    NaN for the others, for who trained on the item, and for who is not in training.
    """
    train, users = pattern(split.unpruned.tocsr()), _reached(split, target, real)
    lists = rank_in_blocks(
        lambda part: checked_scores(model.score(users[part]), len(users[part]), split.n_items), k, train[users]
    )
    found = np.full(split.n_users, np.nan)
    found[users] = (lists == target).any(axis=1)
    return found


def standing(model, split: Split, target: int, real: int | None = None) -> np.ndarray:
    """(n_users,) the share of the other items that are scored below the target, half of those scored alike, of each
    user as in `hit_rate`: 1 is the top. It shows an attack that lifts its target without reaching the lists.
    """
    users = _reached(split, target, real)
    found = np.full(split.n_users, np.nan)
    step = max(1, SCORES // split.n_items)
    for start in range(0, len(users), step):
        batch = users[start : start + step]
        scores = checked_scores(model.score(batch), len(batch), split.n_items)
        mine = scores[:, [target]]
        below = (scores < mine).sum(axis=1) + 0.5 * ((scores == mine).sum(axis=1) - 1)
        found[batch] = below / max(1, split.n_items - 1)
    return found


def _reached(split: Split, target: int, real: int | None) -> np.ndarray:
    """The users, of the first `real` ones, who are in training and did not train on the target."""
    n = split.n_users if real is None else real
    users = np.flatnonzero(np.bincount(split.unpruned.user, minlength=split.n_users)[:n])
    return users[~np.isin(users, split.unpruned.user[split.unpruned.item == target])]


def removed(attack: Poisoned, train: Interactions) -> float:
    """The share of the fake interactions that are not in `train` any more: the recall of what was pruned for fakes."""
    first = attack.fakes[0]
    return 1 - float((train.user >= first).sum() / (attack.split.unpruned.user >= first).sum())


def _interactions(train: Interactions, user: np.ndarray, item: np.ndarray, target: int, profiles: str, rng) -> dict:
    """Name -> (n,) values of fake interactions, of what the log has."""
    like = rng.integers(0, train.nnz, len(user))
    found: dict[str, np.ndarray] = {"user": user.astype(train.user.dtype), "item": item.astype(train.item.dtype)}
    for name in ("rating", "timestamp", "weight"):
        if (values := getattr(train, name)) is not None:
            found[name] = values[like]
    if train.part is not None:
        found["part"] = np.zeros(len(user), train.part.dtype)
    if train.rating is not None:
        if profiles == "average":
            sums, counts = (np.bincount(train.item, w, minlength=train.n_items) for w in (train.rating, None))
            found["rating"] = (sums[item] / np.maximum(counts[item], 1)).astype(train.rating.dtype)
        found["rating"][item == target] = train.rating.max()
    return found


def _ids(users: np.ndarray, n: int) -> np.ndarray:
    """Sorted ids: those of the real users, then n that nobody has."""
    if users.dtype.kind in "iu":
        return np.append(users, users[-1] + 1 + np.arange(n))
    return np.append(users, [f"{users[-1]}~{i:09d}" for i in range(n)])


def _shares(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum()


def _check(split: Split, target: int, profiles: str, share: float) -> None:
    if not isinstance(split, Split):
        raise TypeError(f"a Split is needed (rp.split of a log), not {kind_of(split)}")
    if split.train is not split.unpruned:
        raise ValueError("samples of this split were pruned; fake profiles are put into what was not")
    if isinstance(target, bool) or not isinstance(target, int | np.integer) or not 0 <= target < split.n_items:
        raise ValueError(f"target is {target!r}; the code of an item, 0 to {split.n_items - 1}, is needed")
    if profiles not in PROFILES:
        raise ValueError(f"profiles is {profiles!r}; known: {', '.join(PROFILES)}{near(profiles, PROFILES)}")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise ValueError(f"share is {share!r}; a number greater than 0 and at most 1 is needed")
