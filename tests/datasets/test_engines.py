"""Two engines, one log: DuckDB streams what is read in memory, or refuses it in words that say what reads it."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import recprune as rp
from recprune.datasets import synthetic, write_official
from recprune.interactions import DataError

HEAD = "user,item,rating,timestamp\n"


@pytest.fixture(autouse=True)
def _without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of repeated pairs
        yield


def both(path, **options):
    """What each engine makes of a file: a log, or the words of its refusal."""
    pytest.importorskip("duckdb")
    found = []
    for engine in ("memory", "duckdb"):
        try:
            found.append(rp.load(path, engine=engine, quiet=True, **options))
        except DataError as error:
            found.append(str(error))
    return found


def same(a, b) -> None:
    assert a.content_hash == b.content_hash
    for ids, others in ((a.users, b.users), (a.items, b.items)):
        assert ids.dtype == others.dtype
        assert ids.tolist() == others.tolist()


WORDS = st.one_of(
    st.integers(0, 30).map(str),
    st.sampled_from(["007", "é", "日本", 'a"b', "x,y", "two\nlines", " blank ", "7.0", "Ünï", "0"]),
)
ROWS = st.lists(
    st.tuples(
        WORDS,
        WORDS,
        st.sampled_from(["1", "2.5", "4", "5", "3"]),
        st.sampled_from(["0", "10", "10", "978300760", "1577836800"]),
    ),
    min_size=2,
    max_size=60,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, times=st.booleans(), crlf=st.booleans())
def test_a_log_with_quotes_ties_and_repeated_pairs_is_the_same_by_both_engines(tmp_path, rows, times, crlf):
    end = "\r\n" if crlf else "\n"
    names = ["user", "item", "rating", "timestamp"][: 3 + times]
    quoted = [['"' + field.replace('"', '""') + '"' for field in row[:2]] + list(row[2 : 3 + times]) for row in rows]
    path = tmp_path / "log.csv"
    path.write_bytes(end.join(",".join(row) for row in [names, *quoted]).encode() + end.encode())
    memory, streamed = both(path)
    if isinstance(memory, str):
        assert streamed == memory
    else:
        same(memory, streamed)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, kind=st.sampled_from([int, str]))
def test_a_parquet_log_is_the_same_by_both_engines(tmp_path, rows, kind):
    frame = pd.DataFrame(rows, columns=["user", "item", "rating", "timestamp"])
    frame = frame.astype({"rating": np.float32, "timestamp": np.int64})
    if kind is int:
        frame[["user", "item"]] = frame[["user", "item"]].apply(lambda ids: pd.factorize(ids)[0])
    frame.to_parquet(tmp_path / "log.parquet")
    memory, streamed = both(tmp_path / "log.parquet")
    same(memory, streamed)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 99), protocol=st.sampled_from(["ratio", "strong", "loo", "temporal"]))
def test_the_splits_of_both_are_equal(tmp_path, seed, protocol):
    path = write_official(synthetic(60, 40, 1200, seed=seed), tmp_path) / "ratings.csv"
    memory, streamed = both(path)
    assert memory.item_attributes.equals(streamed.item_attributes)
    a, b = (rp.split(log, protocol, seed=seed, min_rating=2, core=3) for log in (memory, streamed))
    for part in ("train", "validation", "test"):
        same(getattr(a, part), getattr(b, part))
        assert (getattr(a, part).tocsr() != getattr(b, part).tocsr()).nnz == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ratings.dat", "1::2::3::4\n1::3::4::5\n1::2::5::5\n"),
        ("u.data", "\n1\t2\t3\t4\n2\t3\t4\t5\n"),
        ("log.csv", "\ufeff" + HEAD + "1,2,4.5,20\n\n1,3,4,5"),
        ("log.csv", HEAD + "1,2,4.5,2020-01-01\n1,3,4,2020-01-02 00:00:00\n"),
        ("log.csv", HEAD + "1,2,4,1577836800000\n2,3,4,1577836900000\n"),
        ("log.csv", HEAD + 'a"b,2,3,4\nb,3,4,5\n'),
    ],
)
def test_every_layout_of_a_text_file_is_read(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    same(*both(tmp_path / name))


@pytest.mark.parametrize(
    "lines",
    [
        "1,2,3,4\n1,2,x,5\n",  # a rating
        "1,2,3,4\n1,2,4\n",  # too few fields
        "1,2,3,4\n1,2,4,4,5\n",  # too many
        "1,2,3,4\n,2,4,4\n",  # no user
        "1,2,3,4\nNULL,2,4,4\n",  # a word for none
        "1,2,3,\n1,3,4,4\n",  # no time
        "1,2,3,2020-01-01\n1,3,4,zz\n",  # no date
        "1,2,3,4\n1,3,2,-4\n",  # before 1970
        "1,2,3,4\n1,3,9e40,4\n",  # beyond float32
        "1,2,3,4\n1.0e+20,3,2,4\n",  # a rounded id
    ],
)
def test_a_fault_is_named_in_the_same_words(tmp_path, lines):
    (tmp_path / "log.csv").write_text(HEAD + lines)
    memory, streamed = both(tmp_path / "log.csv")
    assert isinstance(memory, str)
    assert streamed == memory


@pytest.mark.parametrize(
    "text",
    [
        "user,item,plays\na,1,5\nb,2,7\n",
        "user,item,event\na,1,view\nb,2,buy\n",
        HEAD + '1,2,"3,5",4\n1,3,"4,0",4\n',
        HEAD + "1,2,3,4\r\n1,3,3,4\n",
        HEAD + '"a" ,2,3,4\nb,3,4,5\n',
        "user,item,title\na,1,One\nb,2,Two\n",
    ],
)
def test_what_is_not_streamed_names_the_engine_that_reads_it(tmp_path, text):
    (tmp_path / "log.csv").write_bytes(text.encode())
    memory, streamed = both(tmp_path / "log.csv")
    assert isinstance(memory, rp.Interactions)
    assert isinstance(streamed, str)
    assert "engine='memory' reads it" in streamed


def test_pieces_of_a_file_make_one_log(tmp_path, monkeypatch):
    """Ids that come first in a later piece, and dates whose first row alone says that they are dates."""
    pytest.importorskip("duckdb")
    from recprune.datasets.tables import duck

    monkeypatch.setattr(duck, "BATCH", 100)  # fewer rows than DuckDB hands out at a time: pieces end within the file
    log = synthetic(200, 150, 9000, seed=3)
    frame = pd.DataFrame({"user": log.users[log.user], "item": log.items[log.item], "rating": log.rating})
    frame["timestamp"] = pd.to_datetime(log.timestamp, unit="s").strftime("%Y-%m-%d %H:%M:%S")
    frame.sample(frac=1, random_state=0).to_csv(tmp_path / "log.csv", index=False)
    same(*both(tmp_path / "log.csv"))


def test_an_unknown_engine_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match="unknown engine 'polars'; known: memory, duckdb"):
        rp.load(tmp_path / "log.csv", engine="polars")


def test_without_duckdb_the_message_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "log.csv").write_text(HEAD + "1,2,3,4\n")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ImportError, match=r"recprune\[large\]"):
        rp.load(tmp_path / "log.csv", engine="duckdb", quiet=True)
