"""Facts about reading files: the container does not matter, the columns are found, attributes come along."""

import gzip
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from containers import GENRES, LAYOUTS, TITLES, YEARS, ratings, write_csv, write_file
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.datasets import load
from recprune.interactions import DataError, Interactions

CONTAINERS = ["csv", "tsv", "dat", "psv", "ssv", "parquet", "csv.gz", "tsv.gz", "dat.gz"]


@settings(max_examples=30)
@given(
    st.sets(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=40),
    st.sampled_from(CONTAINERS),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**31 - 1),
)
def test_container_row_order_and_id_type_do_not_change_the_content(pairs, container, texts, times, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(sorted(pairs), columns=["user", "item"])
    frame["rating"] = rng.integers(1, 11, len(frame)) / 2
    if times:
        frame["timestamp"] = rng.integers(0, 2**31, len(frame))
    if texts:
        frame = frame.assign(user="u" + frame.user.astype(str), item="00" + frame.item.astype(str))
    expected = Interactions.from_frame(frame, rating="rating", timestamp="timestamp" if times else None)
    frame = frame.sample(frac=1, random_state=seed)[list(rng.permutation(frame.columns))]
    with TemporaryDirectory() as folder:
        log = load(write_file(Path(folder) / f"log.{container}", frame))
    assert log.content_hash == expected.content_hash
    assert log.name == "log"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_official_layout_gives_the_same_log_and_titles(layout, tmp_path):
    frame = ratings()
    log = load(LAYOUTS[layout](tmp_path / "movies", frame))
    assert log.content_hash == Interactions.from_frame(frame, rating="rating", timestamp="timestamp").content_hash
    assert log.name == ("movies")
    assert log.item_attributes["title"].tolist() == TITLES
    assert log.item_attributes["year"].tolist() == YEARS
    assert log.item_attributes["genres"].tolist() == GENRES
    if layout != "ratings.csv":
        assert log.user_attributes["age"].tolist() == [21, 22, 23]
        assert log.user_attributes["gender"].tolist() == ["M", "F", "M"]
        assert log.user_attributes["occupation"].tolist() == ["writer", "none", "doctor"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_zip_of_an_official_folder(layout, tmp_path):
    folder = LAYOUTS[layout](tmp_path / "movies", ratings())
    with zipfile.ZipFile(tmp_path / "ml-x.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"ml-x/{path.name}")
    log = load(tmp_path / "ml-x.zip")
    assert log.content_hash == load(folder).content_hash
    assert log.name == "ml-x" and log.titles([1]) == [TITLES[1]]


def test_a_video_title_and_a_title_without_a_year(tmp_path):
    write_csv(tmp_path, ratings())
    movies = "movieId,title,genres\n1,Land (1995) (V),Drama\n2,No year,(no genres listed)\n3,,Drama\n"
    (tmp_path / "movies.csv").write_text(movies)
    log = load(tmp_path)
    assert log.titles([0, 1, 2, 3]) == ["Land", "No year", "3", "4"]
    assert log.item_attributes["year"].isna().tolist() == [False, True, True, True]
    assert log.item_attributes["genres"].isna().tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    "header",
    [
        "user_id,item_id,rating,timestamp",
        "userId,movieId,rating,timestamp",
        "UID,IID,Stars,TS",
        "customer_id,product_id,score,date",
        "reviewerID,asin,overall,unixReviewTime",
        "User,Item,Rating,Time",
        "user,isbn,Book-Rating,created_at",
    ],
)
def test_usual_column_names_are_found(header, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(f"{header}\n1,2,3.5,978300760\n")
    log = load(path)
    assert (log.users[0], log.items[0], log.rating[0], log.timestamp[0]) == (1, 2, 3.5, 978300760)


def test_given_column_names(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("a,user,b,c,d\n9,1,2,3,978300760\n")
    log = load(path, user="a", item="b", rating="c", timestamp="d")
    assert (log.users[0], log.items[0], log.rating[0], log.timestamp[0]) == (9, 2, 3, 978300760)


@pytest.mark.parametrize(
    ("line", "rating", "timestamp"),
    [
        ("7\t8\t3\t978300760", 3, 978300760),
        ("7,8,3.5", 3.5, None),
        ("7,8,978300760", None, 978300760),
        ("A2X,0008,5.0,978300760", 5, 978300760),
        ("7 8", None, None),
    ],
)
def test_a_file_without_a_header(line, rating, timestamp, tmp_path):
    path = tmp_path / "log.txt"
    path.write_text(f"{line}\n")
    log = load(path)
    assert log.nnz == 1
    assert (log.rating is None) == (rating is None) and (rating is None or log.rating[0] == rating)
    assert (log.timestamp is None) == (timestamp is None) and (timestamp is None or log.timestamp[0] == timestamp)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfuser,item,rating\n1,2,3\n4,5,6\n",
        b"user,item,rating\r\n1,2,3\r\n4,5,6\r\n",
        b"user,item,rating\n1,2,3\n4,5,6",
        b"user,item,rating\n1,2,3\n\n4,5,6\n\n \n\n",
        b"\n\nuser,item,rating\n1,2,3\n4,5,6\n",
        b"user,item,rating\n 1 , 2,3\n4,5 , 6\n",
        b'"user","item","rating"\n"1","2","3"\n"4","5","6"\n',
        b"user;item;rating\n1;2;3\n4;5;6\n",
        b"\xef\xbb\xbf1,2,3\n4,5,6\n",
    ],
    ids=[
        "bom",
        "crlf",
        "no-last-newline",
        "blank-lines",
        "blank-first",
        "blanks",
        "quotes",
        "semicolons",
        "bom-no-header",
    ],
)
def test_the_same_log_in_untidy_clothes(content, tmp_path):
    (tmp_path / "log.csv").write_bytes(content)
    frame = pd.DataFrame({"user": [1, 4], "item": [2, 5], "rating": [3, 6]})
    assert load(tmp_path / "log.csv").content_hash == Interactions.from_frame(frame, rating="rating").content_hash


def test_titles_in_the_log_with_commas_quotes_and_line_breaks(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        'user,item,title,genre,rating\n1,2,"Misérables, Les (1995)",Drama,3\n1,3,"He said ""no""\nand left",,4\n'
    )
    log = load(path)
    assert log.titles([0, 1]) == ["Misérables, Les", 'He said "no"\nand left']
    assert log.item_attributes["year"].tolist()[0] == 1995 and log.item_attributes["genres"].tolist()[0] == "Drama"


@pytest.mark.parametrize("times", ["2001-01-01,2002-01-01", "2001-01-01T00:00:00Z,2002-01-01T00:00:00Z"])
def test_iso_times_in_a_file(times, tmp_path):
    first, second = times.split(",")
    (tmp_path / "log.csv").write_text(f"user,item,time\n1,2,{first}\n1,3,{second}\n")
    assert load(tmp_path / "log.csv").timestamp.tolist() == [978307200, 1009843200]


def test_a_type_that_shows_only_late_in_a_large_file(tmp_path):
    lines = [f"{n},{n % 7},{n % 5}\n" for n in range(400_000)]
    (tmp_path / "log.csv").write_text("user,item,rating\n" + "".join(lines) + "x1,7,3.5\n")
    log = load(tmp_path / "log.csv")
    assert log.users.dtype.kind == "U" and log.nnz == 400_001 and (log.rating == 3.5).sum() == 1


@pytest.mark.parametrize("container", ["csv", "parquet", "csv.gz"])
def test_events_add_up(container, tmp_path):
    frame = pd.DataFrame(
        {
            "timestamp": [10, 20, 30, 40],
            "visitorid": ["a", "a", "b", "a"],
            "event": ["view", "buy", "view", "seen"],
            "itemid": [1, 1, 1, 2],
        }
    )
    path = write_file(tmp_path / f"log.{container}", frame)
    assert load(path).weight.tolist() == [2, 1, 1]
    log = load(path, events={"view": 1, "buy": 5, "seen": 0.5})
    assert log.weight.tolist() == [6, 0.5, 1] and log.timestamp.tolist() == [20, 40, 30]
    log = load(path, events={"view": 1, "buy": 5, "seen": 0})
    assert log.weight.tolist() == [6, 1] and log.items.tolist() == [1]
    with pytest.raises(DataError, match=r"without a weight: 'buy', 'seen'; the file has: 'buy', 'seen', 'view'"):
        load(path, events={"view": 1})
    with pytest.raises(DataError, match="finite number, and not negative"):
        load(path, events={"view": -1})


def test_events_without_their_column(tmp_path):
    path = write_file(tmp_path / "log.csv", ratings())
    with pytest.raises(DataError, match="no column for event.*the columns are: user, item, rating, timestamp"):
        load(path, events={"view": 1})


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.large_string(), ["a", "b"]),
        (pa.dictionary(pa.int8(), pa.string()), ["a", "b"]),
        (pa.uint16(), [1, 2]),
        (pa.int64(), [1, 2]),
        (pa.float64(), [1.0, 2.0]),
    ],
)
def test_parquet_types_of_ids(kind, values, tmp_path):
    table = pa.table({"user": pa.array(values, pa.string() if pa.types.is_dictionary(kind) else kind), "item": [3, 4]})
    table = table.set_column(
        0, "user", table["user"].cast(kind) if not pa.types.is_dictionary(kind) else table["user"].dictionary_encode()
    )
    pyarrow.parquet.write_table(table, tmp_path / "log.parquet")
    assert load(tmp_path / "log.parquet").users.tolist() == [int(v) if isinstance(v, float) else v for v in values]


def test_parquet_times_and_decimals(tmp_path):
    table = pa.table(
        {
            "user": [1, 2],
            "item": [3, 4],
            "rating": pa.array([1, 2]).cast(pa.decimal128(21, 1)),
            "date": pa.array([11323, 11688], pa.date32()),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "log.parquet")
    log = load(tmp_path / "log.parquet")
    assert log.rating.tolist() == [1, 2] and log.timestamp.tolist() == [978307200, 1009843200]


def test_names_come_from_files(tmp_path):
    text = ratings().to_csv(index=False).encode()
    (tmp_path / "ml-1m-ratings.csv.gz").write_bytes(gzip.compress(text))
    (tmp_path / "my.log.tsv").write_bytes(text.replace(b",", b"\t"))
    assert load(tmp_path / "ml-1m-ratings.csv.gz").name == "ml-1m-ratings"
    assert load(str(tmp_path / "my.log.tsv")).name == "my.log"
