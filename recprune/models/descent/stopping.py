"""Early stopping: what is aimed at, and the best epoch so far."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse

from recprune.evaluation.belonging import pattern
from recprune.evaluation.metrics import list_metrics
from recprune.evaluation.ranking import at_most
from recprune.interactions import Interactions
from recprune.models.base import Recommender
from recprune.together import Group

MOST_USERS = 10_000  # that early stopping ranks for after an epoch; of more, these by chance, the same ones each time


class Best:
    """The arrays of the best epoch, and how many epochs have passed since. `value` is what there was to beat."""

    def __init__(self, arrays: list[torch.Tensor], value: float):
        self.arrays, self.value, self.waited = arrays, value, 0
        self.kept = [array.detach().clone() for array in arrays]

    @torch.no_grad()
    def look(self, value: float) -> None:
        """Remember the present arrays if they are better than all before."""
        if not value > self.value:
            self.waited += 1
            return
        self.value, self.waited = value, 0
        for saved, array in zip(self.kept, self.arrays, strict=True):
            saved.copy_(array)

    @torch.no_grad()
    def restore(self) -> None:
        for saved, array in zip(self.kept, self.arrays, strict=True):
            array.copy_(saved)


class Target:
    """Validation nDCG@10 of a model in training: full ranking, for MOST_USERS at most.

    As the evaluator and `recommend` do, it leaves out the items of the histories that users are known by. The
    processes of a group rank for a part of the users each.
    """

    def __init__(
        self,
        served: sparse.csr_array,
        validation: Interactions,
        fold_in: sparse.csr_array | None,
        group: Group | None = None,
    ):
        self.group = group or Group()
        self.relevant = validation.tocsr()
        self.known = fold_in
        self.seen = pattern(served if fold_in is None else fold_in)  # an interaction of weight zero was one
        self.n_relevant = np.diff(self.relevant.indptr)
        self.users = at_most(np.flatnonzero(self.n_relevant), MOST_USERS)
        if not len(self.users):
            raise ValueError("validation holds no interaction; early stopping needs one")

    @torch.no_grad()
    def ndcg(self, model: Recommender, block: int = 2048) -> float:
        gains, mine = np.zeros(len(self.users)), self.group.part(len(self.users))
        for start in range(mine.start, mine.stop, block):
            at = slice(start, min(start + block, mine.stop))
            users = self.users[at]
            if self.known is None:
                best = model.rank(users, 10, self.seen[users])
            else:
                best = model.rank_histories(self.known[users], 10, self.seen[users])
            hits = np.take_along_axis(self.relevant[users].toarray() > 0, np.maximum(best, 0), axis=1) & (best >= 0)
            gains[at] = list_metrics(hits, self.n_relevant[users], (10,))["ndcg@10"]
        return float(self.group.fill(gains).mean())
