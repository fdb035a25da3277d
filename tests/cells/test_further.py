"""Rows beside the cells: what is written is read, in one order; what cannot be one of them is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recprune.cells import Parameters, finish
from recprune.cells.further import COLUMNS, FILE, KEY, further_rows, read_further, write_further
from recprune.cells.rows import read_rows
from recprune.errors import StudyError


def frame_of(values=(0.5, 0.7), **columns):
    """Rows of an audit, one a value, of seeds from 0 on."""
    whose = {"dataset": "d", "protocol": "ratio", "kind": "membership", "model": "ease", "family": "cf"}
    rows = whose | {"side": "dense", "seed": range(len(values)), "measure": "auc", "value": list(values)}
    return pd.DataFrame(rows | columns)


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)  # -0.0 among them
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@given(st.lists(st.tuples(numbers, numbers, texts), min_size=1, max_size=6), st.randoms())
def test_what_is_written_is_read_and_the_order_does_not_matter(tmp_path_factory, found, random):
    values, errors, places = zip(*found, strict=True)
    frame = frame_of(values, error=list(errors), at=list(places))
    shuffled = list(range(len(frame)))
    random.shuffle(shuffled)
    folder = tmp_path_factory.mktemp("rows")
    text = write_further(folder, frame).read_bytes()
    assert write_further(folder, frame.iloc[shuffled]).read_bytes() == text
    read, expected = read_further(folder), further_rows(frame)
    pd.testing.assert_frame_equal(read[list(KEY)], expected[list(KEY)])
    np.testing.assert_allclose(read[["value", "error"]], expected[["value", "error"]], rtol=1e-5)
    assert write_further(folder, read).read_bytes() == text


def test_a_missing_error_stays_missing_and_an_absent_file_has_no_rows(tmp_path):
    assert len(read_further(tmp_path)) == 0
    write_further(tmp_path, frame_of())
    assert read_further(tmp_path)["error"].isna().all()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"colour": "red"}, "unknown column 'colour'"),
        ({"kind": "guess"}, "kind 'guess' is unknown; known: membership, attack, window"),
        ({"value": "much"}, "column 'value'"),
        ({"kept": [None, 1.0]}, "column 'kept': row 1 is empty"),
        ({"seed": 0}, "two rows of dataset=d"),
    ],
)
def test_what_is_no_such_row_is_refused(columns, said):
    with pytest.raises(StudyError, match=said):
        further_rows(frame_of(**columns))


def test_a_frame_without_a_needed_column_and_another_file_are_refused(tmp_path):
    with pytest.raises(StudyError, match="column 'measure' is missing; a row needs"):
        further_rows(frame_of().drop(columns="measure"))
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyError, match="further.csv.gz: not a file of further rows"):
        read_further(tmp_path)


def test_a_notebook_leaves_them_beside_its_cells(tmp_path):
    p = Parameters(dataset="synthetic", protocol="loo", run="abc", out=str(tmp_path))
    finish(p, further=frame_of())
    read = read_further(tmp_path)
    assert list(read.columns) == list(COLUMNS)
    assert read[["dataset", "protocol", "run"]].drop_duplicates().values.tolist() == [["synthetic", "loo", "abc"]]
    assert len(read_rows(tmp_path / "cells.csv")) == 0
