"""Whole numbers mixed so that they look random: the same on every machine, and no two of them made equal."""

from __future__ import annotations

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def splitmix64(numbers: np.ndarray, seed: int = 0) -> np.ndarray:
    """(n,) uint64: the finaliser of SplitMix64 (Steele et al., 2014, OOPSLA) of uint64 numbers, a bijection.

    Another `seed` is another bijection.
    """
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64, copy=True)
        z += np.uint64(1)
        z *= GOLDEN
        if seed:
            z ^= splitmix64(np.array([seed], np.uint64))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return z
