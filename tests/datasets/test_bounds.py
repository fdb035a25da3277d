"""What would be waited for, unpacked or looked through without end is refused at once; each in one sentence."""

import gzip
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recprune.datasets import load
from recprune.datasets.streams import BLANK_LINES
from recprune.interactions import DataError

REFUSED = """
import sys
from recprune.datasets import load
from recprune.interactions import DataError
for path in sys.argv[1:]:
    try:
        load(path)
    except DataError as error:
        print(error)
"""


def test_a_pipe_is_not_waited_for(tmp_path):
    pipes = [tmp_path / name for name in ("log.csv", "log.parquet", "log.zip", "log.csv.gz")]
    for pipe in pipes:
        os.mkfifo(pipe)
    # the limit only ends what would else never end: opening a pipe that nobody writes to
    done = subprocess.run([sys.executable, "-c", REFUSED, *pipes], capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines() == [f"{pipe}: no regular file" for pipe in pipes], done.stderr


@pytest.mark.parametrize("where", ["head", "rows"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_blank_lines_end(tmp_path, where, packed):
    blank = b"\n" * (BLANK_LINES + 10)
    content = blank + b"user,item\n1,2\n" if where == "head" else b"user,item\n1,2\n" + blank + b"3\n"
    path = tmp_path / ("log.csv.gz" if packed else "log.csv")
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    with pytest.raises(DataError, match=r"line 100000\d: more than 1,000,000 blank lines; the file is damaged"):
        load(path)


@pytest.mark.slow
def test_a_small_gzip_file_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(b"user,item\n" + b"1,2\n" * 30_000_000, 1))
    with pytest.raises(DataError, match="log.csv.gz: unpacks to more than 0.1 GB; no log does"):
        load(path)


def test_a_million_columns(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(",".join(f"c{n}" for n in range(1_000_000)) + "\n1,2\n")
    with pytest.raises(DataError, match="line 1: 1,000,000 columns; a log has a line for each interaction"):
        load(path)


def test_a_line_of_separators_is_named(tmp_path):
    (tmp_path / "log.csv").write_text("user,item\n1,2\n" + "," * 70_000 + "\n")
    with pytest.raises(DataError, match="line 3: too many fields: 70001 instead of 2"):
        load(tmp_path / "log.csv")
    (tmp_path / "log.dat").write_text("1::2\n::::\n3::4\n")
    with pytest.raises(DataError, match="line 2: too many fields: 3 instead of 2"):
        load(tmp_path / "log.dat")


@pytest.mark.parametrize("second", ["1::3\x1f::4::978300761\n", "1::3\x1f4::978300761\n"])
def test_the_character_that_stands_for_two_colons_separates_nothing(tmp_path, second):
    (tmp_path / "log.dat").write_text("1::2::3::978300760\n" + second)
    with pytest.raises(DataError, match="line 2: the control character 0x1f, which no text has"):
        load(tmp_path / "log.dat")


@pytest.mark.parametrize("separator", ['"', "\n", "\r", "\0", "\x1f", "é", "", "||"])
def test_what_cannot_separate_is_refused(tmp_path, separator):
    (tmp_path / "log.csv").write_text("1,2\n3,4\n")
    with pytest.raises(DataError, match="one character or '::' is needed"):
        load(tmp_path / "log.csv", separator=separator)


def test_a_parquet_column_that_is_there_twice_is_refused_where_it_is_needed(tmp_path):
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table([[1, 2], [3, 4], [5, 6]], names=["user", "item", "user"]), path)
    with pytest.raises(DataError, match="columns that occur twice: user"):
        load(path)
    pq.write_table(pa.table([[1, 2], [3, 4], [5, 6], [5, 6]], names=["user", "item", "x", "x"]), path)
    assert load(path).nnz == 2
