"""The control of the final training: all that a published split gives for training, once everything is chosen."""

import numpy as np
import pytest

from recprune.cells import Parameters, finish
from recprune.cells.bench import Bench
from recprune.cells.curves.dense import dense_rows
from recprune.cells.curves.final import final_rows
from recprune.datasets import synthetic
from recprune.evaluation import evaluate
from recprune.models import build
from recprune.splits import final


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> str:
    """A folder with train.txt and test.txt of a synthetic log."""
    log, folder = synthetic(60, 40, 1500, seed=1), tmp_path_factory.mktemp("places")
    tested = np.random.default_rng(0).random(log.nnz) < 0.2
    for name, rows in (("train.txt", ~tested), ("test.txt", tested)):
        lists = ((u, log.items[log.item[rows & (log.user == u)]]) for u in range(log.n_users))
        (folder / name).write_text("".join(f"{u} {' '.join(map(str, items))}\n" for u, items in lists))
    return str(folder)


def bench(dataset: str, **parameters) -> Bench:
    return Bench(Parameters(dataset=dataset, protocol="given", **parameters))


def test_it_trains_on_train_and_validation_and_keeps_the_validation_columns(published):
    b = bench(published, model="ease", hyperparameters={"l2": 20.0}, seeds=(0, 1))
    rows = finish(b.p, final_rows(b))
    assert (rows["side"] == "control").all() and (rows["recovery"] == "retrain").all()
    of = final(b.split(0))
    by_hand = evaluate(build("ease", l2=20.0).fit(of.train), of, on="test", k=20)
    assert rows["test_ndcg@20"].iloc[0] == pytest.approx(by_hand.mean["ndcg@20"])
    assert rows["test_ndcg@20"].nunique() == 1, "seeds choose who validates, and here nobody does"
    assert rows["val_ndcg@10"].tolist() == dense_rows(b)["val_ndcg@10"].tolist()


@pytest.mark.parametrize("loaded", [False, True])
def test_a_model_that_stops_early_takes_the_epochs_that_validation_chose(published, loaded, tmp_path):
    parameters = {"model": "bpr", "hyperparameters": {"factors": 4, "learning_rate": 0.05, "epochs": 12, "patience": 3}}
    b = bench(published, **parameters, out=str(tmp_path))
    dense_rows(b)
    log = b.dense(0).model.train_log
    best = max(log, key=lambda row: row["val_ndcg@10"])["epoch"]
    assert best < 12, "else nothing is stopped"
    again = bench(published, **parameters, dense=str(tmp_path)) if loaded else b
    of = final(b.split(0))
    by_hand = build("bpr", factors=4, learning_rate=0.05, epochs=best).fit(of.train, seed=0)
    expected = evaluate(by_hand, of, on="test", k=10).mean["ndcg@10"]
    assert final_rows(again)["test_ndcg@10"].iloc[0] == pytest.approx(expected)
