import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recprune.evaluation import overlap
from recprune.evaluation.metrics import exposure, thirds, times_shown

LISTS = st.integers(0, 2**32 - 1).map(lambda seed: random_lists(np.random.default_rng(seed)))


def random_lists(rng, n_users=6, k=20, n_items=40):
    lists = np.stack([rng.permutation(n_items)[:k] for _ in range(n_users)])
    lists[np.arange(k) >= rng.integers(1, k + 1, n_users)[:, None]] = -1
    return lists


def rbo_by_hand(a, b, k, p=0.9):
    a, b = [i for i in a if i >= 0], [i for i in b if i >= 0]
    agreement = [len(set(a[:d]) & set(b[:d])) / max(len(a[:d]), len(b[:d])) for d in range(1, k + 1)]
    return sum(p**d * x for d, x in enumerate(agreement)) / sum(p**d for d in range(k))


@given(LISTS, LISTS, st.sampled_from([1, 7, 20]))
def test_overlap_is_what_sets_of_prefixes_give(a, b, k):
    found = overlap(a, b, k)
    sets = [({i for i in x[:k] if i >= 0}, {i for i in y[:k] if i >= 0}) for x, y in zip(a, b, strict=True)]
    assert found[f"jaccard@{k}"] == pytest.approx(np.mean([len(x & y) / len(x | y) for x, y in sets]))
    assert found[f"rbo@{k}"] == pytest.approx(np.mean([rbo_by_hand(x, y, k) for x, y in zip(a, b, strict=True)]))


@given(LISTS, LISTS)
def test_overlap_is_symmetric_and_exactly_one_for_the_same_lists(a, b):
    assert overlap(a, b) == overlap(b, a)
    assert overlap(a, a) == {"jaccard@20": 1.0, "rbo@20": 1.0}


def test_lists_with_nothing_in_common_overlap_by_zero():
    a = np.arange(40).reshape(2, 20)
    assert overlap(a, a + 40) == {"jaccard@20": 0.0, "rbo@20": 0.0}


def test_rank_biased_overlap_weighs_the_top_most():
    a = np.arange(20)[None, :]
    top, bottom = a.copy(), a.copy()
    top[0, 0], bottom[0, -1] = 99, 99
    assert overlap(a, top)["jaccard@20"] == overlap(a, bottom)["jaccard@20"]
    assert overlap(a, top)["rbo@20"] < overlap(a, bottom)["rbo@20"]


def test_users_left_out_of_both_do_not_count():
    a = np.array([[1, 2], [-1, -1]])
    assert overlap(a, a[:, ::-1].copy(), k=1) == {"jaccard@1": 0.0, "rbo@1": 0.0}
    assert overlap(a, a, k=2)["jaccard@2"] == 1.0
    assert np.isnan(overlap(a[1:], a[1:], k=2)["rbo@2"])


@pytest.mark.parametrize("k, rows", [(21, 6), (0, 6), (20, 5)])
def test_lists_that_do_not_fit_are_refused(k, rows):
    a = random_lists(np.random.default_rng(0))
    with pytest.raises(ValueError, match="lists of shapes"):
        overlap(a, a[:rows], k)


def test_exposure_of_lists_that_all_look_alike():
    history = sparse.csr_array(np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]))
    found = exposure(times_shown(np.array([[0, 1]] * 3), 4), history)
    # 4 active users have item 0, 1 of 4 has item 1: 0 and 2 bits
    assert found == {"coverage": 0.5, "gini": 0.5, "novelty": 1.0}


def test_exposure_of_even_lists_has_no_gini_and_an_unknown_item_counts_half():
    history = sparse.csr_array(np.array([[1, 0], [1, 0]]))
    found = exposure(times_shown(np.array([[0, 1], [1, 0]]), 2), history)
    assert found == {"coverage": 1.0, "gini": 0.0, "novelty": (0 + 2) / 2}  # half of 2 users' one: -log2(1/4)


def test_nothing_listed_has_no_gini_and_no_novelty():
    found = exposure(times_shown(np.full((2, 3), -1), 3), sparse.csr_array(np.eye(3)))
    assert found["coverage"] == 0 and np.isnan(found["gini"]) and np.isnan(found["novelty"])


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=3000, unique=True))
@settings(max_examples=25)
def test_thirds_of_distinct_values_are_equal_to_one_element(values):
    sizes = np.bincount(thirds(np.array(values), np.ones(len(values))), minlength=3)
    assert sizes.max() - sizes.min() <= 1


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_thirds_ascend_and_equal_values_share_one(values):
    values = np.array(values)
    group = thirds(values, values)
    order = np.argsort(values, kind="stable")
    assert (np.diff(group[order]) >= 0).all()
    assert all(len(set(group[values == v])) == 1 for v in values)


def test_item_thirds_hold_a_third_of_the_interactions_each():
    popularity = (3000 / np.arange(1, 1001)).astype(int)
    group = thirds(popularity, popularity)
    share = np.bincount(group, weights=popularity) / popularity.sum()
    assert np.abs(share - 1 / 3).max() < 0.06
    assert (group == 0).sum() > 5 * (group == 2).sum()
