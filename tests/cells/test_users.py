"""The values of every user travel beside the rows, and say the same as they do."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from recprune.cells import Parameters, finish
from recprune.cells.bench import Bench
from recprune.cells.curves.dense import dense_rows
from recprune.cells.curves.parameters import parameter_curve
from recprune.cells.rows import CELL, read_rows
from recprune.cells.users import FILE, VALUES, read_per_user, write_per_user
from recprune.errors import StudyError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    p = Parameters(
        dataset="synthetic:120x60x4000",
        core=0,
        model="ease",
        unit="weight",
        criterion="magnitude",
        schedule="one-shot",
        recoveries=("none", "refit"),
        keep=(0.5, 0.1),
        seeds=(0, 1),
        out=str(out),
    )
    bench = Bench(p)
    finish(p, pd.concat([dense_rows(bench), parameter_curve(bench).rows]))
    return out


def test_every_cell_has_its_users_and_their_mean_is_the_row(folder):
    rows, users = read_rows(folder / "cells.csv"), read_per_user(folder)
    both = rows.merge(users, on=list(CELL), suffixes=("", "_users"), validate="one_to_one")
    assert len(both) == len(rows) == len(users) == 10
    means = [np.nanmean(values) for values in both[f"{VALUES}_users"]]
    np.testing.assert_allclose(means, both[VALUES].astype(float), rtol=1e-6)


def test_the_same_cells_give_the_same_bytes_in_any_order(folder, tmp_path):
    shuffled = read_per_user(folder).sample(frac=1, random_state=0)
    assert write_per_user(tmp_path, shuffled).read_bytes() == (folder / FILE).read_bytes()


def test_files_from_before_value_formats_hold_models_as_trained(folder, tmp_path):
    older = pq.read_table(folder / FILE).drop_columns(["values"])
    pq.write_table(older, tmp_path / FILE)
    pd.testing.assert_frame_equal(read_per_user(tmp_path), read_per_user(folder))


def test_no_file_is_no_cells_and_another_file_an_error(tmp_path):
    assert len(read_per_user(tmp_path)) == 0
    (tmp_path / FILE).write_bytes(b"PAR1, or so it says")
    with pytest.raises(StudyError, match="per_user.parquet"):
        read_per_user(tmp_path)
