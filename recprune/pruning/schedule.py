"""Schedules: which share of the units is left after each round."""

from __future__ import annotations

from collections.abc import Iterator

STEP = 0.8  # geometric: a fifth of what is left goes each round (Frankle and Carbin, 2019)


def one_shot(keep: float, rounds: int) -> Iterator[float]:
    """The share kept, in one cut."""
    yield keep


def linear(keep: float, rounds: int) -> Iterator[float]:
    """The shares left when the same number of units goes each round."""
    for t in range(1, rounds):
        yield 1 - (1 - keep) * t / rounds
    yield keep


def cubic(keep: float, rounds: int) -> Iterator[float]:
    """The shares left when s (1 - (1 - t/T)^3) is gone: much at first, little at last (Zhu and Gupta, 2017, eq. 1)."""
    for t in range(1, rounds):
        yield 1 - (1 - keep) * (1 - (1 - t / rounds) ** 3)
    yield keep


def geometric(keep: float, rounds: int) -> Iterator[float]:
    """The shares left when a fifth of what is left goes each round, in as many rounds as that takes."""
    share = STEP
    while share > keep * (1 + 1e-9):
        yield share
        share *= STEP
    yield keep


SCHEDULES = {"one-shot": one_shot, "linear": linear, "cubic": cubic, "geometric": geometric}
