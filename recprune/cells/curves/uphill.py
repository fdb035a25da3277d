"""A number chosen again: uphill from the one that was."""

from __future__ import annotations

from collections.abc import Callable

FACTOR = 2.0  # between two values that are tried
FURTHEST = 5  # of such steps away from the one that was


def uphill(quality: Callable[[float], float], start: float) -> float:
    """The best of start * FACTOR^k: away from the start in both directions, in each until it is worse."""
    best, most = start, quality(start)
    for step in (FACTOR, 1 / FACTOR):
        for turn in range(1, FURTHEST + 1):
            found = quality(start * step**turn)
            if found < most:
                break
            best, most = start * step**turn, found
    return best
