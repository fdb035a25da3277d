"""What a model answers to queries: a number for each member and each non-member, large where it seems to remember."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recprune.evaluation.privacy.queries import Queries, hiding
from recprune.evaluation.ranking import checked_scores
from recprune.interactions import Interactions

SCORES = 1 << 22  # held at once

Score = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Signal:
    """The answers to queries.

    member      (n,) to each query, for its member
    non_member  (m,) for the non-members beside them
    """

    member: np.ndarray
    non_member: np.ndarray


def asked(model, of: Queries, histories: Interactions, hide: bool = True) -> Signal:
    """A model's scores of the queries, each in standard deviations from the mean of its user's row of scores.

    histories  what users are served from: all that they did before any pruning
    hide       for each query, its member is taken out of the history that its scores are made from; else users are
               scored as they are. So are they by what looks at no history, see `hides`
    """
    if not (hide and hides(model)):
        return _read(model.score, of, np.arange(len(of.user)))
    found = Signal(np.empty(len(of.user)), np.empty(len(of.query)))
    for turn in range(int(of.round.max()) + 1):
        which = np.flatnonzero(of.round == turn)
        score = served_from(model, hiding(histories, of.user[which], of.member[which]))
        part = _read(score, of, which)
        found.member[which] = part.member
        found.non_member[np.isin(of.query, which)] = part.non_member
    return found


def hides(model) -> bool:
    """Whether a model's scores are made from the history that it is shown: else there is nothing to hide."""
    if hasattr(model, "folds_in"):
        return bool(model.folds_in)
    return any(callable(getattr(model, name, None)) for name in ("score_histories", "fold_in"))


def served_from(model, histories: Interactions) -> Score:
    """users -> (len(users) x n_items) scores from these histories, of a model that looks at them (see `hides`)."""
    if callable(getattr(model, "serving", None)):
        return model.serving(histories).score
    matrix = sparse.csr_array(histories.tocsr())
    score = getattr(model, "score_histories", None) or model.fold_in
    return lambda users: score(matrix[users])


def _read(score: Score, of: Queries, which: np.ndarray) -> Signal:
    """The answers to the queries `which` (ascending), by one way to score; each user's row is made once."""
    users, row = np.unique(of.user[which], return_inverse=True)
    rank = np.full(len(of.user), -1)
    rank[which] = np.arange(len(which))
    mine = np.flatnonzero(rank[of.query] >= 0)
    query = rank[of.query[mine]]
    found = Signal(np.empty(len(which)), np.empty(len(mine)))
    step = max(1, SCORES // of.n_items)
    for start in range(0, len(users), step):
        batch = users[start : start + step]
        scores = standardised(checked_scores(score(batch), len(batch), of.n_items), batch)
        here = np.flatnonzero((row >= start) & (row < start + step))
        found.member[here] = scores[row[here] - start, of.member[which[here]]]
        beside = np.flatnonzero((row[query] >= start) & (row[query] < start + step))
        found.non_member[beside] = scores[row[query[beside]] - start, of.non_member[mine[beside]]]
    return found


def standardised(scores: np.ndarray, users: np.ndarray) -> np.ndarray:
    """Rows of scores in float64, less their mean and divided by their standard deviation; -inf stays what it is.

    So scores of different users, and of different models, can be set beside each other, and an attacker who sees a
    user's scores can do the same. A row of equal scores becomes zeros.
    Raises ValueError for NaN, naming the user.
    """
    scores = np.array(scores, np.float64)
    if np.isnan(scores).any():
        user = users[int(np.isnan(scores).any(axis=1).argmax())]
        raise ValueError(f"the scores of user {user} hold NaN; numbers, or -inf for what cannot be listed, are needed")
    known = np.isfinite(scores)
    n = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = np.where(known, scores, 0.0).sum(axis=1, keepdims=True) / n
    scores -= mean
    spread = np.sqrt((np.where(known, scores, 0.0) ** 2).sum(axis=1, keepdims=True) / n)
    flat = spread[:, 0] <= 1e-12 * np.maximum(np.abs(mean[:, 0]), 1e-300)
    spread[flat] = np.inf
    scores[flat] = np.where(known[flat], 0.0, scores[flat])
    return np.divide(scores, spread, out=scores, where=known)
