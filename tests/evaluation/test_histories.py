"""What a model is shown of its users when it recommends: all that they did, whatever part of it it trained on."""

import numpy as np
import pytest
import torch

import recprune as rp
from recprune.evaluation import evaluate
from recprune.models import BPR, EASE, ELSA, IALS, ItemKNN, MultVAE, Popularity, load_model, quantize
from recprune.models.descent import Target
from recprune.pruning import prune, prune_samples
from recprune.splits import final

FOLDING = [
    EASE(l2=50.0),
    ItemKNN(neighbours=20),
    IALS(factors=8, iterations=3, nu=0.0),
    ELSA(factors=8, epochs=3),
    MultVAE(hidden=12, latent=4, epochs=3),
]
NAMES = [model.name for model in FOLDING]


@pytest.fixture(scope="module")
def less(ratio):
    return prune_samples(ratio, "random", keep=0.4, seed=1)


class Told:
    """Scores of given histories, and no `serving`: what is to come out, said another way."""

    def __init__(self, model, histories):
        self.model, self.histories = model, histories

    def score(self, users):
        return self.model.score_histories(self.histories[users])


@pytest.mark.parametrize("model", FOLDING, ids=NAMES)
@pytest.mark.parametrize("on", ["validation", "test"])
def test_a_model_of_fewer_samples_is_judged_on_full_histories(model, on, ratio, less):
    model.fit(less.train, less.validation, seed=0)
    expected = evaluate(Told(model, ratio.train.tocsr()), ratio, on=on, k=10)
    found = evaluate(model, less, on=on, k=10)
    # a table of users is kept in float32, what is folded in for a moment is not: ties may fall otherwise
    assert found.mean["ndcg@10"] == pytest.approx(expected.mean["ndcg@10"], abs=1e-4)
    assert (found.lists != expected.lists).mean() < 0.002
    pruned = evaluate(Told(model, less.train.tocsr()), ratio, on=on, k=10)
    assert evaluate(model, less, on=on, k=10, history="pruned").mean["ndcg@10"] == pytest.approx(
        pruned.mean["ndcg@10"],
        abs=0.02 if model.name == "ials" else 1e-12,  # whose table training left half a sweep ago
    )
    assert model.history.nnz == less.train.nnz, "the model itself still knows what it knew"


@pytest.mark.parametrize("model", [BPR(factors=6, epochs=3), Popularity()], ids=["bpr", "popularity"])
def test_what_scores_without_histories_is_judged_alike(model, less):
    model.fit(less.train, less.validation, seed=0)
    full, pruned = (evaluate(model, less, k=10, history=history) for history in ("full", "pruned"))
    np.testing.assert_array_equal(full.lists, pruned.lists)


@pytest.mark.parametrize("model", [*FOLDING, BPR(factors=6, epochs=3)], ids=[*NAMES, "bpr"])
def test_served_in_training_is_served_afterwards(model, ratio, less):
    served = model.fit(less.train, less.validation, seed=0, served=ratio.train)
    assert served.history.nnz == ratio.train.nnz
    assert served.trained_on["content"] == less.train.content_hash
    lists = served.recommend(np.arange(ratio.n_users), k=20)
    known = ratio.train.tocsr().toarray() > 0
    assert not any(known[user, row[row >= 0]].any() for user, row in enumerate(lists)), "lists hold what was seen"
    other = served.serving(less.train).serving(ratio.train)
    np.testing.assert_allclose(other.score([0, 3, 5]), served.score([0, 3, 5]), atol=1e-5)


def test_all_of_the_training_part_changes_nothing(ratio):
    model = IALS(factors=8, iterations=3).fit(ratio.train, seed=0)
    table = model.arrays["user_factors"].clone()
    model.fit(ratio.train, seed=0, served=ratio.train)
    assert torch.equal(model.arrays["user_factors"], table)


def test_early_stopping_and_the_evaluator_judge_alike(ratio, less):
    model = MultVAE(hidden=12, latent=4, epochs=4).fit(less.train, less.validation, seed=0, served=less.unpruned)
    judged = evaluate(model, less, on="validation", k=10).mean["ndcg@10"]
    assert max(row["val_ndcg@10"] for row in model.train_log) == pytest.approx(judged, abs=1e-12)
    assert Target(ratio.train.tocsr(), ratio.validation, None).ndcg(model) == pytest.approx(judged, abs=1e-12)
    apart = evaluate(model, less, on="validation", k=10, history="pruned").mean["ndcg@10"]
    assert abs(apart - judged) > 1e-6, "a test that cannot fail"


def test_a_table_of_users_is_solved_for_again_on_what_pruning_left(ratio, less, tmp_path):
    dense = IALS(factors=8, iterations=3).fit(less.train, seed=0)
    small = prune(dense, less, unit="weight", criterion="magnitude", keep=0.3, recovery="none").model
    left = small.arrays["user_factors"] != 0
    empty = ~left.any(1)
    served = small.serving(ratio.train)
    assert not (served.arrays["user_factors"] != 0)[~empty][~left[~empty]].any()
    assert not torch.equal(served.arrays["user_factors"], small.arrays["user_factors"])
    rounded = quantize(small, "int8").serving(ratio.train)
    rounded.save(tmp_path / "small")
    np.testing.assert_array_equal(load_model(tmp_path / "small").score([1, 2]), rounded.score([1, 2]))


def test_users_without_a_row_are_folded_in_from_what_is_served(ratio, less):
    dense = IALS(factors=8, iterations=3).fit(less.train, seed=0)
    small = prune(dense, less, unit="user-row", criterion="random", keep=0.5, recovery="none")
    users = np.arange(ratio.n_users)
    for model in (small.model.serving(ratio.train), small.compact().serving(ratio.train)):
        np.testing.assert_allclose(model.score(users), model.score_histories(ratio.train.tocsr()), atol=1e-4)


def test_who_knows_more_than_the_training_part_keeps_it(ratio):
    of = final(ratio)
    model = EASE(l2=50.0).fit(of.train, seed=0)
    expected = evaluate(Told(model, of.train.tocsr()), of, k=10)
    for split in (of, ratio):
        np.testing.assert_array_equal(evaluate(model, split, on="test", k=10).lists, expected.lists)


def test_wrong_histories_are_refused(ratio, less):
    model = EASE(l2=50.0).fit(less.train, seed=0)
    with pytest.raises(ValueError, match=r"history is 'whole'; known: full, pruned"):
        evaluate(model, less, history="whole")
    with pytest.raises(TypeError, match=r"Interactions are needed \(`split.unpruned`\)"):
        model.serving(ratio.train.tocsr())
    with pytest.raises(ValueError, match="is not trained"):
        EASE().serving(ratio.train)
    other = rp.split(rp.load("synthetic:50x30x900:seed=3", quiet=True), core=0)
    with pytest.raises(ValueError, match=r"served: 50 users that are not those"):
        model.serving(other.train)
    with pytest.raises(ValueError, match=r"served: 50 users that are not those"):
        EASE().fit(less.train, served=other.train)
