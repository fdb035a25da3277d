"""Budgets: when pruning has gone far enough, and in which format what stays is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recprune.evaluation import evaluate, footprint
from recprune.models.base import Recommender
from recprune.models.quantization import FORMATS, quantize
from recprune.pruning.criteria import check_known
from recprune.pruning.pruned import AS_TRAINED
from recprune.pruning.select import how_many
from recprune.splits import Split

ANY = "auto"  # in place of a format: all are tried
QUALITY, BYTES, NONZEROS = "val_ndcg@10", "bytes", "nonzeros"  # what is measured of a model


@dataclass(frozen=True)
class Budget:
    """Exactly one of these is given, or bytes and max_loss together; and the formats of values that may be used.

    keep       share of the units that stays, 0 < keep <= 1
    nonzeros   the largest model on the path with at most so many non-zero parameters
    bytes      the largest model on the path whose compact form takes at most so many bytes on disk
    max_loss   the smallest model on the path whose validation nDCG@10 is within this share of the dense model's

    values     "float32", "float16", "int8" or "int4" (see `recprune.models.quantize`); several of them, or "auto" for
               all: then the one whose largest model within `bytes` is best on validation, or whose smallest model
               within `max_loss` takes the fewest bytes. Losses are to the dense model as trained

    With bytes and max_loss it is the largest model within the bytes, which must be within the loss, too.
    """

    keep: float | None = None
    nonzeros: int | None = None
    bytes: int | None = None
    max_loss: float | None = None
    values: str | Sequence[str] = AS_TRAINED

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None and name != "values"}
        if len(given) != 1 and set(given) != {"bytes", "max_loss"}:
            raise ValueError(
                "one budget is needed (keep, nonzeros, bytes or max_loss; bytes and max_loss may go together), "
                f"got {', '.join(given) or 'none'}"
            )
        for name, value in given.items():
            number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
            if name == "keep":
                how_many(1, value)
            if name in ("nonzeros", "bytes") and not (number and value >= 1):
                raise ValueError(f"{name} is {value!r}; a number from 1 on is needed")
            if name == "max_loss" and not (number and 0 <= value < 1):
                raise ValueError(f"max_loss is {value!r}; a share from 0 to below 1 is needed")
        if len(self.formats) > 1 and ("keep" in given or "nonzeros" in given):
            raise ValueError(
                f"values is {self.values!r}, and {' '.join(given)} does not choose among formats: "
                f"give one of {', '.join(FORMATS)}, or a budget of bytes or max_loss"
            )

    @property
    def given(self) -> dict[str, Any]:
        """The limits that are set, as plain numbers, and the formats that may be used."""
        limits = {"nonzeros": int, "bytes": int, "keep": float, "max_loss": float}
        found = {name: kind(getattr(self, name)) for name, kind in limits.items() if getattr(self, name) is not None}
        return found | {"values": list(self.formats)}

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that may be used. Raises ValueError for an unknown one, and for none."""
        return formats_of(self.values)

    @property
    def limits_size(self) -> bool:
        """Whether the path is followed down to a size; else it is followed as far as the loss allows."""
        return self.nonzeros is not None or self.bytes is not None

    @property
    def limits_both(self) -> bool:
        """Whether a size and a loss are given."""
        return self.limits_size and self.max_loss is not None

    def look(self, model: Recommender, split: Split, values: str) -> dict[str, float]:
        """What the path is followed by, measured of a model in a format."""
        if not self.limits_size:
            return {QUALITY: quality(model, split, values)}
        cost = footprint(quantize(model, values))
        return {NONZEROS: cost.nonzeros} if self.nonzeros is not None else {BYTES: cost.bytes_disk}

    def reached(self, seen: Mapping[str, float], dense: float) -> bool:
        """Whether nothing more need, or may, be removed than from the model that `seen` is of.

        dense  validation nDCG@10 of the dense model as trained, where the loss counts
        """
        if self.nonzeros is not None:
            return seen[NONZEROS] <= self.nonzeros
        return seen[BYTES] <= self.bytes if self.bytes is not None else self.loses(seen, dense)

    def loses(self, seen: Mapping[str, float], dense: float) -> bool:
        """Whether a model has lost more than it may."""
        return self.max_loss is not None and seen[QUALITY] < (1 - self.max_loss) * dense


def formats_of(values: str | Sequence[str]) -> tuple[str, ...]:
    """The formats that a name, several names or "auto" stands for. Raises ValueError for an unknown one."""
    if isinstance(values, str):
        check_known("values", values, (*FORMATS, ANY))
        return FORMATS if values == ANY else (values,)
    if not values:
        raise ValueError(f"values is {values!r}; one of {', '.join(FORMATS)} or more are needed, or {ANY!r}")
    for each in values:
        check_known("values", each, FORMATS)
    return tuple(each for each in FORMATS if each in values)


def quality(model: Recommender, split: Split, values: str = AS_TRAINED) -> float:
    """Validation nDCG@10 of a model, by which choices are made; in a format other than as it was trained, of that."""
    form = model if values == AS_TRAINED else quantize(model, values)
    return evaluate(form, split, on="validation", k=(10,)).mean["ndcg@10"]
