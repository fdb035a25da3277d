"""Facts about `Interactions`: canonical content, whatever the rows came in as."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

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
        [946684800_000, 978307200_000, 1009843200_000],
        [946684800_000_000, 978307200_000_000, 1009843200_000_000],
        [946684800_000_000_000, 978307200_000_000_000, 1009843200_000_000_000],
        ["946684800", "978307200", "1009843200"],
        ["2000-01-01", "2001-01-01", "2002-01-01"],
        ["2000-01-01 00:00:00 UTC", "2001-01-01 00:00:00 UTC", "2002-01-01 00:00:00 UTC"],
        ["2000-01-01T00:00:00Z", "2001-01-01T01:00:00+01:00", "2002-01-01 00:00:00.000"],
        pd.to_datetime(["2000-01-01", "2001-01-01", "2002-01-01"]),
        pd.to_datetime(["2000-01-01", "2001-01-01", "2002-01-01"]).tz_localize("UTC").tz_convert("Asia/Tokyo"),
    ],
    ids=["seconds", "milli", "micro", "nano", "digits", "dates", "utc", "iso", "datetime", "zoned"],
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
        ([Decimal(12), Decimal("1.1E+1"), "10"], [10, 11, 12]),
        ([Decimal("1.50"), 1, "a"], ["1", "1.5", "a"]),
        (
            [1234567890123456789, "1234567890123456788", np.uint64(1234567890123456000)],
            [1234567890123456000, 1234567890123456788, 1234567890123456789],
        ),
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
        ("item", [1.0, 2.0**53, 3.0], "'item': row 2 is 9007199254740992.0; a float of this size may be another id"),
        ("item", np.array([1, 2**24, 3], np.float32), "'item': row 2 is 16777216.0; a float of this size"),
        ("item", ["a", 1e300, "b"], r"'item': row 2 is 1e\+300; a float of this size"),
        ("item", [1, [2], 3], r"'item': row 2 is \[2\], a list; an integer or a string is needed"),
        ("item", [1, True, 3], "'item': row 2 is True, a bool; an integer or a string is needed"),
        ("item", pd.Categorical([1, "a", (2, 3)]), r"'item': row 3 is \(2, 3\), a tuple"),
        ("item", [True, False, True], "'item': row 1 is True, a bool"),
        ("item", [1j, 2j, 3j], "'item': row 1 is 1j, a complex"),
        ("item", pd.to_datetime(["2000-01-01"] * 3), "'item': row 1 is Timestamp.*a Timestamp; an integer or a string"),
        ("item", ["a", "b", "x" * 5000], r"'item': row 3 is 'x+\.\.\. \(5,002 characters\); an id has at most 1,000"),
        ("item", ["a", "a\0", "b"], "'item': row 2 is .*does not end in a NUL"),
        ("rating", [1, "good", 2], "'rating': row 2 is 'good'"),
        ("rating", [1, 1e39, 2], r"'rating': row 2 is 1e\+39; a number up to 3.4e\+38 is needed"),
        ("rating", [1, 10**400, 2], "'rating': row 2 is 10+... .401 characters.; a finite number"),
        ("rating", [1, [2], 3], r"'rating': row 2 is \[2\], a list; a finite number is needed"),
        ("rating", [True, False, True], "'rating': row 1 is True, a bool; a finite number is needed"),
        ("rating", [1j, 2j, 3j], "'rating': row 1 is 1j, a complex"),
        ("rating", pd.to_datetime(["2000-01-01"] * 3), "'rating': row 1 is Timestamp"),
        ("timestamp", [1, [2], 3], r"'timestamp': row 2 is \[2\], a list; seconds since 1970"),
        ("timestamp", [True, False, True], "'timestamp': row 1 is True, a bool"),
        ("timestamp", [datetime(2000, 1, 1), datetime(9999, 1, 1), datetime(2000, 1, 1)], "'timestamp': row 2 is"),
        ("timestamp", np.array(["2000", "300000", "2000"], "M8[s]"), "'timestamp': row 2 is "),
        ("timestamp", np.array(["2000", "1969-12-31T23:59:59.5", "2000"], "M8[ms]"), "'timestamp': row 2 is "),
        ("timestamp", ["2000-01-01", "12000-01-01", "2000-01-01"], "'timestamp': row 2 is '12000-01-01'"),
        ("timestamp", [978300760, 978300760_000, 978300760_001], "'timestamp': row 1 is 978300760; .* in one unit"),
        (
            "timestamp",
            [978300760_000_000, 978300760_000, 978300760_000_000_000],
            "'timestamp': row 2 is .* in one unit",
        ),
        ("timestamp", [10**9, 10**9, 10**30], "'timestamp': row 3 is 10+; seconds since 1970"),
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


@pytest.mark.parametrize("bad", [2, -1, 0.5, "test", None])
def test_a_part_is_0_or_1(bad):
    with pytest.raises(
        DataError, match="'part': row 2 is .*; (0, the published training part, or 1, test,|a finite number) is needed"
    ):
        make(small(part=[0, bad, 1]), part="part")


def test_a_pair_is_in_one_part():
    with pytest.raises(DataError, match="'part': row 2 has a pair in the test part that is in training too"):
        make(pd.concat([small(part=0), small(part=1)]).iloc[[0, 3, 1, 2]], part="part")


def test_parts_go_where_their_rows_go():
    frame = small(part=[1, 0, 1])
    log = make(frame, part="part")
    by_pair = {(user, item): part for user, item, part in zip(frame["user"], frame["item"], frame["part"], strict=True)}
    for found in (log, make(frame[::-1], part="part"), log.select([0, 2]).compress()):
        pairs = zip(found.users[found.user].tolist(), found.items[found.item].tolist(), strict=True)
        assert found.part.dtype == np.int8 and found.part.tolist() == [by_pair[pair] for pair in pairs]


def test_negative_weight_missing_column_and_no_rows():
    with pytest.raises(DataError, match="'weight': row 3 is -1"):
        make(small(weight=[1, 2, -1]), weight="weight")
    with pytest.raises(DataError, match="no column 'stars' for rating; the columns are: user, item, rating, timestamp"):
        make(small(), rating="stars")
    with pytest.raises(DataError, match="no interactions"):
        make(small().head(0))


@pytest.mark.parametrize("given", [None, "log.csv", [(1, 2)], {"user": [1], "item": [2]}, pd.Series([1])])
def test_only_a_frame_is_read(given):
    with pytest.raises(TypeError, match=f"a pandas DataFrame is needed, not {type(given).__name__}"):
        Interactions.from_frame(given)
    if given is not None:
        with pytest.raises(TypeError, match="a pandas DataFrame is needed"):
            make(small(), item_attributes=given)


def test_each_role_has_a_column_of_its_own():
    with pytest.raises(DataError, match="column 'user' is given for user and item; each needs its own"):
        make(small(), item="user")
    with pytest.raises(DataError, match="column 'user' is given for user and rating"):
        make(small(), rating="user")
    with pytest.raises(DataError, match="column 'item' for item is there 2 times"):
        make(pd.concat([small(), small()[["item"]]], axis=1))


def test_weights_that_add_up_to_infinity_are_refused():
    frame = pd.concat([small(weight=3e38)] * 2)
    with pytest.raises(DataError, match=r"add up to more than 3.4e\+38"):
        make(frame, weight="weight")


UNITS = {
    "seconds": lambda us: [t / 10**6 for t in us],
    "milliseconds": lambda us: [t / 10**3 for t in us],
    "microseconds": list,
    "nanoseconds": lambda us: [t * 1000 for t in us],
    "iso": lambda us: [str(np.datetime64(t, "us")) for t in us],
    "datetime": lambda us: np.array(us, "M8[us]"),
    "unsigned nanoseconds": lambda us: np.array(us, np.uint64) * np.uint64(1000),
    "zone in words": lambda us: [f"{np.datetime64(t, 'us')} UTC".replace("T", " ", 1) for t in us],
    "nanosecond datetime": lambda us: np.array(us, "M8[us]").astype("M8[ns]"),
}
moments = st.lists(st.integers(10**15, 4 * 10**15), min_size=1, max_size=30, unique=True)  # microseconds, 2001 to 2096


@pytest.mark.parametrize("unit", UNITS)
@given(moments, st.integers(0, 10**6))
def test_sequences_have_the_order_of_the_microseconds(unit, us, apart):
    us = [*us, us[0] + apart + 1] if us[0] + apart + 1 not in us else us
    frame = pd.DataFrame({"user": 1, "item": range(len(us)), "timestamp": UNITS[unit](us)})
    log = make(frame, rating=None)
    assert log.items[log.sequences().indices].tolist() == np.argsort(us).tolist()
    np.testing.assert_allclose(log.timestamp, np.array(us) / 10**6, rtol=0, atol=5e-7)


def test_normalised_times_keep_their_order():
    log = make(small(user=1, item=[1, 2, 3], timestamp=[0.25, 1.0, 0.2499]))
    assert log.items[log.sequences().indices].tolist() == [3, 1, 2]


def test_whole_seconds_are_hashed_as_they_were_and_fractions_count():
    whole, part = make(small()), make(small(timestamp=[10, 20, 30.25]))
    assert whole.content_hash == "31185bd3807b21177ed67a12512efe86aa26052e50f75297fabcaf2ba5655a20"
    assert replace(whole, timestamp=whole.timestamp.astype(np.int64)).content_hash == whole.content_hash
    assert part.content_hash != whole.content_hash != make(small(timestamp=[10, 20, 30.5])).content_hash


@given(st.lists(st.integers(0, 3), min_size=40, max_size=40), st.data())
def test_a_selection_keeps_the_order_of_ties(times, data):
    log = make(pd.DataFrame({"user": 1, "item": range(40), "timestamp": times}), rating=None)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=40, max_size=40)))
    order = log.sequences().indices
    assert log.select(mask).sequences().indices.tolist() == order[mask[order]].tolist()
    assert (np.diff(log.timestamp[order]) >= 0).all()


def test_the_order_of_ties_has_nothing_to_do_with_ids():
    frame = pd.DataFrame({"user": np.repeat(range(50), 40), "item": np.tile(range(40), 50), "timestamp": 10**9})
    items = make(frame, rating=None).sequences().indices.reshape(50, 40)
    assert (np.diff(items, axis=1) > 0).mean() == pytest.approx(0.5, abs=0.05)
    assert items.mean(axis=0).std() < 40 / 12**0.5 / 50**0.5 * 1.5  # no item has a place that it often takes
    assert len({tuple(row) for row in items.tolist()}) == 50


big = st.integers(-(2**63), 2**63 - 1) | st.integers(2**53, 2**53 + 20) | st.integers(10**18, 10**18 + 5)


@given(st.lists(big, min_size=1, max_size=20, unique=True), st.sampled_from([int, str, Decimal, np.int64]))
def test_ids_never_merge(ids, kind):
    column = pd.Series([kind(i) for i in ids], dtype=None if kind is np.int64 else object)
    log = make(pd.DataFrame({"user": column, "item": 1}), rating=None, timestamp=None)
    assert log.users.tolist() == sorted(ids)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20, unique=True))
def test_unsigned_ids_never_merge(ids):
    log = make(pd.DataFrame({"user": np.array(ids, np.uint64), "item": 1}), rating=None, timestamp=None)
    assert sorted(map(int, log.users.tolist())) == sorted(ids)


def test_attributes_follow_their_ids():
    titles = pd.DataFrame({"title": ["Six", "Five", "Nine"]}, index=["6", "5", "9"])
    log = make(small(item=[6, 7, 5]), item_attributes=titles)
    assert log.titles([0, 1, 2]) == ["Five", "Six", "7"]
    part = log.select(log.users[log.user] == 1).compress()
    assert part.items.tolist() == [6, 7] and part.titles([0, 1]) == ["Six", "7"]


def test_attributes_without_an_id_are_nobodys():
    titles = pd.DataFrame({"title": ["Five", "Nobody", "Six"]}, index=[5, None, 6])
    assert make(small(), item_attributes=titles).titles([0, 1]) == ["Five", "Six"]


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
        times = [time[u, i] for i in row]
        assert times == sorted(times)


def test_sequences_carry_their_weights():
    frame = pd.DataFrame({"user": [0, 0, 0], "item": [0, 1, 2], "timestamp": [30, 10, 20], "weight": [1.0, 2.0, 3.0]})
    sequences = Interactions.from_frame(frame, timestamp="timestamp", weight="weight").sequences()
    assert sequences.indices.tolist() == [1, 2, 0]
    assert sequences.data.tolist() == [2.0, 3.0, 1.0]


def test_without_times_there_are_no_sequences():
    with pytest.raises(DataError, match="no timestamp column; without times a history has no order"):
        Interactions.from_frame(pd.DataFrame({"user": [0], "item": [0]})).sequences()
