"""How sure a comparison is: intervals over users and seeds, and Holm's correction for the number of comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % confidence bounds.

    lo, hi  two-sided (2.5 % beyond either);  lower: one-sided (5 % below)
    """

    estimate: float
    lo: float
    hi: float
    lower: float


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, its standard error, and the degrees of freedom of that."""

    mean: float
    error: float
    freedom: float

    def beyond(self, value: float) -> float:
        """One-sided p-value of "the truth is at most `value`"; NaN where there is no estimate."""
        if not math.isfinite(self.error):
            return math.nan
        if self.error == 0:  # nothing varied: the number decides
            return float(self.mean <= value)
        return float(special.stdtr(self.freedom, (value - self.mean) / self.error))

    @property
    def interval(self) -> Interval:
        """The estimate with its bounds, Student's t."""
        wide, narrow = (self.error * float(special.stdtrit(self.freedom, level)) for level in (0.975, 0.95))
        return Interval(self.mean, self.mean - wide, self.mean + wide, self.mean - narrow)


PerUser = np.ndarray | Sequence[np.ndarray]


def over_users_and_seeds(of_seeds: np.ndarray, influences: np.ndarray) -> Estimate:
    """The mean over seeds of a statistic, as sure as the users and the seeds let it be.

    of_seeds    (n_seeds,) the statistic of each seed
    influences  (n_users, n_seeds) how far each user moves each of them: the empirical influence function / n_users,
                columns of sum 0; 0 for who is missing in a seed

    The seeds' users are the same people, so what they have in common does not average out over seeds; the initial
    values, the split and the sampling of each seed do. With K the covariance matrix of the statistics over users,

        V = shared + own,   shared: mean of K_st over s != t,   own: S^2 / n_seeds, S^2 the variance among seeds,

    which holds the users' own chance in each seed too, once. Of few seeds S^2 may be small by chance; so V is at least
    the mean of K, which is the variance that users alone give the mean, with the degrees of freedom of users. Where it
    is more, Satterthwaite's (1946): V^2 / (own^2 / (n_seeds - 1) + shared^2 / (n_users - 1)). Of one seed, whose own
    chance nobody can see, users alone count.
    """
    n_users, n_seeds = influences.shape
    mean, many = float(np.mean(of_seeds)), max(1, n_users - 1)
    covariance = influences.T @ influences * (n_users / many)
    alone = float(covariance.mean())
    if n_seeds == 1:
        return Estimate(mean, math.sqrt(alone), many)
    shared = max(0.0, float(covariance.sum() - np.trace(covariance)) / (n_seeds * (n_seeds - 1)))
    own = float(np.var(of_seeds, ddof=1)) / n_seeds
    if shared + own <= alone:
        return Estimate(mean, math.sqrt(alone), many)
    variance, scatter = shared + own, own**2 / (n_seeds - 1) + shared**2 / many
    return Estimate(mean, math.sqrt(variance), variance**2 / scatter)


def lower_among(estimate: ArrayLike, lower: ArrayLike, hi: ArrayLike, among: ArrayLike) -> np.ndarray:
    """One-sided 95 % lower bounds of `among` comparisons together: each at 1 - 0.05 / among (Bonferroni).

    estimate, lower, hi  of the intervals (see `Interval`), arrays of one shape;  among: as many as are chosen from
    Whatever the comparisons have in common, that any of their bounds lies above its truth has a probability of 5 % at
    most. Standard error and degrees of freedom are found again from the two bounds, whose ratio tells the latter; they
    are taken for many where `hi` is missing.
    """
    estimate, lower, hi = (np.asarray(values, np.float64) for values in (estimate, lower, hi))
    narrow, wide = estimate - lower, hi - estimate
    known = narrow > 0
    ratio = np.divide(wide, narrow, out=np.full(narrow.shape, _RATIOS[0]), where=known & np.isfinite(wide))
    freedom = 1 / np.maximum(np.interp(ratio, _RATIOS, _INVERSE), 1e-9)
    further = special.stdtrit(freedom, 1 - 0.05 / np.asarray(among)) / special.stdtrit(freedom, 0.95)
    return np.where(known, estimate - narrow * further, lower)


#: t(0.975) / t(0.95) of 1 / degrees of freedom, from next to none (many) to 1
_INVERSE = np.linspace(1e-9, 1, 4001)
_RATIOS = special.stdtrit(1 / _INVERSE, 0.975) / special.stdtrit(1 / _INVERSE, 0.95)


def paired_ratio(pruned: PerUser, dense: PerUser) -> Interval:
    """How much of the dense model's quality a pruned one keeps, with its interval.

    pruned, dense  per-user values of one metric: (n_users,), or a list of such over seeds, NaN where a
                   user has nothing relevant; the same users in both, on the same splits

        mean over seeds s of  r_s = (sum_u pruned[s, u]) / (sum_u dense[s, u])

    Paired: a user brings the values of both models, and moves the ratio of a seed by about
    (pruned[s, u] - r_s dense[s, u]) / sum_u dense[s, u]. Users and seeds vary, see `over_users_and_seeds`; of seeds
    that differ in the number of their users, the first ones are taken for the same people. NaN where the dense mean
    of a seed is 0.

    Raises ValueError if the shapes do not fit, or a seed has no user with values in both.
    """
    return _ratio(pruned, dense).interval


def paired_p(pruned: PerUser, dense: PerUser) -> float:
    """Two-sided p-value of "the ratio is 1"; arguments, statistic and errors as in `paired_ratio`.

    NaN where the ratio of a seed is undefined.
    """
    ratio = _ratio(pruned, dense)
    above = ratio.beyond(1.0)
    if ratio.error == 0:
        return float(ratio.mean == 1.0)
    return 2 * min(above, 1 - above)


def _ratio(pruned: PerUser, dense: PerUser) -> Estimate:
    pairs = _pairs(pruned, dense)
    n_users = max(len(gain) for gain, _ in pairs)
    influences, ratios = np.zeros((n_users, len(pairs))), np.empty(len(pairs))
    for seed, (gain, base) in enumerate(pairs):
        total = base.sum() or np.nan  # against nothing no ratio is defined
        ratios[seed] = 1 + gain.sum() / total
        influences[: len(gain), seed] = (gain - (ratios[seed] - 1) * base) / total
    return over_users_and_seeds(ratios, influences)


def _pairs(pruned: PerUser, dense: PerUser) -> list[tuple[np.ndarray, np.ndarray]]:
    """Per seed (pruned - dense, dense) of every user, both 0 where either is missing: who is moves nothing.

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
        pairs.append((np.where(known, p - d, 0.0), np.where(known, d, 0.0)))
    return pairs


def _seeds(values: PerUser) -> list[np.ndarray]:
    if isinstance(values, np.ndarray) and values.ndim == 1:
        values = [values]
    values = [np.asarray(v, np.float64) for v in values]
    if not values or any(v.ndim != 1 for v in values):
        raise ValueError("per-user values are (n_users,) arrays, one or a list over seeds")
    return values


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
