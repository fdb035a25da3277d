"""The rows: one order, one way to write a number, nothing unknown, no cell twice."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.cells.parameters import Parameters
from recprune.cells.results import finish
from recprune.cells.rows import CELL, COARSE, COLUMNS, FINE, TIMING, WHOLE, canonical, read_rows, to_csv, write_rows
from recprune.errors import StudyError


def frame(n=3, **values):
    cell = {
        "dataset": "d",
        "protocol": "ratio",
        "model": "ease",
        "family": "cf",
        "side": "parameters",
        "unit": "weight",
        "criterion": "none",
        "schedule": "",
        "recovery": "none",
        "kept": 0.5,
        "seed": range(n),
    }
    return pd.DataFrame(cell | values, index=range(n))


def test_the_schema_is_that_of_the_readers_outside():
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert COLUMNS[: len(CELL)] == CELL and COLUMNS[-1] == "run"
    some = {"val_ndcg@10", "test_recall_min@20", "test_ndcg@10_users_low", "test_recall@20_items_high", "test_rbo@20"}
    assert some < set(COLUMNS)
    of_validation = {column for column in COLUMNS if column.startswith("val_") and "ratio" not in column}
    assert of_validation == {"val_ndcg@10", "val_recall@20"}, "what choices are made by"
    assert {"p50_ms", "p95_ms", "users_per_s", "train_s", "score_s", "peak_rss_mb", "p50_ratio", "p50_self"} == TIMING


numbers = st.floats(allow_nan=True, allow_infinity=False)


@settings(max_examples=25)
@given(st.lists(numbers, min_size=1, max_size=6), st.randoms())
def test_what_is_written_reads_back_and_writes_the_same_bytes(values, random):
    rows = frame(len(values), **{"val_ndcg@10": values, "test_map@10": values, "parameters": range(len(values))})
    text = to_csv(canonical(rows))
    again = read_rows(io.StringIO(text))
    for column, digits in (("val_ndcg@10", FINE), ("test_map@10", COARSE)):
        np.testing.assert_array_equal(again[column], [float(f"{value:.{digits}g}") for value in values])
    assert to_csv(again) == text
    order = list(rows.index)
    random.shuffle(order)
    columns = list(rows.columns)
    random.shuffle(columns)
    assert to_csv(canonical(rows.loc[order, columns])) == text


def test_numbers_are_written_as_short_as_they_read_back():
    rows = frame(1, kept=1 / 3, **{"test_ratio": 0.98996, "test_map@10": -0.12344, "p50_ms": 3.0, "users_per_s": 1.6e5})
    text = to_csv(canonical(rows)).splitlines()[1]
    assert f",{1 / 3!r}," in text, "a share says which cell it is: all its digits"
    assert ",.98996," in text and ",-.1234," in text and ",3," in text and ",160000," in text


def test_words_that_pandas_takes_for_missing_stay_words():
    rows = read_rows(io.StringIO(to_csv(canonical(frame(1, dataset="NA", recovery="None")))))
    assert rows.loc[0, "dataset"] == "NA" and rows.loc[0, "recovery"] == "None" and rows.loc[0, "schedule"] == ""


def test_files_from_before_value_formats_hold_models_as_trained():
    text = to_csv(canonical(frame(2)))
    older = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False).drop(columns="values").to_csv(index=False)
    assert to_csv(read_rows(io.StringIO(older))) == text
    assert set(read_rows(io.StringIO(older))["values"]) == {"float32"}
    assert to_csv(canonical(frame(2, values=""))) == text


def test_a_cell_in_another_value_format_is_another_cell():
    rows = canonical(pd.concat([frame(1, values=values) for values in ("int8", "float32", "float16")]))
    assert rows["values"].tolist() == ["float16", "float32", "int8"]


def test_whole_numbers_are_written_whole():
    text = to_csv(canonical(frame(2, parameters=[5.0, np.nan], bytes_disk=10**12)))
    assert ",5," in text and "1000000000000" in text and "5.0," not in text
    assert str(canonical(frame(1))["seed"].dtype) == "Int64" and "seed" in WHOLE


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (frame(2).assign(ndgc=1.0), "unknown column 'ndgc'"),
        (frame(2).drop(columns="kept"), "column 'kept' is missing"),
        (frame(2, seed=0), "the cell occurs twice: dataset=d, protocol=ratio, model=ease"),
        (frame(2, side="sample"), "side 'sample' is unknown; known: dense, samples"),
        (frame(2, kept=np.nan), "column 'kept': row 1 is empty"),
        (frame(2).assign(**{"val_ndcg@10": "high"}), "column 'val_ndcg@10'"),
        (frame(2, parameters=1.5), "column 'parameters'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rows_that_cannot_be_are_refused(rows, message):
    with pytest.raises(StudyError, match=message):
        canonical(rows)


def test_finish_writes_only_where_a_run_asked_for_it(tmp_path):
    rows = frame(2).drop(columns=["dataset", "protocol"])
    p = Parameters(dataset="ml-100k", model="ease")
    assert list(finish(p, rows)["dataset"]) == ["ml-100k"] * 2
    assert not list(tmp_path.iterdir())
    finish(Parameters(dataset="ml-100k", out=str(tmp_path), run="abc"), rows)
    assert list(read_rows(tmp_path / "cells.csv")["run"]) == ["abc"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["cells.csv"]
    finish(Parameters(out=str(tmp_path)))
    assert len(read_rows(tmp_path / "cells.csv")) == 0


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    write_rows(tmp_path, frame(1))
    before = (tmp_path / "cells.csv").read_bytes()
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError):
            write_rows(tmp_path, frame(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "cells.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["cells.csv"]


def test_files_that_are_none(tmp_path):
    with pytest.raises(StudyError, match="there is no such file"):
        read_rows(tmp_path / "cells.csv")
    (tmp_path / "cells.csv").write_text("")
    with pytest.raises(StudyError, match="not a file of rows"):
        read_rows(tmp_path / "cells.csv")
