"""How sure a comparison is: paired bootstrap over users, and Holm's correction for the number of comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

BLOCK = 1 << 20  # resampled users held at once


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % confidence bounds.

    lo, hi  two-sided (2.5th and 97.5th percentile of the bootstrap);  lower: one-sided (5th percentile)
    """

    estimate: float
    lo: float
    hi: float
    lower: float


PerUser = np.ndarray | Sequence[np.ndarray]


def paired_ratio(pruned: PerUser, dense: PerUser, seed: int = 0, draws: int = 2000, jointly: bool = True) -> Interval:
    """How much of the dense model's quality a pruned one keeps, with its interval.

    pruned, dense  per-user values of one metric: (n_users,), or a list of such over seeds, NaN where a
                   user has nothing relevant; the same users in both, on the same splits
    jointly        resample the users once per draw and apply that to every seed (default), or anew
                   inside each seed

        mean over seeds s of  (mean_u pruned[s, u]) / (mean_u dense[s, u])

    Percentile bootstrap over users (Efron and Tibshirani 1993, ch. 13), paired: a drawn user brings
    the values of both models. The seeds' users are the same people, so their errors do not average
    out over seeds; `jointly=True` lets them not, `jointly=False` treats seeds as samples of different
    people and is too narrow where people differ more than seeds. Either way the interval is about
    users: the seeds are taken as given. NaN where the dense mean (of any draw) is 0.

    Raises ValueError if the shapes do not fit, or a seed has no user with values in both.
    """
    pairs = _pairs(pruned, dense)
    estimate = np.mean([1 + _over(np.nansum(gain), np.nansum(base)) for gain, base in pairs])
    lo, lower, hi = np.quantile(_bootstrap(pairs, seed, draws, jointly), [0.025, 0.05, 0.975])
    return Interval(float(estimate), float(lo), float(hi), float(lower))


def paired_p(pruned: PerUser, dense: PerUser, seed: int = 0, draws: int = 2000, jointly: bool = True) -> float:
    """Two-sided bootstrap p-value of "the ratio is 1"; arguments, statistic and errors as in `paired_ratio`.

        p = 2 (1 + min(#{draws <= 1}, #{draws >= 1})) / (draws + 1), at most 1

    NaN where the ratio of a draw is undefined. The smallest p possible is 2 / (draws + 1).
    """
    ratios = _bootstrap(_pairs(pruned, dense), seed, draws, jointly)
    if np.isnan(ratios).any():
        return np.nan
    return float(min(1.0, 2 * (1 + min((ratios <= 1).sum(), (ratios >= 1).sum())) / (draws + 1)))


def _pairs(pruned: PerUser, dense: PerUser) -> list[tuple[np.ndarray, np.ndarray]]:
    """Per seed (pruned - dense, dense) of every user, both NaN where either is missing.

    From differences, identical models give a ratio of exactly 1, whatever the order of the sums.
    """
    pruned, dense = _seeds(pruned), _seeds(dense)
    if len(pruned) != len(dense) or any(p.shape != d.shape for p, d in zip(pruned, dense, strict=True)):
        raise ValueError(
            f"per-user arrays of shapes {[p.shape for p in pruned]} and {[d.shape for d in dense]} "
            "do not pair: the same seeds and users are needed in both"
        )
    pairs = []
    for p, d in zip(pruned, dense, strict=True):
        known = ~(np.isnan(p) | np.isnan(d))
        if not known.any():
            raise ValueError("a seed has no user with a value in both models")
        pairs.append((np.where(known, p - d, np.nan), np.where(known, d, np.nan)))
    return pairs


def _seeds(values: PerUser) -> list[np.ndarray]:
    if isinstance(values, np.ndarray) and values.ndim == 1:
        values = [values]
    values = [np.asarray(v, np.float64) for v in values]
    if not values or any(v.ndim != 1 for v in values):
        raise ValueError("per-user values are (n_users,) arrays, one or a list over seeds")
    return values


def _bootstrap(pairs: list[tuple[np.ndarray, np.ndarray]], seed: int, draws: int, jointly: bool) -> np.ndarray:
    """(draws,) values of the statistic of `paired_ratio` over resampled users."""
    rng = np.random.default_rng(seed)
    if not jointly:
        return np.mean([_resampled([pair], rng, draws)[:, 0] for pair in pairs], axis=0)
    if len({len(gain) for gain, _ in pairs}) > 1:
        raise ValueError("the seeds have different users; jointly=False resamples them apart")
    return _resampled(pairs, rng, draws).mean(axis=1)


def _resampled(pairs: list[tuple[np.ndarray, np.ndarray]], rng: np.random.Generator, draws: int) -> np.ndarray:
    """(draws x seeds) ratios, each draw one resample of the users for all the seeds."""
    gain, base = (np.stack(part, axis=1) for part in zip(*pairs, strict=True))
    known = ~np.isnan(base).all(axis=1)
    gain, base = np.nan_to_num(gain[known]), np.nan_to_num(base[known])  # who is missing in a seed adds nothing to it
    blocks = (times.astype(np.float64) for times in resamples(len(gain), draws, rng, BLOCK))
    return np.concatenate([1 + _over(times @ gain, times @ base) for times in blocks])


def resamples(n: int, draws: int, rng: np.random.Generator, most: int) -> Iterator[np.ndarray]:
    """Blocks of (draws x n) counts: how often each of `n` users is drawn, with replacement.

    most  numbers that one block may hold. The counts are those of `rng`'s stream, however it is cut into blocks
    """
    size = max(1, most // n)
    for start in range(0, draws, size):
        rows = min(size, draws - start)
        drawn = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)


def _over(gain: np.ndarray, base: np.ndarray) -> np.ndarray:
    """gain / base, NaN where base is 0: against nothing no ratio is defined."""
    return np.divide(gain, base, out=np.full(np.shape(base), np.nan), where=np.asarray(base) != 0)


def holm(p_values) -> np.ndarray:
    """p-values adjusted for a family of comparisons (Holm 1979, Scand. J. Statist. 6:65).

        sorted ascending p_(1) <= ... <= p_(m):  adjusted_(i) = max_{j<=i} min(1, (m - j + 1) p_(j))

    NaN stays NaN and does not count in m.
    """
    p = np.asarray(p_values, np.float64)
    if ((p < 0) | (p > 1)).any():
        raise ValueError("p-values lie between 0 and 1")
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    factor = np.arange(len(order), 0, -1)
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, factor * p[order]))
    return adjusted
