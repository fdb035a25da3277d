"""The files beside a log: what they say of an item or user is taken, left with a word, or refused by name."""

import pandas as pd
import pytest

from recprune.datasets import load
from recprune.interactions import DataError

LOG = "userId,movieId,rating,timestamp\n1,2,3,978300760\n1,3,3,978300761\n"


def folder(path, **files):
    """ratings.csv with others beside it; `movies` is movies.csv."""
    for name, content in {"ratings": LOG, **files}.items():
        (path / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("movies", b"\0\0\0", "this is binary, not text"),
        ("movies", b"", "the file is empty"),
        ("movies", b"movieId,title\n2,caf\xe9\n", "line 2: byte 0xe9 at 6 is not utf-8"),
        ("movies", "movieId,title\n2,A\n".encode("utf-16"), "this is UTF-16"),
        ("movies", "movieId,title\n2,A\n3,B,C\n", "line 3: too many fields: 3 instead of 2"),
        ("movies", "movieId,title,title\n2,A,B\n", "line 1: columns that occur twice: title"),
        ("movies", "number,name\n2,A\n", "no column for item"),
        ("movies", "movieId\rtitle\r", "line 1: a carriage return"),
        ("users", b"PAR1\x15\x04", "this is a Parquet file"),
        ("users", "person,age\n1,20\n", "no column for user"),
    ],
)
def test_a_damaged_one_is_named(tmp_path, name, content, words):
    with pytest.raises(DataError, match=f"{name}.csv: {words}"):
        load(folder(tmp_path, **{name: content}))


def test_a_lone_quote_is_part_of_the_title(tmp_path):
    log = load(folder(tmp_path, movies='movieId,title\n2,"Heroes\n3,Up (2009)\n'))
    assert log.titles([0, 1]) == ['"Heroes', "Up"]


def test_a_quoted_title_goes_over_lines(tmp_path):
    log = load(folder(tmp_path, movies='movieId,title\n2,"one, ""two""\nthree"\n3,Up\n'))
    assert log.titles([0, 1]) == ['one, "two"\nthree', "Up"]


def test_what_differs_within_an_item_or_user_is_left_and_said(tmp_path, capsys):
    movies = "movieId,title,year\n2,A,1990\n2,B,1990\n3,C,1991\n"
    log = load(folder(tmp_path, movies=movies, users="user,age,gender\n1,20,F\n1,30,F\n"))
    assert log.titles([0, 1]) == ["2", "3"]
    assert log.item_attributes["year"].tolist() == [1990, 1991]
    assert log.user_attributes.columns.tolist() == ["gender"]
    said = capsys.readouterr().err
    assert "'title' of movies.csv differs within one item, so it is left" in said
    assert "'age' of users.csv differs within one user, so it is left" in said


@pytest.mark.parametrize(("written", "read"), [("20", 20), ("20.5", 20), ("x", None), ("", None), ("1e400", None)])
def test_ages_and_years_are_whole_numbers_or_missing(tmp_path, written, read):
    log = load(
        folder(
            tmp_path, users=f"user,age,gender\n1,{written},F\n", movies=f"movieId,title,year\n2,A,{written}\n3,B,7\n"
        )
    )
    for values in (log.user_attributes["age"], log.item_attributes["year"]):
        assert pd.isna(values.iloc[0]) if read is None else values.iloc[0] == read
