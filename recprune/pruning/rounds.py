"""The loop of rounds: score, remove, adjust, recover, log; one for parameters and for samples.

What differs between them is the state that a round starts from and ends with, and how each of these is done to it: of a
model `recprune.pruning.parameter_path`, of data `recprune.pruning.prune_samples`, of data with a model in the loop
`recprune.pruning.prune_data`.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from recprune.pruning.select import Ranking

S = TypeVar("S")  # a state


class Walk(ABC, Generic[S]):
    """What one method does to a state in a round. A state is not changed: each step gives a new one."""

    @abstractmethod
    def score(self, state: S) -> Ranking:
        """The ranking of the units that are left."""

    @abstractmethod
    def remove(self, state: S, ranking: Ranking, share: float) -> S:
        """The state with the first units of the ranking alone, `share` of all there were; what stays is adjusted."""

    def recover(self, state: S, last: bool) -> S:
        """The state after what stays was solved for or trained again; as it is, where there is nothing to recover.

        last  whether no other round follows
        """
        return state

    def log(self, state: S, score_s: float, recovery_s: float) -> S:
        """The state with a row more on the round: seconds until all was removed, and of the recovery."""
        return state


def one_round(walk: Walk[S], state: S, share: float, last: bool = True) -> S:
    """The state after one turn of the loop, the last one or not."""
    began = time.perf_counter()
    ranking = walk.score(state)
    less = walk.remove(state, ranking, share)
    removed = time.perf_counter()
    less = walk.recover(less, last)
    recovered = time.perf_counter()
    return walk.log(less, removed - began, recovered - removed)


def rounds(walk: Walk[S], state: S, shares: Iterable[float]) -> Iterator[S]:
    """The states after each round, one a share of a schedule; each as if it were the last one."""
    for share in shares:
        state = one_round(walk, state, share)
        yield state
