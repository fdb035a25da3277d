"""The best of n trials in any order, against every order written out."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recprune.report.evidence.searches import expected_best

SCORES = st.lists(st.floats(0, 1).map(lambda score: round(score, 2)), min_size=1, max_size=8)


@given(SCORES)
def test_expectation_and_quantiles_are_those_of_all_subsets(scores):
    found = expected_best(np.array(scores))
    for n in range(1, len(scores) + 1):
        best = np.sort([max(some) for some in combinations(scores, n)])
        row = found.iloc[n - 1]
        assert row["expected"] == pytest.approx(best.mean())
        for name, level in (("lo", 0.025), ("hi", 0.975)):
            assert row[name] == np.quantile(best, level, method="inverted_cdf"), (n, name)


def test_three_trials_by_hand():
    found = expected_best(np.array([0.1, 0.4, 0.3]))
    assert found["expected"].tolist() == pytest.approx([0.8 / 3, (0.3 + 0.4 + 0.4) / 3, 0.4])
    assert found["lo"].tolist() == [0.1, 0.3, 0.4] and found["hi"].tolist() == [0.4, 0.4, 0.4]


def test_a_failed_trial_finds_nothing():
    assert expected_best(np.array([np.nan, 0.4]))["expected"].tolist() == pytest.approx([0.2, 0.4])


@given(SCORES)
def test_more_trials_never_find_less(scores):
    found = expected_best(np.array(scores))
    assert (found.diff().dropna() >= -1e-12).all(axis=None)
    assert found.iloc[-1].tolist() == pytest.approx([max(scores)] * 3)


def test_hundreds_of_trials_are_exact_too():
    scores = np.random.default_rng(0).random(400)
    found = expected_best(scores)["expected"]
    assert found.iloc[0] == pytest.approx(scores.mean()) and found.iloc[-1] == pytest.approx(scores.max())
    ordered = np.sort(scores)
    without_the_best = 1 / 400  # the chance that 399 of 400 lack the best
    assert found.iloc[-2] == pytest.approx(ordered[-1] * (1 - without_the_best) + ordered[-2] * without_the_best)
