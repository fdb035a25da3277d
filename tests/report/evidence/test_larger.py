"""The rows of large studies, in files of their own, are shown with those of their results folder."""

import json

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.cells.rows import CELL, write_rows
from recprune.cells.users import VALUES, read_per_user, write_per_user
from recprune.datasets.naming import name_of
from recprune.errors import ReportError
from recprune.report import Evidence, tables
from recprune.report.__main__ import main
from recprune.report.claims.compared import compared, keep_compared
from recprune.report.docs import artefacts
from recprune.report.evidence.cells import canonical, read_cells
from recprune.report.evidence.data_sets import read_data_sets, write_data_sets
from recprune.report.figures.claims import caption
from recprune.study.identity import data_identity

SMALL, LARGE = "synthetic-50x30x600", "synthetic-60x40x900-seed-1"


def gathered(folder, source):
    """A folder as `gather` leaves it: rows of a data set, the values of its users, and where they come from."""
    dataset = name_of(source)
    rows = canonical(fake_cells(dataset=dataset, models=("popularity", "ease"), kept=(0.5,)))
    write_rows(folder, rows)
    values = np.random.default_rng(0).random((len(rows), 30))
    write_per_user(folder, rows[list(CELL)].assign(**{VALUES: list(values)}))
    parameters = json.dumps({"columns": {}, "core": 0, "min_rating": None})
    run = {"dataset": dataset, "protocol": "ratio", "data": data_identity(source), "parameters": parameters}
    pd.DataFrame([run]).to_csv(folder / "provenance.csv", index=False)
    return folder


@pytest.fixture
def results(tmp_path):
    gathered(tmp_path / "results", "synthetic:50x30x600")
    gathered(tmp_path / "results" / "larger" / "large", "synthetic:60x40x900:seed=1")
    return tmp_path / "results"


def test_each_file_has_its_studies_with_their_users(results):
    evidence = Evidence(results)
    assert [study.name for study in evidence.studies] == [SMALL, LARGE]
    for study in evidence.studies:
        assert len(study.rows) == len(study.users) == len(evidence.cells) / 2
    assert artefacts(evidence).count("What a reproduction on") == 2


def test_a_results_folder_may_have_large_studies_alone(results):
    (results / "cells.csv").unlink()
    assert [study.name for study in Evidence(results).studies] == [LARGE]


def test_rows_of_one_study_in_two_files_are_refused(results):
    rows = fake_cells(dataset=LARGE, models=("ease",), kept=(0.2,))
    write_rows(results / "larger" / "twin", rows[rows["side"] == "parameters"])
    both = f"larger/twin/cells.csv and .*larger/large/cells.csv: both have rows of {LARGE}/ratio, and none"
    with pytest.raises(ReportError, match=both):
        _ = Evidence(results).studies


def test_a_study_measured_again_in_other_formats_adds_these(results):
    again = fake_cells(dataset=LARGE, models=("ease",), kept=(0.5,))
    write_rows(results / "larger" / "formats", pd.concat([again, again.assign(values="int8")]))
    evidence = {study.name: study for study in Evidence(results).studies}[LARGE]
    assert len(evidence.rows) == len(read_cells(results / "larger" / "large" / "cells.csv"))
    assert len(evidence.formats) == len(evidence.rows) + len(again)


def test_a_cell_of_two_qualities_is_refused(results):
    again = fake_cells(dataset=LARGE, models=("ease",), kept=(0.5,))
    again["test_ndcg@10"] *= 1.01
    write_rows(results / "larger" / "other", again)
    with pytest.raises(ReportError, match=r"other/cells.csv and .*: test_ndcg@10 of one cell is .*gather both"):
        _ = Evidence(results).studies


def test_the_command_writes_all_into_the_results_folder_and_keeps_what_is_compared(results, capsys):
    assert main(["tables", "--results", str(results)]) == 0
    assert (results / "tables" / LARGE / "dense.csv").exists() and (results / "tables" / SMALL / "dense.csv").exists()
    assert [path.name for path in (results / "larger").iterdir()] == ["large"]
    said = capsys.readouterr().out
    for place in (results, results / "larger" / "large"):
        assert f"{place / 'per_user.parquet'}: what the claims compare" in said
        assert 0 < len(read_per_user(place)) < len(read_cells(place / "cells.csv"))
    assert keep_compared(Evidence(results)) == []


def test_of_cells_that_two_files_have_the_values_are_kept_once(results):
    again = results / "larger" / "twin"
    write_rows(again, read_cells(results / "larger" / "large" / "cells.csv"))
    write_per_user(again, read_per_user(results / "larger" / "large"))
    before = Evidence(results)
    assert len(before.users) == len(before.cells)
    found = before.studies[1].once(compared).found
    assert again / "per_user.parquet" in keep_compared(before)
    assert len(read_per_user(again)) == 0 < len(read_per_user(results / "larger" / "large"))
    pd.testing.assert_frame_equal(Evidence(results).studies[1].once(compared).found, found)


def test_all_data_are_counted_into_one_file_and_what_is_counted_is_not_asked_for_again(results, monkeypatch):
    assert write_data_sets(results) == results / "data-sets.csv"
    first = read_data_sets(results)
    assert first["dataset"].tolist() == [SMALL, LARGE]
    monkeypatch.setattr("recprune.report.evidence.data_sets.load", None)
    write_data_sets(results)
    pd.testing.assert_frame_equal(read_data_sets(results), first)
    first.assign(data="of another log").to_csv(results / "data-sets.csv", index=False)
    with pytest.raises(TypeError, match="not callable"):
        write_data_sets(results)


def test_claims_say_where_their_users_are_a_sample(results):
    write_data_sets(results)
    counted = read_data_sets(results)
    counted.assign(users=[50, 30_000]).to_csv(results / "data-sets.csv", index=False)
    evidence = Evidence(results)
    small, large = evidence.studies
    said = f" Of the 30,000 users of {large.heading} the values of 30 were kept, drawn by a fixed hash"
    assert said in large.once(compared).sample and small.once(compared).sample == ""
    captions = [tables.verdicts(evidence).caption, caption(large, large.rows)]
    assert all(said in each for each in (*captions, tables.claims(large).caption, tables.comparisons(large).caption))
