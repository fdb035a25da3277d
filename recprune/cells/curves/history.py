"""The control of the history: the dense models, told of the validation interactions before the test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import seeds
from recprune.cells.measure import Cell, measure, to_rows
from recprune.cells.rows import CUTOFFS
from recprune.evaluation import evaluate
from recprune.interactions import tie_order
from recprune.models import Recommender
from recprune.splits import Split


def history_rows(bench: Bench) -> pd.DataFrame:
    """The rows of the dense models, not trained again, once they know the validation interactions as well: what the
    published evaluations of sequence models give them at test time. Validation columns stay those of the dense model.
    """
    cells = []
    for seed in seeds(bench):
        dense, of = bench.dense(seed), bench.split(seed)
        informed = evaluate(Informed(dense.model, known_before_test(of)), of, on="test", k=CUTOFFS)
        cell = Cell(side="control", unit="history", criterion="train+validation", recovery="none", seed=seed)
        found = dense.reports | {"test": informed}
        cells.append(measure(bench, dense.model, cell, train_s=0.0, found=found))
    return to_rows(cells)


@dataclass(frozen=True)
class Informed:
    """A model that scores its users from given histories (n_users x n_items) in place of those it was trained on."""

    model: Recommender
    histories: sparse.csr_array

    def score(self, users) -> np.ndarray:
        """(len(users) x n_items): the model's scores of the given histories."""
        return self.model.fold_in(self.histories[users])


def known_before_test(of: Split) -> sparse.csr_array:
    """The interactions (n_users x n_items) of training, then validation; in each row in the order of time, if any."""
    parts = (of.train, of.validation)
    user, item, data = (
        np.concatenate(values) for values in zip(*((p.user, p.item, p.tocsr().data) for p in parts), strict=True)
    )
    late = np.repeat([0, 1], [part.nnz for part in parts])
    times = late if of.train.timestamp is None else np.concatenate([part.timestamp for part in parts])
    order = np.lexsort((tie_order(user, item), late, times, user))
    starts = np.append(0, np.cumsum(np.bincount(user, minlength=of.n_users)))
    return sparse.csr_array((data[order], item[order], starts), shape=of.train.shape)
