"""How good the lists of a recommender are: full-catalogue ranking metrics, in one pass for every k."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
import pandas as pd
from scipy import sparse

from recprune.errors import kind_of
from recprune.evaluation.belonging import HISTORIES, as_served, check_belongs, pattern
from recprune.evaluation.metrics import (
    Metric,
    check_metrics,
    exposure,
    list_metrics,
    own_metrics,
    thirds,
    times_shown,
)
from recprune.interactions import DataError
from recprune.splits import PARTS
from recprune.topk import BLOCK, NotANumber, rank_in_blocks
from recprune.typed import near

GROUPS = ("low", "mid", "high")
USERS_AT, ITEMS_AT = 10, 20  # the cutoffs at which user groups (nDCG) and item groups (recall) are given
USERS = 1024  # ranked at once


@dataclass(frozen=True, repr=False)
class Report:
    """What `evaluate` found.

    mean        name -> value: every metric of `per_user` averaged over the users evaluated, then
                coverage@k, gini@k, novelty@k (see `exposure`), ndcg@10_users_low|mid|high and
                recall@20_items_low|mid|high (see `thirds`); where some users have no history,
                ndcg@10_users_warm|cold of those with one and those without
    per_user    name -> (n_users,) float64, NaN where a user has nothing relevant
    lists       (n_users x max k) int32 item codes, best first; -1 past the end and for users left out
    n_users     users evaluated;  n_left_out: users without a relevant item, counted and left out
    on          the part evaluated;  k: the cutoffs, ascending
    n_not_drawn users with a relevant item who were not drawn, where there are more than `max_users`
    """

    mean: dict[str, float]
    per_user: dict[str, np.ndarray]
    lists: np.ndarray
    n_users: int
    n_left_out: int
    on: str
    k: tuple[int, ...] = field(default=())
    n_not_drawn: int = 0

    def table(self) -> pd.DataFrame:
        """One row per metric, one column per cutoff."""
        rows: dict[str, dict[str, float]] = {}
        for name, value in self.mean.items():
            metric, _, cutoff = name.partition("@")
            cutoff, _, group = cutoff.partition("_")
            rows.setdefault(f"{metric} {group}".strip().replace("_", " "), {})[f"@{cutoff}"] = value
        return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=[f"@{k}" for k in self.k])

    def _title(self) -> str:
        drawn = f" of {self.n_users + self.n_not_drawn:,}, drawn at random" if self.n_not_drawn else ""
        return f"{self.on}: {self.n_users:,} users{drawn}, {self.n_left_out:,} left out (nothing relevant)"

    def __repr__(self) -> str:
        return f"{self._title()}\n{self.table().to_string(float_format='%.4f', na_rep='')}"

    def _repr_html_(self) -> str:
        table = self.table().to_html(float_format="%.4f", na_rep="")  # type: ignore[call-overload]  # stubs lack formats
        return f"<p>{self._title()}</p>{table}"


def evaluate(
    model,
    split,
    on: str = "test",
    k: int | Iterable[int] = (10, 20, 100),
    block: int | None = None,
    max_users: int | None = None,
    history: str = "full",
    metrics: Mapping[str, Metric] | None = None,
) -> Report:
    """Rank the full catalogue for every user and measure the lists; candidates are never sampled.

    model  anything with `score(users) -> (len(users) x n_items)`; under a protocol with held-out
           users, `fold_in(histories) -> (len(histories) x n_items)`. What ranks by itself is asked for
           its lists: `rank(users, k, seen)`, `rank_histories(histories, k, seen)` (see `Recommender.rank`)
    split  a `Split`: its `relevant(on)` are the hits, its `seen(on)` are left out of the ranking
    on     "validation", "test" or "train" (there, nothing is left out)
    k      cutoffs; may exceed the catalogue
    block  users ranked at once, 1024 by default; their scores are made in pieces of about 16 MB
    max_users  of more users than so many, that many are drawn at random, always the same ones; None: all
    history    what the model is shown of users where it trained on a part of the data: "full", all that the split knew
               before samples were pruned, as a system that serves it would, or "pruned", what the split still has
    metrics    name -> function of ((U x k) bool hits, (U,) number of relevant items) that gives (U,) values: the
               caller's own, which stand in the report as name@k for every cutoff

    One pass over the users, whatever the cutoffs. Beside the report itself (a list and the metrics of
    every user) the memory is that of one piece: its scores, as the model gives them.

    Users are scored in the order of their codes; one without a relevant item is counted and left
    out. Equal scores are ordered as in `recprune.topk.top_k`. Metrics: `list_metrics`, `exposure`.

    Raises ValueError for a model that was trained on what it is judged by (see `check_belongs`), an unknown `on` or
    `history`, a metric whose name is taken or whose values are none, a cutoff or `max_users` that is no positive
    integer, scores of a wrong shape or with NaN (naming the user), or held-out users and a model that cannot fold
    them in;
    DataError if no user has a relevant item.
    """
    if on not in PARTS:
        raise ValueError(f"on is {on!r}; known: {', '.join(PARTS)}{near(on, PARTS)}")
    if history not in HISTORIES:
        raise ValueError(f"history is {history!r}; known: {', '.join(HISTORIES)}{near(history, HISTORIES)}")
    if not hasattr(model, "score"):
        raise TypeError(f"a trained model is needed, or what has its `score(users)`, not {kind_of(model)}")
    cutoffs, most, own = _cutoffs(k), _most(max_users), dict(metrics or {})
    check_metrics(own)
    check_belongs(model, split, on)
    model = as_served(model, split, on, history)
    relevant = split.relevant(on).tocsr()
    n_relevant = np.diff(relevant.indptr)
    users = np.flatnonzero(n_relevant)
    if len(users) == 0:
        raise DataError(f"no user has a relevant item in {on}")
    n_left_out, n_all = split.n_users - len(users), len(users)
    users = at_most(users, most)
    lists = np.full((split.n_users, cutoffs[-1]), -1, np.int32)
    hits = np.zeros((split.n_users, min(ITEMS_AT, cutoffs[-1])), bool)  # of the item groups
    per_user: dict[str, np.ndarray] = {}
    block = block or USERS
    wanted = np.zeros((min(block, max(1, BLOCK // split.n_items)), split.n_items), bool)
    for batch, found in _ranked(model, split, on, users, block, cutoffs[-1]):
        lists[batch] = found
        hit = _hits(found, relevant, batch, wanted)
        hits[batch] = hit[:, : hits.shape[1]]
        found_now = list_metrics(hit, n_relevant[batch], cutoffs)
        for name, values in (found_now | own_metrics(hit, n_relevant[batch], cutoffs, own)).items():
            per_user.setdefault(name, np.full(split.n_users, np.nan))[batch] = values
    mean = {name: float(values[users].mean()) for name, values in per_user.items()}
    unpruned = _history(split, on)
    for cutoff in cutoffs:
        shown = times_shown(lists[:, :cutoff], split.n_items)
        mean |= {f"{name}@{cutoff}": value for name, value in exposure(shown, unpruned).items()}
    if USERS_AT in cutoffs:
        mean |= _by_users(per_user[f"ndcg@{USERS_AT}"], unpruned)
    if ITEMS_AT in cutoffs:
        mean |= _by_items(relevant[users], lists[users, :ITEMS_AT], hits[users], unpruned)
    return Report(mean, per_user, lists, len(users), n_left_out, on, cutoffs, n_all - len(users))


def at_most(users: np.ndarray, most: int | None) -> np.ndarray:
    """The users, in their order; of more than `most`, so many by chance, always the same ones."""
    if most is None or len(users) <= most:
        return users
    return np.sort(np.random.default_rng(0).choice(users, most, replace=False))


def _ranked(model, split, on: str, users: np.ndarray, block: int, k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of users with their k best items, without what they have seen."""
    rank = _ranker(model, split, on)
    seen = pattern(split.seen(on))  # an interaction of weight zero was one
    for start in range(0, len(users), block):
        batch = users[start : start + block]
        try:
            yield batch, rank(batch, k, seen[batch])
        except NotANumber as nan:
            user = batch[nan.row]
            raise ValueError(
                f"the scores of user {split.users[user]} (code {user}) hold NaN; finite numbers are needed"
            ) from None


def _hits(lists: np.ndarray, relevant: sparse.csr_array, batch: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(B x k) bool: whether the item in each place is relevant to the user of the row.

    wanted  (rows looked at together x n_items) bool, all False before and after: to clear it again takes less than
            a new one
    """
    hits = np.empty(lists.shape, bool)
    for start in range(0, len(lists), len(wanted)):
        part = slice(start, start + len(wanted))
        rows = relevant[batch[part]]
        entries = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), rows.indices
        wanted[entries] = True
        hits[part] = wanted[np.arange(rows.shape[0])[:, None], lists[part]] & (lists[part] >= 0)
        wanted[entries] = False
    return hits


def _by_users(values: np.ndarray, history: sparse.csr_array) -> dict[str, float]:
    """Mean nDCG of each third of the users; those without a history are in `low`, and there are `warm` and `cold`."""
    activity = np.diff(history.indptr)
    group = thirds(activity, activity > 0)
    members = {name: group == g for g, name in enumerate(GROUPS)}
    if (known := ~np.isnan(values)).any() and not activity[known].all():
        members |= {"warm": activity > 0, "cold": activity == 0}
    return {f"ndcg@{USERS_AT}_users_{name}": _nanmean(values[of]) for name, of in members.items()}


def _by_items(
    relevant: sparse.csr_array, lists: np.ndarray, hits: np.ndarray, history: sparse.csr_array
) -> dict[str, float]:
    """Recall among each third's items: hits / relevant items of the group, mean over users who have one."""
    popularity = np.bincount(history.indices, minlength=relevant.shape[1])
    group = thirds(popularity, popularity)
    owner = np.repeat(np.arange(relevant.shape[0]), np.diff(relevant.indptr))
    result = {}
    for g, name in enumerate(GROUPS):
        n_relevant = np.bincount(owner[group[relevant.indices] == g], minlength=relevant.shape[0])
        found = (hits & (group[lists] == g)).sum(axis=1)
        some = n_relevant > 0
        result[f"recall@{ITEMS_AT}_items_{name}"] = _nanmean(found[some] / n_relevant[some])
    return result


def _ranker(model, split, on: str):
    """(users, k, seen) -> their lists: by the model's own ranking, or else by its scores of them.

    Where the protocol holds users out, it is their histories that are ranked for.
    """
    histories = split.fold_in(on)
    if histories is None:
        if callable(getattr(model, "rank", None)):
            return model.rank
        return _by_scores(model.score, split)
    if not callable(getattr(model, "fold_in", None)) or not getattr(model, "folds_in", True):
        name = getattr(model, "name", type(model).__name__)
        raise ValueError(
            f"{name} cannot fold in users that it was not trained on, and the {on} users of this "
            "split are held out; use a model that can, or a protocol that holds out no users"
        )
    histories = sparse.csr_array(histories)
    if callable(getattr(model, "rank_histories", None)):
        return lambda users, k, seen: model.rank_histories(histories[users], k, seen)
    return _by_scores(lambda users: model.fold_in(histories[users]), split)


def _by_scores(score, split):
    """(users, k, seen) -> their lists, by the scores that score(users) gives."""

    def rank(users, k, seen):
        return rank_in_blocks(lambda part: checked_scores(score(users[part]), len(users[part]), split.n_items), k, seen)

    return rank


def _history(split, on: str) -> sparse.csr_array:
    """The unpruned training interactions; of held-out users, also what is folded in."""
    return sparse.csr_array(split.seen("validation" if split.fold_in(on) is None else on))


def checked_scores(scores, n_users: int, n_items: int) -> np.ndarray:
    """A model's scores as an array of floats; a copy only where they are not."""
    scores = np.asarray(scores)
    if not np.issubdtype(scores.dtype, np.floating) or scores.dtype.itemsize < 4:
        scores = scores.astype(np.float32 if scores.dtype.itemsize < 4 else np.float64)
    if scores.shape != (n_users, n_items):
        raise ValueError(f"scores have shape {scores.shape}; (users x items) = {(n_users, n_items)} is needed")
    return scores


def _cutoffs(k) -> tuple[int, ...]:
    cutoffs = set(k) if isinstance(k, Iterable) else {k}
    if not cutoffs or not all(isinstance(c, Integral) and int(c) >= 1 for c in cutoffs):
        raise ValueError(f"k is {k!r}; one or more positive integers are needed")
    return tuple(sorted(int(c) for c in cutoffs))


def _most(max_users) -> int | None:
    if max_users is None:
        return None
    if isinstance(max_users, bool) or not isinstance(max_users, int | np.integer) or max_users < 1:
        raise ValueError(f"max_users is {max_users!r}; a positive integer, or None for all, is needed")
    return int(max_users)


def _nanmean(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else np.nan
