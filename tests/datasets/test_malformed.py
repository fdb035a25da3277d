"""Every malformed input is an error that names the file, the line and the value."""

import gzip
import zipfile

import pandas as pd
import pytest
from containers import LAYOUTS, ratings, write_csv

from recprune.datasets import load
from recprune.interactions import DataError

HEADER = "user,item,rating,timestamp\n"
GOOD = "1,2,3,978300760\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n \n\n", "the file is empty"),
        (HEADER, "a header and no interactions"),
        (HEADER + GOOD + "1,2\n", "line 3: too few fields: 2 instead of 4 .*'1,2'"),
        (HEADER + GOOD + "\n" + "1,2,3,4,5\n", "line 4: too many fields: 5 instead of 4"),
        (HEADER + GOOD + "1,2,good,978300760\n", "line 3: column 'rating' is 'good'; a finite number is needed"),
        (HEADER + GOOD + "1,3,NA,978300760\n", "line 3: column 'rating' is 'NA'"),
        (HEADER + "1,2,good,978300760\n" + GOOD, "line 2: column 'rating' is 'good'"),
        (HEADER + GOOD + "1,3,,978300760\n", "line 3: column 'rating' is missing"),
        (HEADER + GOOD + "1,3,inf,978300760\n", "line 3: column 'rating' is inf"),
        (HEADER + "\n\n" + GOOD + ",2,3,978300760\n", "line 5: column 'user' has no id"),
        (HEADER + GOOD + "1,  ,3,978300760\n", "line 3: column 'item' has no id"),
        (HEADER + GOOD + '1,"",3,978300760\n', "line 3: column 'item' has no id"),
        (HEADER + GOOD + "1,3,3,-7\n", "line 3: column 'timestamp' is -7"),
        (HEADER + GOOD + "1,3,3,99999999999999\n", "line 3: column 'timestamp' is 9999999"),
        (HEADER + GOOD + "1,3,3,yesterday\n", "line 3: column 'timestamp' is 'yesterday'"),
        (HEADER + GOOD + "1,3,3,\n", "line 3: column 'timestamp' is missing"),
        ("user,item,time\n1,2,2001-01-01\n1,3,2001-13-01\n", "line 3: column 'time' is '2001-13-01'"),
        ("who,item\n1,2\n", "no column for user; name it with user=...; the columns are: who, item"),
        ("user,item,2019\n1,2\n", "line 2: too few fields: 2 instead of 3"),
        ("user,item,user\n1,2,3\n", "line 1: columns that occur twice: user"),
        ("a,b,c,d,e\n" + GOOD, "no column for user; .*the columns are: a, b, c, d, e"),
        ("1,2,3,4,5\n", "line 1: no column names, and 5 fields"),
        ("hello\nworld\n", "line 1: no separator found in 'hello'"),
        ("1::2::3::978300760\n1::3::4\n", "line 2: too few fields: 3 instead of 4"),
        ("1::2::3::978300760\n1:x:3::4::978300760\n", "line 2: too few fields"),
        ("1::2::3::978300760\n1::3::x::978300760\n", "line 2: column 'rating' is 'x'"),
        ("1\t2\t3\t978300760\n\t\n1\t3\tx\t978300760\n", "line 3: column 'rating' is 'x'"),
        ('user,item,title,rating\n1,2,"a\nb",3\n1,3,c,bad\n', "line 4: column 'rating' is 'bad'"),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_the_line_is_named(text, message, packed, tmp_path):
    path = tmp_path / ("log.csv.gz" if packed else "log.csv")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    with pytest.raises(DataError, match=message) as error:
        load(path)
    assert str(path) in str(error.value)


def test_a_bad_line_deep_in_a_large_file(tmp_path):
    lines = [f"{n},{n % 7},{n % 5},978300760\n" for n in range(200_000)]
    lines[150_000] = "1,2,x,978300760\n"
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "".join(lines))
    with pytest.raises(DataError, match="line 150002: column 'rating' is 'x'"):
        load(path)
    lines[150_000] = "1,2\n"
    path.write_text(HEADER + "".join(lines))
    with pytest.raises(DataError, match="line 150002: too few fields"):
        load(path)


def test_a_missing_given_column(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + GOOD)
    with pytest.raises(DataError, match="no column 'stars' for rating; the columns are: user, item, rating, timestamp"):
        load(tmp_path / "log.csv", rating="stars")


def test_bytes_that_are_not_utf8(tmp_path):
    (tmp_path / "log.csv").write_bytes(b"user,item\n1,caf\xe9\n")
    with pytest.raises(DataError, match="line 2: byte 0xe9 at 6 is not utf-8; save the file as UTF-8"):
        load(tmp_path / "log.csv")
    lines = b"".join(b"%d,%d\n" % (n, n) for n in range(100_000))
    (tmp_path / "log.csv").write_bytes(b"user,item\n" + lines + b"1,caf\xe9\n")
    with pytest.raises(DataError, match="line 100002: byte 0xe9"):
        load(tmp_path / "log.csv")


def test_utf16_is_refused(tmp_path):
    (tmp_path / "log.csv").write_bytes((HEADER + GOOD).encode("utf-16"))
    with pytest.raises(DataError, match="this is UTF-16; save the file as UTF-8"):
        load(tmp_path / "log.csv")


def test_gz_that_is_not(tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_text(HEADER + GOOD)
    with pytest.raises(DataError, match="named .gz, and is not a gzip file"):
        load(path)
    packed = gzip.compress(ratings(40, 40).to_csv(index=False).encode())
    for part, message in [(packed[:-9], "truncated"), (packed[:200], "truncated"), (packed[:12], "truncated")]:
        path.write_bytes(part)
        with pytest.raises(DataError, match=message):
            load(path)
    damaged = bytearray(packed)
    damaged[-6] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DataError, match="damaged"):
        load(path)
    damaged = bytearray(packed)
    damaged[len(damaged) // 2 : len(damaged) // 2 + 200] = bytes(200)
    path.write_bytes(damaged)
    with pytest.raises(DataError, match="damaged|truncated"):
        load(path)


def test_parquet_that_is_not(tmp_path):
    path = tmp_path / "log.parquet"
    path.write_text(HEADER + GOOD)
    with pytest.raises(DataError, match="not a readable Parquet file"):
        load(path)
    ratings().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="not a readable Parquet file"):
        load(path)
    ratings().head(0).to_parquet(path)
    with pytest.raises(DataError, match="no interactions"):
        load(path)
    ratings().astype({"rating": float}).assign(rating=lambda f: f.rating.where(f.index != 2)).to_parquet(path)
    with pytest.raises(DataError, match="row 3: column 'rating' is missing"):
        load(path)
    ratings().assign(user=pd.Series([None, "x"] * 6).head(11)).to_parquet(path)
    with pytest.raises(DataError, match="row 1: column 'user' has no id"):
        load(path)


def test_a_zip_that_is_not(tmp_path):
    path = tmp_path / "ml.zip"
    path.write_text("no zip")
    with pytest.raises(DataError, match="zip file is damaged"):
        load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README.txt", "nothing here")
    with pytest.raises(DataError, match="none of u.data, ratings.dat"):
        load(path)


def test_a_folder_without_a_log_or_with_two(tmp_path):
    with pytest.raises(DataError, match="none of u.data, ratings.dat, ratings.csv.*is in this folder"):
        load(tmp_path)
    for name in ("a.inter", "b.inter"):
        (tmp_path / name).write_text("user_id:token\titem_id:token\n1\t2\n")
    with pytest.raises(DataError, match="more than one log: a.inter, b.inter"):
        load(tmp_path)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "ratings.csv"])
def test_a_broken_line_of_an_official_log(layout, tmp_path):
    folder = LAYOUTS[layout](tmp_path, ratings())
    log = next(p for p in folder.iterdir() if p.name in ("u.data", "ratings.dat") or p.suffix == ".inter")
    log.write_text(log.read_text() + "1\n")
    with pytest.raises(DataError, match=r"line \d+: too few fields: 1 instead of 4"):
        load(folder)


def test_a_broken_file_of_titles(tmp_path):
    folder = write_csv(tmp_path, ratings())
    (folder / "movies.csv").write_text("movieId,title,genres\n1,Misérables, Les,Drama\n")
    with pytest.raises(DataError, match="movies.csv: line 2: too many fields"):
        load(folder)


def test_a_separator_of_two_characters(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + GOOD)
    with pytest.raises(DataError, match="one character or '::' is needed"):
        load(tmp_path / "log.csv", separator="||")
