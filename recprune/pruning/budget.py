"""Budgets: when pruning has gone far enough."""

from __future__ import annotations

from dataclasses import dataclass

from recprune.evaluation import evaluate, footprint
from recprune.models.base import Recommender
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
        if name in ("nonzeros", "bytes") and not value >= 1:
            raise ValueError(f"{name} is {value!r}; at least 1 is needed")
        if name == "max_loss" and not 0 <= value < 1:
            raise ValueError(f"max_loss is {value!r}; a share from 0 to below 1 is needed")

    def look(self, model: Recommender, split: Split) -> dict[str, float]:
        """What this budget measures of a model; nothing for a share."""
        if self.keep is not None:
            return {}
        if self.max_loss is not None:
            return {"val_ndcg@10": evaluate(model, split, on="validation", k=(10,)).mean["ndcg@10"]}
        cost = footprint(model.compact())
        return {"nonzeros": cost.nonzeros} if self.nonzeros is not None else {"bytes": cost.bytes_disk}

    def exhausted(self, seen: dict[str, float], dense: dict[str, float]) -> bool:
        """Whether nothing more may, or need, be removed than from the model that `seen` is of."""
        if self.max_loss is not None:
            return seen["val_ndcg@10"] < (1 - self.max_loss) * dense["val_ndcg@10"]
        limit = self.nonzeros if self.nonzeros is not None else self.bytes
        return limit is not None and next(iter(seen.values())) <= limit
