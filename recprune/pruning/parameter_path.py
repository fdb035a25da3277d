"""The path of a model under one method: what is pruned to many shares, and what these have in common.

It computes once what the points of a curve share: the prepared model, its importance scores, the rounds of a geometric
schedule.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from recprune.models.base import Recommender
from recprune.pruning import units
from recprune.pruning.budget import Budget
from recprune.pruning.criteria import check, check_trained
from recprune.pruning.criterion import Criterion
from recprune.pruning.pruned import Pruned
from recprune.pruning.recovery import BETWEEN_ROUNDS, RECOVERIES
from recprune.pruning.rounds import Walk, one_round
from recprune.pruning.schedule import SCHEDULES, STEP
from recprune.pruning.search import Search
from recprune.pruning.select import Ranking, how_many
from recprune.splits import Split


@dataclass(frozen=True, eq=False)
class State:
    """Where a walk stands: the model, its (n,) units still alive, their masks (None: dense), the rounds so far."""

    model: Recommender
    alive: np.ndarray
    masks: dict[str, torch.Tensor] | None
    rows: tuple[dict[str, float], ...] = ()


class ParameterPath(Walk[State]):
    """The pruned versions of one model by one method. Arguments and errors as in `prune`.

    Under the schedule `geometric` a model for every share is a branch of one trunk of rounds, so that a
    whole curve costs little more than its last point; each is what `prune` makes alone.

    scores    name of a tensor or dimension -> (n_units,) of the (prepared) dense model, high = keep
    seconds   of preparing and scoring: what every point would pay alone
    """

    def __init__(
        self,
        model: Recommender,
        split: Split,
        criterion: str | Criterion,
        unit: str = "weight",
        schedule: str = "one-shot",
        recovery: str = "none",
        seed: int = 0,
        *,
        rounds: int = 5,
    ):
        self.rule = check(model, criterion, unit, schedule, recovery)
        check_trained(model, split, seed, rounds)
        self.model, self.split, self.schedule, self.recovery, self.seed = model, split, schedule, recovery, seed
        self.rounds = rounds
        started = time.perf_counter()
        self.dense, self.pool = model, units.Pool.of(model, unit)
        if self.rule.prepare:
            self.dense = model.clone()
            self.rule.prepare(self.dense, split, unit, seed)
            self.pool = units.Pool.of(self.dense, unit).joined(self.pool)
        self.groups = self.pool.groups(self.rule.scope)
        self.scores = self._scores_of(self.dense)
        self.ranking = self._ranking(self.scores, self.pool.present)
        self.seconds = time.perf_counter() - started
        self._trunk = self._root

    def recovering(self, recovery: str) -> ParameterPath:
        """The same path with another recovery: what was prepared and scored is shared."""
        check(self.model, self.rule, self.pool.unit, self.schedule, recovery)
        other = copy.copy(self)
        other.recovery, other._trunk = recovery, self._root
        return other

    @property
    def _root(self) -> State:
        return State(self.dense, self.pool.present, None)

    # -- to a share, to a budget

    def cut(self, keep: float) -> Pruned:
        """The model of which exactly round(keep * n) units stay. Raises ValueError for a share outside (0, 1]."""
        k = self.pool.how_many(keep)
        if k == self.pool.n and self.recovery == "none" and not self.rule.adjust:
            state = self.log(replace(self._root, model=self.dense.clone()), 0.0, 0.0)
        else:
            shares = list(SCHEDULES[self.schedule](keep, self.rounds))
            state = one_round(self, self._before(shares[:-1]), shares[-1])
        return self._described(self._pruned(state), Budget(keep))

    def within(self, budget: Budget) -> Pruned:
        """The model on the path that the budget asks for; the dense model where that meets it already.

        Raises ValueError where no model on the path meets the budget.
        """
        if budget.keep is not None:
            pruned = self.cut(budget.keep)
            (pruned.values,) = budget.formats
            return self._described(pruned, budget)
        shares = self.pool.shares(STEP)

        def cut(step: int) -> Pruned:
            if step:
                return self.cut(shares[step - 1])
            return self._pruned(replace(self._root, model=self.model.clone()))  # not prepared: that may cost, too

        search = Search(budget, self.split, cut, len(shares), bisect=self.schedule == "one-shot")
        return self._described(search.best(f"{self.rule.name} ({self.pool.unit})"), budget)

    def _before(self, shares: list[float]) -> State:
        """The state after all rounds but the last. A geometric trunk is remembered, as far as the last call went."""
        shared = self.schedule == "geometric"
        state = self._trunk if shared and len(self._trunk.rows) <= len(shares) else self._root
        for share in shares[len(state.rows) :]:
            state = one_round(self, state, share, last=False)
        if shared:
            self._trunk = state  # models may be large: only the furthest one is kept
        return state

    # -- a round

    def score(self, state: State) -> Ranking:
        """The ranking of the units that are alive; that of the dense model is known."""
        return self.ranking if state.masks is None else self._ranking(self._scores_of(state.model), state.alive)

    def remove(self, state: State, ranking: Ranking, share: float) -> State:
        """The state with the first units of the ranking alive alone, and the rest of the model corrected for it."""
        model, alive = state.model.clone(), ranking.first(how_many(self.pool.n, share))
        kept = ~self.pool.present
        kept |= alive
        masks = self.pool.masks(model, kept)
        units.apply(model, masks)
        if self.rule.adjust:
            self.rule.adjust(model, self.split, self.pool.unit, masks, self.seed, state.model)
        return State(model, alive, masks, state.rows)

    def recover(self, state: State, last: bool) -> State:
        """The state with its model refitted or trained, in place: it is the round's own."""
        recovery = RECOVERIES[self.recovery]
        recovery = recovery if last else BETWEEN_ROUNDS.get(self.recovery, recovery)
        recovery(state.model, self.split, state.masks or {}, self.seed)
        return state

    def log(self, state: State, score_s: float, recovery_s: float) -> State:
        """The state with a row on the round; the first one pays for what all points share."""
        paid = 0.0 if state.rows else self.seconds
        kept = int(np.count_nonzero(state.alive)) / self.pool.n
        epochs = state.model.epochs_trained - self.model.epochs_trained - sum(row["epochs"] for row in state.rows)
        return replace(state, rows=(*state.rows, _row(kept, score_s + paid, recovery_s, epochs)))

    def _scores_of(self, model: Recommender) -> dict[str, torch.Tensor]:
        return self.rule.of_units(model, self.pool.unit, self.split.train, self.seed)

    def _ranking(self, scores: dict[str, torch.Tensor], alive: np.ndarray) -> Ranking:
        return Ranking(self.pool.flat(scores), self.seed, self.groups, alive)

    def _pruned(self, state: State) -> Pruned:
        masks = self.pool.masks(state.model, np.ones(len(state.alive), bool)) if state.masks is None else state.masks
        alive, n = int(np.count_nonzero(state.alive)), self.pool.n
        return Pruned(state.model, masks, alive / max(1, n), n - alive, pd.DataFrame(state.rows))

    def _described(self, pruned: Pruned, budget: Budget) -> Pruned:
        names = {"criterion": self.rule.name, "unit": self.pool.unit, "schedule": self.schedule}
        return pruned.described(**names, recovery=self.recovery, budget=budget.given, seed=int(self.seed))


def _row(kept: float, score_s: float, recovery_s: float, epochs: float) -> dict[str, float]:
    return {"kept": kept, "score_s": score_s, "recovery_s": recovery_s, "epochs": epochs}
