"""Do the statistics keep their word? Made-up users whose true loss is known, judged as measured ones are.

Each user has a taste for being served well (a share of them never is), each seed a draw of it; the pruned model
serves a user as the dense one does, or, with probability 1 - AGREE, as a draw of its own scaled to the wanted loss.
So users differ more than seeds do, the two models go together, and the true ratio of their means is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recprune.evaluation import paired_ratio, safe_sparsity

AGREE, NEVER = 0.6, 0.3
PerSeed = list[np.ndarray]


def users(
    rng: np.random.Generator, n_users: int, n_seeds: int, ratios: Sequence[float]
) -> tuple[PerSeed, list[PerSeed]]:
    """Made-up values in [0, 1] of every user, an array a seed: of a dense model, and of a pruned one for each ratio.

    Each ratio lies between AGREE and 1 / (1 - AGREE); the pruned models are independent given the users.
    """
    taste = rng.beta(1.2, 1.8, n_users)
    served = rng.random(n_users) > NEVER

    def draw() -> np.ndarray:  # mean taste, the same for every model and seed
        return served * rng.beta(4 * taste, 4 * (1 - taste))

    dense = [draw() for _ in range(n_seeds)]
    scales = [(ratio - AGREE) / (1 - AGREE) for ratio in ratios]
    pruned = [[np.where(rng.random(n_users) < AGREE, values, scale * draw()) for values in dense] for scale in scales]
    return dense, pruned


def coverage(
    ratio: float, trials: int = 500, n_users: int = 900, n_seeds: int = 3, draws: int = 500, seed: int = 0
) -> dict[str, float]:
    """How often the interval of `paired_ratio` holds the true ratio, and how often its one-sided bound lies above it.

    "covered" should be 0.95, "bound too high" 0.05; each is uncertain by about sqrt(p (1 - p) / trials).
    """
    rng, inside, above = np.random.default_rng(seed), 0, 0
    for trial in range(trials):
        dense, (pruned,) = users(rng, n_users, n_seeds, [ratio])
        interval = paired_ratio(pruned, dense, seed=trial, draws=draws)
        inside += interval.lo <= ratio <= interval.hi
        above += interval.lower > ratio
    return {
        "true ratio": ratio,
        "users": n_users,
        "seeds": n_seeds,
        "covered": inside / trials,
        "bound too high": above / trials,
    }


def false_safety(
    ratios: dict[float, float],
    floor: float = 0.99,
    trials: int = 300,
    n_users: int = 900,
    n_seeds: int = 3,
    draws: int = 500,
    seed: int = 0,
) -> dict[str, float | str]:
    """How often safe sparsity, chosen on validation, is a share whose true ratio is below the floor.

    ratios  share kept -> true ratio, of one curve; validation and test are other relevant items of such users
    "unsafe chosen" should be at most 0.05 however many shares the curve has; "unsafe confirmed": and test confirmed it.
    """
    rng, wrong, confirmed, shares = np.random.default_rng(seed), 0, 0, sorted(ratios, reverse=True)
    for trial in range(trials):
        columns: dict[str, list[float]] = {"kept": list(shares)}
        for part in ("val", "test"):
            dense, curve = users(rng, n_users, n_seeds, [ratios[share] for share in shares])
            found = [paired_ratio(pruned, dense, seed=trial, draws=draws) for pruned in curve]
            for name in ("estimate", "lo", "hi", "lower"):
                columns[f"{part}_ratio{'' if name == 'estimate' else '_' + name}"] = [
                    getattr(interval, name) for interval in found
                ]
        safe = safe_sparsity(pd.DataFrame(columns), floor)
        if safe is not None and ratios[safe.kept] < floor:
            wrong += 1
            confirmed += safe.confirmed
    return {
        "floor": floor,
        "true ratios": ", ".join(f"{ratios[share]:.4g}" for share in shares),
        "users": n_users,
        "seeds": n_seeds,
        "unsafe chosen": wrong / trials,
        "unsafe confirmed": confirmed / trials,
    }
