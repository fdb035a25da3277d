"""A pruned model beside the dense one: ratios, intervals and the verdict, of models from here and from elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recprune as rp
from recprune.evaluation.compare import Comparison, Popular
from recprune.evaluation.intervals import Interval, paired_ratio


class Foreign:
    """A model from elsewhere: nothing but `score`."""

    def __init__(self, score):
        self.score = score


@pytest.fixture(scope="module")
def dense(ratio):
    return rp.models.EASE(l2=50.0).fit(ratio.train)


@pytest.fixture(scope="module")
def pruned(dense, ratio):
    return rp.prune(dense, ratio, keep=0.1, recovery="refit", values="int8")


@pytest.fixture(scope="module")
def comparison(dense, pruned, ratio):
    return rp.compare(dense, pruned, ratio)


def test_ratios_are_those_of_the_evaluator_paired_by_user(comparison, dense, pruned, ratio):
    for on in ("validation", "test"):
        values = [rp.evaluate(model, ratio, on=on).per_user["ndcg@10"] for model in (pruned, dense)]
        assert comparison.kept[on] == paired_ratio(*values)


def test_popularity_stands_beside_as_its_model_has_it(comparison, dense, pruned, ratio):
    model = rp.models.Popularity().fit(ratio.train)
    found = rp.evaluate(model, ratio, k=10)
    assert comparison.reports["popularity"]["test"].mean == found.mean
    assert rp.compare(dense, pruned, ratio, popularity=model).over_popularity == comparison.over_popularity


def test_bytes_are_those_of_the_compact_model_and_lists_are_timed(comparison, dense, pruned):
    assert set(comparison.footprints) == set(comparison.times) == {"dense", "pruned"}
    assert comparison.footprints["pruned"] == rp.footprint(pruned.compact())
    table = comparison.table()
    assert table.loc["bytes on disk", "dense"] == rp.footprint(dense).bytes_disk
    assert table.loc["bytes served", "dense"] == rp.footprint(dense).bytes_served
    assert np.isnan(table.loc["bytes on disk", "popularity"])
    assert (table.loc["ms for one user", ["dense", "pruned"]] > 0).all()
    assert table.loc["nDCG@10 on test", "pruned/dense"] == pytest.approx(comparison.kept["test"].estimate)


def test_it_is_printed_as_a_table_and_a_verdict(comparison):
    text = repr(comparison)
    assert "coverage@10 on validation" in text and "bytes on disk" in text and "nan" not in text
    kept = comparison.kept["test"]
    assert f"test nDCG@10 is {kept.estimate:.1%} of dense, 95 % interval {kept.lo:.1%} to {kept.hi:.1%}" in text
    assert f"kept within 1 % on test: {comparison.verdict}" in text


def test_a_model_from_elsewhere_that_scores_alike_is_kept_whole(dense, ratio):
    found = rp.compare(dense, Foreign(dense.score), ratio)
    assert found.kept["test"] == Interval(1.0, 1.0, 1.0, 1.0) and found.verdict == "yes"
    assert set(found.footprints) == {"dense"}


def test_models_that_do_not_beat_popularity_are_warned_of(dense, ratio):
    popular = Popular.of(ratio)
    found = rp.compare(dense, popular, ratio)
    (warning,) = found.warnings
    assert warning.startswith("warning: the pruned model does not beat popularity") and "100.0% of it" in warning
    assert warning in repr(found)


def test_users_who_are_held_out_are_folded_in(strong):
    dense = rp.models.EASE(l2=50.0).fit(strong.train)
    found = rp.compare(dense, rp.prune(dense, strong, keep=0.2), strong)
    assert found.reports["popularity"]["test"].n_users == found.reports["dense"]["test"].n_users


bounds = st.floats(0.5, 1.2)


@given(bounds, bounds, bounds, st.floats(0, 0.9))
def test_the_verdict_is_read_off_the_bounds(lo, lower, hi, loss):
    lo, lower, hi = sorted((lo, lower, hi))
    ratio = Interval((lo + hi) / 2, lo, hi, lower)
    verdict = Comparison("ndcg@10", loss, {}, {"test": ratio}, {}).verdict
    assert (verdict == "yes") == (lower >= 1 - loss)
    assert (verdict == "no") == (hi < 1 - loss)
    assert verdict in ("yes", "no", "undecided")


def share_of_first(hits, n_relevant):
    return hits[:, 0] / n_relevant


class TestOwnMetrics:
    def test_they_stand_beside_the_others(self, dense, ratio):
        report = rp.evaluate(dense, ratio, k=(5, 10), metrics={"first": share_of_first, "found": lambda h, n: h.sum(1)})
        known = ~np.isnan(report.per_user["ndcg@10"])
        found, recall = report.per_user["found@5"], report.per_user["precision@5"]
        np.testing.assert_array_equal(found[known], np.round(5 * recall[known]))
        assert np.isnan(found[~known]).all() and report.mean["found@5"] == pytest.approx(found[known].mean())
        assert report.mean["first@5"] == report.mean["first@10"] <= report.mean["hit@5"]
        assert "first" in report.table().index

    def test_a_verdict_may_be_about_one(self, dense, pruned, ratio):
        found = rp.compare(dense, pruned, ratio, metric="first@5", metrics={"first": share_of_first})
        assert found.metric in found.reports["dense"]["test"].mean and "test first@5 is" in repr(found)

    @pytest.mark.parametrize(
        ("metrics", "error", "said"),
        [
            ({"ndcg": share_of_first}, ValueError, "metric 'ndcg': a name like `my_metric` is needed, none of ndcg"),
            ({"a@5": share_of_first}, ValueError, "metric 'a@5': a name"),
            ({"first": "hit"}, TypeError, r"metric 'first': a function of \(hits, n_relevant\) is needed, not a str"),
            ({"first": lambda h, n: h}, ValueError, r"metric 'first': its values are of shape"),
            ({"first": lambda h, n: n * np.nan}, ValueError, "metric 'first': its values are not all finite"),
        ],
    )
    def test_what_is_none_is_refused(self, metrics, error, said, dense, ratio):
        with pytest.raises(error, match=said):
            rp.evaluate(dense, ratio, metrics=metrics)

    def test_one_cannot_change_what_the_others_see(self, dense, ratio):
        def greedy(hits, n_relevant):
            hits[:] = True
            return n_relevant

        with pytest.raises(ValueError, match="read-only"):
            rp.evaluate(dense, ratio, metrics={"greedy": greedy})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metric": "ndcg"}, "metric is 'ndcg'; a metric at a cutoff is needed, like ndcg@10"),
        ({"metric": "ndgc@10"}, "unknown metric 'ndgc@10'; known: ndcg@10, .*; did you mean 'ndcg@10'"),
        ({"max_loss": 1}, "max_loss is 1; a share from 0 to below 1 is needed"),
        ({"max_loss": "little"}, "max_loss is 'little'"),
    ],
)
def test_what_cannot_be_compared_is_said(options, said, dense, ratio):
    with pytest.raises(ValueError, match=said):
        rp.compare(dense, dense, ratio, **options)


def test_what_does_not_score_is_named(dense, ratio):
    with pytest.raises(TypeError, match=r"pruned: what has `score\(users\).* is needed, not a str \('model/'\)"):
        rp.compare(dense, "model/", ratio)
    with pytest.raises(TypeError, match="a Split is needed"):
        rp.compare(dense, dense, None)
