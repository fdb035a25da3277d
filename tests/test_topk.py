import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recprune import topk
from recprune.topk import tie_order, top_k

FEW_VALUES = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5, 1.0, np.inf])
SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 15))
SCORES = arrays(st.sampled_from([np.float32, np.float64]), SHAPES, elements=FEW_VALUES)


def by_sorting(scores, k):
    """The oracle: every row sorted whole, by score and then by place in the tie order."""
    place = np.argsort(tie_order(scores.shape[1]))
    lists = np.full((len(scores), k), -1)
    for row, s in enumerate(scores):
        order = [i for i in np.lexsort((place, -s)) if s[i] > -np.inf][:k]
        lists[row, : len(order)] = order
    return lists


@given(SCORES, st.integers(1, 20))
def test_same_lists_as_a_full_sort(scores, k):
    assert (top_k(scores, k) == by_sorting(scores, k)).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_same_lists_as_a_full_sort_without_ties(seed, k):
    scores = np.random.default_rng(seed).standard_normal((4, 50)).astype(np.float32)
    assert (top_k(scores, k) == by_sorting(scores, k)).all()


KINDS = {  # rows of a wide catalogue, by how their scores tie
    "none": lambda rng, n: rng.standard_normal(n),
    "rare": lambda rng, n: rng.integers(0, 50 * n, n),
    "all": lambda rng, n: np.zeros(n),
    "mostly zero": lambda rng, n: np.where(rng.random(n) < 0.97, 0, rng.standard_normal(n)),
    "few values": lambda rng, n: rng.integers(0, 40, n),
    "mostly seen": lambda rng, n: np.where(rng.random(n) < 0.97, -np.inf, rng.integers(0, 9, n)),
    "best last": lambda rng, n: np.arange(n),
    "infinite": lambda rng, n: np.where(rng.random(n) < 0.1, np.inf, 1.0),
}


@given(st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]), st.integers(1, 3000), st.integers(1, 120))
def test_same_lists_as_a_full_sort_in_a_wide_catalogue(seed, kind, n, k):
    rng = np.random.default_rng(seed)
    scores = np.array([KINDS[name](rng, n) for name in rng.permutation([*KINDS])], kind)
    assert (top_k(scores, k) == by_sorting(scores, k)).all()


def test_rows_are_ranked_the_same_in_pieces_of_any_size(monkeypatch):
    rng = np.random.default_rng(0)
    scores = np.array([KINDS[name](rng, 700) for name in KINDS], np.float32)
    whole = top_k(scores, 10)
    monkeypatch.setattr(topk, "PIECE", 1500)  # two rows
    assert (top_k(scores, 10) == whole).all()
    scores[5, 699] = np.nan
    with pytest.raises(ValueError, match="row 5 .* NaN"):
        top_k(scores, 10)


@given(SCORES, st.integers(1, 20))
def test_a_shorter_list_is_the_head_of_a_longer_one(scores, k):
    assert (top_k(scores, k + 3)[:, :k] == top_k(scores, k)).all()


@given(SCORES)
def test_a_row_is_ranked_the_same_in_any_batch(scores):
    alone = np.concatenate([top_k(scores[i : i + 1], 4) for i in range(len(scores))])
    assert (top_k(scores, 4) == alone).all()


def test_ties_follow_a_fixed_order_that_is_not_the_codes():
    flat = np.zeros((2, 1000), np.float32)
    lists = top_k(flat, 1000)
    assert (lists == tie_order(1000)).all()
    assert abs(np.corrcoef(lists[0], np.arange(1000))[0, 1]) < 0.1


def test_tie_order_is_a_permutation_that_a_larger_catalogue_keeps():
    small, large = tie_order(50), tie_order(400)
    assert (np.sort(large) == np.arange(400)).all()
    assert (large[large < 50] == small).all()


def splitmix(code):
    h = (code + 1) * 0x9E3779B97F4A7C15 % 2**64
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    h = (h ^ h >> 27) * 0x94D049BB133111EB % 2**64
    return h ^ h >> 31


def test_tie_order_is_the_published_hash():
    assert splitmix(0) == 0xE220A8397B1DCDAF  # the first output of SplitMix64 seeded with 0
    assert tie_order(500).tolist() == sorted(range(500), key=splitmix)


def test_what_is_minus_infinite_is_never_listed():
    scores = np.array([[1.0, -np.inf, 2.0], [-np.inf] * 3], np.float32)
    assert top_k(scores, 5).tolist() == [[2, 0, -1, -1, -1], [-1] * 5]


def test_scores_are_left_as_they_are_even_where_read_only():
    scores = np.zeros((2, 5), np.float32)
    scores.setflags(write=False)
    top_k(scores.T, 2)
    assert (scores == 0).all()


def test_no_rows_no_lists():
    assert top_k(np.empty((0, 5), np.float32), 3).shape == (0, 3)


@pytest.mark.parametrize(
    "scores, k, message",
    [
        (np.array([[0.0, 1.0], [np.nan, 1.0]]), 1, "row 1 .* NaN"),
        (np.zeros(3), 1, "matrix"),
        (np.zeros((2, 3), int), 1, "floats"),
        (np.zeros((2, 3)), 0, "k is 0"),
    ],
)
def test_what_cannot_be_ranked_is_refused(scores, k, message):
    with pytest.raises(ValueError, match=message):
        top_k(scores, k)
