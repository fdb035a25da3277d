import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from recprune.evaluation import holm, paired_p, paired_ratio, safe_sparsity
from recprune.evaluation.intervals import Estimate, lower_among, over_users_and_seeds

P = st.lists(st.floats(0, 1), min_size=1, max_size=12)
#: (pruned or dense, seeds, users), some users of no worth to either
VALUES = st.tuples(st.integers(1, 4), st.integers(2, 12)).flatmap(
    lambda size: arrays(np.float64, (2, *size), elements=st.floats(0, 1).map(lambda v: round(v, 3)))
)
BOUNDS = ("estimate", "lo", "hi", "lower")


def population(rng, n_users, n_seeds, loss=0.0, sd=0.0):
    """Per-user quality that belongs to the person, noise that belongs to the seed; true ratio 1 - loss, of a seed
    sd N(0, 1) beside it."""
    person, bend = rng.gamma(2, 0.1, n_users), rng.normal(1 - loss, 0.3, n_users)
    dense = [person * rng.gamma(20, 1 / 20, n_users) for _ in range(n_seeds)]
    pruned = [d * (bend + sd * rng.normal() + rng.normal(0, 0.05, n_users)) for d in dense]
    return pruned, dense


def numbers(interval):
    return [getattr(interval, name) for name in BOUNDS]


@pytest.mark.parametrize("n_seeds", [1, 2, 3])
def test_identical_models_have_a_ratio_of_exactly_one(n_seeds):
    rng = np.random.default_rng(0)
    values = [rng.random(500) for _ in range(n_seeds)]
    values[-1][:40] = np.nan
    assert numbers(paired_ratio(values, values)) == [1.0] * 4
    assert paired_p(values, values) == 1.0


def test_the_estimate_is_the_mean_over_seeds_of_the_ratio_of_means():
    pruned, dense = population(np.random.default_rng(0), 300, 4)
    pruned[0][:5] = dense[0][:5] = np.nan
    expected = np.mean([np.nanmean(p) / np.nanmean(d) for p, d in zip(pruned, dense, strict=True)])
    found = paired_ratio(pruned, dense)
    assert found.estimate == pytest.approx(expected, rel=1e-12)
    assert found.lo < found.lower < found.estimate < found.hi


def test_of_one_seed_the_error_is_that_of_a_ratio_of_means_over_users():
    """Cochran (1977), Sampling Techniques, eq. 6.13, without the finite population: here written out."""
    (pruned,), (dense,) = population(np.random.default_rng(0), 300, 1)
    ratio = pruned.mean() / dense.mean()
    error = np.sqrt(((pruned - ratio * dense) ** 2).sum() / 299 / 300) / dense.mean()
    found = paired_ratio(pruned, dense)
    assert numbers(found) == pytest.approx(ratio + error * np.r_[0, stats.t.ppf([0.025, 0.975, 0.05], 299)], rel=1e-9)


def test_one_seed_may_be_given_bare():
    pruned, dense = population(np.random.default_rng(0), 300, 1)
    assert paired_ratio(pruned[0], dense[0]) == paired_ratio(pruned, dense) == paired_ratio(np.array(pruned), dense)


@pytest.mark.parametrize("n_seeds", [1, 2, 5])
def test_a_user_missing_everywhere_hardly_changes_anything(n_seeds):
    """Of n users the variance is n / (n - 1) times the mean square: with one more that says nothing, a little less."""
    pruned, dense = population(np.random.default_rng(0), 300, n_seeds)
    with_missing = [[np.insert(v, 7, np.nan) for v in values] for values in (pruned, dense)]
    assert numbers(paired_ratio(*with_missing)) == pytest.approx(numbers(paired_ratio(pruned, dense)), abs=1e-6)


def test_a_user_missing_in_one_seed_counts_in_the_others():
    pruned, dense = population(np.random.default_rng(0), 300, 2)
    pruned[0][7] = np.nan
    found = paired_ratio(pruned, dense)
    without = np.delete(pruned[0], 7).sum() / np.delete(dense[0], 7).sum()
    assert found.estimate == pytest.approx((without + pruned[1].sum() / dense[1].sum()) / 2, rel=1e-12)
    dense[0][7] = np.nan
    assert numbers(paired_ratio(pruned, dense)) == pytest.approx(numbers(found), rel=1e-12), "missing in either model"


def test_seeds_with_fewer_users_have_the_first_of_them():
    pruned, dense = population(np.random.default_rng(0), 300, 2)
    short = [[values[0], values[1][:250]] for values in (pruned, dense)]
    padded = [[values[0], np.r_[values[1][:250], [np.nan] * 50]] for values in (pruned, dense)]
    assert paired_ratio(*short) == paired_ratio(*padded)


def test_where_seeds_do_nothing_the_error_is_that_of_a_bootstrap_over_users():
    """40 seeds of 400 people: what seeds add to the variance is less than a hundredth."""
    pruned, dense = population(np.random.default_rng(3), 400, 40)
    rng, ratios = np.random.default_rng(1), []
    pruned_sums, dense_sums = np.array(pruned), np.array(dense)
    for _ in range(4000):
        drawn = rng.integers(400, size=400)
        ratios.append(np.mean(pruned_sums[:, drawn].sum(axis=1) / dense_sums[:, drawn].sum(axis=1)))
    found = paired_ratio(pruned, dense)
    expected = np.quantile(ratios, [0.025, 0.975, 0.05])
    assert np.allclose(numbers(found)[1:], expected, atol=0.04 * (found.hi - found.lo))


def test_with_a_seed_effect_the_error_is_that_of_a_nested_bootstrap():
    """People drawn with replacement and, in each draw, seeds: of 200 seeds the variance is theirs and the people's."""
    pruned, dense = population(np.random.default_rng(4), 300, 200, sd=0.2)
    rng, means, sums = np.random.default_rng(1), [], (np.array(pruned), np.array(dense))
    for _ in range(2000):
        people, seeds = rng.integers(300, size=300), rng.integers(200, size=200)
        p, d = (values[seeds][:, people].sum(axis=1) for values in sums)
        means.append(np.mean(p / d))
    found = paired_ratio(pruned, dense)
    assert (found.hi - found.lo) / 3.95 == pytest.approx(np.std(means), rel=0.06)


@pytest.mark.parametrize(("n_seeds", "sd"), [(1, 0), (3, 0), (3, 0.03), (5, 0.03)])
def test_intervals_cover_the_truth_as_often_as_they_say(n_seeds, sd):
    """600 studies of 200 people. Users' standard error is .026; two standard errors of the rate are 1.8 points."""
    rng, inside, below, alone = np.random.default_rng(11), [], [], []
    for _ in range(600):
        pruned, dense = population(rng, 200, n_seeds, loss=0.02, sd=sd)
        interval = paired_ratio(pruned, dense)
        inside.append(interval.lo <= 0.98 <= interval.hi)
        below.append(interval.lower <= 0.98)
        one = paired_ratio(np.mean(pruned, axis=0), np.mean(dense, axis=0))  # as if seeds were no people of their own
        alone.append(one.lo <= 0.98 <= one.hi)
    assert 0.925 <= np.mean(inside) <= 0.985
    assert 0.925 <= np.mean(below) <= 0.985
    assert sd == 0 or np.mean(alone) < np.mean(inside) - 0.03, "users alone leave out what seeds do"


def test_seeds_that_agree_by_chance_make_nothing_surer_than_users_do():
    influences = np.array([[0.01, 0.01], [-0.01, 0.03], [0.0, -0.04]])
    found = over_users_and_seeds(np.array([0.9, 0.9]), influences)
    assert found.error == pytest.approx(np.sqrt((influences.mean(axis=1) ** 2).sum() * 3 / 2))


def test_where_users_do_nothing_it_is_the_t_interval_over_seeds():
    ratios = np.array([0.97, 0.99, 1.01, 0.98])
    found = over_users_and_seeds(ratios, np.zeros((50, 4)))
    assert found.freedom == pytest.approx(3)
    low, high = stats.t.interval(0.95, 3, ratios.mean(), stats.sem(ratios))
    assert [found.interval.lo, found.interval.hi] == pytest.approx([low, high])
    assert found.beyond(1.0) == pytest.approx(stats.ttest_1samp(ratios, 1.0, alternative="greater").pvalue)


@settings(deadline=None)
@given(VALUES, st.randoms(use_true_random=False), st.floats(0.01, 100))
def test_neither_the_order_of_users_and_seeds_nor_the_unit_matters(values, random, scale):
    (pruned, dense), (n_seeds, n_users) = values, values.shape[1:]
    users, seeds = list(range(n_users)), list(range(n_seeds))
    random.shuffle(users)
    random.shuffle(seeds)
    first = paired_ratio(list(pruned), list(dense))
    for other in (
        paired_ratio(list(pruned[seeds][:, users]), list(dense[seeds][:, users])),
        paired_ratio(list(scale * pruned), list(scale * dense)),
    ):
        assert numbers(other) == pytest.approx(numbers(first), rel=1e-6, abs=1e-6, nan_ok=True)


@settings(deadline=None)
@given(VALUES)
def test_bounds_are_in_order_and_p_says_what_they_say(values):
    pruned, dense = map(list, values)
    found, p = paired_ratio(pruned, dense), paired_p(pruned, dense)
    if any(not seed.any() for seed in dense):
        assert np.isnan([*numbers(found), p]).all()
        return
    assert found.lo <= found.lower <= found.estimate <= found.hi
    assert 0 <= p <= 1
    if abs(p - 0.05) > 1e-6 and found.hi > found.lo:
        assert (p < 0.05) == (not found.lo <= 1 <= found.hi)


def test_p_is_small_for_a_large_loss_and_uniform_enough_without_one():
    rng = np.random.default_rng(5)
    assert paired_p(*population(rng, 300, 2, loss=0.2)) < 1e-6
    null = np.array([paired_p(*population(rng, 150, 1)) for _ in range(400)])
    assert np.mean(null < 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(null < 0.5) == pytest.approx(0.5, abs=0.075)


@given(st.floats(1, 1e6), st.floats(1e-5, 0.1), st.integers(1, 400))
def test_bounds_among_many_are_those_of_bonferroni(freedom, error, among):
    interval = Estimate(0.99, error, freedom).interval
    expected = 0.99 - error * stats.t.ppf(1 - 0.05 / among, freedom)
    found = float(lower_among(interval.estimate, interval.lower, interval.hi, among))
    assert found == pytest.approx(expected, abs=1e-5 * (0.99 - expected))


def test_bounds_among_many_where_nothing_varies_or_is_known():
    found = lower_among([1.0, np.nan, 0.9], [1.0, np.nan, np.nan], [1.0, np.nan, 0.95], 39)
    assert found == pytest.approx([1.0, np.nan, np.nan], nan_ok=True)
    assert lower_among(0.99, 0.98, 1.001912, 1) == pytest.approx(0.98), "one is no choice"


def test_no_ratio_to_nothing():
    found = paired_ratio(np.ones(5), np.zeros(5))
    assert np.isnan([found.estimate, found.lo, found.hi, found.lower]).all()
    assert np.isnan(paired_p(np.ones(5), np.zeros(5)))


@pytest.mark.parametrize(
    "pruned, dense, message",
    [
        (np.ones(3), np.ones(4), "do not pair"),
        ([np.ones(3)], [np.ones(3)] * 2, "do not pair"),
        (np.array([1, np.nan]), np.array([np.nan, 1]), "no user with a value in both"),
        ([], [], "n_users"),
        (np.ones((2, 2, 2)), np.ones((2, 2, 2)), "n_users"),
    ],
)
def test_what_does_not_pair_is_refused(pruned, dense, message):
    with pytest.raises(ValueError, match=message):
        paired_ratio(pruned, dense)


def test_holm_on_a_textbook_family():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, np.nan, 0.6, 0.9]) == pytest.approx([0.03, np.nan, 1.0, 1.0], nan_ok=True)
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.5, 1.2])


@given(P)
def test_holm_lies_between_no_correction_and_bonferroni_and_keeps_the_order(p):
    p, adjusted = np.array(p), holm(p)
    assert (adjusted >= p).all() and (adjusted <= np.minimum(1, p * len(p))).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def curve(lower, kept=(0.9, 0.5, 0.2, 0.1), test=0.995, **columns):
    return pd.DataFrame(
        {
            "kept": kept[: len(lower)],
            "val_ratio_lower": lower,
            "test_ratio": test,
            "test_ratio_lo": test - 0.004,
            "test_ratio_hi": test + 0.004,
            "test_ratio_lower": test - 0.003,
            **columns,
        }
    )


def test_safe_sparsity_is_the_smallest_share_that_validation_vouches_for():
    found = safe_sparsity(curve([1.0, 0.991, 0.95, 0.8]))
    assert (found.kept, found.removed, found.val_lower) == (0.5, 0.5, 0.991)
    assert (found.test_ratio, found.test_lower, found.confirmed) == (0.995, 0.992, True)
    assert safe_sparsity(curve([1.0, 0.991, 0.95, 0.8]), floor=0.95).kept == 0.2


def test_a_bad_test_part_does_not_change_the_choice_but_is_said():
    found = safe_sparsity(curve([1.0, 0.991, 0.95, 0.8], test=0.9))
    assert found.kept == 0.5 and not found.confirmed


def test_the_path_from_dense_down_must_be_unbroken():
    assert safe_sparsity(curve([1.0, 0.98, 0.995, 0.8])).kept == 0.9
    assert safe_sparsity(curve([1.0, np.nan, 0.995, 0.8])).kept == 0.9


def test_nothing_safe_is_none_also_beside_the_dense_row():
    assert safe_sparsity(curve([0.98, 0.995])) is None
    assert safe_sparsity(curve([1.0, 0.9], kept=(1.0, 0.9))) is None
    assert safe_sparsity(curve([1.0], kept=(1.0,))) is None


def test_one_row_per_seed_is_one_point_per_share():
    one = curve([1.0, 0.991, 0.9])
    seeds = pd.concat([one.assign(seed=s, test_ratio=0.995 + 0.002 * (s - 1)) for s in range(3)])
    assert safe_sparsity(seeds.sample(frac=1, random_state=0)).test_ratio == pytest.approx(0.995)


def test_cells_of_two_methods_or_of_another_table_are_refused():
    two = pd.concat([curve([1.0, 0.99], criterion="random"), curve([1.0, 0.99], criterion="magnitude")])
    with pytest.raises(ValueError, match="criterion"):
        safe_sparsity(two)
    with pytest.raises(ValueError, match="val_ratio_lower"):
        safe_sparsity(two.drop(columns="val_ratio_lower"))
