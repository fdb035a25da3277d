"""Users and items without a row: one score, masked, compact or loaded; no such item listed; the declared fallback."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recprune.evaluation import evaluate, footprint
from recprune.models import BPR, DLRM, EASE, IALS, ItemKNN, MultVAE, NeuMF, Popularity, SASRec, load_model
from recprune.models.parts import lost_rows
from recprune.pruning import prune, units

MODELS = {
    "item-knn": ItemKNN(neighbours=20),
    "ease": EASE(l2=50.0),
    "ials": IALS(factors=8, l2=0.05, iterations=3, nu=1.0),
    "bpr": BPR(factors=8, epochs=4, batch_size=256),
    "neumf": NeuMF(factors=8, hidden=(12, 6), epochs=2, batch_size=512),
    "mult-vae": MultVAE(hidden=24, latent=8, epochs=4, batch_size=32),
    "dlrm": DLRM(factors=8, hidden=(12, 6), epochs=2, batch_size=32),
    "sasrec": SASRec(factors=8, hidden=16, max_length=20, epochs=2, batch_size=32),
}
HAVE_USERS = ("ials", "bpr", "neumf", "dlrm")
CASES = [(name, "item-row") for name in MODELS] + [(name, "user-row") for name in HAVE_USERS]


@pytest.fixture(scope="module")
def dense(ratio):
    return {name: model.fit(ratio.train, ratio.validation, seed=0) for name, model in MODELS.items()}


def cut(model, unit, gone):
    """A copy of the model without the rows at `gone`, and the masks."""
    model = model.clone()
    pool = units.Pool.of(model, unit)
    keep = np.ones(len(pool.present), bool)
    keep[gone] = False
    masks = pool.masks(model, keep)
    units.apply(model, masks)
    return model, masks


def test_every_model_with_a_table_has_its_rows(dense):
    found = [(name, unit) for unit in lost_rows.KEPT for name, model in dense.items() if units.there(model, unit)]
    assert sorted(found) == sorted(CASES)
    assert not units.there(Popularity(), "item-row")
    assert not units.there(DLRM(user_id=False), "user-row")


@pytest.mark.parametrize(("name", "unit"), CASES)
class TestRows:
    def test_masked_compact_and_loaded_score_alike_after_every_recovery(self, name, unit, dense, ratio, tmp_path):
        users = np.arange(ratio.n_users)
        for recovery in dense[name].recoveries:
            pruned = prune(dense[name], ratio, criterion="random", unit=unit, keep=0.4, recovery=recovery, seed=1)
            n = ratio.n_items if unit == "item-row" else ratio.n_users
            assert pruned.model._n_rows(unit) == n - pruned.removed
            small = pruned.compact()
            assert len(small.arrays[lost_rows.KEPT[unit]]) == pruned.model._n_rows(unit)
            np.testing.assert_allclose(small.score(users), pruned.score(users), rtol=0, atol=1e-5)
            for part, model in (("masked", pruned.model), ("small", small)):
                model.save(tmp_path / recovery / part)
                np.testing.assert_array_equal(load_model(tmp_path / recovery / part).score(users), model.score(users))

    def test_the_compact_form_is_smaller_and_costs_the_same_to_score(self, name, unit, dense, ratio):
        pruned = prune(dense[name], ratio, criterion="random", unit=unit, keep=0.4)
        costs = [footprint(m) for m in (dense[name], pruned.model, pruned.compact())]
        assert costs[2].bytes_disk < costs[0].bytes_disk
        assert costs[2].bytes_memory < costs[0].bytes_memory
        assert costs[2].nonzeros == costs[1].nonzeros
        assert costs[2].macs == costs[1].macs

    def test_rounds_end_at_the_same_count(self, name, unit, dense, ratio):
        pruned = prune(dense[name], ratio, unit=unit, keep=0.3, schedule="linear", rounds=3)
        pool = units.Pool.of(dense[name], unit)
        assert pruned.removed == pool.n - round(0.3 * pool.n)
        assert pruned.model._n_rows(unit) == len(pool.present) - pruned.removed

    def test_without_a_cut_nothing_is_declared(self, name, unit, dense):
        model, masks = cut(dense[name], unit, [])
        assert not set(masks) & set(lost_rows.DECLARED)
        assert set(model.arrays) == set(dense[name].arrays)


@pytest.mark.parametrize("name", sorted(MODELS))
class TestItems:
    def test_a_dropped_item_is_never_recommended(self, name, dense, ratio):
        gone = np.arange(0, ratio.n_items, 3)
        users = np.arange(ratio.n_users)
        masked, _ = cut(dense[name], "item-row", gone)
        for model in (masked, masked.compact()):
            scores = model.score(users)
            assert np.isneginf(scores[:, gone]).all()
            assert np.isfinite(np.delete(scores, gone, axis=1)).all()
            assert not np.isin(model.recommend(users, k=ratio.n_items), gone).any()
            found = evaluate(model, ratio, on="test", k=10)
            assert not np.isin(found.lists, gone).any()

    def test_histories_are_read_as_if_dropped_items_were_not_in_them(self, name, dense, ratio):
        gone = np.arange(0, ratio.n_items, 3)
        masked, _ = cut(dense[name], "item-row", gone)
        if not dense[name].folds_in:
            left = np.delete(np.arange(ratio.n_items), gone)  # reads none: what stays is scored as before
            np.testing.assert_allclose(masked.score([0, 1])[:, left], dense[name].score([0, 1])[:, left], atol=1e-6)
            return
        history = (ratio.train.sequences() if dense[name].needs_times else ratio.train.tocsr())[:9]
        there = ~np.isin(history.indices, gone)
        indptr = np.append(0, np.cumsum(there))[history.indptr]
        without = sparse.csr_array((history.data[there], history.indices[there], indptr), shape=history.shape)
        for model in (masked, masked.compact()):
            np.testing.assert_array_equal(model.fold_in(history), model.fold_in(without))


@pytest.mark.parametrize("name", HAVE_USERS)
def test_a_dropped_user_gets_the_declared_fallback_and_the_others_what_they_got(name, dense, ratio):
    gone = np.arange(1, ratio.n_users, 2)
    stay = np.setdiff1d(np.arange(ratio.n_users), gone)
    masked, _ = cut(dense[name], "user-row", gone)
    for model in (masked, masked.compact()):
        np.testing.assert_allclose(model.score(stay), dense[name].score(stay), rtol=0, atol=1e-5)
        if name == "ials":  # folded in from the history
            expected = dense[name].fold_in(ratio.train.tocsr()[gone])
            np.testing.assert_allclose(model.score(gone), expected, rtol=0, atol=1e-5)
        elif name == "dlrm":  # the id is at zero, as for a new user; history and attributes describe it
            zeros = dense[name].clone()
            zeros.arrays["user.id"].zero_()
            np.testing.assert_allclose(model.score(gone), zeros.score(gone), rtol=0, atol=1e-5)
        else:
            popularity = np.bincount(ratio.train.item, minlength=ratio.n_items)
            np.testing.assert_array_equal(model.score(gone), np.tile(popularity, (len(gone), 1)))
            assert "popularity" in model.parameters()


def test_users_and_items_can_both_go(dense, ratio):
    for name in HAVE_USERS:
        masked, _ = cut(cut(dense[name], "user-row", [0, 7])[0], "item-row", [2, 3])
        small, users = masked.compact(), np.arange(ratio.n_users)
        np.testing.assert_allclose(small.score(users), masked.score(users), rtol=0, atol=1e-5)
        assert np.isneginf(small.score(users)[:, [2, 3]]).all()
        assert "popularity" not in small.arrays or len(small.arrays["popularity"]) == ratio.n_items - 2


def test_removing_items_from_ease_and_refitting_is_the_model_of_the_others(ratio, dense):
    """The ridge regression on the items that stay: what EASE is when fitted to their columns alone."""
    gone = np.arange(0, ratio.n_items, 4)
    model, masks = cut(dense["ease"], "item-row", gone)
    model.refit(ratio.train, masks)
    left = np.setdiff1d(np.arange(ratio.n_items), gone)
    alone = ratio.train.select(np.isin(ratio.train.item, left)).compress()
    expected = EASE(l2=50.0).fit(alone).arrays["item_item"]
    np.testing.assert_allclose(model.compact().arrays["item_item"], expected, atol=1e-6)


def test_there_is_nothing_to_learn_from_what_has_no_row(dense, ratio):
    both = cut(cut(dense["bpr"], "user-row", [0])[0], "item-row", [2])[0].trainable(ratio.train)
    assert not (both.user == 0).any() and not (both.item == 2).any()
    assert both.nnz == ((ratio.train.user != 0) & (ratio.train.item != 2)).sum()
    assert (
        cut(dense["dlrm"], "user-row", [0])[0].trainable(ratio.train).user == 0
    ).any()  # it is described by its history
    assert dense["bpr"].trainable(ratio.train) is ratio.train


@given(st.integers(1, 12), st.integers(1, 9), st.data())
@settings(max_examples=60)
def test_restricting_and_spreading_follow_the_codes(n_items, n, data):
    """Restricted to the rows, then spread again: the columns that stay, in place, in the entries' own order."""
    keep = torch.tensor(data.draw(st.lists(st.booleans(), min_size=n_items, max_size=n_items)))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    matrix = rng.integers(0, 3, (n, n_items)).astype(np.float32)
    histories = sparse.csr_array(matrix)
    backwards = sparse.csr_array(  # a row's entries in any order: of time, in SASRec
        (histories.data[::-1].copy(), histories.indices[::-1].copy(), histories.nnz - histories.indptr[::-1]),
        shape=matrix.shape,
    )
    for kept in (lost_rows.all_kept(n_items) * keep, (lost_rows.all_kept(n_items) * keep)[keep]):  # masked, compact
        small = lost_rows.restricted(histories, kept)
        assert small.shape == (n, len(kept))
        again = lost_rows.spread(small.toarray(), kept, n_items)
        np.testing.assert_array_equal(again, np.where(keep, matrix, -np.inf))
        turned = lost_rows.restricted(backwards, kept)
        assert turned.indices.tolist() == small.indices[::-1].tolist()
        np.testing.assert_array_equal(lost_rows.of_codes(kept, n_items) >= 0, keep)
