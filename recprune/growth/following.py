"""A model followed through windows: recommend to those who come, score, take the window in."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import torch

from recprune.evaluation.metrics import list_metrics
from recprune.growth.update import EPOCHS, update
from recprune.growth.windows import Windows
from recprune.interactions import Interactions
from recprune.models.base import Recommender
from recprune.models.baselines import Popularity
from recprune.models.descent import GradientModel
from recprune.pruning.pruned import Pruned

K = 10


@dataclass(frozen=True, eq=False)
class Followed:
    """What a model was worth in each window.

    ndcg       (n_users x n_windows) nDCG@10 over all items, NaN for who does not come
    warm       (n_users x n_windows) bool: had a history before the window
    seconds    (n_windows,) of taking each window in, NaN for the last, after which nobody comes
    values     (n_windows,) how many prunable values are not zero, when it recommends in the window
    model      as it was in the last window
    """

    ndcg: np.ndarray
    warm: np.ndarray
    seconds: np.ndarray
    values: np.ndarray
    model: Recommender

    def of(self, who: str) -> np.ndarray:
        """(n_users x n_windows) nDCG@10 of the warm or the cold users, NaN for all others. Raises ValueError."""
        if who not in ("warm", "cold"):
            raise ValueError(f"who is {who!r}; known: warm, cold")
        return np.where(self.warm if who == "warm" else ~self.warm, self.ndcg, np.nan)


def started(model: Recommender, windows: Windows, seed: int = 0) -> Recommender:
    """A trained model of what lies before the first window.

    One that would stop early is trained twice: on nine tenths of the interactions, to see after how many epochs the
    others are ranked best, then on all for so many. These are its `epochs` from then on, also when it is trained anew;
    no later interaction is kept back from it.
    """
    train = windows.train
    if isinstance(model, GradientModel):
        held = np.random.default_rng([seed, 1]).random(train.nnz) < 0.1
        trial = replace(model).fit(train.select(~held), validation=train.select(held), seed=seed)
        best = max(trial.train_log, key=lambda row: row["val_ndcg@10"])
        model = replace(model, epochs=int(best["epoch"]))
    return replace(model).fit(train, seed=seed)


def follow(
    model: Recommender | Pruned, windows: Windows, how: str = "values", seed: int = 0, epochs: int = EPOCHS
) -> Followed:
    """A model that was trained on what lies before the windows, followed through them; arguments as of `update`.

    In each window every user who comes is ranked all items for, less those of before. Who has no history, or none that
    the model has seen, gets the most popular items: one fallback for all models. What the user takes in the window is
    relevant, be it new: an item without any interaction before has whatever score the model gives it.

    Raises what `update` raises.
    """
    state = model.model if isinstance(model, Pruned) else model
    shape = windows.log.n_users, len(windows.parts)
    ndcg, warm = np.full(shape, np.nan), np.zeros(shape, bool)
    seconds, values = np.full(shape[1], np.nan), np.zeros(shape[1], np.int64)
    for w, window in enumerate(windows.parts):
        users, known = np.unique(window.user), windows.before(w)
        values[w] = sum(int(torch.count_nonzero(tensor)) for tensor in state.prunable().values())
        ndcg[users, w] = _ndcg(state, known, window, users)
        warm[users, w] = np.bincount(known.user, minlength=shape[0])[users] > 0
        if w + 1 < shape[1]:
            began = time.perf_counter()
            state = update(state, window, how=how, seed=seed, epochs=epochs)
            seconds[w] = time.perf_counter() - began
    return Followed(ndcg, warm, seconds, values, state)


def follow_popular(windows: Windows) -> Followed:
    """The arm that everything is compared with: the most popular items of all that lies before each window."""
    return follow(Popularity().fit(windows.train), windows, how="values")


def _ndcg(model: Recommender, known: Interactions, window: Interactions, users: np.ndarray) -> np.ndarray:
    """(len(users),) nDCG@10 of the lists of the users in a window."""
    seen = known.tocsr()[users]
    lists = model.rank(users, K, seen)
    strange = (np.diff(seen.indptr) == 0) | model._strangers(users)
    if strange.any():
        lists[strange] = Popularity().fit(known).rank(users[strange], K, seen[strange])
    relevant = window.tocsr()[users]
    hits = np.take_along_axis(relevant.toarray() > 0, np.maximum(lists, 0), axis=1) & (lists >= 0)
    return list_metrics(hits, np.diff(relevant.indptr), (K,))[f"ndcg@{K}"]
