"""From parameters to rows: complete, deterministic, the dense model trained once, the controls beside it."""

import numpy as np
import pytest

from recprune.cells import COLUMNS, TIMING, Parameters, finish, write_rows
from recprune.cells.bench import Bench
from recprune.cells.curves.both import both_rows
from recprune.cells.curves.controls import control_rows, first_smaller, smaller_curve
from recprune.cells.curves.dense import dense_rows, with_dense
from recprune.cells.curves.distilled import with_lists
from recprune.cells.curves.history import history_rows, known_before_test
from recprune.cells.curves.loop import loop_rows
from recprune.cells.curves.parameters import parameter_curve
from recprune.cells.curves.samples import sample_curve
from recprune.errors import StudyError
from recprune.evaluation import evaluate
from recprune.models import MultVAE, load_model

BASE = {"dataset": "synthetic:120x80x4000:seed=1", "core": 5, "seeds": (0, 1)}


def bench(**parameters) -> Bench:
    return Bench(Parameters(**BASE | parameters))


PRUNE = {
    "model": "ease",
    "hyperparameters": {"l2": 50.0},
    "unit": "weight",
    "criterion": "magnitude",
    "schedule": "one-shot",
    "recovery": "none",
    "keep": (0.5, 0.1),
}
APART = [f"test_ndcg@10_users_{who}" for who in ("warm", "cold")]


@pytest.fixture(scope="module")
def rows():
    return finish(bench(**PRUNE).p, parameter_curve(bench(**PRUNE)).rows)


def test_a_row_has_every_column(rows):
    assert list(rows.columns) == list(COLUMNS)
    assert not rows.drop(columns=["run", "epochs", *APART]).isna().any(axis=None)
    assert rows["epochs"].isna().all(), "a closed form has none"
    assert rows[APART].isna().all(axis=None), "everybody has a history"
    assert len(rows) == 4


def test_rows_are_the_same_twice(rows):
    again = finish(bench(**PRUNE).p, parameter_curve(bench(**PRUNE)).rows)
    same = [c for c in COLUMNS if c not in TIMING]
    assert rows[same].equals(again[same])


def test_ratios_are_what_they_say(rows):
    b = bench(**PRUNE)
    dense = finish(b.p, dense_rows(b)).set_index("seed")
    for _, row in rows.iterrows():
        assert row["test_ratio"] == pytest.approx(row["test_ndcg@10"] / dense.loc[row["seed"], "test_ndcg@10"])
        assert row["bytes_ratio"] == pytest.approx(row["bytes_disk"] / dense.loc[row["seed"], "bytes_disk"])
    assert (
        (dense["test_ratio"] == 1).all()
        and (dense["test_ratio_lower"] == 1).all()
        and (dense["test_jaccard@20"] == 1).all()
    )
    for _, point in rows.groupby("kept"):
        assert point["test_ratio_lo"].nunique() == 1
        assert point["test_ratio_lo"].iloc[0] <= point["test_ratio"].mean() <= point["test_ratio_hi"].iloc[0]
        assert point["test_ratio_lo"].iloc[0] <= point["test_ratio_lower"].iloc[0]


def test_dense_models_are_saved_and_loaded_not_trained_again(rows, tmp_path):
    b = bench(**PRUNE, out=str(tmp_path))
    write_rows(tmp_path, finish(b.p, dense_rows(b)))
    assert load_model(tmp_path / "models" / "seed-1").name == "ease"
    loaded = Bench(Parameters(**BASE | PRUNE, dense=str(tmp_path)))
    loaded.train = None  # any training would fail
    again = finish(loaded.p, parameter_curve(loaded).rows)
    same = [c for c in COLUMNS if c not in TIMING]
    assert rows[same].equals(again[same])
    assert len(with_dense(loaded, again)) == 6


def test_samples_and_smaller_models_have_their_rows():
    samples = sample_curve(
        bench(**PRUNE | {"unit": "interaction", "criterion": "stratified", "recovery": "retrain"})
    ).rows
    assert set(samples["side"]) == {"samples"}
    assert samples["test_ndcg@10"].notna().all()
    b = bench(model="ials", hyperparameters={"factors": 8, "iterations": 3}, keep=(0.5, 0.25))
    curve = smaller_curve(b)
    smaller = curve.rows[curve.rows["unit"] == "model"]
    assert smaller["kept"].tolist() == pytest.approx([0.5, 0.25] * 2)
    assert set(curve.rows["criterion"]) == {"smaller-dense"}
    assert curve.smallest.arrays["item_factors"].shape[1] == 2


def test_several_recoveries_share_their_removals():
    both = finish(bench().p, parameter_curve(bench(**PRUNE | {"recovery": "", "recoveries": ("none", "refit")})).rows)
    same = [c for c in COLUMNS if c not in TIMING]
    for recovery in ("none", "refit"):
        alone = finish(bench().p, parameter_curve(bench(**PRUNE | {"recovery": recovery})).rows)
        mine = both[both["recovery"] == recovery].reset_index(drop=True)
        assert mine[same].equals(alone[same])


def test_a_table_of_users_who_can_be_folded_in_is_left_out_once_more():
    b = bench(model="ials", hyperparameters={"factors": 8, "iterations": 3, "l2": 1.0}, keep=(0.5,))
    rows = finish(b.p, smaller_curve(b).rows)
    alone, whole = (rows[rows["unit"] == unit].set_index("seed") for unit in ("item-tables", "model"))
    n_users, n_items = b.split(0).n_users, b.split(0).n_items
    assert sorted(alone.loc[[0], "parameters"]) == [(n_items + 1) * 4, (n_items + 1) * 8], "of half, and of all factors"
    assert whole.loc[0, "parameters"] == (n_items + n_users) * 4
    dense = b.dense(0).reports["test"].mean["ndcg@10"]
    of_all = alone[alone["parameters"] == (n_items + 1) * 8]
    assert of_all.loc[0, "test_ndcg@10"] == pytest.approx(dense, rel=0.05), "a user is solved for as in training"
    assert not len(smaller_curve(bench(model="bpr", hyperparameters={"factors": 4, "epochs": 1}, keep=(0.5,))).rows) > 2


def test_the_smaller_model_is_taught_by_the_dense_one():
    small = {"hidden": 16, "latent": 8, "epochs": 4}
    b = bench(model="mult-vae", hyperparameters=small, keep=(0.5,), seeds=(0,), recoveries=("none", "distil"))
    rows = finish(b.p, smaller_curve(b).rows).set_index("recovery")
    assert rows.index.tolist() == ["distil", "retrain"] and rows["parameters"].nunique() == 1
    of, teacher = b.split(0), b.dense(0).model
    lists = teacher.recommend(np.arange(of.n_users), k=10)
    told = with_lists(of.train, lists)
    assert told.nnz == of.train.nnz + (lists >= 0).sum()
    matrix = told.tocsr()
    assert set(np.unique(matrix.data)) == {np.float32(0.3), np.float32(1.0)}
    assert all((matrix[[u]].toarray()[0, lists[u]] == np.float32(0.3)).all() for u in range(of.n_users))
    student = first_smaller(b, 0.5).hyperparameters()
    by_hand = MultVAE(**student).fit(told, of.validation, seed=0, served=of.train)
    assert rows.loc["distil", "test_ndcg@10"] == evaluate(by_hand, of, k=10).mean["ndcg@10"]


def test_what_is_taught_comes_next_in_time():
    """A model of sequences has a teacher, too: what that would recommend follows the history, the best first."""
    train = bench(model="ease", hyperparameters={"l2": 50.0}).split(0).train
    lists = np.tile(np.array([5, 3, -1]), (train.n_users, 1))
    lists[(train.toarray()[:, [5, 3]] > 0).any(1)] = -1
    told, before = with_lists(train, lists).sequences(), train.sequences()
    for user in range(train.n_users):
        known = before[[user]].indices.tolist()
        assert told[[user]].indices.tolist() == known + ([5, 3] if lists[user, 0] >= 0 else [])
    small = {"factors": 8, "blocks": 1, "epochs": 1}
    b = bench(model="sasrec", hyperparameters=small, keep=(0.5,), seeds=(0,), recoveries=("none", "distil"))
    assert set(smaller_curve(b).rows["recovery"]) == {"retrain", "distil"}


def test_the_dense_model_is_timed_against_itself_in_every_seed(rows):
    assert (rows["p50_self"] > 0).all() and (rows["p50_ratio"] > 0).all()


def test_controls_are_rows_of_their_own():
    rows = control_rows(bench(model="ease", hyperparameters={"l2": 50.0}))
    assert set(rows["side"]) == {"control"}
    assert rows[["criterion", "kept"]].to_numpy().tolist() == [["zero-reset", 0.0]] * 2
    assert (rows["nonzeros"] == 0).all()
    deep = control_rows(bench(model="mult-vae", hyperparameters={"hidden": 16, "latent": 8, "epochs": 4}, seeds=(0,)))
    assert deep[["criterion", "recovery"]].to_numpy().tolist() == [
        ["zero-reset", "none"],
        ["zero-reset", "retrain"],
        ["train-on", "fine-tune"],
    ]
    assert deep["val_ratio"].iloc[2] >= 1, "trained on, nothing removed: never worse on validation"


def test_controls_that_train_can_be_left_out():
    small = {"hidden": 16, "latent": 8, "epochs": 2}
    some = control_rows(bench(model="mult-vae", hyperparameters=small, seeds=(0,), recoveries=("none",)))
    assert some[["criterion", "recovery"]].to_numpy().tolist() == [["zero-reset", "none"]]
    with pytest.raises(StudyError, match=r"\['refit'\].*none, retrain, fine-tune"):
        control_rows(bench(model="ease", recoveries=("none", "refit")))


def test_the_grid_prunes_the_data_and_then_the_model():
    grid = both_rows(bench(**PRUNE | {"samples": (1.0, 0.5), "seeds": (0,)}))
    grid = grid[grid["history"] == "full"]
    assert grid[["samples_kept", "kept"]].to_numpy().tolist() == [
        [1.0, 1.0],
        [1.0, 0.5],
        [1.0, 0.1],
        [0.5, 1.0],
        [0.5, 0.5],
        [0.5, 0.1],
    ]
    dense = grid[grid["kept"] == 1]
    assert (dense["test_ratio"] == 1).all(), "ratios are to the dense model of the same samples"
    assert dense["test_ndcg@10"].nunique() == 2
    alone = finish(bench().p, parameter_curve(bench(**PRUNE | {"seeds": (0,)})).rows)
    full = grid[(grid["samples_kept"] == 1) & (grid["kept"] < 1)]
    assert full["test_ndcg@10"].tolist() == alone["test_ndcg@10"].tolist()


def test_the_loop_has_its_rows():
    loop = {
        "unit": "interaction",
        "criterion": "representative",
        "schedule": "linear",
        "recovery": "retrain",
        "keep": (0.5,),
    }
    rows = finish(bench().p, loop_rows(bench(**PRUNE | loop)))
    assert set(rows["side"]) == {"samples"} and set(rows["schedule"]) == {"linear"}
    assert (rows["train_s"] > 0).all() and (rows["score_s"] > 0).all()


def test_the_level_has_its_interval_over_users(rows):
    for _, point in rows.groupby("kept"):
        assert point["test_ndcg@10_lo"].nunique() == 1
        assert point["test_ndcg@10_lo"].iloc[0] < point["test_ndcg@10"].mean() < point["test_ndcg@10_hi"].iloc[0]


def test_filters_are_the_protocols_own():
    b = Bench(Parameters(dataset=BASE["dataset"], protocol="strong"))
    assert b.split(0).options == {"min_rating": 4, "core": "users 5"}
    assert Bench(Parameters(dataset=BASE["dataset"])).split(0).options == {"min_rating": 3, "core": 10}


def test_a_model_may_know_the_validation_interactions_before_test():
    b = bench(protocol="loo", model="ease", hyperparameters={"l2": 50.0})
    of, rows = b.split(0), finish(b.p, history_rows(b))
    told = known_before_test(of)
    assert told.nnz == of.train.nnz + of.validation.nnz
    assert (told != of.train.tocsr() + of.validation.tocsr()).nnz == 0
    last = [row.indices[-1] for row in (told[[u]] for u in of.validation.user[:20])]
    assert last == of.validation.item[:20].tolist(), "in the order of time, the validation item is the last"
    scores = b.dense(0).model.fold_in(told)
    by_hand = evaluate(Scores(scores), of, on="test", k=10).mean["ndcg@10"]
    assert rows["test_ndcg@10"].iloc[0] == pytest.approx(by_hand)
    dense = b.dense(0).reports
    assert rows["test_ratio"].iloc[0] == pytest.approx(by_hand / dense["test"].mean["ndcg@10"])
    assert rows["val_ndcg@10"].iloc[0] == dense["validation"].mean["ndcg@10"]
    assert set(rows["side"]) == {"control"} and set(rows["criterion"]) == {"train+validation"}


class Scores:
    def __init__(self, scores):
        self.score = scores.__getitem__


def test_under_strong_the_held_out_users_are_folded_in():
    b = Bench(Parameters(**BASE | PRUNE | {"protocol": "strong", "seeds": (0,)}))
    rows = finish(b.p, parameter_curve(b).rows)
    assert np.isfinite(rows["test_ndcg@10"].astype(float)).all()


def test_the_smaller_model_has_the_best_of_its_shapes_and_all_seeds_have_the_same():
    b = bench(model="mult-vae", keep=(0.25,), hyperparameters={"hidden": 24, "latent": 12, "epochs": 3})
    rows = smaller_curve(b).rows.set_index("seed")
    shapes = b.dense(0).model.shapes(0.25)
    assert len(shapes) == 3
    quality = [evaluate(b.train(shape, 0), b.split(0), on="validation", k=10).mean["ndcg@10"] for shape in shapes]
    assert len(set(quality)) == 3
    assert rows.loc[0, "val_ndcg@10"] == pytest.approx(max(quality), rel=1e-9)
    assert rows.loc[0, "parameters"] == rows.loc[1, "parameters"]
    assert first_smaller(b, 0.25).hyperparameters() == shapes[quality.index(max(quality))].hyperparameters()
