"""A pruned model: what `prune` gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from recprune.interactions import Interactions
from recprune.models.base import Recommender
from recprune.models.quantization import FORMATS, quantize

AS_TRAINED = FORMATS[0]


@dataclass(eq=False)
class Pruned:
    """A pruned model: full-sized, and scoring like what `compact()` makes of it.

    model     the recommender with its removed parameters at zero, its values as trained
    masks     array name -> bool tensor, False where a parameter was removed
    kept      share of the units that stays
    removed   number of units removed
    rounds    one row a round: share kept, seconds of scoring and of recovery, epochs of training. With a budget other
              than a share, one row a model and format looked at, with what the budget saw
    values    the format that `compact()` stores values in: "float32" as trained
    """

    model: Recommender
    masks: dict[str, torch.Tensor]
    kept: float
    removed: int
    rounds: pd.DataFrame = field(repr=False)
    values: str = AS_TRAINED

    def described(self, **method: Any) -> Pruned:
        """Itself, with the method by which it was pruned in the provenance of its model: what model.json will say."""
        facts = {"kept": self.kept, "removed": self.removed}
        self.model.provenance = {"pruning": method | facts}
        return self

    @property
    def score_seconds(self) -> float:
        """Seconds spent on preparing, scoring, removing and adjusting, over all rounds."""
        return float(self.rounds["score_s"].sum()) if len(self.rounds) else 0.0

    @property
    def recovery_seconds(self) -> float:
        """Seconds spent on refitting or training what stays, over all rounds."""
        return float(self.rounds["recovery_s"].sum()) if len(self.rounds) else 0.0

    @property
    def epochs(self) -> int:
        """Epochs of gradient descent since the model that was given: in preparing it, and in every round."""
        return int(self.rounds["epochs"].sum()) if len(self.rounds) else 0

    def score(self, users: np.ndarray) -> np.ndarray:
        """(len(users) x n_items) scores of the model."""
        return self._scoring.score(users)

    def fold_in(self, histories: sparse.csr_array) -> np.ndarray:
        """(m x n_items) scores of the model for m users unknown in training."""
        return self._scoring.fold_in(histories)

    def recommend(self, users: np.ndarray, k: int = 20, ids: bool = False) -> np.ndarray:
        """(len(users) x k) item codes, best first; or original ids (see `Recommender.recommend`)."""
        return self._scoring.recommend(users, k, ids)

    def rank(self, users: np.ndarray, k: int, seen: sparse.csr_array) -> np.ndarray:
        """(len(users) x k) item codes of the model's best unseen items (see `Recommender.rank`)."""
        return self._scoring.rank(users, k, seen)

    def rank_histories(self, histories: sparse.csr_array, k: int, seen: sparse.csr_array) -> np.ndarray:
        """`rank` for m users unknown in training."""
        return self._scoring.rank_histories(histories, k, seen)

    def serving(self, histories: Interactions) -> Recommender:
        """A model that recommends to the same users from other histories (see `Recommender.serving`)."""
        return self._scoring.serving(histories)

    def compact(self) -> Recommender:
        """A physically smaller model with the same scores, its values rounded to those of its format."""
        return quantize(self.model, self.values)

    @cached_property
    def _scoring(self) -> Recommender:
        """The model whose scores are given: rounded ones are those of the compact form."""
        return self.model if self.values == AS_TRAINED else self.compact()

    @property
    def history(self) -> sparse.csr_array | None:
        """(n_users x n_items) what the model was trained on."""
        return self.model.history

    @property
    def users(self) -> np.ndarray | None:
        """(n_users,) original ids of the users."""
        return self.model.users

    @property
    def items(self) -> np.ndarray | None:
        """(n_items,) original ids of the items."""
        return self.model.items

    @property
    def n_users(self) -> int:
        """Number of users that the model knows."""
        return self.model.n_users

    @property
    def n_items(self) -> int:
        """Number of items that the model knows."""
        return self.model.n_items

    @property
    def folds_in(self) -> bool:
        """Whether the model can score users it was not trained on."""
        return self.model.folds_in
