"""Inverse propensity: rarely observed items are kept more often (Jain et al., 2016; article 2's inverse distribution).

The propensity of an item, the chance that a liking of it is observed, is modelled by Jain et al. (2016, eq. 2) as

    p_i = 1 / (1 + C (f_i + B)^-A),    C = (ln N - 1) (B + 1)^A,    A = 0.55, B = 1.5,

with f_i its interactions and N the number of users. An interaction is kept with a probability proportional to 1 / p_i,
and exactly k are: sequential Poisson sampling (Ohlsson, 1998) keeps the k smallest u / w of independent
uniform u and sizes w = 1 / p. What stays at a smaller share is part of what stays at a larger one.

`weights` undoes the sampling: the inverse of the probability with which an interaction stayed (Horvitz and
Thompson, 1952). A weighted sum over what stays then estimates the sum over all of the log.
"""

import numpy as np

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores

A, B = 0.55, 1.5


def propensities(train: Interactions) -> np.ndarray:
    """(n_items,) in (0, 1], of items with no interaction too."""
    count = np.bincount(train.item, minlength=train.n_items)
    c = max(0.0, np.log(max(1, train.n_users)) - 1) * (B + 1) ** A
    return 1 / (1 + c * (count + B) ** -A)


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) -u / w, no groups."""
    return -np.random.default_rng(seed).random(train.nnz) * propensities(train)[train.item], None


def inclusion(sizes: np.ndarray, k: int) -> np.ndarray:
    """(n,) probabilities min(1, c w), with c such that they add up to k.

    sizes   (n,) positive w; 0 <= k <= n
    """
    order = np.sort(sizes)[::-1]
    rest = np.cumsum(order[::-1])[::-1]  # sum of the sizes from each place on
    certain = np.arange(len(order))
    c = (k - certain) / rest  # if the first `certain` are kept for sure
    fits = c * order <= 1 + 1e-12
    c = c[np.argmax(fits)] if fits.any() else np.inf
    return np.minimum(1.0, c * sizes)


def weights(train: Interactions, kept: np.ndarray, seed: int) -> np.ndarray:
    """(kept.sum(),) float32: the log's own weights (or 1), divided by the probability of having stayed.

    kept    (nnz,) bool, as chosen by `score`
    """
    probability = inclusion(1 / propensities(train)[train.item], int(kept.sum()))
    own = 1.0 if train.weight is None else train.weight[kept]
    return (own / probability[kept]).astype(np.float32)


CRITERIA = (
    Criterion(
        name="inverse-propensity",
        label="inverse propensity",
        kind="score",
        summary="at random, with a probability that falls with the item's popularity",
        source="Jain 2016; article 2",
        samples=score,
    ),
    Criterion(
        name="inverse-propensity-weighted",
        label="inverse propensity, weighted",
        kind="score",
        summary="the same, and what stays is weighted by one over the probability that it stayed",
        source="Jain 2016; Horvitz and Thompson 1952; article 2",
        samples=score,
        weights=weights,
    ),
)
