"""What is pruned is what a model trains on: it serves full histories; what forgetting them costs stands beside it."""

from dataclasses import replace

import numpy as np
import pytest

from recprune.cells import Parameters, finish
from recprune.cells.bench import Bench
from recprune.cells.curves.both import both_rows
from recprune.cells.curves.loop import loop_rows, loop_states
from recprune.cells.curves.samples import chosen_again, sample_curve, sample_path
from recprune.cells.curves.uphill import FACTOR, FURTHEST, uphill
from recprune.errors import StudyError
from recprune.evaluation import evaluate
from recprune.models import EASE

BASE = {"dataset": "synthetic:120x80x4000:seed=1", "core": 5, "seeds": (0, 1)}
HALF = {
    "unit": "interaction",
    "criterion": "random",
    "schedule": "one-shot",
    "recovery": "retrain",
    "keep": (0.5,),
}
SMALL = {
    "ease": {"l2": 50.0},
    "ials": {"factors": 8, "iterations": 3, "l2": 1.0},
    "mult-vae": {"hidden": 16, "latent": 8, "epochs": 4},
    "bpr": {"factors": 4, "epochs": 4},
}


def bench(model, **parameters) -> Bench:
    return Bench(Parameters(**BASE | HALF | {"model": model, "hyperparameters": SMALL[model]} | parameters))


@pytest.mark.parametrize("model", ["ease", "ials", "mult-vae"])
def test_the_main_row_serves_full_histories_and_another_one_what_is_left(model):
    b = bench(model)
    rows = finish(b.p, sample_curve(b).rows).set_index(["history", "seed"])
    assert sorted(rows.index) == [("full", 0), ("full", 1), ("pruned", 0), ("pruned", 1)]
    less = sample_path(b, 0).cut(0.5)
    plain = b.untrained().fit(less.train, less.validation, seed=0, served=b.split(0).train)
    for history in ("full", "pruned"):
        by_hand = evaluate(plain, less, on="test", k=10, history=history).mean["ndcg@10"]
        assert rows.loc[(history, 0), "test_ndcg@10"] == pytest.approx(by_hand, rel=1e-9)
    assert rows.loc[("full", 0), "test_ndcg@10"] != rows.loc[("pruned", 0), "test_ndcg@10"]
    assert rows.loc[("full", 0), "epochs"] == rows.loc[("pruned", 0), "epochs"] or model != "mult-vae", "one training"


def test_a_model_that_looks_at_no_history_has_one_row():
    b = bench("bpr", seeds=(0,))
    assert sample_curve(b).rows["history"].tolist() == ["full"]


def test_nothing_pruned_is_the_dense_model_and_has_one_row():
    b = bench("ease", keep=(1.0,), seeds=(0,))
    rows = sample_curve(b).rows
    assert rows["history"].tolist() == ["full"] and rows["test_ratio"].tolist() == [1.0]


def test_the_loop_serves_what_the_first_split_knew():
    b = bench("ease", criterion="representative", schedule="linear", seeds=(0,))
    done, rows = loop_states(b, 0)[0.5], loop_rows(b).set_index("history")
    assert (done.model.history != b.split(0).train.tocsr()).nnz == 0
    full = evaluate(done.model, b.split(0), on="test", k=10).mean["ndcg@10"]
    assert rows.loc["full", "test_ndcg@10"] == pytest.approx(full) != rows.loc["pruned", "test_ndcg@10"]


def test_a_grid_of_both_has_both_histories_where_samples_went():
    b = bench("ease", unit="weight", criterion="magnitude", recovery="none", samples=(1.0, 0.5), seeds=(0,))
    rows = both_rows(b)
    found = rows.groupby("samples_kept")["history"].unique().map(list).to_dict()
    assert found == {1.0: ["full"], 0.5: ["full", "pruned"]}


def test_the_penalty_is_chosen_again_on_validation_and_holds_for_every_seed():
    b = bench("ease", recovery="retrain-tuned", hyperparameters={"l2": 5.0})
    chosen, less = chosen_again(b, 0.5)["l2"], sample_path(b, 0).cut(0.5)

    def quality(l2):
        model = EASE(l2=l2).fit(less.train, served=less.unpruned)
        return evaluate(model, less, on="validation", k=10).mean["ndcg@10"]

    assert chosen > 5 and np.log2(chosen / 5) == pytest.approx(round(np.log2(chosen / 5)))
    assert quality(chosen) == max(quality(chosen * step) for step in (0.5, 1.0, 2.0))
    rows = finish(b.p, sample_curve(b).rows).set_index(["history", "seed"])
    other = replace(b.untrained(), l2=chosen)
    less = sample_path(b, 1).cut(0.5)
    by_hand = evaluate(b.train(other, 1, less), less, on="test", k=10).mean["ndcg@10"]
    assert rows.loc[("full", 1), "test_ndcg@10"] == pytest.approx(by_hand, rel=1e-9)


def test_only_what_trains_in_a_moment_is_tuned_again():
    with pytest.raises(StudyError, match="retrain-tuned: bpr takes too long"):
        sample_curve(bench("bpr", recovery="retrain-tuned"))


@pytest.mark.parametrize("best", [1.0, 4.0, 0.25, FACTOR**9, FACTOR**-9])
def test_uphill_ends_at_the_top_or_as_far_as_it_may_go(best):
    found = uphill(lambda value: -abs(np.log(value / best)), 1.0)
    assert found == pytest.approx(np.clip(best, FACTOR**-FURTHEST, FACTOR**FURTHEST))
