"""Units: what a pool numbers, masks of it, and the pattern N of M."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.evaluation import footprint
from recprune.models import BPR, EASE, IALS, ItemKNN, MultVAE, NeuMF, Popularity, load_model
from recprune.pruning import SCHEDULES, prune, units
from recprune.pruning.select import Ranking
from recprune.pruning.units import M, Pool

MODELS = {
    "ease": EASE(l2=50.0),
    "ials": IALS(factors=8, l2=5.0, iterations=3),
    "bpr": BPR(factors=10, epochs=2, batch_size=256),  # 10 = 2 blocks and a rest of 2
    "neumf": NeuMF(factors=8, hidden=(12, 6), epochs=1, batch_size=512),
    "mult-vae": MultVAE(hidden=24, latent=9, epochs=2, batch_size=32),
}


@pytest.fixture(scope="module")
def dense(ratio):
    return {name: model.fit(ratio.train, ratio.validation, seed=0) for name, model in MODELS.items()}


class Matrices:
    """A model that is nothing but matrices."""

    def __init__(self, *shapes, seed=0):
        generator = torch.Generator().manual_seed(seed)
        self.arrays = {f"w{i}": torch.randn(shape, generator=generator) for i, shape in enumerate(shapes)}

    def prunable(self):
        return self.arrays


def by_block(array) -> torch.Tensor:
    """(rows x blocks x M): the whole blocks of a matrix."""
    return array[:, : array.shape[1] // M * M].reshape(len(array), -1, M)


shapes = st.lists(st.tuples(st.integers(1, 6), st.integers(M, 14)), min_size=1, max_size=3)


@given(shapes, st.integers(1, M), st.lists(st.floats(0.3, 1), max_size=3), st.integers(0, 9))
@settings(max_examples=80)
def test_exactly_n_of_every_block_stay_whatever_the_rounds_before(shapes, n, rounds, seed):
    """And they are the n best of it; the ends of rows stay whole."""
    model = Matrices(*shapes, seed=seed)
    pool = Pool.of(model, "n-of-m")
    scores = pool.flat({name: array.abs() for name, array in model.arrays.items()})
    alive = pool.present
    for share in [*sorted((r for r in rounds if r > n / M), reverse=True), n / M]:
        alive = Ranking(scores, seed, pool.groups("global"), alive).first(round(share * pool.n))
    assert alive.sum() == pool.how_many(n / M) == n * sum(rows * (columns // M) for rows, columns in shapes)
    for name, mask in pool.masks(model, alive | ~pool.present).items():
        array = model.arrays[name]
        assert (by_block(mask).sum(-1) == n).all()
        assert mask[:, array.shape[1] // M * M :].all()
        weight = by_block(array).abs()
        least = weight.masked_fill(~by_block(mask), torch.inf).amin(-1)
        assert (least >= weight.masked_fill(by_block(mask), 0).amax(-1)).all()


@pytest.mark.parametrize("keep", [0.1, 0.3, 0.6, 0.99])
def test_shares_between_the_patterns_are_refused(keep):
    with pytest.raises(ValueError, match=r"of every 4 weights a whole number stays: 0.25, 0.5, 0.75, 1"):
        Pool.of(Matrices((20, 40)), "n-of-m").how_many(keep)
    assert Pool.of(Matrices((20, 40)), "weight").how_many(keep) == round(800 * keep)


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
def test_models_are_pruned_to_the_pattern(name, schedule, dense, ratio, tmp_path):
    pruned = prune(dense[name], ratio, unit="n-of-m", keep=0.5, schedule=schedule, recovery=dense[name].recoveries[1])
    for array, mask in pruned.masks.items():
        assert (by_block(mask).sum(-1) == 2).all()
        assert (pruned.model.arrays[array][~mask] == 0).all()
    users, small = np.arange(ratio.n_users), pruned.compact()
    np.testing.assert_allclose(small.score(users), pruned.score(users), rtol=0, atol=1e-5)
    small.save(tmp_path / "small")
    np.testing.assert_array_equal(load_model(tmp_path / "small").score(users), small.score(users))
    assert footprint(small).bytes_disk < 0.75 * footprint(dense[name]).bytes_disk


def test_a_pool_of_rows_holds_all_of_a_user_or_item(dense):
    found = units.values(dense["mult-vae"], "item-row")
    a = dense["mult-vae"].arrays
    expected = torch.cat([a["encoder.weight"], a["output.weight"], a["output.bias"][:, None]], 1)
    torch.testing.assert_close(found["items"], expected)
    b = dense["ease"].arrays["item_item"]
    torch.testing.assert_close(units.values(dense["ease"], "item-row")["items"], torch.cat([b, b.T], 1))


def test_rows_of_sparse_lists_are_those_of_the_dense_matrix(ratio):
    """An item-kNN and the same matrix held dense, as in EASE: the same units, and the same is left of them."""
    knn, ease = ItemKNN(neighbours=9).fit(ratio.train), EASE().fit(ratio.train)
    ease.arrays["item_item"] = torch.from_numpy(knn.arrays["item_item"].toarray())
    pools = [Pool.of(model, "item-row") for model in (knn, ease)]
    np.testing.assert_array_equal(pools[0].present, pools[1].present)
    torch.testing.assert_close(units.values(knn, "item-row"), units.values(ease, "item-row"))
    keep = Ranking(np.zeros(ratio.n_items), 0).first(ratio.n_items // 2)
    torch.testing.assert_close(units.norms(knn, "item-row"), units.norms(ease, "item-row"))
    for model, pool in zip((knn, ease), pools, strict=True):
        units.apply(model, pool.masks(model, keep))
    np.testing.assert_array_equal(knn.arrays["item_item"].toarray(), ease.arrays["item_item"])
    np.testing.assert_array_equal(knn.score([0, 3]), ease.score([0, 3]))


@pytest.mark.parametrize("span", [1, 100, 30_000])
@pytest.mark.parametrize("unit", ["weight", "item-row"])
def test_spans_of_a_large_array_give_the_same(unit, span, dense, monkeypatch):
    """And a mask is applied as a product is: the sign of what goes is kept."""
    model = dense["ease"]
    norms, pool = units.norms(model, unit), Pool.of(model, unit)
    masks = pool.masks(model, Ranking(pool.flat(norms), 0).first(pool.n // 3))
    monkeypatch.setattr(units, "SPAN", span)
    for name, norm in units.norms(model, unit).items():
        np.testing.assert_array_equal(norm.view(torch.int32), norms[name].view(torch.int32))
    np.testing.assert_array_equal(Pool.of(model, unit).present, pool.present)
    cut = model.clone()
    units.apply(cut, masks)
    expected = model.arrays["item_item"] * masks["item_item"]
    np.testing.assert_array_equal(cut.arrays["item_item"].view(torch.int32), expected.view(torch.int32))


@pytest.mark.parametrize("keep", [0.5, 1.0])
def test_what_is_pruned_shares_no_memory_with_the_model(keep, dense, ratio):
    model = dense["ease"]
    before = model.arrays["item_item"].clone()
    prune(model, ratio, keep=keep).model.arrays["item_item"].zero_()
    np.testing.assert_array_equal(model.arrays["item_item"], before)


def test_the_lists_of_a_matrix_are_its_columns(dense, ratio):
    """Said once for all rows, and the same as said for each weight."""
    model = dense["ease"]
    scores, pool = units.norms(model, "neighbour")["item_item"].numpy(), Pool.of(model, "neighbour")
    np.testing.assert_array_equal(pool.lists, np.arange(ratio.n_items))
    every = np.tile(pool.lists, ratio.n_items)
    for share in (0.7, 0.1, 0.01):
        k = pool.how_many(share)
        keep = Ranking(scores, 0, pool.groups("global"), pool.present).first(k)
        np.testing.assert_array_equal(keep, Ranking(scores, 0, every, pool.present).first(k))
        assert np.ptp(keep.reshape(-1, ratio.n_items).sum(0)) <= 1


def test_a_model_has_the_units_that_its_arrays_make(dense, ratio):
    has = {name: {u for u in units.UNITS if units.there(model, u)} for name, model in dense.items()}
    rows, entries = {"user-row", "item-row"}, {"weight", "n-of-m"}
    assert has["ease"] == {*entries, "neighbour", "item-row"}
    assert has["ials"] == has["bpr"] == {*entries, "factor", *rows}
    assert has["neumf"] == {*entries, "factor", "neuron", *rows}
    assert has["mult-vae"] == {*entries, "factor", "neuron", "item-row"}
    lists = ItemKNN(neighbours=3).fit(ratio.train)
    assert {u for u in units.UNITS if units.there(lists, u)} == {"weight", "neighbour", "item-row"}
    assert not any(units.there(Popularity().fit(ratio.train), u) for u in units.UNITS)
