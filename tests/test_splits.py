"""Protocols: what goes where, and on what a split depends."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.evaluation import evaluate
from recprune.interactions import DataError, Interactions
from recprune.models import Popularity
from recprune.splits import PROTOCOLS, check_options, final, k_core, split


def make(pairs, **columns) -> Interactions:
    frame = pd.DataFrame(pairs, columns=["user", "item"]).assign(**columns)
    return Interactions.from_frame(
        frame,
        rating="rating" if "rating" in columns else None,
        timestamp="timestamp" if "timestamp" in columns else None,
        part="part" if "part" in columns else None,
    )


@pytest.fixture(scope="module")
def parted(log) -> Interactions:
    """The log, as somebody published it: a fifth of the interactions is test."""
    return replace(log, part=(np.random.default_rng(2).random(log.nnz) < 0.2).astype(np.int8))


def pairs_of(log: Interactions) -> set[tuple[int, int]]:
    return set(zip(log.user.tolist(), log.item.tolist(), strict=True))


logs = st.sets(st.tuples(st.integers(0, 15), st.integers(0, 12)), min_size=40, max_size=150).map(sorted)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_parts_are_disjoint_and_complete(parted, protocol):
    log = parted
    s = split(log, protocol, seed=3)
    parts = [pairs_of(getattr(s, part)) for part in ("train", "validation", "test")]
    parts += [pairs_of(history) for history in s.histories.values()]
    union = set().union(*parts)
    assert sum(map(len, parts)) == len(union)
    rated = log.rating >= (s.options["min_rating"] or 0)
    core = {"strong": (5, 0), "given": (0, 0)}.get(protocol, (10, 10))
    assert len(union) == k_core(log.select(rated), *core).nnz


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_same_seed_same_split_whatever_the_row_order(parted, protocol):
    log = parted
    roles = {role: role for role in ("rating", "timestamp", "part")}
    columns = {role: getattr(log, role) for role in roles}
    frame = pd.DataFrame({"user": log.users[log.user], "item": log.items[log.item]} | columns)
    shuffled = Interactions.from_frame(frame.sample(frac=1, random_state=5), **roles)
    first, second = split(log, protocol, seed=1), split(shuffled, protocol, seed=1)
    for part in ("train", "validation", "test"):
        assert pairs_of(getattr(first, part)) == pairs_of(getattr(second, part))


def test_seeds_give_different_splits(log):
    assert pairs_of(split(log, seed=0).test) != pairs_of(split(log, seed=1).test)


def test_splits_depend_on_the_content(log):
    other = log.select(np.arange(log.nnz) != 7)
    assert split(log).data_hash != split(other).data_hash


@given(logs)
@settings(max_examples=40)
def test_ratio_gives_every_user_a_tenth_of_each_and_at_least_one(pairs):
    s = split(make(pairs), "ratio", core=0)
    of = lambda part: np.bincount(part.user, minlength=s.n_users)
    total = of(s.train) + of(s.validation) + of(s.test)
    size = np.where(total >= 3, np.maximum(1, total // 10), 0)
    assert (of(s.test) == size).all()
    assert (of(s.validation) == size).all()


@given(logs, st.integers(1, 6), st.integers(1, 6))
@settings(max_examples=60)
def test_k_core_is_the_largest_part_in_which_all_have_enough(pairs, users, items):
    core = k_core(make(pairs), users, items)
    if core.nnz:
        assert np.bincount(core.user).min() >= users
        assert np.bincount(core.item).min() >= items
    # nothing that could stay was dropped: removing one by one, in any order, ends at the same set
    left = set(pairs)
    while True:
        user_count, item_count = (
            pd.Series([u for u, _ in left]).value_counts(),
            pd.Series([i for _, i in left]).value_counts(),
        )
        out = {(u, i) for u, i in left if user_count[u] < users or item_count[i] < items}
        if not out:
            break
        left -= {min(out)}
    assert {(core.users[u], core.items[i]) for u, i in pairs_of(core)} == left


def test_leave_one_out_takes_the_last_two_in_time():
    pairs = [(u, i) for u in range(6) for i in range(5)]
    log = make(pairs, timestamp=[1_000_000 + 100 * ((i + u) % 5) for u, i in pairs])
    s = split(log, "loo", core=0)
    for u in range(6):
        assert s.test.item[s.test.user == u].tolist() == [(4 - u) % 5]
        assert s.validation.item[s.validation.user == u].tolist() == [(3 - u) % 5]
    assert s.test.nnz == s.validation.nnz == 6


def test_temporal_lets_no_future_into_training(log):
    s = split(log, "temporal", core=0)
    assert s.train.timestamp.max() < s.validation.timestamp.min()
    assert s.validation.timestamp.max() < s.test.timestamp.min()
    known = set(s.train.user.tolist())
    unknown = {u for u in s.test.user.tolist() if u not in known}
    assert s.summary()["test users without training"] == len(unknown)


def test_strong_holds_users_out(strong):
    held = {on: set(strong.relevant(on).user.tolist()) for on in ("validation", "test")}
    assert not held["validation"] & held["test"]
    assert not (held["validation"] | held["test"]) & set(strong.train.user.tolist())
    for on in held:
        known = strong.fold_in(on)
        assert set(np.flatnonzero(np.diff(known.indptr)).tolist()) == held[on]
        assert (strong.seen(on) != strong.train.tocsr() + known).nnz == 0


def test_what_is_seen(ratio):
    assert ratio.seen("train").nnz == 0
    assert (ratio.seen("validation") != ratio.train.tocsr()).nnz == 0
    assert ratio.seen("test").nnz == ratio.train.nnz + ratio.validation.nnz


def test_attributes_times_and_titles_ride_along(log, ratio):
    where = {user: code for code, user in enumerate(log.users.tolist())}
    row = (log.user == where[ratio.users[ratio.test.user[0]]]) & (
        log.items[log.item] == ratio.items[ratio.test.item[0]]
    )
    assert log.timestamp[row] == ratio.test.timestamp[0]
    assert log.titles(log.item[row]) == ratio.test.titles(ratio.test.item[:1])


def test_unknown_protocol_lists_the_known():
    with pytest.raises(ValueError, match="'weekly'; known: ratio, strong, loo, temporal, given"):
        split(make([(0, 0)]), "weekly")


@pytest.mark.parametrize(
    "options",
    [
        *({"core": core} for core in (-1, 2.5, 10.0, True, "10")),
        *({"min_rating": rating} for rating in (float("nan"), float("inf"), "4", True, [4])),
        *({"seed": seed} for seed in (-1, True, 1.0, "1", None)),
    ],
)
def test_bad_options_are_named(log, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        split(log, **options)


@pytest.mark.parametrize("protocol", [["ratio"], None, 3])
def test_a_protocol_is_a_name(log, protocol):
    with pytest.raises(ValueError, match="unknown protocol"):
        split(log, protocol)


@pytest.mark.parametrize("given", [pd.DataFrame({"user": [1], "item": [2]}), "ml-100k", None])
def test_only_a_log_is_split(given):
    with pytest.raises(TypeError, match=f"Interactions are needed, not {type(given).__name__}"):
        split(given)


@pytest.mark.parametrize("protocol", ["loo", "temporal"])
def test_protocols_in_time_need_more_than_one_moment(protocol):
    with pytest.raises(DataError, match=f"'{protocol}' has no order to go by: all times are 1000000000; `ratio` and"):
        split(make([(u, i) for u in range(5) for i in range(5)], timestamp=1_000_000_000), protocol, core=0)


def test_temporal_cuts_inside_a_second():
    pairs = [(u, i) for u in range(5) for i in range(4)]
    times = 1_000_000_000 + np.arange(20) / 1000
    s = split(make(pairs, timestamp=times), "temporal", core=0)
    assert (s.train.nnz, s.validation.nnz, s.test.nnz) == (16, 2, 2)
    assert s.train.timestamp.max() < s.validation.timestamp.min() <= s.validation.timestamp.max()
    assert s.validation.timestamp.max() < s.test.timestamp.min()


def test_a_filter_that_leaves_nothing_says_so():
    with pytest.raises(DataError, match="core=10 leave none of 2 interactions; lower them"):
        split(make([(0, 0), (1, 1)]))


def test_a_protocol_that_leaves_no_test_part_says_so():
    with pytest.raises(DataError, match="'ratio' leaves the validation part empty"):
        split(make([(0, 0), (0, 1), (1, 0), (1, 1)]), core=0)


@pytest.mark.parametrize("protocol", ["loo", "temporal"])
def test_protocols_in_time_need_times(protocol):
    with pytest.raises(DataError, match="needs a timestamp column"):
        split(make([(u, i) for u in range(4) for i in range(4)]), protocol, core=0)


def test_known_histories_are_in_the_order_of_time(log):
    s = split(log, "strong", seed=0)
    for on in ("validation", "test"):
        known = s.fold_in(on)
        np.testing.assert_array_equal(known.toarray(), s.histories[on].toarray())
        np.testing.assert_array_equal(known.indices, s.histories[on].sequences().indices)


@given(logs, st.data())
@settings(max_examples=40)
def test_given_is_the_published_split_with_a_tenth_of_training_for_validation(pairs, data):
    part = data.draw(st.lists(st.integers(0, 1), min_size=len(pairs), max_size=len(pairs)))
    part[:4] = [0, 0, 0, 1] if len({u for u, _ in pairs[:3]}) == 1 else part[:4]
    log = make(pairs, part=part)
    size = np.bincount(log.user[log.part == 0], minlength=log.n_users)
    if not ((size >= 3).any() and (log.part == 1).any()):
        with pytest.raises(DataError, match="leaves the (validation|test|train) part empty"):
            split(log, "given")
        return
    s = split(log, "given")
    assert pairs_of(s.test) == pairs_of(log.select(log.part == 1))
    assert pairs_of(s.train) | pairs_of(s.validation) == pairs_of(log.select(log.part == 0))
    expected = np.where(size >= 3, np.maximum(1, size // 10), 0)
    assert (np.bincount(s.validation.user, minlength=log.n_users) == expected).all()
    assert (s.n_users, s.n_items, s.options) == (log.n_users, log.n_items, {"min_rating": None, "core": 0})


def test_given_keeps_the_test_part_for_every_seed(parted):
    first, second = (split(parted, "given", seed=seed) for seed in (0, 1))
    assert pairs_of(first.test) == pairs_of(second.test)
    assert pairs_of(first.validation) != pairs_of(second.validation)


def test_given_needs_a_published_split_and_takes_it_as_it_is(log, parted):
    with pytest.raises(DataError, match="needs a published split; the data set `gowalla` has one"):
        split(log, "given")
    for options in ({"core": 5}, {"min_rating": 3}):
        with pytest.raises(ValueError, match="takes a published split as it is; leave out"):
            split(parted, "given", **options)
    check_options("given", core=0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_final_split_trains_on_train_and_validation_and_tests_on_the_same(parted, protocol):
    s = split(parted, protocol, seed=3)
    f = final(s)
    known = [pairs_of(part) for part in (s.train, s.validation)]
    if protocol == "strong":
        known.append(pairs_of(s.histories["validation"]))
    assert pairs_of(f.train) == set.union(*known) and f.train.nnz == sum(map(len, known))
    assert (np.diff(f.train.user.astype(np.int64) * f.n_items + f.train.item) > 0).all(), "rows are in order"
    assert f.unpruned is f.train and f.test is s.test
    if protocol != "strong":
        assert (f.seen("test") != s.seen("test")).nnz == 0
    late = (f.train.user == s.validation.user[0]) & (f.train.item == s.validation.item[0])
    assert f.train.timestamp[late] == s.validation.timestamp[0] and f.train.rating[late] == s.validation.rating[0]


def test_of_the_final_split_only_test_is_judged(parted):
    s = split(parted, "given")
    model = Popularity().fit(final(s).train)
    report = evaluate(model, final(s), on="test")
    with pytest.raises(ValueError, match="trains on its validation part"):
        evaluate(model, final(s), on="validation")
    assert (report.lists == evaluate(model, s, on="test").lists).all(), "train + validation may be known at test time"
    with pytest.raises(ValueError, match="not in the training part of this split"):
        evaluate(model, s, on="validation")


def test_the_final_split_of_weighted_samples_weighs_validation_by_one(parted):
    s = split(parted, "given")
    train = s.train.select(np.arange(5), weight=np.full(5, 3, np.float32))
    f = final(replace(s, train=train))
    assert f.train.nnz == 5 + s.validation.nnz and f.unpruned.nnz == s.train.nnz + s.validation.nnz
    assert f.train.weight.sum() == 15 + s.validation.nnz and f.unpruned.weight is None
