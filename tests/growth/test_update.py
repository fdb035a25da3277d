"""Taking a window in: dense, pruned, compact, saved."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import recprune as rp
from recprune.growth.support import chosen_again, support
from recprune.growth.union import taken_in
from recprune.growth.update import WAYS, pruned_to
from recprune.models import REGISTRY, build

TINY = {
    "item-knn": {"neighbours": 20},
    "ials": {"factors": 8, "l2": 5.0, "iterations": 3},
    "bpr": {"factors": 8, "epochs": 3, "batch_size": 512},
    "ease": {"l2": 50.0},
    "mult-vae": {"hidden": 16, "latent": 4, "epochs": 3, "batch_size": 64},
    "neumf": {"factors": 4, "hidden": (8, 4), "epochs": 2},
}
NAMES = sorted(TINY)


@pytest.fixture(scope="module")
def growing(log):
    return rp.windows(log, n=3, start=0.5, core=5)


@pytest.fixture(scope="module")
def pruned(growing):
    """Name -> a model of the first half, cut to 40 % of its weights."""
    torch.set_num_threads(1)
    models = {name: build(name, **TINY[name]).fit(growing.train, seed=0) for name in NAMES}
    return {name: pruned_to(model, growing.train, 0.4) for name, model in models.items()}


def everything(model):
    return model.score(np.arange(model.n_users))


def bytes_of(model):
    return {name: array.data if hasattr(array, "indptr") else array.numpy() for name, array in model.arrays.items()}


def same(one, other):
    one, other = bytes_of(one), bytes_of(other)
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_model_is_updated_as_one_that_was_not_saved(name, pruned, growing, tmp_path):
    for model in (pruned[name], pruned[name].compact()):
        model.save(tmp_path / "model")
        loaded = rp.load_model(tmp_path / "model")
        assert loaded.is_pruned
        here, there = (rp.update(one, growing.parts[0], how="values", epochs=2) for one in (model, loaded))
        assert here.is_compact == there.is_compact == model.is_compact
        np.testing.assert_array_equal(everything(here), everything(there))


@pytest.mark.parametrize("name", NAMES)
def test_what_was_pruned_stays_zero_and_the_model_given_stays_as_it_was(name, pruned, growing):
    model = pruned[name]
    before, masks = everything(model), support(model)
    updated = rp.update(model, growing.parts[0], how="values", epochs=2)
    for key, tensor in updated.prunable().items():
        assert not tensor[~masks[key]].any()
    assert not np.array_equal(everything(updated), before)
    np.testing.assert_array_equal(everything(model), before)
    assert updated.history.nnz == growing.before(1).nnz


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("name", ["ease", "item-knn", "mult-vae"])
def test_the_same_seed_gives_the_same_bytes_and_no_news_change_nothing(name, how, pruned, growing):
    model, window = pruned[name], growing.parts[0]
    once, again = (rp.update(model, window, how=how, epochs=1, seed=3) for _ in range(2))
    assert same(once, again)
    for nothing in (window.select(np.zeros(0, np.int64)), growing.train):
        unchanged = rp.update(model, nothing, how=how, epochs=1)
        assert same(unchanged, model)
        assert unchanged.history.nnz == growing.train.nnz


@pytest.mark.parametrize("name", NAMES)
def test_a_frozen_model_scores_as_before_and_knows_what_its_users_did(name, pruned, growing):
    model = pruned[name]
    frozen = rp.update(model, growing.parts[0], how="frozen")
    assert same(frozen, model)
    histories = growing.train.tocsr()
    if model.folds_in:
        np.testing.assert_array_equal(frozen.score_histories(histories), model.score_histories(histories))
    had = np.diff(model.history.indptr) > 0
    grown = np.diff(growing.before(1).tocsr().indptr)
    np.testing.assert_array_equal(np.diff(frozen.history.indptr)[had], grown[had])


@pytest.mark.parametrize("name", ["ease", "ials", "item-knn", "mult-vae"])
def test_a_support_that_is_chosen_again_has_as_many_values(name, pruned, growing):
    model = pruned[name].clone()
    had = {key: int(torch.count_nonzero(tensor)) for key, tensor in model.prunable().items()}
    before = support(model)
    masks = chosen_again(model, growing.before(1), seed=0)
    assert {key: int(mask.sum()) for key, mask in masks.items()} == had
    if name != "item-knn":
        assert any((masks[key] != before[key]).any() for key in masks)


def test_pruned_anew_has_as_many_values(pruned, growing):
    for name in ("ease", "ials"):
        updated = rp.update(pruned[name], growing.parts[0], how="anew")
        values = [
            sum(int(torch.count_nonzero(t)) for t in model.prunable().values()) for model in (pruned[name], updated)
        ]
        assert values[0] == values[1]


def test_products_that_are_added_to_are_those_of_everything(growing, tmp_path, capsys):
    dense = rp.models.EASE(l2=50.0).fit(growing.train)
    model = pruned_to(dense, growing.train, 0.2)
    model.save(tmp_path / "model", statistics=True)
    assert "statistics for updates take" in capsys.readouterr().err
    updated = rp.load_model(tmp_path / "model")
    assert updated.statistics["gram"].dtype == torch.int32
    by_hand = model.clone()
    for w, window in enumerate(growing.parts):
        updated = rp.update(updated, window)
        by_hand.refit(growing.before(w + 1), support(model))
        np.testing.assert_array_equal(updated.arrays["item_item"].numpy(), by_hand.arrays["item_item"].numpy())
    products = growing.log.toarray().astype(np.float64)
    np.testing.assert_array_equal(updated.statistics["gram"].numpy(), products.T @ products)


def test_a_dense_ease_is_what_it_would_be_trained_on_everything(growing):
    updated = rp.update(rp.models.EASE(l2=50.0).fit(growing.train), growing.parts[0])
    fresh = rp.models.EASE(l2=50.0).fit(growing.before(1))
    np.testing.assert_array_equal(updated.arrays["item_item"].numpy(), fresh.arrays["item_item"].numpy())


def test_lists_of_neighbours_stay_and_their_similarities_are_those_of_everything(growing):
    knn = rp.models.ItemKNN(neighbours=growing.log.n_items, similarity="bm25").fit(growing.train)
    updated, fresh = rp.update(knn, growing.parts[0]), replace(knn).fit(growing.before(1))
    there = knn.arrays["item_item"].toarray() != 0
    found, right = (model.arrays["item_item"].toarray() for model in (updated, fresh))
    np.testing.assert_allclose(found[there], right[there], rtol=1e-4)
    assert not found[~there].any()


def test_folding_in_leaves_those_alone_to_whom_nothing_happened(growing):
    model = rp.models.IALS(factors=8, l2=5.0, iterations=3).fit(growing.train)
    window = growing.parts[0].select(growing.parts[0].user == growing.parts[0].user[0])
    updated = rp.update(model, window)
    others = np.setdiff1d(np.arange(model.n_users), window.user)
    np.testing.assert_array_equal(
        everything(updated)[others][:, np.setdiff1d(np.arange(model.n_items), window.item)],
        everything(model)[others][:, np.setdiff1d(np.arange(model.n_items), window.item)],
    )
    user = window.user[0]
    assert not torch.equal(updated.arrays["user_factors"][user], model.arrays["user_factors"][user])


def test_a_quantized_model_stays_in_its_format(pruned, growing):
    tiny = rp.quantize(pruned["ease"], "int8")
    assert rp.update(tiny, growing.parts[0]).values == "int8"


def test_what_cannot_be_is_said(pruned, growing, log):
    model, window = pruned["ease"], growing.parts[0]
    with pytest.raises(ValueError, match="how is 'valeus'; known: frozen, values, support, anew"):
        rp.update(model, window, how="valeus")
    with pytest.raises(ValueError, match="epochs is 0; a whole number from 1 on"):
        rp.update(model, window, epochs=0)
    with pytest.raises(TypeError, match="a window is Interactions"):
        rp.update(model, window.tocsr())
    with pytest.raises(TypeError, match="a trained recommender is needed"):
        rp.update("model", window)
    with pytest.raises(ValueError, match="users that is not the model's|items that is not the model's"):
        rp.update(model, log.select(log.user > 5).compress())
    with pytest.raises(ValueError, match="not trained"):
        rp.update(rp.models.EASE(), window)
    tree = REGISTRY["tree"](factors=4, max_leaf_nodes=10, min_samples_leaf=20).fit(growing.train)
    with pytest.raises(ValueError, match="tree: its values cannot be updated"):
        rp.update(tree, window)


def test_new_pairs_alone_are_taken_in(pruned, growing):
    model, window = pruned["ease"], growing.parts[0]
    joined = taken_in(model, growing.before(1))
    np.testing.assert_array_equal(joined.toarray(), growing.before(1).toarray())
    assert joined.weight is None and taken_in(model, window).nnz == growing.before(1).nnz


def test_the_lines_of_the_docstring(log, tmp_path, monkeypatch):
    from recprune import growth

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rp, "load", {"ml-100k": log}.get)
    lines = growth.__doc__.split("\n\n")[1].replace("core=10", "core=5")
    made: dict = {"rp": rp}
    exec(lines, made)  # the module's own example
    assert made["small"].recommend([0, 1, 2], k=20).shape == (3, 20)
    assert made["small"].history.nnz == made["log"].log.nnz
