"""Membership of users: was somebody among those whom a model was trained on?

Under the protocol `strong` chance alone decides who is: the held-out users of test are as good as the training ones.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recprune.evaluation.privacy.queries import position
from recprune.evaluation.privacy.signals import SCORES, standardised
from recprune.evaluation.privacy.statistics import Membership, across_users
from recprune.evaluation.ranking import checked_scores
from recprune.interactions import Interactions, user_by_user
from recprune.splits import Split

ASKED_FOR = 0.2  # share of a history, as the protocol holds out


def of_users(model, split: Split, seed: int) -> Membership:
    """The audit of which users a model was trained on, by how well it completes their histories.

    Of each user a fifth of the history is asked for, given the rest: of a held-out one what the protocol kept for
    test, of a training one as much, drawn at random. The signal is the mean score of what is asked for, in standard
    deviations of the user's row of scores.

    Raises ValueError for a model that cannot fold in users, and as `standardised` does.
    """
    if not callable(getattr(model, "fold_in", None)) or not getattr(model, "folds_in", True):
        name = getattr(model, "name", type(model).__name__)
        raise ValueError(f"{name} cannot fold in the users that protocol 'strong' holds out, so it knows none of them")
    rng = np.random.default_rng([seed, int(split.data_hash[:8], 16), 28])
    train = split.unpruned
    order = user_by_user(train.user, rng.random(train.nnz))
    count = np.bincount(train.user, minlength=split.n_users)[train.user]
    hidden = np.zeros(train.nnz, bool)
    hidden[order] = position(train.user, split.n_users) < np.maximum(1, (ASKED_FOR * count).astype(np.int64))
    trained = np.bincount(split.train.user, minlength=split.n_users) > 0
    signal = np.full(split.n_users, np.nan)
    for known, wanted in (
        (train.select(~hidden), train.select(hidden)),
        (split.histories["test"], split.test),
    ):
        users = np.unique(wanted.user)
        users = users[trained[users]] if wanted is not split.test else users
        signal[users] = _completed(model, known, wanted, users)
    return across_users(signal, trained, hidden=True)


def _completed(model, known: Interactions, wanted: Interactions, users: np.ndarray) -> np.ndarray:
    """(len(users),) how high the items `wanted` of each user are scored from what is `known`, on average."""
    histories = sparse.csr_array(known.tocsr() if known.timestamp is None else known.sequences())
    pattern, found = wanted.tocsr(), np.empty(len(users))
    step = max(1, SCORES // known.n_items)
    for start in range(0, len(users), step):
        batch = users[start : start + step]
        raw = checked_scores(model.fold_in(histories[batch]), len(batch), known.n_items)
        scores, rows = standardised(raw, batch), pattern[batch]
        there = np.repeat(np.arange(len(batch)), np.diff(rows.indptr))
        mine = scores[there, rows.indices]
        mine = np.where(np.isfinite(mine), mine, np.nanmin(np.where(np.isfinite(scores), scores, np.nan)))
        found[start : start + step] = np.bincount(there, mine, len(batch)) / np.diff(rows.indptr)
    return found
