"""The attack by likelihood ratio: an attacker who can train models like the one audited knows what is usual.

Whether a score is high because the interaction was trained on, or because anybody would guess it, is seen from models
that were trained with it and without it (Carlini et al., 2022, "Membership inference attacks from first principles",
algorithm 1; with few models, one variance for all, as they advise in section VI C).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from recprune.evaluation.privacy.queries import Queries
from recprune.evaluation.privacy.signals import Signal, asked
from recprune.interactions import Interactions
from recprune.splits import Split, final

Retrain = Callable[[Interactions, int], Any]


def likelihood_ratio(
    target: Signal, of: Queries, split: Split, retrain: Retrain, retrainings: int, seed: int, hide: bool
) -> Signal:
    """log p(score | trained on) - log p(score | not trained on), both normal, of every member and non-member.

    target       the scores of the model audited
    retrainings  models, each trained on half of training and test together; each interaction is in half of them

    They are asked what the model audited was asked, from the same histories. With half the data they are worse
    models than it; that both kinds of interactions share. Raises ValueError as `asked` does.
    """
    pool = final(replace(split, validation=split.test)).train
    inside = halves(pool.nnz, retrainings, seed)
    found = []
    for turn in range(retrainings):
        model = retrain(pool.select(inside[:, turn]), seed + turn)
        found.append(asked(model, of, split.unpruned, hide))
    key = pool.user.astype(np.int64) * pool.n_items + pool.item
    of_member = np.searchsorted(key, of.user * of.n_items + of.member)
    of_other = np.searchsorted(key, of.user[of.query] * of.n_items + of.non_member)
    members, others = (np.stack([getattr(s, side) for s in found], 1) for side in ("member", "non_member"))
    ratio = _Ratio(np.concatenate([members, others]), inside[np.append(of_member, of_other)])
    both = ratio(np.append(target.member, target.non_member))
    return Signal(both[: len(members)], both[len(members) :])


def halves(n: int, models: int, seed: int) -> np.ndarray:
    """(n x models) bool: for each of n interactions a random half of the models (rounded down) that train on it."""
    order = np.random.default_rng([seed, 26]).random((n, models)).argsort(axis=1)
    return order.argsort(axis=1) < models // 2


class _Ratio:
    """The normal distributions of scores with and without: a mean for each pair, a variance for all.

    scores, inside  (pairs x models)
    """

    def __init__(self, scores: np.ndarray, inside: np.ndarray):
        self.fits = [self._fit(scores, mask) for mask in (inside, ~inside)]

    @staticmethod
    def _fit(scores: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, float]:
        known = np.isfinite(scores) & mask
        n = known.sum(axis=1)
        mean = np.where(known, scores, 0.0).sum(axis=1) / np.maximum(n, 1)
        squares = (np.where(known, scores - mean[:, None], 0.0) ** 2).sum()
        return np.where(n > 0, mean, np.nan), float(squares / max(1, (n - 1).clip(min=0).sum()))

    def __call__(self, score: np.ndarray) -> np.ndarray:
        """(pairs,) log ratios; 0, which tells nothing, of what is no number in the models or the model audited."""
        (mean_in, var_in), (mean_out, var_out) = ((mean, max(var, 1e-12)) for mean, var in self.fits)
        with np.errstate(invalid="ignore"):
            ratio = 0.5 * ((score - mean_out) ** 2 / var_out - (score - mean_in) ** 2 / var_in)
        return np.where(np.isfinite(ratio), ratio + 0.5 * np.log(var_out / var_in), 0.0)
