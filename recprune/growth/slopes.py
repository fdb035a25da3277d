"""Whether a pruned model loses to its dense one over time: a slope, with the error that other users would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DRAWS = 1000


@dataclass(frozen=True)
class Slope:
    """The change of log(pruned / dense) from one window to the next, and its standard error over users.

    ratios   (n_windows,) log(pruned / dense), NaN where either has no quality
    """

    value: float
    error: float
    ratios: np.ndarray


def slope(pruned: np.ndarray, dense: np.ndarray, draws: int = DRAWS, seed: int = 0) -> Slope:
    """Least squares over windows w = 0, 1, ... of log(sum_u pruned[u, w] / sum_u dense[u, w]).

    pruned, dense   (n_users x n_windows) quality of the same users, NaN for who does not come in a window

    The error is the standard deviation over `draws` bootstrap samples of users, each with all windows in which they
    come (Efron, 1979). A sample in which fewer than two windows have a ratio has no slope, and is left out. NaN where
    there are fewer than two windows with a ratio.

    Raises ValueError for arrays that do not pair.
    """
    pruned, dense = np.asarray(pruned, np.float64), np.asarray(dense, np.float64)
    if pruned.ndim != 2 or pruned.shape != dense.shape:
        raise ValueError(f"slope: qualities of shapes {pruned.shape} and {dense.shape}; (users x windows) each, alike")
    if not np.array_equal(np.isnan(pruned), np.isnan(dense)):
        raise ValueError("slope: a user comes in a window for one of the models, and not for the other")
    both = np.nan_to_num(np.stack([pruned, dense]))
    ratios = _ratios(both.sum(axis=1))
    there = ~np.isnan(pruned).all(axis=1)
    both = both[:, there]
    n = both.shape[1]
    if n == 0:
        return Slope(np.nan, np.nan, ratios)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    sampled = _slopes(_ratios(counts @ both))
    known = sampled[~np.isnan(sampled)]
    error = float(known.std(ddof=1)) if len(known) > 1 else np.nan
    return Slope(float(_slopes(ratios[None])[0]), error, ratios)


def _ratios(sums: np.ndarray) -> np.ndarray:
    """log(first / second) of (2 x ...) sums, NaN where one of them is not positive."""
    good = (sums > 0).all(axis=0)
    return np.log(np.where(good, sums[0], np.nan)) - np.log(np.where(good, sums[1], np.nan))


def _slopes(ratios: np.ndarray) -> np.ndarray:
    """(m,) least-squares slopes of (m x n_windows) ratios over the windows that have one; NaN of fewer than two."""
    there = ~np.isnan(ratios)
    n = there.sum(axis=1, keepdims=True)
    window = np.where(there, np.arange(ratios.shape[1]), 0.0)
    centred = np.where(there, window - window.sum(axis=1, keepdims=True) / np.maximum(n, 1), 0.0)
    square = np.square(centred).sum(axis=1)
    product = (centred * np.where(there, ratios, 0.0)).sum(axis=1)
    return np.divide(product, square, out=np.full(len(ratios), np.nan), where=square > 0)
