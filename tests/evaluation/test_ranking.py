import math
import tracemalloc

import numpy as np
import pytest
import pytrec_eval
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import sparse

from recprune.evaluation import evaluate
from recprune.interactions import DataError, Interactions
from recprune.models.ease import EASE
from recprune.splits import Split
from recprune.topk import tie_order

TREC = {"ndcg": "ndcg_cut_", "recall": "recall_", "precision": "P_", "hit": "success_", "map": "map_cut_"}
CASES = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 30), st.sampled_from([0, 1, 6]))


def random_case(seed, n_users, n_items, digits):
    """Scores with many ties (few digits), users without test items, items seen."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet([1, 1, 1, 1], n_users).cumsum(axis=1)[:, None, :3]
    parts = (rng.random((n_users, n_items, 1)) > share).sum(axis=2)
    return parts, np.round(rng.standard_normal((n_users, n_items)), digits).astype(np.float32)


def ranking(scores, seen):
    """The oracle: all unseen items of one user, by score and then in tie order."""
    place = np.argsort(tie_order(len(scores)))
    return [i for i in np.lexsort((place, -scores)) if not seen[i]]


def by_trec(parts, scores, cutoffs):
    """Each user's metrics by pytrec_eval, told the ranking that our rule for ties gives."""
    result = {}
    for k in cutoffs:
        qrel, run = {}, {}
        for u in np.flatnonzero((parts == 3).any(axis=1)):
            top = ranking(scores[u], (parts[u] == 1) | (parts[u] == 2))[:k]
            qrel[str(u)] = {str(i): 1 for i in np.flatnonzero(parts[u] == 3)}
            run[str(u)] = {str(i): float(len(top) - rank) for rank, i in enumerate(top)}
        names = {ours: f"{theirs}{k}" for ours, theirs in TREC.items()} | {"mrr": "recip_rank"}
        asked = {theirs.rstrip("_") + f".{k}" for theirs in TREC.values()} | {"recip_rank"}
        found = pytrec_eval.RelevanceEvaluator(qrel, asked).evaluate(run)
        for ours, theirs in names.items():
            values = np.full(len(parts), np.nan)
            for u in qrel:
                values[int(u)] = found.get(u, {}).get(theirs, 0.0)
            result[f"{ours}@{k}"] = values
    return result


@given(CASES)
def test_agrees_with_trec_eval(make_split, stored, case):
    parts, scores = random_case(*case)
    assume((parts == 3).any())
    report = evaluate(stored(scores), make_split(parts), k=(1, 3, 10, 100))
    for name, values in by_trec(parts, scores, (1, 3, 10, 100)).items():
        np.testing.assert_allclose(report.per_user[name], values, rtol=0, atol=1e-9, err_msg=name)


@given(CASES, st.sampled_from(["train", "validation", "test"]), st.integers(1, 40))
def test_agrees_with_the_definitions_counted_by_hand(make_split, stored, case, on, k):
    parts, scores = random_case(*case)
    code = {"train": 1, "validation": 2, "test": 3}[on]
    assume((parts == code).any())
    report = evaluate(stored(scores), make_split(parts), on=on, k=k)
    for u in range(len(parts)):
        relevant = set(np.flatnonzero(parts[u] == code))
        seen = (parts[u] > 0) & (parts[u] < code)
        top = ranking(scores[u], seen)[:k] if relevant else []
        assert report.lists[u].tolist() == top + [-1] * (k - len(top))
        if not relevant:
            assert all(math.isnan(values[u]) for values in report.per_user.values())
            continue
        places = [rank for rank, i in enumerate(top, 1) if i in relevant]
        expected = {
            "ndcg": sum(1 / math.log2(r + 1) for r in places)
            / sum(1 / math.log2(r + 1) for r in range(1, min(k, len(relevant)) + 1)),
            "recall": len(places) / len(relevant),
            "recall_min": len(places) / min(k, len(relevant)),
            "precision": len(places) / k,
            "hit": float(bool(places)),
            "mrr": 1 / places[0] if places else 0.0,
            "map": sum(n / r for n, r in enumerate(places, 1)) / len(relevant),
        }
        for name, value in expected.items():
            assert report.per_user[f"{name}@{k}"][u] == pytest.approx(value, abs=1e-12), name


@given(CASES, st.integers(1, 13), st.randoms(use_true_random=False))
def test_neither_block_nor_order_of_users_matters(make_split, stored, case, block, random):
    parts, scores = random_case(*case)
    assume((parts == 3).any())
    whole = evaluate(stored(scores), make_split(parts), k=(2, 10, 20))
    order = np.array(random.sample(range(len(parts)), len(parts)))
    shuffled = evaluate(stored(scores[order]), make_split(parts[order]), k=(2, 10, 20), block=block)
    assert (shuffled.lists == whole.lists[order]).all()
    for name, values in whole.per_user.items():
        np.testing.assert_array_equal(shuffled.per_user[name], values[order], name)
    for name, value in whole.mean.items():
        assert shuffled.mean[name] == pytest.approx(value, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_a_report_is_the_same_to_the_bit_in_blocks_of_any_size(popular, stored, block):
    scores = np.random.default_rng(0).integers(0, 60, (300, 120)).astype(np.float32)
    whole, report = evaluate(stored(scores), popular), evaluate(stored(scores), popular, block=block)
    assert (report.lists == whole.lists).all()
    for name, values in whole.per_user.items():
        np.testing.assert_array_equal(report.per_user[name], values, name)
    np.testing.assert_array_equal([*report.mean.values()], [*whole.mean.values()])
    assert [*report.mean] == [*whole.mean]


def test_memory_grows_with_the_users_by_their_share_of_the_report_alone():
    n_items, k = 3000, 50
    rng = np.random.default_rng(0)
    factors, item_factors = rng.standard_normal((3000, 8), np.float32), rng.standard_normal((8, n_items), np.float32)

    class Factors:
        def score(self, users):
            return factors[users] @ item_factors

    def peak(n_users):
        taken = rng.random((n_users, n_items), np.float32) < 0.004
        user, item = (codes.astype(np.int32) for codes in np.nonzero(taken))
        log = Interactions(user, item, np.arange(n_users), np.arange(n_items))
        part = rng.integers(0, 3, log.nnz)
        train, validation, test = (log.select(part == p) for p in range(3))
        split = Split(train, validation, test, "ratio", 0, {}, "", unpruned=train)
        split.seen("test")
        evaluate(Factors(), split, k=k, block=64)
        tracemalloc.start()
        try:
            evaluate(Factors(), split, k=(10, 20, k), block=64)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(1000), peak(3000)
    a_list_and_metrics = 4 * k + 21 * 8
    assert (many - few) / 2000 < 3 * a_list_and_metrics  # the scores of a user are 12,000 bytes
    assert few < 1000 * 3 * a_list_and_metrics + 64 * n_items * 10


@pytest.fixture(scope="module")
def popular(make_split):
    """300 users who take 20 of 120 items by a power law, 12 of them for training; codes in order of popularity."""
    rng = np.random.default_rng(7)
    weight = 1 / np.arange(1, 121)
    parts = np.zeros((300, 120), int)
    for row in parts:
        taken = rng.choice(120, 20, replace=False, p=weight / weight.sum())
        row[taken] = rng.permutation([1] * 12 + [2] * 4 + [3] * 4)
    return make_split(parts)


def test_popularity_beats_chance_and_chance_is_what_it_must_be(popular, stored):
    rng = np.random.default_rng(0)
    counts = np.bincount(popular.train.item, minlength=120).astype(np.float32)
    by_popularity = evaluate(stored(np.tile(counts, (300, 1))), popular)
    by_chance = evaluate(stored(rng.random((300, 120), np.float32)), popular)
    assert by_popularity.mean["ndcg@10"] > 2 * by_chance.mean["ndcg@10"]
    assert by_chance.mean["recall@20"] == pytest.approx(20 / 104, abs=0.03)  # 120 items less 16 seen
    assert by_chance.mean["recall@100"] == pytest.approx(100 / 104, abs=0.01)
    assert by_popularity.mean["gini@10"] > by_chance.mean["gini@10"]
    assert by_popularity.mean["novelty@10"] < by_chance.mean["novelty@10"]
    assert by_popularity.mean["recall@20_items_high"] > by_popularity.mean["recall@20_items_low"]


def test_a_model_that_scores_all_alike_is_worth_chance_although_codes_follow_popularity(popular, stored):
    flat = evaluate(stored(np.zeros((300, 120), np.float32)), popular)
    assert flat.mean["recall@20"] == pytest.approx(20 / 104, abs=0.1)
    by_code = evaluate(stored(np.tile(-np.arange(120.0, dtype=np.float32), (300, 1))), popular)
    assert by_code.mean["recall@20"] > 1.5 * flat.mean["recall@20"]


def test_knowing_the_answer_gives_one(popular, stored):
    report = evaluate(stored(popular.test.toarray()), popular)
    for name in ("ndcg", "recall", "recall_min", "hit", "mrr", "map"):
        assert report.mean[f"{name}@10"] == 1.0
    groups = [v for k, v in report.mean.items() if "_users_" in k or "_items_" in k]
    assert {v for v in groups if not math.isnan(v)} == {1.0}
    # all users have equally many training items: they are one group, and the others are empty
    assert [math.isnan(report.mean[f"ndcg@10_users_{g}"]) for g in ("low", "mid", "high")] == [True, False, True]


def test_user_groups_are_the_thirds_of_the_users_by_unpruned_history(make_split, stored):
    parts = np.zeros((9, 30), int)
    for u in range(9):
        parts[u, : 2 * u + 1] = 1
    parts[:, 29] = 3
    scores = np.zeros((9, 30), np.float32)
    scores[:3, 29], scores[3:, 29] = 1, -1
    mean = evaluate(stored(scores), make_split(parts), k=10).mean
    assert [mean[f"ndcg@10_users_{g}"] for g in ("low", "mid", "high")] == [1, 0, 0]


def test_held_out_users_are_folded_in(make_split):
    known = np.array([[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    parts = known + np.array([[0, 0, 0, 0], [0, 3, 0, 0], [0, 0, 3, 0]])
    histories = np.array([[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]])
    split = make_split(parts, histories={"test": histories, "validation": np.zeros_like(histories)})

    class Folds:
        name = "folds"

        def score(self, users):
            raise AssertionError("held-out users are unknown to the model")

        def fold_in(self, histories):
            assert (sparse.csr_array(histories).toarray() == [[0, 0, 0, 1]] * 2).all()
            return np.tile(np.array([0, 3, 2, 9], np.float32), (2, 1))

    report = evaluate(Folds(), split, k=2)
    assert report.lists.tolist() == [[-1, -1], [1, 2], [1, 2]]
    Folds.folds_in = False
    with pytest.raises(ValueError, match="folds cannot fold in"):
        evaluate(Folds(), split)


def test_on_validation_the_lists_are_those_that_a_recommender_gives(popular):
    model = EASE(l2=10.0).fit(popular.train)
    lists = evaluate(model, popular, on="validation", k=20, block=64).lists
    assert (lists == model.recommend(np.arange(300), k=20)).all()


def test_a_model_keeps_its_scores(popular, stored):
    scores = np.ones((300, 120), np.float32)
    evaluate(stored(scores), popular)
    assert (scores == 1).all()


def test_integer_scores_rank_like_floats(popular, stored):
    scores = np.random.default_rng(0).integers(0, 50, (300, 120))
    integers, floats = (evaluate(stored(s), popular).lists for s in (scores, scores.astype(float)))
    assert (integers == floats).all()


def test_the_report_is_a_table_in_text_and_in_notebooks(popular, stored):
    report = evaluate(stored(np.zeros((300, 120))), popular)
    assert report.table().loc["ndcg", "@10"] == report.mean["ndcg@10"]
    assert report.table().loc["recall items low", "@20"] == report.mean["recall@20_items_low"]
    assert repr(report).startswith("test: 300 users, 0 left out")
    assert "<table" in report._repr_html_()


@pytest.mark.parametrize("k", [0, (10, -1), (), 2.5, (1.0,)])
def test_a_cutoff_is_a_positive_integer(popular, stored, k):
    with pytest.raises(ValueError, match="positive integers"):
        evaluate(stored(np.zeros((300, 120))), popular, k=k)


def test_what_cannot_be_evaluated_is_refused(popular, make_split, stored):
    scores = np.zeros((300, 120))
    with pytest.raises(ValueError, match="known: train, validation, test"):
        evaluate(stored(scores), popular, on="tset")
    with pytest.raises(ValueError, match="shape"):
        evaluate(stored(scores[:, :-1]), popular)
    scores[42, 3] = np.nan
    with pytest.raises(ValueError, match=r"user 142 \(code 42\)"):
        evaluate(stored(scores), popular)
    with pytest.raises(DataError, match="no user has a relevant item in test"):
        evaluate(stored(np.zeros((2, 2))), make_split([[1, 2], [1, 0]]))


@given(CASES, st.integers(1, 12))
def test_of_more_users_some_are_drawn_and_the_means_are_theirs(make_split, stored, case, most):
    parts, scores = random_case(*case)
    assume((parts == 3).any())
    split, model = make_split(parts), stored(scores)
    everybody, some = evaluate(model, split, k=(3, 20)), evaluate(model, split, k=(3, 20), max_users=most)
    drawn = ~np.isnan(some.per_user["ndcg@3"])
    assert drawn.sum() == some.n_users == min(most, everybody.n_users)
    assert (some.n_left_out, some.n_users + some.n_not_drawn) == (everybody.n_left_out, everybody.n_users)
    for name, values in some.per_user.items():
        np.testing.assert_array_equal(values[drawn], everybody.per_user[name][drawn])
        assert some.mean[name] == values[drawn].mean()
    np.testing.assert_array_equal(some.lists[drawn], everybody.lists[drawn])
    apart = np.where(drawn[:, None] | (parts != 3), parts, 2)  # as if the others had nothing to find
    alone = evaluate(model, make_split(apart), k=(3, 20)).mean
    for group in ("low", "mid", "high"):
        name = f"recall@20_items_{group}"
        np.testing.assert_equal(some.mean[name], alone[name])
    assert ("drawn at random" in repr(some)) == (some.n_users < everybody.n_users)


@pytest.mark.parametrize("most", [0, -1, 2.5, True, "all"])
def test_a_number_of_users_is_a_positive_integer(popular, stored, most):
    with pytest.raises(ValueError, match="max_users is .*a positive integer, or None for all"):
        evaluate(stored(np.zeros((popular.n_users, popular.n_items), np.float32)), popular, max_users=most)
