"""The reference table: published numbers, ours beside them, and what is not measured says so."""

import json

import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.cells.rows import read_rows, write_rows
from recprune.errors import ReportError
from recprune.report import tables
from recprune.report.__main__ import main
from recprune.report.tables.layout.latex import to_latex
from recprune.report.tables.published import Published, published
from recprune.report.tables.reference import reference

NUMBERS = [
    {
        "model": "ease",
        "dataset": "ml-1m",
        "protocol": "ratio",
        "metric": "ndcg@10",
        "value": 0.2865,
        "source": "a paper",
    },
    {
        "model": "slim",
        "dataset": "ml-1m",
        "protocol": "ratio",
        "metric": "ndcg@10",
        "value": 0.2782,
        "source": "a paper",
    },
    {
        "model": "bpr",
        "dataset": "ml-1m",
        "protocol": "ratio",
        "metric": "ndcg@10",
        "value": 0.2407,
        "source": "a paper",
    },
    {
        "model": "ease",
        "dataset": "ml-1m",
        "protocol": "loo",
        "metric": "hit@10",
        "value": 0.2,
        "source": "a paper",
        "input": "train+validation",
    },
    {
        "model": "mult-vae",
        "dataset": "ml-20m",
        "protocol": "strong",
        "metric": "recall_min@20",
        "value": 0.395,
        "source": "a paper",
    },
]


@pytest.fixture
def numbers():
    frame = pd.DataFrame([vars(Published(**number)) for number in NUMBERS])
    return frame.rename(columns={"value": "published", "hyperparameters": "published_hyperparameters"})


@pytest.fixture
def results(tmp_path):
    """Rows of the file ml-1m-ratings: EASE and popularity under ratio, EASE under loo with both inputs."""
    ratio = fake_cells(dataset="ml-1m-ratings", models=("popularity", "ease"))
    loo = fake_cells(dataset="ml-1m-ratings", protocol="loo", models=("ease",))
    ratio, loo = (rows[rows["side"] == "dense"] for rows in (ratio, loo))
    loo = loo.assign(**{"test_hit@10": [0.18, 0.19, 0.20]})
    told = loo.assign(side="control", unit="history", criterion="train+validation")
    told["test_hit@10"] = [0.20, 0.21, 0.22]
    write_rows(tmp_path / "reference", pd.concat([ratio, loo, told]))
    run = {
        "dataset": "ml-1m-ratings",
        "protocol": "ratio",
        "model": "ease",
        "method": "dense",
        "parameters": json.dumps({"hyperparameters": {"l2": 1000.0}}),
    }
    pd.DataFrame([run]).to_csv(tmp_path / "reference" / "provenance.csv", index=False)
    tuned = tmp_path / "tuning" / "ml-1m-ratings" / "ratio" / "tuned.toml"
    tuned.parent.mkdir(parents=True)
    tuned.write_text("datasets = ['ml-1m']\n[ease]\nl2 = 1000.0\n[ease.search]\ntrials = 12\nseconds = 1234.5\n")
    return tmp_path


def row(table, **where):
    frame = table.text
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1, frame
    return frame.iloc[0]


def test_ours_stands_beside_the_published_number(results, numbers):
    table = reference(results, numbers)
    ease = row(table, model="EASE", protocol="ratio")
    assert ease["data set"] == "ml-1m", "a file of the same ratings stands for the data set"
    assert (ease["published"], ease["ours"], ease["ours / published"]) == ("0.2865", "0.2680 ± 0.0027", "0.935")
    assert (ease["seeds"], ease["hyper-parameters"], ease["search"]) == ("3", "l2 1000", "12 trials, 1,234 s")
    assert not table.bold.loc[ease.name, "ours / published"]
    popularity = row(table, model="popularity")
    assert popularity["ours"] and not popularity["published"] and not popularity["ours / published"]


def test_the_input_at_test_time_is_part_of_what_is_compared(results, numbers):
    table = reference(results, numbers)
    told = row(table, model="EASE", protocol="loo", input="train + validation")
    assert (told["ours"], told["ours / published"]) == ("0.2100 ± 0.0100", "1.050")
    assert table.bold.loc[told.name, "ours / published"]
    plain = row(table, model="EASE", protocol="loo", input="train")
    assert plain["ours"] == "0.1900 ± 0.0100" and plain["published"] == ""


def test_a_model_trained_on_train_and_validation_is_a_row_of_its_own(results, numbers):
    rows = read_rows(results / "reference" / "cells.csv")
    told = rows[rows["unit"] == "history"]
    write_rows(results / "reference", pd.concat([rows, told.assign(recovery="retrain", **{"test_hit@10": 0.3})]))
    table = reference(results, numbers)
    assert row(table, model="EASE", protocol="loo", input="train + validation")["ours"] == "0.2100 ± 0.0100"
    again = row(table, model="EASE", protocol="loo", input="trained on train + validation")
    assert again["ours"] == "0.3000 ± 0.0000" and again["published"] == ""


def test_what_was_not_measured_says_what_it_needs(results, numbers):
    table = reference(results, numbers)
    assert row(table, model="Mult-VAE")["note"] == "not run: needs ml-20m"
    assert row(table, model="SLIM")["note"] == "not among the models here"
    assert row(table, model="BPR")["note"] == "not run"
    no_loo = reference(results / "nowhere", numbers)
    assert row(no_loo, model="EASE", protocol="loo")["note"] == "not run: needs ml-1m"
    assert len(no_loo.text) == len(NUMBERS)


def test_a_log_without_times_is_what_loo_lacks(results, numbers):
    rows = read_rows(results / "reference" / "cells.csv")
    write_rows(results / "reference", rows[rows["protocol"] == "ratio"])
    assert row(reference(results, numbers), protocol="loo")["note"] == "not run: needs ml-1m with times"


def test_the_command_writes_it_beside_the_other_tables(results, capsys):
    assert main(["reference", "--results", str(results)]) == 0
    assert "reference.md" in capsys.readouterr().out
    assert {path.name for path in (results / "tables").iterdir()} == {
        f"reference.{form}" for form in ("csv", "md", "tex")
    }
    frame = pd.read_csv(results / "tables" / "reference.csv")
    assert frame.loc[(frame["model"] == "ease") & (frame["protocol"] == "ratio"), "ratio"].iloc[0] == pytest.approx(
        0.268 / 0.2865
    )


def test_the_published_numbers_are_understood():
    from recprune.cells.rows import COLUMNS
    from recprune.models import REGISTRY
    from recprune.splits import PROTOCOLS

    numbers = published()
    assert set(numbers["protocol"]) <= set(PROTOCOLS)
    assert {f"test_{metric}" for metric in numbers["metric"]} <= set(COLUMNS)
    assert {"ease", "mult-vae", "bpr", "neumf", "item-knn"} <= set(numbers["model"]) & set(REGISTRY)
    assert numbers["published"].between(0, 1).all() and (numbers["source"] != "").all()


def test_a_mistake_in_the_file_is_named(tmp_path):
    path = tmp_path / "published.toml"
    path.write_text('[[numbers]]\nmodel = "ease"\nauthor = "me"\n')
    with pytest.raises(ReportError, match=r"numbers\[1\]: unknown key 'author'"):
        published(path)
    path.write_text('[[numbers]]\nmodel = "ease"\n')
    with pytest.raises(ReportError, match=r"numbers\[1\].*missing"):
        published(path)


def test_it_can_be_typeset(results):
    table = reference(results)
    assert to_latex(table).isascii()
    assert "| EASE" in tables.to_markdown(table)
