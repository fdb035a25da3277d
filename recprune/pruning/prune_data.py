"""The articles' loop over training samples, with the model in it: evaluate, remove, reweight, update, repeat.

`prune_samples` cuts once, by a rule that looks at data alone. Here every round asks the model, or the data that
are left, again; and the model lives on from round to round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from recprune.models.base import Recommender
from recprune.models.descent import GradientModel
from recprune.pruning.budget import Budget, quality
from recprune.pruning.criteria import check_known, check_trained, find
from recprune.pruning.criterion import Criterion
from recprune.pruning.prune_samples import remaining
from recprune.pruning.recovery import fine_tune as train_on
from recprune.pruning.rounds import Walk
from recprune.pruning.rounds import rounds as walked
from recprune.pruning.schedule import SCHEDULES
from recprune.pruning.select import Ranking, how_many
from recprune.splits import Split

ROUND = ["kept", "score_s", "recovery_s", "epochs", "val_ndcg@10"]


@dataclass(eq=False)
class PrunedData:
    """The split and the model that stand after a round, and at the end.

    split    fewer training interactions, weighted where the criterion says so; the same validation and test
    model    the recommender, updated to them
    rounds   one row a round: share kept, seconds of scoring and of the update, epochs of that, validation nDCG@10
    """

    split: Split
    model: Recommender
    rounds: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=ROUND), repr=False)

    @property
    def kept(self) -> float:
        """Share of the training interactions that stays."""
        return self.split.train.nnz / self.split.unpruned.nnz


def prune_data(
    model: Recommender,
    split: Split,
    criterion: str | Criterion = "representative",
    keep: float = 0.5,
    schedule: str = "linear",
    rounds: int = 5,
    recovery: str = "retrain",
    seed: int = 0,
    *,
    max_loss: float | None = None,
) -> PrunedData:
    """A split with fewer training samples, and a trained model updated to it round by round; the one given stays as is.

    criterion  a criterion of samples, asked anew in every round: a name of `CRITERIA`, or one of the user's own
    keep       share of the training interactions that stays: exactly round(keep * n)
    schedule   one-shot, linear, cubic (in `rounds` rounds), geometric (a fifth of what is left a round)
    recovery   retrain: from scratch; fine-tune: trained on, in the models of gradient descent. Users are served from
               all that they did before any pruning
    max_loss   stops before the first round after which validation nDCG@10 would lie below this share
               under what it was at the start

    Raises ValueError for an unknown name, a share outside (0, 1], or a model that cannot be trained on.
    """
    if max_loss is not None:
        Budget(max_loss=max_loss)
    floor = -np.inf if max_loss is None else (1 - max_loss) * quality(model, split)
    state = PrunedData(split, model.clone())
    for then in data_path(model, split, criterion, keep, schedule, rounds, recovery, seed):
        if then.rounds["val_ndcg@10"].iloc[-1] < floor:
            break
        state = then
    return state


def data_path(
    model: Recommender,
    split: Split,
    criterion: str | Criterion,
    keep: float,
    schedule: str = "linear",
    rounds: int = 5,
    recovery: str = "retrain",
    seed: int = 0,
) -> Iterator[PrunedData]:
    """The split and the model after every round of `prune_data`; arguments and errors as there.

    Shares that lie on the way to a smaller one cost nothing more: under the schedule `linear`, with rounds
    in proportion to what goes, each is what `prune_data` ends with alone.
    """
    walk = DataPath(find(criterion, "samples", "by_model"), recovery, seed, split.train.nnz, model.epochs_trained)
    _check(model, schedule, recovery)
    check_trained(model, split, seed, rounds)
    how_many(split.train.nnz, keep)
    yield from walked(walk, PrunedData(split, model.clone()), SCHEDULES[schedule](keep, rounds))


@dataclass(frozen=True)
class DataPath(Walk[PrunedData]):
    """The way of a split and its model through the rounds.

    n, trained  training interactions, and epochs that the model had been trained for, at the start
    """

    rule: Criterion
    recovery: str
    seed: int
    n: int
    trained: int

    def score(self, state: PrunedData) -> Ranking:
        """The ranking of the training interactions that are left."""
        scores, strata = self.rule.of_samples(state.split, self._draw(state), state.model)
        return Ranking(scores, self._draw(state), strata)

    def remove(self, state: PrunedData, ranking: Ranking, share: float) -> PrunedData:
        """The state with all but the first interactions of the ranking gone, and what stays weighted."""
        kept = ranking.first(how_many(self.n, share))
        return replace(state, split=remaining(state.split, kept, self.rule, self._draw(state)))

    def recover(self, state: PrunedData, last: bool) -> PrunedData:
        """The state with the model updated to what is left; to the end in every round, since each is looked at."""
        return replace(state, model=UPDATES[self.recovery](state.model, state.split, self._draw(state)))

    def log(self, state: PrunedData, score_s: float, recovery_s: float) -> PrunedData:
        """The state with a row more, and what the update gave on validation data in it."""
        before = 0 if self.recovery == "retrain" else self.trained + int(state.rounds["epochs"].sum())
        epochs = state.model.epochs_trained - before
        values = (state.split.train.nnz / self.n, score_s, recovery_s, epochs, quality(state.model, state.split))
        rows = [*state.rounds.to_dict("records"), dict(zip(ROUND, values, strict=True))]
        return replace(state, rounds=pd.DataFrame(rows, columns=ROUND))

    def _draw(self, state: PrunedData) -> int:
        """The seed of a round: another one in each."""
        return self.seed + len(state.rounds)


def retrain(model: Recommender, split: Split, seed: int) -> Recommender:
    """A new model of the same kind, trained on what stays, which serves all that was there before any pruning."""
    fold_in = split.fold_in("validation")
    return replace(model).fit(split.train, split.validation, seed=seed, fold_in=fold_in, served=split.unpruned)


def fine_tune(model: GradientModel, split: Split, seed: int) -> GradientModel:
    """The model, trained on to the end on what stays; what it knows of its users stays, too."""
    model = model.clone()
    train_on(model, split, {}, seed)  # nothing is held at zero
    return model


#: (model, split, seed) -> the model updated to the training interactions of the split
UPDATES: dict[str, Callable[[Any, Split, int], Recommender]] = {"retrain": retrain, "fine-tune": fine_tune}


def _check(model: Recommender, schedule: str, recovery: str) -> None:
    check_known("schedule", schedule, SCHEDULES)
    check_known("recovery", recovery, UPDATES)
    if recovery == "fine-tune" and not hasattr(model, "descend"):
        raise ValueError(
            f"recovery 'fine-tune' does not apply to {model.name}, which is not trained by gradient descent"
        )
