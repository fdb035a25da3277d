"""The loop of pruning a model: evaluate, remove, adjust, recover, repeat until the budget is met.

`prune` gives one pruned model. A `Path` gives many of one method, and computes once what they share:
the prepared model, its importance scores, the rounds of a geometric schedule.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

from recprune.models.base import Recommender
from recprune.pruning import units
from recprune.pruning.budget import Budget
from recprune.pruning.criteria import check
from recprune.pruning.recovery import RECOVERIES
from recprune.pruning.schedule import SCHEDULES, STEP
from recprune.pruning.select import best_first, how_many
from recprune.splits import Split


@dataclass(eq=False)
class Pruned:
    """A pruned model: masked, full-sized, and scoring like what `compact()` makes of it.

    model     the recommender with its removed parameters at zero
    masks     array name -> bool tensor, False where a parameter was removed
    kept      share of the units that stays
    removed   number of units removed
    rounds    one row a round: share kept, seconds of scoring and of recovery. With a budget other than a
              share, one row a model looked at, with what the budget saw
    """

    model: Recommender
    masks: dict[str, torch.Tensor]
    kept: float
    removed: int
    rounds: pd.DataFrame = field(repr=False)

    @property
    def score_seconds(self) -> float:
        """Seconds spent on preparing, scoring, removing and adjusting, over all rounds."""
        return float(self.rounds["score_s"].sum()) if len(self.rounds) else 0.0

    @property
    def recovery_seconds(self) -> float:
        """Seconds spent on refitting or training what stays, over all rounds."""
        return float(self.rounds["recovery_s"].sum()) if len(self.rounds) else 0.0

    def score(self, users) -> np.ndarray:
        return self.model.score(users)

    def fold_in(self, histories) -> np.ndarray:
        return self.model.fold_in(histories)

    def recommend(self, users, k: int = 20) -> np.ndarray:
        return self.model.recommend(users, k)

    def compact(self) -> Recommender:
        """The same scores from a physically smaller model."""
        return self.model.compact()

    @property
    def n_users(self) -> int:
        return self.model.n_users

    @property
    def n_items(self) -> int:
        return self.model.n_items

    @property
    def folds_in(self) -> bool:
        return self.model.folds_in


def prune(
    model: Recommender,
    split: Split,
    criterion: str = "magnitude",
    unit: str = "weight",
    keep: float | None = None,
    schedule: str = "one-shot",
    recovery: str = "none",
    seed: int = 0,
    *,
    rounds: int = 5,
    nonzeros: int | None = None,
    bytes: int | None = None,
    max_loss: float | None = None,
) -> Pruned:
    """Remove parameters from a trained model; the model given is left as it is.

    criterion  a name of `CRITERIA`; unit: a name of `UNITS`
    keep       share of the units that stays; or one of the other budgets (see `Budget`)
    schedule   one-shot, linear, cubic (in `rounds` rounds), geometric (a fifth of what is left per round)
    recovery   none, refit, fine-tune, rewind or retrain, after every round

    With a budget other than a share the shares 0.8, 0.8^2, ... are searched: by bisection under the
    schedule `one-shot`, whose cuts are nested; one after another under the others.
    Exactly round(keep * n) of the n units that are there stay. Only training and validation data are looked at.

    Raises ValueError for unknown names, a share outside (0, 1], or a combination that the model's
    mathematics rules out; the message lists what is possible.
    """
    budget = (keep, nonzeros, bytes, max_loss)
    if criterion == "zero-reset":
        check(model, criterion, unit, schedule, recovery)
        return _zero_reset(model, split, recovery, seed, budget)
    path = Path(model, split, criterion, unit, schedule, recovery, seed, rounds=rounds)
    return path.cut(keep) if keep is not None and budget.count(None) == 3 else path.within(Budget(*budget))


class Path:
    """The pruned versions of one model by one method. Arguments and errors as in `prune`.

    Under the schedule `geometric` a model for every share is a branch of one trunk of rounds, so that a
    whole curve costs little more than its last point; each is what `prune` makes alone.

    scores    name of a tensor or dimension -> (n_units,) of the (prepared) dense model, high = keep
    seconds   of preparing and scoring: what every point would pay alone
    """

    def __init__(
        self, model, split, criterion, unit="weight", schedule="one-shot", recovery="none", seed=0, *, rounds=5
    ):
        self.rule = check(model, criterion, unit, schedule, recovery)
        self.model, self.split, self.schedule, self.recovery, self.seed = model, split, schedule, recovery, seed
        self.criterion, self.rounds = criterion, rounds
        started = time.perf_counter()
        self.dense = model.clone()
        if self.rule.prepare:
            self.rule.prepare(self.dense, split, unit, seed)
        self.pool = units.Pool.of(self.dense, unit).joined(units.Pool.of(model, unit))
        self.groups = self.pool.groups(self.rule.scope)
        self.scores = self._score(self.dense)
        self.order = self._best_first(self.scores, np.flatnonzero(self.pool.present))
        self.seconds = time.perf_counter() - started
        self._trunk: list[_State] = [self._root]

    def recovering(self, recovery: str) -> Path:
        """The same path with another recovery: what was prepared and scored is shared."""
        check(self.model, self.criterion, self.pool.unit, self.schedule, recovery)
        other = copy.copy(self)
        other.recovery, other._trunk = recovery, [self._root]
        return other

    @property
    def _root(self) -> _State:
        return _State(self.dense, self.pool.present.copy(), None, [])

    def cut(self, keep: float) -> Pruned:
        """Exactly round(keep * n) units stay. Raises ValueError for a share outside (0, 1]."""
        k = self.pool.how_many(keep)
        if k == self.pool.n and self.recovery == "none" and not self.rule.adjust:
            return self._pruned(_State(self.dense, self.pool.present, None, [self._row(1.0, 0.0, 0.0)]))
        shares = list(SCHEDULES[self.schedule](keep, self.rounds))
        return self._pruned(self._round(self._before(shares[:-1]), shares[-1]))

    def within(self, budget: Budget) -> Pruned:
        """The model on the path that the budget asks for; the dense model where that meets it already."""
        last = int(np.ceil(np.log(1 / self.pool.n) / np.log(STEP))) if self.pool.n else 0
        dense, looked = budget.look(self.model, self.split), []

        def look(step: int) -> tuple[Pruned, bool]:
            pruned = self.cut(max(STEP**step, 1 / self.pool.n))
            seen = budget.look(pruned.model, self.split)
            looked.append(pruned.rounds.iloc[-1].to_dict() | {"kept": pruned.kept} | seen)
            return pruned, budget.exhausted(seen, dense)

        unpruned = self._pruned(_State(self.dense, self.pool.present, None, []))
        if budget.max_loss is None and budget.exhausted(dense, dense):
            return unpruned
        goes_on, ends = _search(look, last, self.schedule == "one-shot")
        best = goes_on if budget.max_loss is not None else ends or goes_on
        best = best or unpruned
        best.rounds = pd.DataFrame(looked).sort_values("kept", ascending=False, ignore_index=True)
        return best

    def _before(self, shares: list[float]) -> _State:
        """The state after all rounds but the last. A geometric trunk is remembered, as far as the last call went."""
        if self.schedule != "geometric":
            state = self._root
            for share in shares:
                state = self._round(state, share)
            return state
        if len(self._trunk) > len(shares) + 1:
            self._trunk = [self._root]
        while len(self._trunk) <= len(shares):
            self._trunk.append(self._round(self._trunk[-1], shares[len(self._trunk) - 1]))
            self._trunk[-2] = None  # models may be large: only the furthest one is kept
        return self._trunk[-1]

    def _round(self, state: _State, share: float) -> _State:
        """One turn of the loop: evaluate, remove, adjust, recover."""
        began = time.perf_counter()
        model, k = state.model.clone(), how_many(self.pool.n, share)
        order = self.order if state.masks is None else self._best_first(self._score(model), np.flatnonzero(state.alive))
        alive = np.zeros(len(state.alive), bool)
        alive[order[:k]] = True
        masks = self.pool.masks(model, alive | ~self.pool.present)
        units.apply(model, masks)
        if self.rule.adjust:
            self.rule.adjust(model, self.split, self.pool.unit, masks, self.seed, state.model)
        scored = time.perf_counter()
        RECOVERIES[self.recovery](model, self.split, masks, self.seed)
        recovered = time.perf_counter()
        paid = self.seconds if state.masks is None else 0.0
        row = self._row(alive.sum() / self.pool.n, scored - began + paid, recovered - scored)
        return _State(model, alive, masks, [*state.log, row])

    def _score(self, model: Recommender) -> dict[str, torch.Tensor]:
        return self.rule.parameters(model, self.pool.unit, self.split.train, self.seed)

    def _best_first(self, scores: dict[str, torch.Tensor], candidates: np.ndarray) -> np.ndarray:
        """The candidates, most important first."""
        if not len(candidates):
            return candidates
        groups = None if self.groups is None else self.groups[candidates]
        return candidates[best_first(self.pool.flat(scores)[candidates], self.seed, groups)]

    def _pruned(self, state: _State) -> Pruned:
        masks = self.pool.masks(state.model, np.ones(len(state.alive), bool)) if state.masks is None else state.masks
        kept = state.alive.sum() / max(1, self.pool.n)
        return Pruned(state.model, masks, float(kept), int(self.pool.n - state.alive.sum()), pd.DataFrame(state.log))

    @staticmethod
    def _row(kept: float, score_s: float, recovery_s: float) -> dict[str, float]:
        return {"kept": kept, "score_s": score_s, "recovery_s": recovery_s}


@dataclass(frozen=True, eq=False)
class _State:
    """Where the loop stands: the model, its (n,) units still alive, their masks (None: dense), the rounds so far."""

    model: Recommender
    alive: np.ndarray
    masks: dict[str, torch.Tensor] | None
    log: list[dict]


def _search(look, last: int, bisect: bool) -> tuple[Pruned | None, Pruned | None]:
    """The last of the steps 1..`last` at which look(step) = (model, False), and the first at which it is (model, True)."""
    low, high, found = 0, last + 1, {}
    while high - low > 1:
        middle = (low + high) // 2 if bisect else low + 1
        found[middle], stop = look(middle)
        low, high = (low, middle) if stop else (middle, high)
        found = {step: pruned for step, pruned in found.items() if step in (low, high)}
    return found.get(low), found.get(high)


def importance(
    model: Recommender, split: Split, criterion: str = "magnitude", unit: str = "weight", seed: int = 0
) -> dict[str, np.ndarray]:
    """What a criterion thinks of the units of a model: name of a tensor or dimension -> (n_units,) scores, high = keep.

    Raises ValueError as `prune` does.
    """
    path = Path(model, split, criterion, unit, seed=seed)
    return {name: score.detach().numpy() for name, score in path.scores.items()}


def _zero_reset(model: Recommender, split: Split, recovery: str, seed: int, budget: tuple) -> Pruned:
    """Every prunable parameter to zero; with a recovery the model is then trained on, nothing held at zero."""
    if any(b is not None for b in budget):
        raise ValueError("zero-reset removes everything: it takes no keep or other budget")
    started = time.perf_counter()
    state = model.clone()
    pool = units.Pool.of(state, "weight")
    nothing = pool.masks(state, np.zeros(len(pool.present), bool))
    units.apply(state, nothing)
    scored = time.perf_counter()
    free = {name: torch.ones_like(mask) for name, mask in nothing.items()}
    if recovery == "retrain":  # from the zeros, not from new random values: that would be training, not resetting
        state.descend(
            split.train, split.validation, seed, epochs=state.epochs, masks=free, fold_in=split.fold_in("validation")
        )
    else:
        RECOVERIES[recovery](state, split, free, seed)
    rounds = [{"kept": 0.0, "score_s": scored - started, "recovery_s": time.perf_counter() - scored}]
    return Pruned(state, nothing if recovery == "none" else free, 0.0, pool.n, pd.DataFrame(rounds))
