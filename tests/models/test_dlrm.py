"""The feature model: attributes as codes, fields, and a loss of what it scores."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from scipy import sparse

from recprune.models import DLRM
from recprune.models.dlrm import _bag
from recprune.models.parts import attributes

SMALL = {"factors": 6, "hidden": (8, 4), "epochs": 2, "batch_size": 32}


@pytest.fixture(scope="module")
def rich(ratio):
    """The shared split's training part with attributes of the users."""
    n = ratio.n_users
    users = pd.DataFrame({"age": np.arange(n) % 50 + 10, "gender": np.resize(["F", "M", None], n), "zip": np.arange(n)})
    return replace(ratio.train, user_attributes=users)


class TestCodes:
    frame = pd.DataFrame(
        {
            "title": ["a", "b", "c", "d", "e"],
            "genres": ["Drama|War", "War", None, "Comedy|Drama|War", ""],
            "year": pd.array([1990, 1995, pd.NA, 1995, 2001], dtype="Int64"),
            "country": ["x", "x", "x", "x", "x"],
            "code": ["p", "q", "r", "s", "t"],
        }
    )

    def test_several_values_and_none(self):
        codes = attributes.encode(self.frame)["genres"]
        assert codes.tolist() == [[1, 2, -1], [2, -1, -1], [-1, -1, -1], [0, 1, 2], [-1, -1, -1]]
        assert codes.dtype == torch.int16
        assert attributes.n_values(codes) == 3

    def test_numbers_fall_into_quantile_bins_in_order(self):
        codes = attributes.encode(self.frame, bins=2)["year"]
        assert codes.tolist() == [[0], [1], [-1], [1], [1]]

    def test_what_tells_nothing_is_left_out(self):
        assert set(attributes.encode(self.frame)) == {"genres", "year"}
        assert attributes.encode(None) == {}

    def test_columns(self):
        arrays = {f"item.{name}.codes": codes for name, codes in attributes.encode(self.frame, bins=2).items()}
        table = attributes.columns(arrays, "item", np.array([3, 2]), 2)
        assert table.tolist() == [[1, 1, 1, 1], [0, 0, 0, -1]]
        assert attributes.columns(arrays, "item", None, 1).tolist() == [[0, 0, 0, -1]]
        assert attributes.columns(arrays, "user", None, 4).shape == (4, 0)


def test_every_attribute_is_a_field(rich):
    model = DLRM(**SMALL).fit(rich, seed=0)
    assert set(model._fields("user")) == {"user.id", "user.history", "user.age", "user.gender"}
    assert set(model._fields("item")) >= {"item.id", "item.genres"}
    assert not model.arrays["user.age.codes"].is_floating_point()
    alone = DLRM(**SMALL, user_id=False).fit(replace(rich, user_attributes=None, item_attributes=None), seed=0)
    assert alone._fields("user") == ["user.history"]
    assert alone._fields("item") == ["item.id"]


def test_scores_are_the_formula_of_the_docstring(rich):
    model = DLRM(**SMALL).fit(rich, seed=0)
    a, history = model.arrays, rich.tocsr()
    others = [name for name in model._fields("user") if name != "user.history"]
    e_user = {n: a[n][7] if n == "user.id" else _mean(a[n], a[n + ".codes"][7]) for n in others}
    row = history[[7]]
    e_user["user.history"] = a["user.history"][torch.from_numpy(row.indices).long()].sum(0) / np.linalg.norm(row.data)
    e_item = {n: a[n][5] if n == "item.id" else _mean(a[n], a[n + ".codes"][5]) for n in model._fields("item")}
    dots = torch.stack([e_user[f] @ e_item[g] for f in ("user.history", *others) for g in e_item])
    x = a["layer1.dots"] @ dots + a["layer1.user"] @ sum(e_user.values()) + a["layer1.item"] @ sum(e_item.values())
    x = torch.relu(a["layer2.weight"] @ torch.relu(x + a["layer1.bias"]) + a["layer2.bias"])
    expected = a["item.bias"][5] + (a["output.dots"] @ dots + a["output.mlp"] @ x)[0]
    assert model.score([7])[0, 5] == pytest.approx(float(expected), abs=1e-5)


def _mean(table, codes):
    return table[codes[codes >= 0].long()].mean(0) if (codes >= 0).any() else torch.zeros(table.shape[1])


def test_learns_what_it_scores_with(ratio):
    """With every interaction hidden the loss is the cross-entropy of the scores of users without a history."""
    model = DLRM(**SMALL, dropout=1.0, negative_weight=0.5, user_id=False).fit(ratio.train, seed=0)
    users = np.arange(12)
    matrix = ratio.train.tocsr()[users]
    loss = model.loss(model.arrays, (users, None, matrix), torch.Generator().manual_seed(0))
    history = matrix.copy()
    history.data = history.data * 0
    history.eliminate_zeros()
    scores, label = torch.from_numpy(model._scores(history, users)), torch.from_numpy(matrix.toarray())
    expected = F.binary_cross_entropy_with_logits(scores, label, weight=label + 0.5 * (1 - label), reduction="sum")
    assert float(loss) == pytest.approx(float(expected / label.sum()), rel=1e-5)


def test_a_sample_of_the_catalogue_trains_too(ratio):
    model = DLRM(**SMALL | {"epochs": 1}, candidates=20)
    model.fit(ratio.train, seed=0)
    batch = next(iter(model.batches(ratio.train, np.random.default_rng(0), 0)))
    assert len(set(batch[1].tolist())) == 20
    assert np.isfinite(model.score([0])).all()


def test_an_item_never_seen_is_scored_by_its_attributes(ratio):
    """Of items without interactions two of one genre score alike, and one of another genre does not."""
    genres = ratio.train.item_attributes["genres"].to_numpy().copy()
    genres[[0, 1, 2]] = "Action", "Action", "Drama"
    train = ratio.train.select(~np.isin(ratio.train.item, [0, 1, 2]))
    train = replace(train, item_attributes=pd.DataFrame({"genres": genres}))
    model = DLRM(**SMALL | {"epochs": 6, "l2": 0.0}, user_id=False).fit(train, seed=0)
    model.arrays["item.id"][:3] = 0.0
    model.arrays["item.bias"][:3] = 0.0
    scores = model.score(np.arange(ratio.n_users))
    np.testing.assert_allclose(scores[:, 0], scores[:, 1], rtol=0, atol=1e-6)
    assert np.abs(scores[:, 0] - scores[:, 2]).mean() > 1e-2


def test_a_bag_is_the_same_dense_and_sparse(ratio):
    model = DLRM(**SMALL).fit(ratio.train, seed=0)
    history = ratio.train.tocsr()[:9]
    table = model.arrays["user.history"].clone()
    table[::3] = 0.0
    torch.testing.assert_close(_bag(history, table), _bag(history, sparse.csr_array(table.numpy())))


def test_hidden_needs_a_layer():
    with pytest.raises(ValueError, match="dlrm: hidden needs"):
        DLRM(hidden=())
