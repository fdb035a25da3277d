"""A turned basis: the same scores, entries of like size, and less lost in four bits."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import recprune as rp
from recprune.models import BPR, ELSA, IALS, quantize
from recprune.models.disk import formats
from recprune.models.parts import ops
from recprune.models.parts.rotation import distance, evened, is_full


def table(seed, rows, width):
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 40))
def test_dot_products_and_lengths_stay(seed, rows, width):
    users, items = table(seed, rows, width), table(seed + 1, rows, width)
    turned = evened(users) @ evened(items).T
    torch.testing.assert_close(turned, users @ items.T, atol=1e-5 * width, rtol=1e-5)
    torch.testing.assert_close(evened(users).norm(dim=1), users.norm(dim=1), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("width", [1, 2, 33, 64])
def test_what_lies_on_one_axis_is_spread_over_all(width):
    turned = evened(torch.eye(width))
    torch.testing.assert_close(turned @ turned.T, torch.eye(width), atol=1e-6, rtol=0)
    assert float(turned.abs().max()) <= (2 / width) ** 0.5 + 1e-6


def test_a_table_with_pruned_entries_is_not_turned():
    full = table(0, 4, 5)
    assert is_full(full)
    full[2] = 0  # a user without a history
    assert is_full(full) and not evened(full)[2].any()
    full[1, 3] = 0
    assert not is_full(full)
    assert not is_full(ops.to_csr(full))


@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 9), st.integers(1, 8))
def test_the_distance_is_that_of_the_products(seed, n, m, width):
    u, v, x, y = (table(seed + i, rows, width) for i, rows in enumerate((n, m, n, m)))
    expected = float((u.double() @ v.double().T - x.double() @ y.double().T).square().sum())
    assert distance((u, v), (x, y)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


MODELS = [IALS(factors=16, iterations=4, l2=0.5), BPR(factors=16, epochs=6), ELSA(factors=16, epochs=4)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_four_bits_never_lose_more_than_in_the_basis_that_was_there(model, ratio):
    model.fit(ratio.train, ratio.validation, seed=0)
    cut = rp.prune(model, ratio, unit="factor", criterion="principal-axes", keep=0.5, recovery="none").compact()
    tables = [cut.arrays[name] for name in model.products]
    plain = distance(tables, [formats.rounded(one, "int4") for one in tables])
    small = quantize(cut, "int4")
    assert distance(tables, [ops.dense(small.arrays[name]) for name in model.products]) <= plain * (1 + 1e-9)


@pytest.mark.parametrize(("shrinking", "is_turned"), [(1.0, None), (0.9, True), (0.8, True), (0.01, False)])
def test_the_basis_that_loses_less_is_taken(shrinking, is_turned, ratio):
    model = IALS(factors=32, iterations=1).fit(ratio.train, seed=0)
    length = shrinking ** torch.arange(32)  # axes carry less and less, as principal ones do; at .01 hardly one is left
    tables = [table(seed, 200, 32) * length for seed in (0, 1)]
    model.arrays = dict(zip(model.products, tables, strict=True))
    evens = [evened(one) for one in tables]
    plain, turned = (distance(exact, [formats.rounded(one, "int4") for one in exact]) for exact in (tables, evens))
    if is_turned is not None:
        assert (turned < 0.75 * plain) if is_turned else (plain < 0.75 * turned)
    small = quantize(model, "int4")
    exact = tables if plain <= turned else evens
    wide = [torch.nn.functional.pad(one, (0, 32 - one.shape[1])) for one in small.arrays.values()]  # zeros are cut out
    assert distance(exact, wide) == pytest.approx(min(plain, turned), rel=1e-6)


def test_pruned_factors_stay_pruned_in_four_bits(ratio):
    dense = IALS(factors=8, iterations=2).fit(ratio.train, seed=0)
    pruned = rp.prune(dense, ratio, unit="weight", criterion="magnitude", keep=0.6, recovery="none")
    small = quantize(pruned, "int4")
    for name in ("user_factors", "item_factors"):
        zero = ops.dense(pruned.model.arrays[name]) == 0
        assert zero.any() and not (ops.dense(small.arrays[name])[zero] != 0).any()
