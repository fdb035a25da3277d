"""Sequences: what a model of order may see, and what it learns from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import sparse

from recprune.interactions import DataError, Interactions
from recprune.models import SASRec, load_model
from recprune.models.sasrec import PADDING, _pieces, _table
from recprune.pruning import prune

SMALL = {"factors": 8, "hidden": 12, "heads": 2, "max_length": 20, "epochs": 2, "batch_size": 16, "learning_rate": 5e-3}


@pytest.fixture(scope="module")
def fitted(ratio):
    return SASRec(**SMALL).fit(ratio.train, ratio.validation, seed=0)


def history_of(codes, n_items):
    return sparse.csr_array((np.ones(len(codes), np.float32), codes, [0, len(codes)]), shape=(1, n_items))


def test_the_future_never_changes_the_states_of_the_past(fitted):
    codes = torch.randint(0, fitted.n_items, (4, 15), generator=torch.Generator().manual_seed(0))
    length = torch.full((4,), 15)
    before = fitted._states(fitted.arrays, codes, length)
    for t in (1, 7, 14):
        other = codes.clone()
        other[:, t:] = (other[:, t:] + 1) % fitted.n_items
        after = fitted._states(fitted.arrays, other, length)
        torch.testing.assert_close(after[:, :t], before[:, :t], rtol=0, atol=1e-6)
        assert not torch.allclose(after[:, t], before[:, t], atol=1e-4)


def test_padding_changes_nothing(fitted):
    short, long = [5, 1, 9], list(range(12))
    both = sparse.vstack([history_of(short, fitted.n_items), history_of(long, fitted.n_items)], format="csr")
    alone = fitted.score_histories(history_of(short, fitted.n_items))
    np.testing.assert_allclose(fitted.score_histories(both)[:1], alone, rtol=0, atol=1e-5)


def test_no_history_is_a_history_of_its_own(fitted):
    empty = fitted.fold_in(history_of([], fitted.n_items))
    for item in range(fitted.n_items):
        assert not np.allclose(empty, fitted.fold_in(history_of([item], fitted.n_items)), atol=1e-4)


def test_an_empty_history_is_its_place_alone(fitted):
    """The state of one position with the vector 0 in place of an item's: as if that item's row were zeros."""
    zeros = fitted.clone()
    zeros.arrays["item"][3] = 0.0
    expected = zeros.fold_in(history_of([3], fitted.n_items))[0]
    found = fitted.fold_in(history_of([], fitted.n_items))[0]
    others = np.arange(fitted.n_items) != 3
    np.testing.assert_allclose(found[others], expected[others], rtol=0, atol=1e-5)


def test_the_compact_model_agrees_about_users_who_lost_all_their_items(fitted, ratio):
    pruned = prune(fitted, ratio, "random", "item-row", keep=0.05, seed=1)
    users = np.arange(ratio.n_users)
    left = np.isfinite(pruned.score([0])[0])
    lost = np.array([not left[ratio.train.item[ratio.train.user == u]].any() for u in users])
    assert lost.any()
    np.testing.assert_allclose(pruned.compact().score(users), pruned.score(users), rtol=0, atol=1e-5)


def test_the_trace_of_an_empty_history_is_its_score(fitted):
    model = fitted.clone()
    model.history = sparse.csr_array((2, model.n_items), dtype=np.float32)
    items = np.arange(model.n_items)
    traced, _ = model.trace(np.zeros(len(items), np.int64), items)
    np.testing.assert_allclose(traced.detach(), model.score([0])[0], rtol=0, atol=1e-5)


def test_order_counts_and_what_is_too_old_does_not(fitted):
    score = lambda codes: fitted.fold_in(history_of(codes, fitted.n_items))
    recent = list(range(20, 40))
    assert not np.allclose(score(recent), score(recent[::-1]), atol=1e-4)
    np.testing.assert_array_equal(score([1, 2, 3, *recent]), score([7, *recent]))
    assert not np.allclose(score([1, 2, 3, *recent]), score([1, 2, 3, *recent[:-1]]), atol=1e-4)


def test_histories_are_in_the_order_of_time_through_disk(fitted, ratio, tmp_path):
    train = ratio.train
    time = {
        (u, i): t for u, i, t in zip(train.user.tolist(), train.item.tolist(), train.timestamp.tolist(), strict=True)
    }
    fitted.save(tmp_path / "m")
    for model in (fitted, load_model(tmp_path / "m")):
        for u in range(ratio.n_users):
            row = model.history[[u]].indices
            assert (np.diff([time[u, i] for i in row.tolist()]) >= 0).all()
            assert sorted(row.tolist()) == train.item[train.user == u].tolist()


def test_pieces_predict_every_interaction_but_the_first_once():
    indptr = np.array([0, 1, 1, 3, 14, 20])
    first, length = _pieces(indptr, 4, np.random.default_rng(0))
    predicted = np.concatenate([np.arange(f + 1, f + n) for f, n in zip(first, length, strict=True)])
    starts = set(indptr[:-1].tolist())
    assert sorted(predicted.tolist()) == [p for p in range(20) if p not in starts]
    assert length.max() <= 4
    user = np.searchsorted(indptr, np.arange(20), side="right")
    assert (user[first] == user[first + length - 1]).all()


def test_table_pads_at_the_end():
    indices = np.array([4, 5, 6, 7, 8])
    assert _table(indices, np.array([1, 0, 3]), np.array([3, 0, 2])).tolist() == [
        [5, 6, 7],
        [PADDING] * 3,
        [7, 8, PADDING],
    ]
    weights = _table(np.array([0.5, 2.0, 3.0]), np.array([1, 0]), np.array([2, 1]))
    assert weights.tolist() == [[2, 3], [0.5, 0]]


def test_learns_what_it_scores_with(fitted):
    """Without dropout the loss is the cross-entropy of each next item under the scores of the history before it."""
    model = fitted.clone()
    model.dropout = 0.0
    rng = np.random.default_rng(0)
    codes = torch.from_numpy(rng.permutation(model.n_items)[: model.max_length + 1][None])
    batch = (codes, torch.tensor([model.max_length + 1]), None)
    loss = model.loss(model.arrays, batch, torch.Generator())
    states = model._states(model.arrays, codes[:, :-1], batch[1] - 1)[0]
    expected = F.cross_entropy(states @ model.arrays["item"].T, codes[0, 1:])
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)
    scores = model.fold_in(history_of(codes[0, :-1].numpy(), model.n_items))
    np.testing.assert_allclose(scores[0], states[-1] @ model.arrays["item"].T, rtol=0, atol=1e-5)


def test_the_sampled_loss_agrees_with_the_full_one(fitted):
    """Its mean over samples is close to the loss over the catalogue, which a sample without correction is far from."""
    model = fitted.clone()
    model.dropout = 0.0
    codes = torch.from_numpy(np.random.default_rng(0).integers(0, model.n_items, (8, 15)))
    length = torch.full((8,), 15)
    loss = lambda items: float(model.loss(model.arrays, (codes, length, items), torch.Generator()))
    rng = np.random.default_rng(1)
    sampled = [loss(torch.from_numpy(rng.choice(model.n_items, 40, replace=False))) for _ in range(50)]
    assert np.mean(sampled) == pytest.approx(loss(None), abs=0.05)


def test_needs_times(checkerboard, ratio):
    with pytest.raises(DataError, match="sasrec needs times; give a timestamp column"):
        SASRec(**SMALL).fit(checkerboard)
    with pytest.raises(DataError, match="without times a history has no order"):
        replace(ratio.train, timestamp=None).sequences()


def test_heads_divide_factors():
    with pytest.raises(ValueError, match="heads=3 does not divide factors=8"):
        SASRec(factors=8, heads=3)
    assert SASRec(factors=64, heads=4).smaller(0.3).factors == 20


@pytest.mark.parametrize("more", [{"candidates": 30}, {"bf16": True}, {"candidates": 30, "bf16": True}])
def test_options_train_and_repeat(more, ratio):
    first, second = (SASRec(**SMALL | more).fit(ratio.train, ratio.validation, seed=1).score([0, 9]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_learns_a_chain():
    """Users walk round a ring of items, from different places: the next item follows from the last alone."""
    n = 30
    start = np.arange(60) % n
    user = np.repeat(np.arange(60), 12)
    item = (start[:, None] + np.arange(12)).ravel() % n
    order = np.lexsort((item, user))
    log = Interactions(
        user=user[order].astype(np.int32),
        item=item[order].astype(np.int32),
        users=np.arange(60),
        items=np.arange(n),
        timestamp=np.tile(np.arange(12), 60)[order],
    )
    model = SASRec(factors=16, hidden=16, epochs=60, batch_size=16, learning_rate=1e-2, dropout=0.0).fit(log, seed=0)
    assert (model.recommend(np.arange(60), 1)[:, 0] == (start + 12) % n).mean() > 0.95
