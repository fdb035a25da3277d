r"""Synthetic logs of any size: the same seed gives the same bytes.

Users and items share K latent genres (4 to 12, as many as the catalogue has room for). The items
of genre k have the distribution

    p_t(i | k)  ∝  popularity_i · affinity_ik · exp(-2 |t - peak_i|)

at time t in [0, 1), with a power law for the popularity and a peak in time for each item. A user's
taste moves from \theta_u to \theta'_u over time, so that an interaction at time t has

    p_t(i | u)  =  \sum_k [(1 - t) \theta_uk + t \theta'_uk] p_t(i | k),

a matrix of rank K at any moment. Ratings follow the match of taste and affinity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from recprune.interactions import Interactions

GENRES = (
    "Action",
    "Animation",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Horror",
    "Musical",
    "Romance",
    "Sci-Fi",
    "Western",
)
EPOCHS = 8  # popularity is constant within one of them
START, END = 946_684_800, 1_104_537_600  # 2000-01-01 to 2005-01-01
ITEMS_PER_GENRE = 40
TASTE = 0.2  # Dirichlet concentration of users over genres: small, so that a user cares for few
LEANING = 0.1  # the same of items
EVERYWHERE = 0.005  # affinity of any item to any genre: no item is out of anyone's reach
TAIL = 0.7  # exponent of the power law of popularity
DRIFT = 2.0  # how fast an item fades before and after its peak, per length of the log
BLOCK = 1 << 20  # interactions drawn at a time: bounds the memory
ROUNDS = 30  # of drawing with repetition, before the rest is drawn exactly


def synthetic(n_users: int = 400, n_items: int = 300, n_interactions: int = 20_000, seed: int = 0) -> Interactions:
    """A log of exactly `n_interactions` distinct pairs, with ratings 1 to 5, times, titles and genres.

    Users and items that no interaction fell on are not in the log; ids count from 1.
    Raises ValueError for sizes below 1, or more interactions than there are pairs.
    """
    if min(n_users, n_items, n_interactions) < 1:
        raise ValueError(f"synthetic: sizes are at least 1, not {n_users}x{n_items}x{n_interactions}")
    if n_interactions > n_users * n_items:
        raise ValueError(f"synthetic: {n_users}x{n_items} has no {n_interactions:,} pairs")
    rng = np.random.default_rng(seed)
    world = _world(n_users, n_items, rng)
    activity = _activity(n_users, n_items, n_interactions, rng)
    ends = np.cumsum(activity)
    user = np.repeat(np.arange(n_users, dtype=np.int32), activity)
    item = np.empty(n_interactions, np.int32)
    rating = np.empty(n_interactions, np.float32)
    timestamp = np.empty(n_interactions)
    first = 0
    while first < n_users:
        start = ends[first] - activity[first]
        last = max(int(np.searchsorted(ends, start + BLOCK, side="right")), first + 1)
        rows = slice(start, ends[last - 1])
        item[rows], time = _draw(world, activity, first, last, rng)
        rating[rows] = _rate(world, user[rows], item[rows], rng)
        timestamp[rows] = np.floor(START + time * (END - START))
        first = last
    codes = np.arange(n_items)
    titles = pd.DataFrame({"title": [f"Item {i + 1}" for i in codes], "genres": _genres(world.affinity)})
    users, items = np.arange(1, n_users + 1), codes + 1
    log = Interactions(user, item, users, items, rating, timestamp, item_attributes=titles, name="synthetic")
    return log.compress()


def synthetic_from(text: str) -> Interactions:
    """The log that a name asks for: `synthetic`, `synthetic:400x300x20000`, `synthetic:400x300x20000:seed=7`.

    Raises ValueError where `text` is no such name.
    """
    sizes: dict[str, int] = {}
    seed = 0
    try:
        for part in text.split(":")[1:]:
            if part.startswith("seed="):
                seed = int(part.removeprefix("seed="))
            else:
                values = map(int, part.replace("_", "").split("x"))
                sizes = dict(zip(("n_users", "n_items", "n_interactions"), values, strict=True))
        if seed < 0:
            raise ValueError
    except ValueError:
        raise ValueError(f"{text!r}: synthetic:USERSxITEMSxINTERACTIONS or synthetic:...:seed=N is needed") from None
    return replace(synthetic(**sizes, seed=seed), name=text)


@dataclass(frozen=True)
class _World:
    """What users and items are like.

    theta                 (2, n_users, K) tastes at the first and the last moment
    start, length         (n_users,) when a user is active, as shares of the log's time
    popularity, peak      (n_items,) power law, and when an item is at its most popular
    affinity              (n_items, K) of the items to the genres
    """

    theta: np.ndarray
    start: np.ndarray
    length: np.ndarray
    popularity: np.ndarray
    peak: np.ndarray
    affinity: np.ndarray

    @property
    def n_genres(self) -> int:
        return self.affinity.shape[1]

    @cached_property
    def cumulative(self) -> np.ndarray:
        """(EPOCHS, K, n_items): cumulative p_t(i | k) at the middle of each epoch."""
        middle = (np.arange(EPOCHS) + 0.5) / EPOCHS
        drift = np.exp(-DRIFT * np.abs(middle[:, None] - self.peak))
        weights = drift[:, None, :] * (self.popularity[:, None] * self.affinity).T
        cumulative = np.cumsum(weights, axis=2)
        return cumulative / cumulative[:, :, -1:]


def _world(n_users: int, n_items: int, rng: np.random.Generator) -> _World:
    n_genres = int(np.clip(n_items // ITEMS_PER_GENRE, 4, len(GENRES)))
    first = _simplex(rng, (n_users, n_genres), TASTE)
    later = 0.7 * first + 0.3 * _simplex(rng, (n_users, n_genres), TASTE)
    start = rng.beta(0.8, 1.2, n_users) * 0.95
    length = np.minimum(rng.exponential(0.3, n_users) + 0.02, 1 - start)
    popularity = (1.0 + np.arange(n_items) / (0.05 * n_items + 1)) ** -TAIL
    popularity = rng.permutation(popularity) * rng.lognormal(0.0, 0.2, n_items)
    affinity = _simplex(rng, (n_items, n_genres), LEANING) + EVERYWHERE
    return _World(np.stack([first, later]), start, length, popularity, rng.random(n_items), affinity)


def _simplex(rng: np.random.Generator, shape: tuple[int, int], concentration: float) -> np.ndarray:
    """(n, K) float32: draws of a Dirichlet distribution; a small concentration leaves one or two large shares."""
    draws = rng.standard_gamma(concentration, shape, dtype=np.float32) + np.float32(1e-6)
    return draws / draws.sum(axis=1, keepdims=True)


def _activity(n_users: int, n_items: int, n_interactions: int, rng: np.random.Generator) -> np.ndarray:
    """(n_users,) int64: interactions of each user; a power law above a floor, summing to `n_interactions`."""
    weights = 0.35 + 0.65 * rng.pareto(1.8, n_users)
    weights *= n_interactions / weights.sum()
    limit = max(0.6 * n_items, n_interactions / n_users)
    for _ in range(50):  # what exceeds the limit goes to those below it
        weights = np.minimum(weights, limit)
        room = limit - weights
        weights += room * (n_interactions - weights.sum()) / max(room.sum(), 1e-9)
    activity = np.diff(np.floor(np.cumsum(weights) + 0.5).astype(np.int64), prepend=0)
    activity = np.clip(activity, 0, n_items)
    missing = n_interactions - int(activity.sum())
    while missing:  # rounding
        open_to = np.flatnonzero(activity < n_items) if missing > 0 else np.flatnonzero(activity > 0)
        chosen = open_to[: abs(missing)]
        activity[chosen] += np.sign(missing)
        missing = n_interactions - int(activity.sum())
    return activity


def _draw(world: _World, activity: np.ndarray, first: int, last: int, rng: np.random.Generator):
    """(items, times) of the users first to last - 1, sorted by (user, item), distinct within a user."""
    n_items = len(world.popularity)
    quota = activity[first:last]
    have = np.zeros(0, np.int64)  # pairs: (user - first) * n_items + item
    when = np.zeros(0)
    for _ in range(ROUNDS):
        deficit = quota - np.bincount(have // n_items, minlength=last - first)
        if not deficit.any():
            return (have % n_items).astype(np.int32), when
        user = np.repeat(np.arange(last - first), deficit)
        time = world.start[first + user] + rng.random(len(user)) * world.length[first + user]
        new = user * n_items + _items_at(world, first + user, time, rng)
        have, kept = np.unique(np.concatenate([have, new]), return_index=True)  # the earlier draw of a pair stays
        when = np.concatenate([when, time])[kept]
    return _fill_up(world, quota, first, have, when, rng)


def _items_at(world: _World, user: np.ndarray, time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One item for each (user, time)."""
    n, n_genres = len(user), world.n_genres
    theta = world.theta[(rng.random(n) < time).astype(np.int8), user]
    genre = (np.cumsum(theta, axis=1) < rng.random((n, 1), dtype=np.float32)).sum(axis=1).clip(max=n_genres - 1)
    group = ((time * EPOCHS).astype(np.int64).clip(max=EPOCHS - 1) * n_genres + genre).astype(np.uint8)
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(EPOCHS * n_genres + 1))
    point = rng.random(n)
    item = np.empty(n, np.int64)
    for g in range(EPOCHS * n_genres):
        rows = order[edges[g] : edges[g + 1]]
        item[rows] = np.searchsorted(world.cumulative[g // n_genres, g % n_genres], point[rows])
    return item.clip(max=len(world.popularity) - 1)


def _fill_up(world: _World, quota, first: int, have: np.ndarray, when: np.ndarray, rng: np.random.Generator):
    """The users still short, who have used up what they like, get the best of the rest (Gumbel top-k: exact)."""
    n_items = len(world.popularity)
    pairs, times = [have], [when]
    deficit = quota - np.bincount(have // n_items, minlength=len(quota))
    for u in np.flatnonzero(deficit):
        seen = have[np.searchsorted(have, u * n_items) : np.searchsorted(have, (u + 1) * n_items)] - u * n_items
        chance = world.popularity * (world.affinity @ world.theta[0, first + u])
        score = np.log(chance) + rng.gumbel(size=n_items)
        score[seen] = -np.inf
        pairs.append(u * n_items + np.argsort(-score, kind="stable")[: deficit[u]])
        times.append(world.start[first + u] + rng.random(deficit[u]) * world.length[first + u])
    have, when = np.concatenate(pairs), np.concatenate(times)
    order = np.argsort(have, kind="stable")
    return (have[order] % n_items).astype(np.int32), when[order]


def _rate(world: _World, user: np.ndarray, item: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whole stars: how well the item's genres match the user's taste, the item's quality, and noise."""
    match = np.sqrt(np.einsum("nk,nk->n", world.theta[0, user], world.affinity[item], dtype=np.float32))
    quality = 0.3 * np.sin(item * 12.9898)  # any fixed spread over the items
    stars = 2.9 + 1.3 * match + quality + rng.normal(0, 0.7, len(user))
    return np.clip(np.rint(stars), 1, 5).astype(np.float32)


def _genres(affinity: np.ndarray) -> list[str]:
    """The genre an item leans to most, and the second where it has a quarter of the weight or more."""
    order = np.argsort(-affinity, axis=1, kind="stable")[:, :2]
    second = np.take_along_axis(affinity, order, axis=1)[:, 1] > 0.25
    return [
        f"{GENRES[a]}|{GENRES[b]}" if two else GENRES[a]
        for (a, b), two in zip(order.tolist(), second.tolist(), strict=True)
    ]


def write_official(log: Interactions, folder: str | Path) -> Path:
    """Writes ratings.csv and movies.csv in the official MovieLens format; returns the folder.

    Columns that the log does not have are left out.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"userId": (log.users, log.user), "movieId": (log.items, log.item)}
    times = log.timestamp
    if times is not None and (times == np.floor(times)).all():  # as the official files have them
        times = times.astype(np.int64)
    more = {"rating": log.rating, "timestamp": times}
    values = {name: column for name, column in more.items() if column is not None}
    with open(folder / "ratings.csv", "wb") as sink:
        sink.write(",".join([*columns, *values]).encode() + b"\n")
        for start in range(0, log.nnz, BLOCK):
            rows = slice(start, start + BLOCK)
            table = {name: ids[codes[rows]] for name, (ids, codes) in columns.items()}
            table |= {name: column[rows] for name, column in values.items()}
            pyarrow.csv.write_csv(pa.table(table), sink, pyarrow.csv.WriteOptions(include_header=False))
    movies = pd.DataFrame({"movieId": log.items, "title": log.titles(np.arange(log.n_items))})
    attributes = pd.DataFrame() if log.item_attributes is None else log.item_attributes
    if "year" in attributes:
        movies["title"] += [f" ({year})" if pd.notna(year) else "" for year in attributes["year"]]
    genres = attributes["genres"] if "genres" in attributes else pd.Series([None] * log.n_items)
    movies["genres"] = genres.astype(object).where(genres.notna(), "(no genres listed)")
    movies.to_csv(folder / "movies.csv", index=False)
    return folder
