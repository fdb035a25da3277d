"""Budgets: when pruning has gone far enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recprune.evaluation import evaluate, footprint
from recprune.models.base import Recommender
from recprune.pruning.select import how_many
from recprune.splits import Split


@dataclass(frozen=True)
class Budget:
    """Exactly one of these is given.

    keep       share of the units that stays, 0 < keep <= 1
    nonzeros   the largest model on the path with at most so many non-zero parameters
    bytes      the largest model on the path whose compact form takes at most so many bytes on disk
    max_loss   the smallest model on the path whose validation nDCG@10 is within this share of the dense model's
    """

    keep: float | None = None
    nonzeros: int | None = None
    bytes: int | None = None
    max_loss: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) != 1:
            raise ValueError(
                f"one budget is needed (keep, nonzeros, bytes or max_loss), got {', '.join(given) or 'none'}"
            )
        ((name, value),) = given.items()
        number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if name == "keep":
            how_many(1, value)
        if name in ("nonzeros", "bytes") and not (number and value >= 1):
            raise ValueError(f"{name} is {value!r}; a number from 1 on is needed")
        if name == "max_loss" and not (number and 0 <= value < 1):
            raise ValueError(f"max_loss is {value!r}; a share from 0 to below 1 is needed")

    def look(self, model: Recommender, split: Split) -> dict[str, float]:
        """What this budget measures of a model; nothing for a share."""
        if self.keep is not None:
            return {}
        if self.max_loss is not None:
            return {"val_ndcg@10": evaluate(model, split, on="validation", k=(10,)).mean["ndcg@10"]}
        cost = footprint(model.compact())
        return {"nonzeros": cost.nonzeros} if self.nonzeros is not None else {"bytes": cost.bytes_disk}

    def measure(self, seen: Mapping[Any, Any]) -> float:
        """What counts against `nonzeros` or `bytes`, of what was seen of a model."""
        return seen["nonzeros" if self.nonzeros is not None else "bytes"]

    def unmet(self, smallest: float, criterion: str, unit: str) -> str:
        """What to say where the smallest model on the path is too large."""
        name, limit = ("nonzeros", self.nonzeros) if self.nonzeros is not None else ("bytes", self.bytes)
        return (
            f"{name} is {limit:,}, and the smallest model that {criterion} ({unit}) comes to has "
            f"{smallest:,.0f}: more is needed, or another unit, or a smaller model"
        )

    def exhausted(self, seen: dict[str, float], dense: dict[str, float]) -> bool:
        """Whether nothing more may, or need, be removed than from the model that `seen` is of."""
        if self.max_loss is not None:
            return seen["val_ndcg@10"] < (1 - self.max_loss) * dense["val_ndcg@10"]
        limit = self.nonzeros if self.nonzeros is not None else self.bytes
        return limit is not None and self.measure(seen) <= limit
