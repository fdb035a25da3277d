"""Facts about `Interactions`: canonical content, whatever the rows came in as."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.interactions import DataError, Interactions


@st.composite
def frames(draw):
    """Logs with distinct (user, item) pairs."""
    pairs = draw(st.sets(st.tuples(st.integers(-5, 30), st.integers(0, 30)), min_size=1, max_size=60))
    frame = pd.DataFrame(sorted(pairs), columns=["user", "item"])
    n = len(frame)
    frame["rating"] = draw(st.lists(st.sampled_from([0.5, 1.0, 3.0, 4.5, 5.0]), min_size=n, max_size=n))
    frame["timestamp"] = draw(st.lists(st.integers(0, 2_000_000_000), min_size=n, max_size=n))
    return frame


def make(frame, **changes):
    return Interactions.from_frame(frame, **({"rating": "rating", "timestamp": "timestamp"} | changes))


def small(**columns):
    return pd.DataFrame(
        {"user": [1, 1, 2], "item": [5, 6, 5], "rating": [3.0, 4, 5], "timestamp": [10, 20, 30]} | columns
    )


@given(frames(), st.randoms())
def test_order_and_type_of_ids_do_not_change_the_content(frame, random):
    log = make(frame)
    shuffled = frame.sample(frac=1, random_state=random.randrange(2**31))
    texts = frame.astype({"user": str, "item": str})
    assert make(shuffled).content_hash == log.content_hash
    assert make(texts).content_hash == log.content_hash
    assert make(texts.astype({"user": "category", "item": "category"})).content_hash == log.content_hash
    assert make(frame.astype({"user": float})).content_hash == log.content_hash
    assert make(frame.convert_dtypes()).content_hash == log.content_hash


@given(frames())
def test_rows_are_kept_and_sorted(frame):
    log = make(frame)
    assert (np.lexsort([log.item, log.user]) == np.arange(log.nnz)).all()
    assert (np.diff(log.users) > 0).all() and (np.diff(log.items) > 0).all()
    back = pd.DataFrame(
        {"user": log.users[log.user], "item": log.items[log.item], "rating": log.rating, "timestamp": log.timestamp}
    )
    pd.testing.assert_frame_equal(back, frame.sort_values(["user", "item"], ignore_index=True), check_dtype=False)


@given(frames())
def test_tocsr_has_a_one_for_every_interaction(frame):
    log = make(frame)
    dense = np.zeros(log.shape, np.float32)
    dense[log.user, log.item] = 1
    assert (log.toarray() == dense).all()
    assert log.tocsr().has_canonical_format


@given(frames(), st.data())
def test_select_keeps_codes_and_compress_makes_them_anew(frame, data):
    log = make(frame)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=log.nnz, max_size=log.nnz)))
    chosen = log.select(mask)
    assert chosen.shape == log.shape and chosen.nnz == mask.sum()
    positions = np.flatnonzero(mask)[::-1]
    assert log.select(positions).content_hash == chosen.content_hash
    assert log.select(positions - log.nnz).content_hash == chosen.content_hash  # counted from the end
    if mask.any():
        rows = pd.DataFrame({"user": log.users[log.user], "item": log.items[log.item]})[mask]
        rows = rows.assign(rating=log.rating[mask], timestamp=log.timestamp[mask])
        assert chosen.compress().content_hash == make(rows).content_hash


def test_select_refuses_a_mask_of_another_length():
    with pytest.raises(IndexError):
        make(small()).select(np.array([False, False, False, True]))


@given(frames(), st.data())
def test_the_latest_of_repeated_pairs_stays(frame, data):
    n = data.draw(st.integers(1, len(frame)))
    earlier = frame.head(n).assign(timestamp=lambda f: f.timestamp - 1, rating=1.0).query("timestamp >= 0")
    if earlier.empty:
        return
    with pytest.warns(UserWarning, match=f"{len(earlier):,} repeated"):
        log = make(pd.concat([earlier, frame]).sample(frac=1, random_state=n))
    assert log.content_hash == make(frame).content_hash


def test_of_equal_times_the_highest_rating_stays():
    with pytest.warns(UserWarning, match="1 repeated"):
        log = make(pd.concat([small(), small(rating=[2.0, 1, 4.5]).head(1)]), timestamp=None)
    assert log.rating.tolist() == [3, 4, 5]


@given(frames(), st.integers(1, 5))
def test_weights_of_a_repeated_pair_add_up(frame, times):
    frame = frame.assign(weight=np.arange(1.0, len(frame) + 1))
    once, many = (make(pd.concat([frame] * n), weight="weight") for n in (1, times))
    assert (many.weight == times * once.weight).all() and many.nnz == once.nnz
    assert (many.tocsr().data == many.weight).all()


def test_the_hash_knows_where_one_id_ends():
    a = Interactions.from_frame(pd.DataFrame({"user": [1, 2], "item": [34, 34]}))
    b = Interactions.from_frame(pd.DataFrame({"user": [1, 23], "item": [4, 4]}))
    assert a.content_hash != b.content_hash


@pytest.mark.filterwarnings("ignore:log. 1 repeated")
@pytest.mark.parametrize("column", ["user", "item", "rating", "timestamp"])
def test_the_hash_covers_every_column(column):
    frame = small()
    frame.loc[0, column] += 1
    assert make(frame).content_hash != make(small()).content_hash


@pytest.mark.parametrize(
    "times",
    [
        [946684800, 978307200, 1009843200],
        [946684800.0, 978307200.0, 1009843200.0],
        [946684800_000, 978307200_000, 1009843200_000],
        [946684800_000_000, 978307200_000_000, 1009843200_000_000],
        [946684800_000_000_000, 978307200_000_000_000, 1009843200_000_000_000],
        ["946684800", "978307200", "1009843200"],
        ["2000-01-01", "2001-01-01", "2002-01-01"],
        ["2000-01-01T00:00:00Z", "2001-01-01T01:00:00+01:00", "2002-01-01 00:00:00 UTC"],
        pd.to_datetime(["2000-01-01", "2001-01-01", "2002-01-01"]),
        pd.to_datetime(["2000-01-01", "2001-01-01", "2002-01-01"]).tz_localize("UTC").tz_convert("Asia/Tokyo"),
    ],
    ids=[
        "seconds",
        "floats",
        "milliseconds",
        "microseconds",
        "nanoseconds",
        "digits",
        "dates",
        "iso",
        "datetime",
        "zoned",
    ],
)
def test_times_in_any_form_are_the_same_seconds(times):
    assert make(small(timestamp=times)).timestamp.tolist() == [946684800, 978307200, 1009843200]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([10, 9, 8], [8, 9, 10]),
        (["10", "9", "8"], [8, 9, 10]),
        ([10.0, 9.0, 8.0], [8, 9, 10]),
        (["10", 9, "8"], [8, 9, 10]),
        (["007", "7", "8"], ["007", "7", "8"]),
        (["10.0", "9.0", "8.0"], [8, 9, 10]),
        (["1.0.0", "9.0", "8.0"], ["1.0.0", "8.0", "9.0"]),
        (["1.0", "1", "8.0"], ["1", "1.0", "8.0"]),
        (["b", "a", "Z"], ["Z", "a", "b"]),
        ([0.5, 1.0, 2.0], ["0.5", "1.0", "2.0"]),
        (np.array([2**63 + 5, 1, 2], np.uint64), ["1", "2", str(2**63 + 5)]),
    ],
)
def test_ids_are_integers_where_all_are_written_as_such(ids, expected):
    assert make(small(user=ids)).users.tolist() == expected


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("user", [1, None, 2], "'user': row 2 has no id"),
        ("user", ["a", "b", ""], "'user': row 3 has no id"),
        ("item", [None, "x", "y"], "'item': row 1 has no id"),
        ("rating", [1, "good", 2], "'rating': row 2 is 'good'"),
        ("rating", [1, 2, None], "'rating': row 3 is missing"),
        ("rating", [1, np.inf, 2], "'rating': row 2 is inf"),
        ("timestamp", [1, -5, 2], "'timestamp': row 2 is -5"),
        ("timestamp", [1, 2, 10**17], "'timestamp': row 3 is 10+;"),
        ("timestamp", [1, 2, None], "'timestamp': row 3 is missing"),
        ("timestamp", ["2000-01-01", "yesterday", "2001-01-01"], "'timestamp': row 2 is 'yesterday'"),
        ("timestamp", ["2000-01-01", "2001-01-01", "1950-01-01"], "'timestamp': row 3 is '1950-01-01'"),
    ],
)
def test_a_bad_value_is_named_with_its_row(column, values, message):
    with pytest.raises(DataError, match=message) as error:
        make(small(**{column: values}))
    assert error.value.column == column and f"row {error.value.row + 1} " in str(error.value)


def test_negative_weight_missing_column_and_no_rows():
    with pytest.raises(DataError, match="'weight': row 3 is -1"):
        make(small(weight=[1, 2, -1]), weight="weight")
    with pytest.raises(DataError, match="no column 'stars' for rating; the columns are: user, item, rating, timestamp"):
        make(small(), rating="stars")
    with pytest.raises(DataError, match="no interactions"):
        make(small().head(0))


def test_attributes_follow_their_ids():
    titles = pd.DataFrame({"title": ["Six", "Five", "Nine"]}, index=["6", "5", "9"])
    log = make(small(item=[6, 7, 5]), item_attributes=titles)
    assert log.titles([0, 1, 2]) == ["Five", "Six", "7"]
    part = log.select(log.users[log.user] == 1).compress()
    assert part.items.tolist() == [6, 7] and part.titles([0, 1]) == ["Six", "7"]


@settings(max_examples=20)
@given(st.lists(st.text(min_size=1, max_size=5).filter(lambda s: not s.endswith("\0")), min_size=3, max_size=3))
def test_any_text_is_an_id(ids):
    log = make(small(item=ids, user=[1, 2, 3]))
    assert sorted(log.items.astype(str)[log.item]) == sorted(map(str, ids))


def test_sequences_are_the_histories_in_the_order_of_time(log):
    sequences, csr = log.sequences(), log.tocsr()
    np.testing.assert_array_equal(sequences.toarray(), csr.toarray())
    np.testing.assert_array_equal(sequences.indptr, csr.indptr)
    time = dict(zip(zip(log.user.tolist(), log.item.tolist(), strict=True), log.timestamp.tolist(), strict=True))
    for u in range(log.n_users):
        row = sequences.indices[sequences.indptr[u] : sequences.indptr[u + 1]].tolist()
        assert row == sorted(row, key=lambda i: (time[u, i], i))


def test_sequences_carry_their_weights():
    frame = pd.DataFrame({"user": [0, 0, 0], "item": [0, 1, 2], "timestamp": [30, 10, 20], "weight": [1.0, 2.0, 3.0]})
    sequences = Interactions.from_frame(frame, timestamp="timestamp", weight="weight").sequences()
    assert sequences.indices.tolist() == [1, 2, 0]
    assert sequences.data.tolist() == [2.0, 3.0, 1.0]


def test_without_times_there_are_no_sequences():
    with pytest.raises(DataError, match="no timestamp column; without times a history has no order"):
        Interactions.from_frame(pd.DataFrame({"user": [0], "item": [0]})).sequences()


@given(st.sampled_from([1.0, 1e-3, 1e-6]), st.lists(st.integers(0, 10**9), min_size=2, max_size=20, unique=True))
def test_a_history_is_in_the_order_of_time_however_fine(step, ticks):
    frame = pd.DataFrame({"user": 1, "item": range(len(ticks)), "timestamp": [1e9 + step * tick for tick in ticks]})
    log = Interactions.from_frame(frame, timestamp="timestamp")
    assert log.sequences().indices.tolist() == np.argsort(ticks).tolist()


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_finer_than_a_second_keep_their_order(unit):
    later = pd.Timestamp("2019-01-01") + pd.to_timedelta([3000, 2000, 1000], unit="us")
    whole = later.as_unit(unit).astype(np.int64)
    for times in (whole, later, later.strftime("%Y-%m-%dT%H:%M:%S.%f"), whole.astype(str)):
        log = Interactions.from_frame(
            pd.DataFrame({"user": 1, "item": [30, 20, 10], "timestamp": times}), timestamp="timestamp"
        )
        assert log.items[log.sequences().indices].tolist() == [10, 20, 30]
        np.testing.assert_allclose(log.timestamp - 1546300800, [0.001, 0.002, 0.003], atol=1e-6)


def test_whole_seconds_hash_as_they_did_before_fractions():
    """The identity of a log that has no fractions is that of its whole seconds."""
    log = make(small())
    assert log.content_hash == "31185bd3807b21177ed67a12512efe86aa26052e50f75297fabcaf2ba5655a20"
    assert make(small(timestamp=[10.5, 20, 30])).content_hash != log.content_hash


def test_equal_times_come_in_an_order_that_ids_do_not_explain():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        [(u, i) for u in range(200) for i in rng.choice(90, 20, replace=False)], columns=["user", "item"]
    )
    log = Interactions.from_frame(frame.assign(timestamp=5), timestamp="timestamp")
    steps = np.diff(log.sequences().indices.reshape(200, 20), axis=1)
    assert 0.47 < (steps > 0).mean() < 0.53
    assert len({tuple(np.argsort(row)) for row in log.sequences().indices.reshape(200, 20)}) == 200


@given(frames(), st.randoms())
def test_a_part_of_a_log_keeps_the_order_of_equal_times(frame, random):
    log = make(frame.assign(timestamp=7))
    part = log.select(np.array([random.random() < 0.5 for _ in range(log.nnz)], bool))
    for user in range(log.n_users):
        whole, left = (x.sequences()[[user]].indices.tolist() for x in (log, part))
        assert left == [item for item in whole if item in left]


@pytest.mark.parametrize(
    "columns, words",
    [
        ({"rating": [1e39, 4, 5]}, "row 1 is 1e+39; at most 3.4e38"),
        ({"item": [[5], [6], [5]]}, "an id is a number or a string"),
        ({"user": [True, False, True]}, "an id is a whole number or a string"),
        ({"user": [1j, 2, 3]}, "an id is a whole number or a string"),
        ({"user": [2.0**53, 2.0**53 + 2, 1.0]}, "it may stand for several ids"),
    ],
)
def test_values_that_would_become_others_are_refused(columns, words):
    with pytest.raises(DataError, match=words.replace("+", r"\+").replace("(", r"\(")):
        make(small(**columns))


def test_a_column_has_one_role_and_is_there_once():
    with pytest.raises(DataError, match="given for user and item; each needs its own"):
        make(small(), item="user")
    with pytest.raises(DataError, match="the column 'user' for user is there 2 times"):
        make(pd.concat([small(), small()[["user"]]], axis=1))
    for wrong in ([[1, 2]], None, "ratings.csv"):
        with pytest.raises(TypeError, match="a pandas.DataFrame with a row for each interaction is needed"):
            Interactions.from_frame(wrong)


def test_weights_that_add_up_beyond_float32_are_refused():
    frame = pd.DataFrame({"user": [1, 1], "item": [2, 2], "n": [3e38, 3e38]})
    with pytest.raises(DataError, match="add up to more than float32 holds"):
        Interactions.from_frame(frame, weight="n")


@given(st.lists(st.integers(2**53, 2**63 - 1), min_size=2, max_size=20, unique=True))
def test_large_ids_stay_apart(ids):
    for users in (ids, list(map(str, ids)), np.array(ids, np.uint64), pd.array(ids, "Int64")):
        log = Interactions.from_frame(pd.DataFrame({"user": users, "item": 1}))
        assert sorted(map(str, log.users.tolist())) == sorted(map(str, ids))
