"""Facts about a published split: train.txt and test.txt, in each a line for a user with the items after it."""

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.datasets import known, load, name_of
from recprune.datasets.download import _sha256
from recprune.datasets.readers import roles_of
from recprune.datasets.registry import Singles
from recprune.interactions import DataError, Interactions


def write_lists(folder: Path, train: str, test: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "train.txt").write_text(train)
    (folder / "test.txt").write_text(test)
    return folder


def rows_of(log: Interactions) -> set[tuple]:
    columns = (log.users[log.user], log.items[log.item], log.part)
    return set(zip(*(column.tolist() for column in columns), strict=True))


def test_a_user_without_items_and_blank_lines_are_no_rows(tmp_path):
    log = load(write_lists(tmp_path / "places", "0 5 3 \n1 3\n", "0 \n\n1 4 5\n2 3\n"))
    assert rows_of(log) == {(0, 5, 0), (0, 3, 0), (1, 3, 0), (1, 4, 1), (1, 5, 1), (2, 3, 1)}
    assert log.name == "places" and log.rating is log.timestamp is log.weight is None


@given(
    st.dictionaries(st.tuples(st.integers(0, 9), st.integers(0, 9)), st.booleans(), min_size=2),
    st.sampled_from(["{}", "u{}"]),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read(pairs, form, random):
    pairs |= {(10, 0): False, (10, 1): True}
    texts = []
    for part in (False, True):
        lists: dict[int, list[str]] = {}
        for (user, item), tested in random.sample(sorted(pairs.items()), len(pairs)):
            if tested == part:
                lists.setdefault(user, []).append(form.format(item))
        texts.append("".join(f"{form.format(user)} {' '.join(items)}\n" for user, items in lists.items()))
    with TemporaryDirectory() as folder:
        log = load(write_lists(Path(folder), *texts), quiet=True)
    word = (lambda n: n) if form == "{}" else form.format
    assert rows_of(log) == {(word(user), word(item), int(tested)) for (user, item), tested in pairs.items()}


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ("0 1\n0 2\n", "0 3\n", "train.txt: line 2: user '0' has line 1 already; one line a user is needed"),
        (
            "0 1\n1 2 7\n",
            "1 3\n0 5 1\n",
            "test.txt: line 2: column 'part' has a pair in the test part that is in train",
        ),
        ("0 1\n", "0\n", "test.txt: no interactions; one line a user is needed"),
        ("0 1\nnull 2\n", "0 3\n", "train.txt: line 2: column 'user' is 'null', a word for a missing value"),
    ],
)
def test_what_is_no_published_split_is_named(train, test, message, tmp_path):
    with pytest.raises(DataError, match=message):
        load(write_lists(tmp_path / "places", train, test))


def test_both_files_are_needed_and_no_columns(tmp_path):
    folder = write_lists(tmp_path / "places", "0 1\n", "0 2\n")
    with pytest.raises(DataError, match="options of a table, not of a published split"):
        load(folder, user="uid")
    (folder / "test.txt").unlink()
    with pytest.raises(DataError, match=r"places: no test.txt; a published split is train.txt and test.txt"):
        load(folder)


def test_a_zip_of_a_published_split_is_the_same_log(tmp_path):
    folder = write_lists(tmp_path / "places", "0 1 2\n", "0 3\n")
    with zipfile.ZipFile(tmp_path / "places.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"places/{file.name}")
    assert load(tmp_path / "places.zip").content_hash == load(folder).content_hash
    assert roles_of(tmp_path / "places.zip") == roles_of(folder) == {"user", "item", "part"}


def test_another_published_split_of_the_same_pairs_is_another_log(tmp_path):
    one = load(write_lists(tmp_path / "one", "0 1 2\n", "0 3\n"))
    other = load(write_lists(tmp_path / "other", "0 1 3\n", "0 2\n"))
    none = replace(one, part=None)
    assert len({one.content_hash, other.content_hash, none.content_hash}) == 3
    assert none.content_hash == replace(other, part=None).content_hash


def test_a_load_says_how_the_log_is_split(tmp_path, capsys):
    load(write_lists(tmp_path / "places", "0 1 2\n", "0 3\n"))
    assert "; a published split (protocol given): 2 train, 1 test; " in capsys.readouterr().err


def test_a_copy_of_a_registered_split_stands_for_it_wherever_it_lies(tmp_path, monkeypatch):
    folder = write_lists(tmp_path / "anything", "0 1 2\n", "0 3\n")
    assert name_of(str(folder)).startswith("anything-")
    sums = {file.name: _sha256(file) for file in folder.iterdir()}
    registered = known() | {
        "places": replace(known()["gowalla"], name="places", singles=Singles("https://a.b/c", sums))
    }
    monkeypatch.setattr("recprune.datasets.naming.known", lambda: registered)
    assert name_of(str(folder)) == "places"
    copy = shutil.copytree(folder, tmp_path / "places")
    (copy / "test.txt").write_text("0 4\n")
    assert name_of(str(copy)).startswith("places-"), "called alike, and another log"
    (copy / "test.txt").unlink()
    assert name_of(str(copy)) != "places"


def test_parts_of_ones_own_frame(log):
    part = (np.arange(log.nnz) % 3 == 0).astype(np.int8)
    published = replace(log, part=part)
    chosen = published.select(part == 1).compress()
    assert (chosen.part == 1).all() and chosen.nnz == part.sum()
