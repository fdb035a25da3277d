"""The data behind the rows are counted from the logs, and only from the very logs that were measured."""

import json

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.cells.rows import write_rows
from recprune.datasets.naming import name_of
from recprune.errors import ReportError
from recprune.report import Evidence, tables
from recprune.report.__main__ import main
from recprune.report.evidence.data_sets import FILE, count_split, gini, read_data_sets, write_data_sets
from recprune.splits import split
from recprune.study.identity import data_identity


def log_of(path, n=30):
    """Each of n users has rated the n / 2 items that follow the user's own number; a header and commas."""
    rows = [f"{u},{(u + i) % n},{3 + i % 3},{1000 * u + i}" for u in range(n) for i in range(n // 2)]
    path.write_text("\n".join(["who,what,rating,timestamp", *rows]) + "\n")
    return path


def results_of(folder, path, protocols=("ratio",)):
    """A results folder whose rows say that they are of the file at `path`."""
    dataset = name_of(str(path))
    rows = [
        fake_cells(dataset=dataset, protocol=protocol, models=("ease",), kept=(0.5,), seeds=(2, 3))
        for protocol in protocols
    ]
    write_rows(folder, pd.concat(rows))
    options = {"dataset": dataset, "columns": {"user": "who", "item": "what"}, "min_rating": 4, "core": 2}
    runs = [
        {"dataset": dataset, "protocol": p, "data": data_identity(str(path)), "parameters": json.dumps(options)}
        for p in protocols
    ]
    pd.DataFrame(runs).to_csv(folder / "provenance.csv", index=False)
    return folder


@pytest.fixture
def shop(tmp_path):
    return log_of(tmp_path / "shop.csv")


def test_numbers_are_those_of_the_split_that_the_runs_made(tmp_path, shop):
    results = results_of(tmp_path / "results", shop)
    assert write_data_sets(results, str(shop)) == results / FILE
    row = read_data_sets(results).iloc[0]
    assert (row["users"], row["items"], row["seed"], row["min_rating"], row["core"]) == (30, 30, 2, 4, "2")
    assert row["interactions"] == 30 * 10 == row["train"] + row["validation"] + row["test"], (
        "two thirds have 4 or 5 stars"
    )
    assert row["density"] == pytest.approx(1 / 3) and row["gini_users"] == 0
    assert (row["test"], row["test_users"], row["new_test_users"]) == (30, 30, 0), "a tenth of each user's 10"


def test_another_file_of_the_same_name_is_not_counted(tmp_path, shop):
    results = results_of(tmp_path / "results", shop)
    log_of(shop, n=32)
    assert write_data_sets(results, str(shop)) is None
    assert not (results / FILE).exists()


def test_what_is_not_to_be_had_here_keeps_its_row_until_its_data_change(tmp_path, shop):
    results = results_of(tmp_path / "results", shop)
    first = write_data_sets(results, str(shop)).read_bytes()
    assert write_data_sets(results).read_bytes() == first, "no path given: nothing to load"
    assert write_data_sets(results, str(shop)).read_bytes() == first
    log_of(shop, n=32)
    results_of(results, shop)
    assert write_data_sets(results) is None, "the rows are of other data now"


def test_synthetic_data_are_found_by_name(tmp_path):
    results = tmp_path / "results"
    write_rows(results, fake_cells(dataset="synthetic-60x40x900-seed-1", models=("ease",), kept=(0.5,), seeds=(0,)))
    source = "synthetic:60x40x900:seed=1"
    parameters = json.dumps({"columns": {}, "core": 0, "min_rating": None})
    run = {
        "dataset": "synthetic-60x40x900-seed-1",
        "protocol": "ratio",
        "data": data_identity(source),
        "parameters": parameters,
    }
    pd.DataFrame([run]).to_csv(results / "provenance.csv", index=False)
    write_data_sets(results)
    assert read_data_sets(results)["users"].iloc[0] <= 60


def test_tables_are_of_each_study_and_across_protocols(tmp_path, shop):
    results = results_of(tmp_path / "results", shop, protocols=("ratio", "loo"))
    assert not [table for table in tables.tables(Evidence(results)) if "data" in table.stem], "nothing was counted yet"
    write_data_sets(results, str(shop))
    found = {table.name: table for table in tables.tables(Evidence(results)) if "data" in table.stem}
    name = name_of(str(shop))
    assert sorted(found) == sorted([f"{name}-loo/data-sets", f"{name}/data-sets", f"{name}/protocols-data"])
    text = found[f"{name}/protocols-data"].text
    assert text["protocol"].tolist() == ["loo", "ratio"] and text["rating"].tolist() == ["≥ 4", "≥ 4"]
    assert text["density"].tolist() == ["33 %", "33 %"]


def test_held_out_histories_count_as_known(log, strong):
    counted = count_split(strong)
    histories = sum(part.nnz for part in strong.histories.values())
    assert counted["interactions"] == counted["train"] + counted["validation"] + counted["test"] + histories
    assert counted["new_test_users"] == 0, "what they gave is known, though nothing was trained on it"
    temporal = count_split(split(log, "temporal", core=5))
    assert 0 <= temporal["new_test_users"] <= temporal["test_users"]


def test_no_ratings_are_all_ratings(tmp_path, shop):
    shop.write_text("\n".join(line.rsplit(",", 2)[0] for line in shop.read_text().splitlines()) + "\n")
    results = results_of(tmp_path / "results", shop)
    write_data_sets(results, str(shop))
    assert tables.data_sets(Evidence(results).studies[0]).text["rating"].tolist() == ["all"]


def test_gini_worked_out_by_hand():
    assert gini(np.array([5, 5, 5])) == 0
    assert gini(np.array([0, 0, 0, 8])) == 0.75
    assert gini(np.array([3, 1])) == 0.25


def test_faults_are_one_line(tmp_path, shop, capsys):
    results = results_of(tmp_path / "results", shop)
    (results / FILE).write_text("dataset,protocol\nshop,ratio\n")
    with pytest.raises(ReportError, match="column 'data' is missing"):
        read_data_sets(results)
    (results / FILE).unlink()
    assert main(["data-sets", "--results", str(results), "--dataset", str(shop)]) == 0
    (results / "provenance.csv").unlink()
    assert main(["data-sets", "--results", str(results)]) == 1
    assert "provenance.csv: there is no such file" in capsys.readouterr().err
