"""Files as programs and people leave them: what is read is what stands there, or it is said why not."""

import decimal
import gzip
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recprune.datasets import load
from recprune.interactions import DataError


def rows(log):
    """{(user, item): rating} of a log, ids as words."""
    rating = np.ones(log.nnz) if log.rating is None else log.rating
    return {
        (str(log.users[u]), str(log.items[i])): float(r) for u, i, r in zip(log.user, log.item, rating, strict=True)
    }


def text(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class TestQuotes:
    @pytest.mark.parametrize("separator", [",", "\t", ";"])
    def test_a_lone_quote_swallows_no_row(self, tmp_path, separator):
        lines = ["user item title", '1 10 "Heroes', "1 11 b", "2 14 c", '2 12 "Roots', "3 13 d"]
        log = load(text(tmp_path / "log.csv", "\n".join(lines).replace(" ", separator) + "\n"))
        assert set(rows(log)) == {("1", "10"), ("1", "11"), ("2", "14"), ("2", "12"), ("3", "13")}
        assert log.titles(np.searchsorted(log.items, [12, 13])) == ['"Roots', "d"]

    def test_a_quoted_field_holds_separators_and_lines(self, tmp_path):
        content = 'user,item,title\n1,10,"a\nb, c"\n1,11,"say ""x"""\n2,10,"a\nb, c"\n'
        log = load(text(tmp_path / "log.csv", content))
        assert log.nnz == 3
        assert log.titles([0, 1]) == ["a\nb, c", 'say "x"']

    def test_an_id_is_not_read_with_its_quotes(self, tmp_path):
        with pytest.raises(
            DataError, match="line 2: column 'user' is '\"1\"', with its quote, since some quote of the"
        ):
            load(text(tmp_path / "log.csv", 'user,item\n"1","10\n"2","11"\n'))

    def test_where_quotes_never_are_quotes_an_id_may_begin_with_one(self, tmp_path):
        assert rows(load(text(tmp_path / "log.dat", '"a"::1::5\n"b::2::4\n'))) == {('"a"', "1"): 5, ('"b', "2"): 4}

    def test_one_that_is_neither_is_named(self, tmp_path):
        content = 'user,item,title\n1,10,"a\nb, c"\n1,11,"lone\n2,10,"x"\n'
        with pytest.raises(DataError, match="line 4: .*; a quote within a field is written twice"):
            load(text(tmp_path / "log.csv", content))


@pytest.mark.parametrize(
    ("content", "rating"),
    [
        ("1;10;4,5\n1;11;3\n2;10;0,25\n", [4.5, 3, 0.25]),
        ("1|10|4,5\n1|11|3,0\n2|10|5,0\n", [4.5, 3, 5]),
        ("1 10 4,5\n1 11 3,0\n2 10 5,0\n", [4.5, 3, 5]),
        ("1\t10\t4,5\n1\t11\t3,0\n2\t10\t5,0\n", [4.5, 3, 5]),
        ("user;item;rating\n1;10;4,5\n1;11;3,0\n2;10;5,0\n", [4.5, 3, 5]),
        ('user,item,rating\n1,10,"4,5"\n1,11,"3,0"\n2,10,5\n', [4.5, 3, 5]),
        ("1,10,4.5\n1,11,3\n2,10,5\n", [4.5, 3, 5]),
    ],
)
def test_a_decimal_comma_is_no_separator(tmp_path, content, rating):
    log = load(text(tmp_path / "log.csv", content))
    assert list(rows(log)) == [("1", "10"), ("1", "11"), ("2", "10")]
    assert log.rating.tolist() == rating


@pytest.mark.parametrize("content", ["John F Smith,10\nMary Ann Lee,11\n", "John Smith,10,5\nMary Lee,11,4\n"])
def test_words_with_blanks_are_not_taken_apart(tmp_path, content):
    log = load(text(tmp_path / "log.csv", content))
    assert [user.split()[0] for user in log.users] == ["John", "Mary"]
    assert log.items.tolist() == [10, 11]


def test_a_comma_before_three_digits_is_not_guessed_at(tmp_path):
    with pytest.raises(DataError, match="column 'plays' is '1,234'; a count from 0 on is needed"):
        load(text(tmp_path / "log.tsv", "user\titem\tplays\n1\t10\t1,234\n"))


@pytest.mark.parametrize(
    "word", ["NULL", "nUll", "NA", "Na", "N/A", "N/a", "NaN", "-nan", "None", "null", "(null)", r"\N", "#N/A", "<na>"]
)
@pytest.mark.parametrize("role", ["user", "item"])
def test_a_word_for_a_missing_value_is_no_id(tmp_path, word, role):
    lines = ["user,item", "5,6", *([f"{word},7", f"{word},8"] if role == "user" else [f"7,{word}", f"8,{word}"])]
    with pytest.raises(DataError, match=rf"line 3: column '{role}' is .*, a word for a missing value, in 2 rows"):
        load(text(tmp_path / "log.csv", "\n".join(lines)))


def test_an_id_that_a_spreadsheet_rounded_is_refused(tmp_path):
    with pytest.raises(DataError, match="line 2: .*a number that has lost its last digits, in 2 rows"):
        load(text(tmp_path / "log.csv", "user,item\n1.23456789012346E+18,1\n1.23456789012346E+18,2\n"))


class TestCounts:
    @pytest.mark.parametrize(
        "name", ["weight", "plays", "playcount", "play_count", "count", "clicks", "Listens", "hours", "total_plays"]
    )
    def test_a_column_of_counts_is_a_weight(self, tmp_path, name):
        log = load(text(tmp_path / "log.csv", f"user,item,{name}\n1,10,3\n1,10,4\n2,11,5\n2,10,0\n"))
        assert log.weight.tolist() == [7, 5]

    def test_counts_multiply_what_events_weigh(self, tmp_path):
        path = text(tmp_path / "log.csv", "user,item,event,plays\n1,10,view,2\n1,10,buy,3\n2,11,view,1\n")
        assert load(path, events={"view": 1, "buy": 5}).weight.tolist() == [17, 1]

    def test_counts_of_zero_alone_are_no_log(self, tmp_path):
        with pytest.raises(DataError, match="log.csv: no interactions: all of 2 rows weigh nothing"):
            load(text(tmp_path / "log.csv", "user,item,plays\n1,10,0\n2,11,0\n"))

    @pytest.mark.parametrize("weight", ["much", None, -1, float("nan"), float("inf"), 10**400])
    def test_what_is_no_weight_of_an_event_is_refused(self, tmp_path, weight):
        with pytest.raises(DataError, match="a weight is a finite number, and not negative"):
            load(text(tmp_path / "log.csv", "user,item,event\n1,10,view\n"), events={"view": weight})

    @pytest.mark.parametrize("bad", ["-2", "many", "", "inf", "1e39"])
    def test_what_is_no_count_is_named(self, tmp_path, bad):
        with pytest.raises(DataError, match="line 3: column 'n' is .*; a count from 0 on is needed"):
            load(text(tmp_path / "log.csv", f"user,item,n\n1,10,2\n1,11,{bad}\n"), weight="n")


class TestAttributes:
    def test_what_differs_within_an_item_is_not_the_items(self, tmp_path, capsys):
        content = "user,parent_asin,title,year\n1,10,Great!,1990\n2,10,Broke,1990\n1,11,Fine,1991\n"
        log = load(text(tmp_path / "log.csv", content))
        assert log.titles([0, 1]) == ["10", "11"]
        assert log.item_attributes["year"].tolist() == [1990, 1991]
        assert "'title' differs within an item" in capsys.readouterr().err

    def test_a_title_that_is_missing_in_some_rows_is_the_items(self, tmp_path):
        log = load(text(tmp_path / "log.csv", "user,item,title\n1,10,\n2,10,Heat (1995)\n1,11,Up\n"))
        assert log.titles([0, 1]) == ["Heat", "Up"]

    @pytest.mark.parametrize("title", [" " * 60_000 + "x", "(" * 60_000, "a" + " (" * 40_000, "(1995) " * 9000 + "x"])
    def test_a_strange_title_is_read_at_once(self, tmp_path, title):
        assert load(text(tmp_path / "log.csv", f"user,item,title\n1,5,{title}\n")).titles([0]) == [title.strip()]


@pytest.mark.parametrize("columns", ["artist,artistID", "artistID,artist"])
def test_an_id_is_the_item_and_the_name_beside_it_the_title(tmp_path, columns):
    row = "The Who,7" if columns.startswith("artist,") else "7,The Who"
    log = load(text(tmp_path / "log.csv", f"userID,{columns},plays\n1,{row},3\n"))
    assert (log.items.tolist(), log.titles([0]), log.weight.tolist()) == ([7], ["The Who"], [3])


class TestDoubleColons:
    def test_single_colons_are_text(self, tmp_path):
        log = load(text(tmp_path / "log.dat", "a:b::x:1::5::2019-01-01 12:30:00\na:b::x:2::3::2019-01-01T12:30:01Z\n"))
        assert rows(log) == {("a:b", "x:1"): 5, ("a:b", "x:2"): 3}
        assert log.timestamp.tolist() == [1546345800, 1546345801]

    def test_wherever_a_block_ends(self, tmp_path):
        """The parser asks for blocks of bytes, and a pair of colons can lie across two."""
        lines = [f"{u}::{i}::{(u + i) % 5 + 1}::{10**9 + u}\n" for u in range(1, 1500) for i in range(100, 300)]
        log = load(text(tmp_path / "log.dat", "".join(lines)), quiet=True)
        assert log.nnz == 1499 * 200
        assert ((log.users[log.user] + log.items[log.item]) % 5 + 1 == log.rating).all()


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


class TestZips:
    ONE, OTHER = "user,item\n1,2\n", "user,item\n3,4\n5,6\n"

    @pytest.mark.parametrize(
        "members",
        [
            {"train/ratings.csv": ONE, "test/ratings.csv": OTHER},
            {"a/ratings.csv": ONE, "b/u.data": "1\t2\t3\t4\n"},
            {"a/ratings.csv": ONE, "a/RATINGS.CSV": OTHER},
            {"a/ratings.csv": ONE, "a/ratings.csv.gz": gzip.compress(OTHER.encode())},
            {"one.csv": ONE, "other.csv": OTHER},
        ],
    )
    def test_two_logs_are_one_too_many(self, tmp_path, members):
        with pytest.raises(DataError, match="log.zip: more than one log: "):
            load(zipped(tmp_path / "log.zip", members))

    def test_one_table_is_the_log_whatever_its_name(self, tmp_path):
        assert load(zipped(tmp_path / "log.zip", {"README": "x", "up/stars.csv": self.OTHER})).nnz == 2

    def test_titles_of_another_folder_are_not_taken(self, tmp_path):
        members = {"x/ratings.csv": self.ONE, "x/movies.csv": "item,title\n2,T\n", "y/movies.csv": "item,title\n2,U\n"}
        assert load(zipped(tmp_path / "log.zip", members)).titles([0]) == ["T"]

    def test_one_that_would_fill_the_disk_is_not_unpacked(self, tmp_path):
        with pytest.raises(DataError, match="ratings.csv would unpack to 0.2 GB"):
            load(zipped(tmp_path / "log.zip", {"ratings.csv": bytes(200_000_000)}))

    def test_one_with_a_password_is_named(self, tmp_path):
        path = zipped(tmp_path / "log.zip", {"ratings.csv": self.ONE})
        content = bytearray(path.read_bytes())
        for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            content[content.find(header) + flags] |= 1
        path.write_bytes(content)
        with pytest.raises(DataError, match="cannot be unpacked .*encrypted"):
            load(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("user,item\r1,5\r2,6\r", "line 1: a carriage return"),
        ("user,item\n1,5\n".encode("utf-16"), "this is UTF-16"),
        (b"user,item\n1,\x00\n", "this is binary"),
        (b"user,item\n" + b"1,2\n" * 40_000 + b"1,\x00\n", "line 40002: a byte of zeros"),
        (b"PAR1" + b"x" * 99, "this is a Parquet file; name it .parquet"),
        (b"PK\x03\x04" + b"x" * 99, "this is a zip file; name it .zip"),
        (gzip.compress(gzip.compress(b"user,item\n1,2\n")), "this is binary"),
        ("1," * 9_000_000, "line 1: longer than 16 MB"),
        (",".join(f"c{n}" for n in range(20_000)) + "\n", "20,000 columns; a log has a line for each interaction"),
    ],
    ids=["CR", "UTF-16", "NUL", "NUL later", "Parquet", "zip", "gz in gz", "one line", "wide"],
)
def test_what_is_no_text_of_rows_is_named(tmp_path, content, words):
    with pytest.raises(DataError, match=words) as error:
        load(text(tmp_path / "log.csv", content))
    assert "\n" not in str(error.value)


def test_a_device_is_no_file():
    with pytest.raises(DataError, match="/dev/null: no regular file"):
        load("/dev/null")


class TestParquet:
    def save(self, path, **columns):
        pq.write_table(pa.table(columns), path)
        return path

    @pytest.mark.parametrize("kind", [pa.decimal128(38, 0), pa.int64(), pa.uint64(), pa.string(), pa.large_string()])
    def test_large_ids_stay_apart(self, tmp_path, kind):
        ids = [2**62 + n for n in range(3)]
        values = [decimal.Decimal(i) for i in ids] if pa.types.is_decimal(kind) else ids
        values = list(map(str, ids)) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else values
        log = load(self.save(tmp_path / "log.parquet", user=pa.array(values, kind), item=[1, 1, 1]))
        assert log.users.astype(str).tolist() == list(map(str, ids))

    @pytest.mark.parametrize("unit", ["ms", "us", "ns"])
    def test_times_keep_their_order(self, tmp_path, unit):
        per = {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
        ticks = [1_500_000_000 * per + n * per // 1000 for n in (3, 2, 1)]
        for kind in (pa.timestamp(unit), pa.timestamp(unit, tz="Asia/Tokyo"), pa.int64()):
            path = self.save(tmp_path / "log.parquet", user=[1, 1, 1], item=[30, 20, 10], ts=pa.array(ticks, kind))
            log = load(path)
            assert log.items[log.sequences().indices].tolist() == [10, 20, 30]

    @pytest.mark.parametrize(
        ("role", "values", "kind"),
        [
            ("item", pa.array([[1], [2]]), "list"),
            ("user", pa.array([{"a": 1}, {"a": 2}]), "struct"),
            ("user", pa.array([True, False]), "bool"),
            ("rating", pa.array([True, False]), "bool"),
            ("timestamp", pa.array([1, 2], pa.duration("s")), "duration"),
            ("timestamp", pa.array([1, 2], pa.time64("us")), "time64"),
            ("rating", pa.array([b"1", b"2"]), "binary"),
        ],
    )
    def test_a_type_that_is_none_of_a_log_is_named(self, tmp_path, role, values, kind):
        path = self.save(tmp_path / "log.parquet", **({"user": [1, 2], "item": [3, 4]} | {role: values}))
        with pytest.raises(DataError, match=f"column '{role}' holds {kind}.*; numbers, strings, dates and times"):
            load(path)

    def test_an_attribute_of_such_a_type_is_left(self, tmp_path):
        path = self.save(tmp_path / "log.parquet", user=[1, 2], item=[3, 4], title=pa.array([["a"], ["b"]]))
        assert load(path).titles([0]) == ["3"]


class TestSaying:
    def test_one_line_says_what_was_taken_left_and_will_be_kept(self, tmp_path, capsys):
        lines = [f"{u},{i},{5 if i else 1},{10**9 + 86400 * i},x" for u in range(12) for i in range(13)]
        load(text(tmp_path / "my log.csv", "\n".join(["uid,iid,stars,ts,more", *lines])), user="uid", item="iid")
        assert capsys.readouterr().err == (
            "my log.csv: user = uid, item = iid, rating = stars, timestamp = ts; left: more; "
            "12 users x 13 items, 156 interactions from 2001-09-09 to 2001-09-21; "
            "the usual filter, ratings from 3 and 10 interactions for each user and item, "
            "keeps 12 users x 12 items, 144\n"
        )

    def test_that_nothing_will_be_kept_or_ordered_is_said(self, tmp_path, capsys):
        load(text(tmp_path / "log.csv", "user,item,rating,timestamp\n1,2,0.1,0.25\n1,3,0.9,0.5\n"))
        said = capsys.readouterr().err
        assert "keeps none: give min_rating and core" in said
        assert "all within 0.25 s of 1970-01-01" in said

    def test_one_who_has_a_quarter_of_all_is_said(self, tmp_path, capsys):
        lines = [f"{u},{i}" for u in range(30) for i in range(2)]
        load(text(tmp_path / "log.csv", "\n".join(["user,item", *lines, *(f"?,{i}" for i in range(40))])))
        assert "user '?' alone has 40% of them" in capsys.readouterr().err
        load(text(tmp_path / "log.csv", "\n".join(["user,item", *lines])))
        assert "alone" not in capsys.readouterr().err

    def test_days_taken_for_seconds_are_seen(self, tmp_path, capsys):
        load(text(tmp_path / "log.csv", "user,item,date\n1,2,20190101\n1,3,20191231\n"))
        assert "from 1970-08-22 to 1970-08-22 (if these are seconds since 1970)" in capsys.readouterr().err

    def test_quiet_says_nothing(self, tmp_path, capsys):
        load(text(tmp_path / "log.csv", "user,item\n1,2\n"), quiet=True)
        assert capsys.readouterr().err == ""
