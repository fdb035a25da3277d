"""Recoveries have the dense model's budget, and every round says what it took of it."""

import pytest

from recprune.evaluation import evaluate
from recprune.models import BPR, MultVAE
from recprune.pruning import ParameterPath, prune, prune_data
from recprune.pruning.recovery import ROUND_EPOCHS


@pytest.fixture(scope="module")
def dense(ratio):
    return MultVAE(hidden=24, latent=8, epochs=40, patience=4, batch_size=32).fit(ratio.train, ratio.validation, seed=0)


def test_a_fit_counts_its_epochs(dense):
    assert dense.epochs_trained == len(dense.train_log) > 4


def test_fine_tuning_goes_on_until_the_dense_models_patience_is_over(dense, ratio):
    cut = prune(dense, ratio, "magnitude", keep=0.05)
    pruned = prune(dense, ratio, "magnitude", keep=0.05, recovery="fine-tune")
    start = evaluate(cut, ratio, on="validation", k=10).mean["ndcg@10"]
    values = [start, *(row["val_ndcg@10"] for row in pruned.model.train_log)]
    assert pruned.epochs == len(values) - 1
    assert len(values) == 41 or len(values) - 1 - values.index(max(values)) == 4, "all of its epochs, or its patience"


@pytest.mark.parametrize("schedule", ["linear", "geometric"])
def test_rounds_train_a_little_and_the_last_one_to_the_end(dense, ratio, schedule):
    pruned = prune(dense, ratio, "magnitude", keep=0.5, schedule=schedule, recovery="fine-tune", rounds=3)
    *between, last = pruned.rounds["epochs"]
    assert len(between) == (2 if schedule == "linear" else 3)
    assert all(0 < epochs <= ROUND_EPOCHS for epochs in between)
    assert last == len(pruned.model.train_log) and pruned.epochs == sum(between) + last


def test_what_is_only_cut_is_not_trained_and_what_is_trained_first_is_counted(dense, ratio):
    assert prune(dense, ratio, "magnitude", keep=0.5).epochs == 0
    longer = ParameterPath(dense, ratio, "train-longer")
    assert longer.cut(0.5).epochs == longer.cut(1.0).epochs == min(30, dense.epochs)
    learnt = ParameterPath(dense, ratio, "soft-threshold")
    assert learnt.cut(0.5).epochs == min(30, dense.epochs), "thresholds are learnt by a copy"


def test_retraining_is_as_long_as_a_training(dense, ratio):
    pruned = prune(dense, ratio, "magnitude", keep=0.5, recovery="retrain")
    assert pruned.epochs == len(pruned.model.train_log) == pruned.rounds["epochs"].sum()
    reset = prune(dense, ratio, "zero-reset", recovery="retrain")
    assert reset.epochs == len(reset.model.train_log) > 0


@pytest.mark.parametrize("recovery", ["retrain", "fine-tune"])
def test_the_loop_over_samples_counts_each_update(ratio, recovery):
    model = BPR(factors=4, epochs=6, patience=2, batch_size=256).fit(ratio.train, ratio.validation, seed=0)
    done = prune_data(model, ratio, "representative", 0.5, rounds=2, recovery=recovery)
    assert (done.rounds["epochs"] > 0).all() and (done.rounds["epochs"] <= 6).all()
    assert done.rounds["epochs"].iloc[-1] == len(done.model.train_log)
