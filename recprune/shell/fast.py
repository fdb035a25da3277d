"""The search for a model that answers in time: a limit in milliseconds, which only a clock can look at.

Fewer weights are not always fewer milliseconds (a sparse matrix that is still half full takes longer than a dense one),
so no bisection finds the place: the path is walked, without the recovery, which changes no time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recprune.evaluation import footprint, latency
from recprune.models import Recommender, quantize
from recprune.pruning.budget import ANY, Budget, formats_of, quality
from recprune.pruning.pruned import Pruned
from recprune.pruning.schedule import STEP
from recprune.shell.progress import Told

STRIDE = 3  # shares between two that are looked at first: the path has some sixty


@dataclass(frozen=True)
class Fast:
    """A limit of milliseconds for one user, the median on this machine; and beside it bytes, a loss, or both.

    The largest model on the path that keeps the limits of time and bytes; of the formats that do at its share the best
    one on validation. Its loss, where that is limited, has to be within. Raises ValueError for a limit that is none.
    """

    ms: float
    bytes: int | None = None
    max_loss: float | None = None
    values: Any = ANY
    keep: None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.ms) and self.ms > 0):
            raise ValueError(f"max_ms is {self.ms!r}; a number of milliseconds greater than 0 is needed")
        if self.bytes is not None or self.max_loss is not None:
            Budget(bytes=self.bytes, max_loss=self.max_loss, values=self.values)
        formats_of(self.values)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that may be used."""
        return formats_of(self.values)

    def within(self, path: Told) -> Pruned:
        """The model of a path that keeps the limits. Raises ValueError that says what is possible, where none does."""
        bare, shares = path.recovering("none"), [1.0, *path.pool.shares(STEP)]
        bare.search(len(shares))
        steps = [*range(0, len(shares), STRIDE), len(shares) - 1]
        fastest, before = math.inf, -1
        for step in steps:
            took, good = self._look(bare, shares[step])
            fastest = min(fastest, took)
            if good:
                found = ((shares[each], self._look(bare, shares[each])[1]) for each in range(before + 1, step))
                share, formats = next((each for each in found if each[1]), (shares[step], good))
                bare.line.end()
                return self._best(path, share, formats)
            before = step
        raise ValueError(
            f"max_ms is {self.ms:g}: no model of {path.rule.name} ({path.pool.unit}) keeps the limits; the fastest "
            f"took {fastest:.3g} ms for one user; more time is needed, or another unit (factors and neurons save time)"
        )

    def _look(self, path: Told, share: float) -> tuple[float, list[str]]:
        """The least milliseconds of a share's models, and the formats in which it keeps the limits of time and size."""
        model = path.model if share == 1 else path.cut(share).model
        forms = {values: quantize(model, values) for values in self.formats}
        times = {values: each.p50_ms for values, each in latency(forms, np.arange(model.n_users)).items()}
        return min(times.values()), [
            values for values in forms if times[values] <= self.ms and self._fits(forms[values])
        ]

    def _fits(self, model: Recommender) -> bool:
        return self.bytes is None or footprint(model).bytes_disk <= self.bytes

    def _best(self, path: Told, share: float, formats: list[str]) -> Pruned:
        pruned = path.cut(share) if share < 1 else Pruned(path.model, {}, 1.0, 0, pd.DataFrame())
        found = {values: quality(pruned.model, path.split, values) for values in formats}
        pruned.values = max(found, key=lambda values: found[values])
        if self.max_loss is not None:
            loss = 1 - found[pruned.values] / quality(path.model, path.split)
            if loss > self.max_loss:
                raise ValueError(
                    f"max_ms is {self.ms:g}, max_loss {self.max_loss:g}: the largest model that keeps the limits of "
                    f"time and bytes loses {loss:.2%}; more of either is needed, or another unit"
                )
        return pruned
