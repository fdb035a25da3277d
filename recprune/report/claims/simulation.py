"""Do the statistics keep their word? Made-up users whose true loss is known, judged as measured ones are.

Each user has a taste for being served well (a share of them never is). The dense model of each seed serves a user as a
draw of it; a pruned one as the dense one does, or, with probability 1 - AGREE, as a draw scaled to the wanted loss, of
the taste again or, for one user in LIKED_APART, of a taste for this pruned model: in every seed, on validation and
on test. What a seed does to a pruned model belongs to the trained model too, so validation and test share it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recprune.evaluation import Interval, paired_ratio
from recprune.evaluation.intervals import lower_among
from recprune.evaluation.safety import safe_walk

AGREE, NEVER, LIKED_APART = 0.6, 0.3, 4
PerSeed = np.ndarray  # (n_seeds, n_users)


class Users:
    """Made-up users, and models that serve them: a dense one, and a pruned one for each true ratio.

    ratios  pruned / dense, each between AGREE and 1 / (1 - AGREE), over the population of users and seeds
    sd      of the ratio of a seed: ratio + sd N(0, 1)
    """

    def __init__(self, rng: np.random.Generator, n_users: int, n_seeds: int, ratios: Sequence[float], sd: float = 0.0):
        self._rng, self._size = rng, (n_seeds, n_users)
        self._served = rng.random(n_users) > NEVER
        self._taste = _tastes(rng, n_users)
        apart = rng.integers(LIKED_APART, size=(len(ratios), n_users)) == 0
        self._tastes = np.where(apart, _tastes(rng, apart.shape), self._taste)
        of_seeds = np.asarray(ratios)[:, None] + sd * rng.standard_normal((len(ratios), n_seeds))
        self._scales = (of_seeds - AGREE) / (1 - AGREE)

    def part(self) -> tuple[PerSeed, list[PerSeed]]:
        """What the models are worth to each user on other relevant items: the dense one, and the pruned ones."""
        dense = self._served * self._draw(np.broadcast_to(self._taste, self._size))
        return dense, [self._pruned(dense, *model) for model in zip(self._tastes, self._scales, strict=True)]

    def _pruned(self, dense: PerSeed, taste: np.ndarray, scales: np.ndarray) -> PerSeed:
        seeds, users = np.nonzero(self._served & (self._rng.random(self._size) > AGREE))
        values = dense.copy()
        values[seeds, users] = scales[seeds] * self._draw(taste[users])
        return values

    def _draw(self, taste: np.ndarray) -> np.ndarray:  # of mean taste, the same for every model and seed
        return self._rng.beta(4 * taste, 4 * (1 - taste))


def _tastes(rng: np.random.Generator, size: int | tuple[int, ...]) -> np.ndarray:
    return np.clip(rng.beta(1.2, 1.8, size), 1e-6, 1 - 1e-6)  # where a beta distribution is defined


def coverage(
    ratio: float, trials: int = 500, n_users: int = 900, n_seeds: int = 3, sd: float = 0.0, seed: int = 0
) -> dict[str, float]:
    """How often the interval of `paired_ratio` holds the true ratio, and how often its one-sided bound lies above it.

    sd  of the ratio of a seed: what a seed's initial values, split and sampling do to the pruned model
    "covered" should be 0.95, "bound too high" 0.05; each is uncertain by about sqrt(p (1 - p) / trials). "users alone"
    is how often an interval covers that takes the seeds at hand for all there are.
    """
    rng, inside, alone, above = np.random.default_rng(seed), 0, 0, 0
    for _ in range(trials):
        dense, (pruned,) = Users(rng, n_users, n_seeds, [ratio], sd).part()
        interval = paired_ratio(pruned, dense)
        inside += interval.lo <= ratio <= interval.hi
        above += interval.lower > ratio
        alone += abs(interval.estimate - ratio) <= 1.96 * _error_of_users(pruned, dense)
    return {
        "true ratio": ratio,
        "users": n_users,
        "seeds": n_seeds,
        "seed sd": sd,
        "covered": inside / trials,
        "users alone": alone / trials,
        "bound too high": above / trials,
    }


def _error_of_users(pruned: PerSeed, dense: PerSeed) -> float:
    """The standard error that users alone give the mean of the seeds' ratios."""
    total = dense.sum(axis=1, keepdims=True)
    ratios = pruned.sum(axis=1, keepdims=True) / total
    influences = ((pruned - ratios * dense) / total).mean(axis=0)
    return float(np.sqrt(len(influences)) * influences.std(ddof=1))


def false_safety(
    ratios: dict[float, float],
    floor: float = 0.99,
    trials: int = 300,
    n_users: int = 900,
    n_seeds: int = 3,
    sd: float = 0.0,
    seed: int = 0,
) -> dict[str, float | str]:
    """How often safe sparsity, chosen on validation, is a share whose true ratio is below the floor.

    ratios  share kept -> true ratio, of one curve; validation and test are other relevant items of the same users
    "unsafe chosen" should be at most 0.05 however many shares the curve has; "unsafe confirmed": and test confirmed it.
    """
    rng, shares, rows = np.random.default_rng(seed), sorted(ratios, reverse=True), []
    for trial in range(trials):
        users = Users(rng, n_users, n_seeds, [ratios[share] for share in shares], sd)
        for share, val, test in zip(shares, _intervals(users), _intervals(users), strict=True):
            rows.append({"criterion": trial, "kept": share, "val_ratio_lower": val.lower, "test": test.lower})
    points = pd.DataFrame(rows)  # each trial is a curve of its own
    safe = points[safe_walk(points) >= floor].sort_values("kept").drop_duplicates("criterion")
    wrong = safe[safe["kept"].map(ratios) < floor]
    return {
        "floor": floor,
        "true ratios": ", ".join(f"{ratios[share]:.4g}" for share in shares),
        "users": n_users,
        "seeds": n_seeds,
        "seed sd": sd,
        "unsafe chosen": len(wrong) / trials,
        "unsafe confirmed": int((wrong["test"] >= floor).sum()) / trials,
    }


def _intervals(users: Users) -> list[Interval]:
    dense, pruned = users.part()
    return [paired_ratio(values, dense) for values in pruned]


def false_headlines(
    methods: Sequence[int] = (1, 10, 39),
    floor: float = 0.99,
    trials: int = 300,
    n_users: int = 900,
    n_seeds: int = 3,
    sd: float = 0.0,
    seed: int = 0,
) -> list[dict[str, float]]:
    """How often a model has a headline though each of its methods is just unsafe, a row for each number of methods.

    All methods prune the same dense model and serve the same users. All are as small, so that the headline is the one
    of the highest bound on validation, of those that reach the floor: the worst case. "each for itself": bounds as
    they are; "together": validation's bounds hold for all methods at once, as in `evidence.safe.together`. Of each, how
    often one is chosen, and how often test, with a bound as it is, confirms that one: at most 0.05.
    """
    rng, most = np.random.default_rng(seed), max(methods)
    counts = {many: np.zeros(4) for many in methods}
    for _ in range(trials):
        users = Users(rng, n_users, n_seeds, [np.nextafter(floor, 0)] * most, sd)
        val, test = _intervals(users), np.array([interval.lower for interval in _intervals(users)])
        estimate, lower, hi = np.array([(each.estimate, each.lower, each.hi) for each in val]).T
        for many in methods:
            for place, among in ((0, 1), (2, many)):
                bounds = lower_among(estimate, lower, hi, among)[:many]
                chosen = int(np.argmax(bounds))
                if bounds[chosen] >= floor:
                    counts[many][place : place + 2] += 1, test[chosen] >= floor
    names = ("chosen, each for itself", "confirmed, each for itself", "chosen, together", "confirmed, together")
    return [
        {"methods": many, "seeds": n_seeds, "seed sd": sd, **dict(zip(names, found / trials, strict=True))}
        for many, found in counts.items()
    ]
