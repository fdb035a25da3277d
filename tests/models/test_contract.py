"""One contract, held by every registered recommender."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from recprune.evaluation import evaluate, footprint
from recprune.models import REGISTRY, ModelFileError, build, load_model
from recprune.models.parts.lost_rows import KEPT

SMALL = {
    "item-knn": {"neighbours": 30},
    "ials": {"factors": 8, "l2": 5.0, "iterations": 5},
    "bpr": {"factors": 8, "epochs": 25, "batch_size": 256, "learning_rate": 0.02},
    "ease": {"l2": 50.0},
    "elsa": {"factors": 8, "epochs": 40, "batch_size": 32, "learning_rate": 0.01},
    "neumf": {"factors": 8, "hidden": (16, 8), "epochs": 15, "batch_size": 512, "learning_rate": 0.01},
    "mult-vae": {"hidden": 32, "latent": 8, "epochs": 40, "batch_size": 32, "learning_rate": 0.005},
    "dlrm": {"factors": 8, "hidden": (8, 4), "epochs": 40, "batch_size": 20, "learning_rate": 0.01},
    "sasrec": {"factors": 16, "hidden": 16, "epochs": 40, "batch_size": 16, "learning_rate": 0.005},
    "tree": {"factors": 4, "max_leaf_nodes": 60, "min_samples_leaf": 20},
}
NAMES = sorted(REGISTRY)
GRADIENT = ("bpr", "elsa", "neumf", "mult-vae", "dlrm", "sasrec")
BIASED = ("mult-vae", "dlrm")  # their biases still rank when everything prunable is zero


def make(name, split, seed=0, **more):
    return build(name, **SMALL.get(name, {}) | more).fit(
        split.train, validation=split.validation, seed=seed, fold_in=split.fold_in("validation")
    )


@pytest.fixture(scope="module")
def fitted(ratio):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield {name: make(name, ratio) for name in NAMES}
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", NAMES)
class TestContract:
    def test_scores_are_finite_floats_of_the_catalogue(self, name, fitted, ratio):
        scores = fitted[name].score([3, 0, 5])
        assert scores.shape == (3, ratio.n_items)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()

    def test_scores_do_not_depend_on_who_else_is_scored(self, name, fitted):
        alone = np.concatenate([fitted[name].score([u]) for u in (7, 2)])
        np.testing.assert_allclose(fitted[name].score([7, 2]), alone, rtol=0, atol=1e-5)

    def test_recommends_unseen_items_in_order_of_score(self, name, fitted, ratio):
        users = np.arange(ratio.n_users)
        lists, scores = fitted[name].recommend(users, k=5), fitted[name].score(users)
        seen = ratio.train.toarray() > 0
        for u in users:
            assert not seen[u, lists[u]].any()
            assert len(set(lists[u].tolist())) == 5
            assert (np.diff(scores[u, lists[u]]) <= 0).all()
            assert scores[u, lists[u]].min() >= np.delete(scores[u], np.r_[lists[u], np.flatnonzero(seen[u])]).max()

    def test_k_beyond_the_catalogue_ends_in_minus_one(self, name, fitted, ratio):
        lists = fitted[name].recommend([0], k=ratio.n_items + 3)
        unseen = ratio.n_items - len(set(ratio.train.item[ratio.train.user == 0].tolist()))
        assert (lists[0, :unseen] >= 0).all()
        assert (lists[0, unseen:] == -1).all()

    def test_same_seed_same_scores_at_one_thread(self, name, fitted, ratio):
        users = np.arange(ratio.n_users)
        np.testing.assert_array_equal(fitted[name].score(users), make(name, ratio).score(users))

    def test_saved_and_loaded_scores_are_the_same(self, name, fitted, ratio, tmp_path):
        fitted[name].save(tmp_path / "model")
        again = load_model(tmp_path / "model")
        users = np.arange(ratio.n_users)
        np.testing.assert_array_equal(fitted[name].score(users), again.score(users))
        np.testing.assert_array_equal(fitted[name].recommend(users, 7), again.recommend(users, 7))
        assert again.hyperparameters() == fitted[name].hyperparameters()
        assert footprint(again) == footprint(fitted[name])
        assert again.users.tolist() == ratio.users.tolist()
        assert again.titles.tolist() == ratio.train.titles(np.arange(ratio.n_items))

    def test_saving_twice_gives_the_same_bytes(self, name, fitted, tmp_path):
        for copy in ("a", "b"):
            fitted[name].save(tmp_path / copy)
        for file in ("model.safetensors", "model.json", "history.safetensors"):
            assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()

    def test_saving_over_a_model_replaces_it_and_over_anything_else_does_not(self, name, fitted, tmp_path):
        fitted[name].save(tmp_path / "model")
        fitted[name].save(tmp_path / "model")
        assert load_model(tmp_path / "model").name == name
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.tex").write_text("years of work")
        with pytest.raises(ModelFileError, match="not a saved model"):
            fitted[name].save(tmp_path / "mine")
        assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.tex"]

    def test_clone_shares_nothing_that_is_learned(self, name, fitted, ratio):
        before = fitted[name].score([1])
        clone = fitted[name].clone()
        for tensor in clone.prunable().values():
            tensor.zero_()
        np.testing.assert_array_equal(fitted[name].score([1]), before)

    def test_prunable_tensors_are_the_models_own_memory(self, name, fitted, ratio):
        clone = fitted[name].clone()
        if not clone.prunable():
            pytest.skip("nothing to prune")
        for tensor in clone.prunable().values():
            assert tensor.device.type == "cpu"
            tensor.zero_()
        assert np.ptp(clone.score([1])) == pytest.approx(0, abs=1e-6) or name in BIASED
        assert not np.array_equal(clone.score([1]), fitted[name].score([1]))

    def test_compact_of_a_dense_model_scores_the_same(self, name, fitted, ratio):
        users = np.arange(ratio.n_users)
        np.testing.assert_allclose(fitted[name].compact().score(users), fitted[name].score(users), rtol=0, atol=1e-5)

    def test_a_compact_model_shares_no_array_with_the_model_it_was_made_of(self, name, fitted):
        def memory(array):
            return array.numpy() if isinstance(array, torch.Tensor) else array.data

        dense = fitted[name]
        for key, array in dense.compact().arrays.items():
            assert not np.shares_memory(memory(array), memory(dense.arrays[key])), key

    def test_a_cut_dimension_scores_like_zeros(self, name, fitted, ratio):
        users = np.arange(ratio.n_users)
        for unit, dimensions in fitted[name].structure().items():
            if unit in (*KEPT, "split"):  # no zeros to cut: see test_rows.py, test_tree.py
                continue
            for dimension, places in dimensions.items():
                zeros = fitted[name].clone()
                for array, axis in places:
                    zeros.arrays[array].index_fill_(axis, torch.tensor([1, 3]), 0.0)
                small = zeros.compact()
                for array, axis in places:
                    assert small.arrays[array].shape[axis] == zeros.arrays[array].shape[axis] - 2, (unit, dimension)
                np.testing.assert_allclose(small.score(users), zeros.score(users), rtol=0, atol=1e-5)

    def test_folding_in(self, name, fitted, ratio, strong):
        history = ratio.train.tocsr()[[4, 9]]
        if not fitted[name].folds_in:
            with pytest.raises(ValueError, match="cannot fold in"):
                fitted[name].fold_in(history)
            return
        assert fitted[name].fold_in(history).shape == (2, ratio.n_items)
        with pytest.raises(ValueError, match="histories have 3 items"):
            fitted[name].fold_in(sparse.csr_array((1, 3)))
        held_out = make(name, strong)
        assert evaluate(held_out, strong, on="test").mean["ndcg@10"] > 0

    def test_a_user_without_a_history_gets_scores(self, name, fitted, strong):
        model = make(name, strong) if REGISTRY[name].folds_in else build(name, **SMALL.get(name, {})).fit(strong.train)
        nobody = np.flatnonzero(np.diff(strong.train.tocsr().indptr) == 0)[:1]
        assert np.isfinite(model.score(nobody)).all()
        assert (model.recommend(nobody, 5) >= 0).all()

    def test_an_empty_history_is_scored_alike_everywhere(self, name, fitted, ratio):
        model, empty = fitted[name], sparse.csr_array((1, ratio.n_items), dtype=np.float32)
        if not model.folds_in:
            pytest.skip("cannot fold in")
        scores = model.fold_in(empty)
        assert scores.shape == (1, ratio.n_items) and np.isfinite(scores).all()
        np.testing.assert_array_equal(model.fold_in(empty), scores)
        np.testing.assert_allclose(model.compact().fold_in(empty), scores, rtol=0, atol=1e-5)
        known = ratio.train.sequences()[[4, 9]]
        together = model.fold_in(sparse.vstack([known[[0]], empty, known[[1]]], format="csr"))
        np.testing.assert_allclose(together[1:2], scores, rtol=0, atol=1e-5)
        np.testing.assert_allclose(together[[0, 2]], model.fold_in(known), rtol=0, atol=1e-5)
        if "user-row" in model.structure():
            return  # a user it was trained on is scored by the row
        nobody = model.clone()
        nobody.history = empty
        np.testing.assert_allclose(nobody.score([0]), scores, rtol=0, atol=1e-5)

    def test_an_empty_history_is_not_that_of_an_item(self, name, fitted, ratio):
        model = fitted[name]
        if not model.folds_in or name == "popularity":
            pytest.skip("reads no history")
        empty = model.fold_in(sparse.csr_array((1, ratio.n_items), dtype=np.float32))
        single = model.fold_in(sparse.csr_array(np.eye(ratio.n_items, dtype=np.float32)))
        told = (np.abs(single - empty) > 1e-4).any(axis=1)  # an item that no user has says nothing
        assert told[np.unique(ratio.train.item)].all()

    def test_smaller_is_smaller(self, name, fitted, ratio):
        if name in ("popularity", "random"):
            with pytest.raises(ValueError, match="no smaller dense form"):
                fitted[name].smaller(0.5)
            return
        small = fitted[name].smaller(0.5).fit(ratio.train, ratio.validation, seed=0)
        share = footprint(small).parameters / footprint(fitted[name]).parameters
        assert 0.3 < share < 0.7

    def test_unknown_users_and_untrained_models_are_refused(self, name, fitted, ratio, tmp_path):
        with pytest.raises(ValueError, match="user codes run from 0 to"):
            fitted[name].score([ratio.n_users])
        for act in (lambda m: m.score([0]), lambda m: m.recommend([0]), lambda m: m.save(tmp_path / "m")):
            with pytest.raises(ValueError, match="not trained"):
                act(build(name))

    def test_the_registry_knows_it(self, name, fitted):
        assert fitted[name].name == name
        assert fitted[name].family in ("cf", "deep", "other")
        assert name in repr(fitted[name]).lower() or type(fitted[name]).__name__ in repr(fitted[name])


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"random", "popularity"}))
def test_finds_the_item_that_the_checkerboard_hides(name, checkerboard):
    longer = {"epochs": 100} if name in GRADIENT else {}
    longer |= {"neumf": {"epochs": 250, "dropout": 0.0}, "tree": {"factors": 2}}.get(name, {})  # two groups: rank 2
    timed = replace(checkerboard, timestamp=np.random.default_rng(0).permutation(checkerboard.nnz))
    model = build(name, **SMALL.get(name, {}) | longer).fit(timed, seed=0)
    users = np.arange(20)
    best = model.recommend(users, k=1)[:, 0]
    assert (best == users).mean() >= 0.9


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"random", "popularity"}))
def test_beats_popularity_which_beats_random(name, fitted, ratio):
    found = {n: evaluate(fitted[n], ratio, on="validation").mean["ndcg@20"] for n in (name, "popularity", "random")}
    assert found[name] > found["popularity"] > found["random"]


@pytest.mark.parametrize("name", GRADIENT)
def test_the_best_epoch_is_restored(name, ratio):
    model = make(name, ratio)
    best = max(row["val_ndcg@10"] for row in model.train_log)
    assert evaluate(model, ratio, on="validation", k=10).mean["ndcg@10"] == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("name", GRADIENT)
def test_a_learning_rate_that_explodes_is_reported(name, ratio):
    with pytest.raises(ValueError, match="a lower learning_rate is needed"):
        make(name, ratio, learning_rate=1e25, epochs=20)


def test_unknown_names_list_the_known():
    with pytest.raises(ValueError, match="unknown model 'svd'; known: popularity, random"):
        build("svd")
    with pytest.raises(ValueError, match="ease: unknown hyper-parameter 'lambda'; known: l2, max_items"):
        build("ease", **{"lambda": 1.0})


def test_a_damaged_or_missing_model_is_named(ratio, tmp_path):
    with pytest.raises(ModelFileError, match="no saved model here"):
        load_model(tmp_path / "nowhere")
    make("ease", ratio).save(tmp_path / "m")
    whole = (tmp_path / "m" / "model.safetensors").read_bytes()
    (tmp_path / "m" / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError, match="damaged model"):
        load_model(tmp_path / "m")
    (tmp_path / "m" / "model.json").write_text('{"format": 1, "model": "svd"}')
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "m")
