"""The loop of pruning: evaluate, remove, recover, repeat until the budget is met.

`prune` removes parameters of a trained model; `prune_samples` removes training interactions of a split.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch

from recprune.evaluation import evaluate, footprint
from recprune.models.base import Recommender
from recprune.pruning import units
from recprune.pruning.criteria import CRITERIA, Criterion, criterion as find_criterion
from recprune.pruning.recovery import RECOVERIES
from recprune.pruning.schedule import SCHEDULES
from recprune.pruning.select import best_first, first, how_many
from recprune.splits import Split


@dataclass(eq=False)
class Pruned:
    """A pruned model: masked, full-sized, and scoring like what `compact()` makes of it.

    model     the recommender with its removed parameters at zero
    masks     array name -> bool tensor, False where a parameter was removed
    kept      share of the units that stays
    removed   number of units removed
    rounds    one row a round: share kept, seconds of scoring and of recovery, and what the budget looked at
    """

    model: Recommender
    masks: dict[str, torch.Tensor]
    kept: float
    removed: int
    rounds: pd.DataFrame = field(repr=False)

    @property
    def score_seconds(self) -> float:
        """Seconds spent on importance scores and removal, over all rounds."""
        return float(self.rounds["score_s"].sum())

    @property
    def recovery_seconds(self) -> float:
        """Seconds spent on refitting or training what stays, over all rounds."""
        return float(self.rounds["recovery_s"].sum())

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


@dataclass(frozen=True)
class Budget:
    """When to stop. Exactly one is given.

    keep       share of the units that stays, 0 < keep <= 1
    nonzeros   the first model on the path with at most so many non-zero parameters
    bytes      the first model on the path whose compact form takes at most so many bytes on disk
    max_loss   the last model on the path whose validation nDCG@10 is within this share of the dense model's
    """

    keep: float | None = None
    nonzeros: int | None = None
    bytes: int | None = None
    max_loss: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) != 1:
            raise ValueError(f"one budget is needed (keep, nonzeros, bytes or max_loss), got {', '.join(given) or 'none'}")
        ((name, value),) = given.items()
        if name in ("nonzeros", "bytes") and not value >= 1:
            raise ValueError(f"{name} is {value!r}; at least 1 is needed")
        if name == "max_loss" and not 0 <= value < 1:
            raise ValueError(f"max_loss is {value!r}; a share from 0 to below 1 is needed")

    def look(self, model: Recommender, split: Split) -> dict[str, float]:
        """What this budget measures of a model; nothing for a share."""
        if self.max_loss is not None:
            return {"val_ndcg@10": evaluate(model, split, on="validation", k=(10,)).mean["ndcg@10"]}
        if self.keep is not None:
            return {}
        cost = footprint(model.compact())
        return {"nonzeros": cost.nonzeros} if self.nonzeros is not None else {"bytes": cost.bytes_disk}

    def met(self, seen: dict[str, float]) -> bool:
        """Whether to stop at this model."""
        limit = self.nonzeros if self.nonzeros is not None else self.bytes
        return limit is not None and next(iter(seen.values())) <= limit

    def broken(self, seen: dict[str, float], dense: dict[str, float]) -> bool:
        """Whether to stop at the model before."""
        return self.max_loss is not None and seen["val_ndcg@10"] < (1 - self.max_loss) * dense["val_ndcg@10"]


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

    criterion  a name of `CRITERIA`; unit: weight, neighbour, factor or neuron
    keep       share of the units that stays; or one of the other budgets (see `Budget`)
    schedule   one-shot, linear, cubic (in `rounds` rounds), geometric (a fifth of what is left per round)
    recovery   none, refit, fine-tune or retrain, after every round

    With a budget other than a share, the geometric path is walked until the budget is met or broken;
    under the schedule `one-shot` each point of it is cut from the dense model.
    Exactly round(keep * n) of the n units that are there stay. Only training and validation data are looked at.

    Raises ValueError for unknown names, a share outside (0, 1], or a combination that the model's
    mathematics rules out; the message lists what is possible.
    """
    rule = _check(model, criterion, unit, schedule, recovery)
    if criterion == "zero-reset":
        return _zero_reset(model, split, recovery, seed, (keep, nonzeros, bytes, max_loss))
    budget = Budget(keep, nonzeros, bytes, max_loss)
    started = time.perf_counter()
    dense = model.clone()
    if rule.prepare:
        rule.prepare(dense)
    pool = units.Pool.of(dense, unit)
    prepared = time.perf_counter() - started
    reference = budget.look(dense, split)
    path = (
        SCHEDULES[schedule](keep, rounds)
        if keep is not None and how_many(pool.n, keep)
        else SCHEDULES["geometric"](1 / pool.n, rounds)
    )
    best = Pruned(dense, pool.masks(dense, np.ones(len(pool.present), bool)), 1.0, 0, pd.DataFrame())
    state, alive, log = dense, pool.present.copy(), []
    for share in path:
        began = time.perf_counter()
        if schedule == "one-shot":
            state, alive = dense, pool.present.copy()
        state = state.clone()
        alive = _survivors(state, split, rule, pool, alive, how_many(pool.n, share), seed)
        masks = pool.masks(state, alive | ~pool.present)
        units.apply(state, masks)
        scored = time.perf_counter()
        RECOVERIES[recovery](state, split, masks, seed)
        recovered = time.perf_counter()
        seen = budget.look(state, split)
        row = {"kept": alive.sum() / pool.n, "score_s": scored - began + prepared, "recovery_s": recovered - scored}
        log.append(row | seen)
        prepared = 0.0
        if budget.broken(seen, reference):
            break
        best = Pruned(state, masks, alive.sum() / pool.n, int(pool.n - alive.sum()), pd.DataFrame())
        if budget.met(seen):
            break
    return replace(best, rounds=pd.DataFrame(log))


def importance(
    model: Recommender, split: Split, criterion: str = "magnitude", unit: str = "weight", seed: int = 0
) -> dict[str, np.ndarray]:
    """What a criterion thinks of the units of a model: name of a tensor or dimension -> (n_units,) scores, high = keep.

    Raises ValueError as `prune` does.
    """
    rule = _check(model, criterion, unit, "one-shot", "none")
    state = model.clone()
    if rule.prepare:
        rule.prepare(state)
    return {name: score.detach().numpy() for name, score in rule.parameters(state, unit, split.train, seed).items()}


def _survivors(
    model: Recommender, split: Split, rule: Criterion, pool: units.Pool, alive: np.ndarray, k: int, seed: int
) -> np.ndarray:
    """(n,) bool: the k most important of the units still alive."""
    scores = pool.flat(rule.parameters(model, pool.unit, split.train, seed))
    groups = pool.groups(rule.scope)
    candidates = np.flatnonzero(alive)
    order = best_first(scores[candidates], seed, None if groups is None else groups[candidates])
    chosen = np.zeros(len(alive), bool)
    chosen[candidates[first(order, k)]] = True
    return chosen


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


def _check(model: Recommender, criterion: str, unit: str, schedule: str, recovery: str) -> Criterion:
    """The criterion, after every name and the combination have been checked."""
    rule = find_criterion(criterion, "parameters")
    for what, value, known in (
        ("unit", unit, units.UNITS),
        ("schedule", schedule, SCHEDULES),
        ("recovery", recovery, RECOVERIES),
    ):
        if value not in known:
            raise ValueError(f"unknown {what} {value!r}; known: {', '.join(known)}")
    if not rule.applies(model, unit):
        possible = [f"{name} ({u})" for name, c in CRITERIA.items() for u in c.units if c.applies(model, u)]
        raise ValueError(
            f"criterion {criterion!r} with unit {unit!r} does not apply to {model.name}; "
            f"what does: {', '.join(possible) or 'nothing'}"
        )
    if recovery not in model.recoveries:
        raise ValueError(f"recovery {recovery!r} does not apply to {model.name}; known: {', '.join(model.recoveries)}")
    return rule


def prune_samples(split: Split, criterion: str = "random", keep: float = 0.5, seed: int = 0) -> Split:
    """A split with exactly round(keep * nnz) training interactions; validation and test stay as they are.

    What a user has seen in the unpruned log stays out of the rankings, so that models trained on more
    or on less data are judged on the same candidates.

    Raises ValueError for an unknown criterion or a share outside (0, 1].
    """
    rule = find_criterion(criterion, "samples")
    k = how_many(split.train.nnz, keep)
    scores, strata = rule.samples(split.train, seed)
    return replace(split, train=split.train.select(first(best_first(scores, seed, strata), k)))
