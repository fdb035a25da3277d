"""The control of the final training: the dense models, trained again on train + validation once all is chosen."""

from __future__ import annotations

import pandas as pd

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import seeds
from recprune.cells.measure import Cell, measure, to_rows
from recprune.cells.rows import CUTOFFS
from recprune.evaluation import evaluate
from recprune.models import Recommender, build
from recprune.models.descent import GradientModel
from recprune.splits import final


def final_rows(bench: Bench) -> pd.DataFrame:
    """The rows of the models that train on train + validation, as those do whose numbers on a published split are
    known. Validation columns stay those of the dense model, by which everything was chosen.
    """
    cells = []
    for seed in seeds(bench):
        of = final(bench.split(seed))
        model = _untrained(bench, seed).fit(of.train, seed=seed)
        found = bench.dense(seed).reports | {
            "test": evaluate(model, of, on="test", k=CUTOFFS),
            "train": evaluate(model, of, on="train", k=(10,)),
        }
        cell = Cell(side="control", unit="history", criterion="train+validation", recovery="retrain", seed=seed)
        cells.append(measure(bench, model, cell, train_s=model.train_seconds, found=found))
    return to_rows(cells)


def _untrained(bench: Bench, seed: int) -> Recommender:
    """A fresh model of the run. With nothing left to stop by, one that stops early takes as many epochs as the dense
    model's best took, which validation chose.
    """
    model = bench.untrained()
    if not isinstance(model, GradientModel):
        return model
    dense = bench.dense(seed).model
    if not hasattr(dense, "train_log"):  # it was loaded, and training it again gives the same epochs
        dense = bench.train(bench.untrained(), seed)
    values = [row["val_ndcg@10"] for row in dense.train_log]
    best = dense.train_log[values.index(max(values))]["epoch"]
    return build(bench.p.model, **bench.p.hyperparameters | {"epochs": best})
