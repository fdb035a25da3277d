"""Our dense models beside numbers that others published."""

from __future__ import annotations

import math
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from recprune.cells.names import AS_TRAINED
from recprune.datasets.naming import name_of
from recprune.models import REGISTRY
from recprune.report.evidence.cells import read_cells
from recprune.report.evidence.frames import json_of, read_table, rows_as
from recprune.report.evidence.methods import models_in_order
from recprune.report.evidence.searches import searches
from recprune.report.tables.layout.formats import LABELS, MEAN, THREE, WHOLE, WORDS, Format
from recprune.report.tables.layout.table import Table, column
from recprune.report.tables.published import INFORMED, KEY, TRAIN, published

ENOUGH = 0.98  # of a published number; less is a defect to mend
PUBLISHED = Format(lambda value: f"{value:.3f}" if round(value, 3) == value else f"{value:.4f}")


class _Run(NamedTuple):
    """What provenance.csv says of a run, as far as it matters here."""

    dataset: str
    protocol: str
    model: str
    parameters: str


class _Key(NamedTuple):
    """What a row of the table is about."""

    dataset: str
    protocol: str
    model: str
    input: str
    metric: str


def reference(results: Path, numbers: pd.DataFrame | None = None) -> Table:
    """The published numbers and the dense models of the reference studies, one row each: the number, ours on test
    (mean and standard deviation over seeds), their ratio, protocol, hyper-parameters, and how many trials chose them.

    results  holds reference*/cells.csv with its provenance.csv, and tuning/
    numbers  as `published` gives them, which is the default
    What was not measured stays in the table and says what it needs. A ratio of at least 0.98 is bold.
    """
    numbers = published() if numbers is None else numbers
    ours = _measured(results, numbers)
    frame = numbers.merge(ours, on=KEY, how="outer", sort=False)
    frame["ratio"] = frame["ours"] / frame["published"]
    frame["note"] = [_note(row, set(ours["dataset"])) for _, row in frame.iterrows()]
    frame = _ordered(frame, numbers)
    columns = [
        column("model", LABELS, frame["model"]),
        column("data set", WORDS, frame["dataset"]),
        column("protocol", WORDS, frame["protocol"]),
        column("input", WORDS, frame["input"].str.replace("+", " + ")),
        column("metric", LABELS, frame["metric"]),
        column("published", PUBLISHED, frame["published"]),
        column("ours", MEAN, frame["ours"], frame["sd"]),
        column("ours / published", THREE, frame["ratio"], bold=frame["ratio"] >= ENOUGH),
        column("seeds", WHOLE, frame["seeds"]),
        column("hyper-parameters", WORDS, frame["hyperparameters"]),
        column("search", WORDS, frame["search"]),
        column("source", WORDS, frame["source"].fillna("")),
        column("note", WORDS, frame["note"]),
    ]
    caption = (
        "Dense models beside published numbers: test, full catalogue ranked, mean ± standard deviation over seeds, "
        "which vary split, initialisation and sampling. In bold, at least 0.98 of the published number. Input: what a "
        "user is scored from at test time. Search: the trials that chose the hyper-parameters, on validation."
    )
    return Table(caption, frame, columns, stem="reference")


def _measured(results: Path, numbers: pd.DataFrame) -> pd.DataFrame:
    """KEY, family, ours, sd, seeds, hyperparameters and search of every dense model and metric that was asked for."""
    columns = [*KEY, "family", "ours", "sd", "seeds", "hyperparameters", "search"]
    found = []
    searched = _searches(results)
    for path in sorted(results.glob("reference*/cells.csv")):
        settings = _settings(path.with_name("provenance.csv"))
        rows = read_cells(path)
        rows = rows[rows["values"] == AS_TRAINED]
        told = (rows["side"] == "control") & (rows["criterion"] == INFORMED)
        rows = rows[told | (rows["side"] == "dense")].assign(input=told.map({True: INFORMED, False: TRAIN}))
        rows["dataset"] = rows["dataset"].map(name_of)
        for key, cells in rows.groupby(["dataset", "protocol", "model", "input"], sort=True):
            dataset, protocol, model, shown = map(str, key)
            of = (dataset, protocol, model)
            for metric in _metrics(numbers, *of, shown):
                values = cells[f"test_{metric}"].astype(float)
                level = (cells["family"].iloc[0], values.mean(), values.std(), cells["seed"].nunique())
                found.append((*of, shown, metric, *level, settings.get(of, ""), searched.get(of, "")))
    return pd.DataFrame(found, columns=columns)


def _metrics(numbers: pd.DataFrame, dataset: str, protocol: str, model: str, input: str) -> list[str]:
    """The metrics published for such a model; for one without a number, all that the protocol's others have."""
    same = numbers[(numbers["dataset"] == dataset) & (numbers["protocol"] == protocol)]
    own = same[(same["model"] == model) & (same["input"] == input)]
    return list(dict.fromkeys(own["metric"])) or list(dict.fromkeys(same["metric"])) or ["ndcg@10"]


def _settings(path: Path) -> dict[tuple[str, str, str], str]:
    """(data set, protocol, model) -> hyper-parameters of the dense model, from provenance."""
    if not path.exists():
        return {}
    runs = read_table(path, (*_Run._fields, "method"), "`make reference`")
    settings = {}
    for line, method, run in zip(count(2), runs["method"], rows_as(_Run, runs), strict=False):
        if method == "dense":
            given = json_of(path, line, "parameters", run.parameters)
            settings[name_of(run.dataset), run.protocol, run.model] = _in_words(given.get("hyperparameters", {}))
    return settings


def _in_words(values: dict) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()
    )


def _searches(results: Path) -> dict[tuple[str, str, str], str]:
    """(data set, protocol, model) -> what the search for its hyper-parameters took."""
    found = {}
    for one in searches(results):
        for model, table in one.tuned.items():
            if isinstance(table, dict) and "trials" in table.get("search", {}):
                search = table["search"]
                words = f"{search['trials']} trials" + (f", {search['seconds']:,.0f} s" if "seconds" in search else "")
                found[name_of(one.dataset), one.protocol, model] = words
    return found


def _note(row: pd.Series, datasets: set[str]) -> str:
    if not math.isnan(row["ours"]):
        return ""
    if row["model"] not in REGISTRY:
        return "not among the models here"
    if row["dataset"] not in datasets:
        return f"not run: needs {row['dataset']}"
    return f"not run: needs {row['dataset']} with times" if row["protocol"] in ("loo", "temporal") else "not run"


def _ordered(frame: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Data set and protocol as published; in each, models by family, those that are not here last."""
    parts = list(dict.fromkeys(numbers[["dataset", "protocol"]].itertuples(index=False, name=None)))
    families = {name: kind.family for name, kind in REGISTRY.items()}
    frame = frame.assign(family=frame["model"].map(families).fillna(""))
    models = models_in_order(frame)
    place = [
        (
            parts.index((row.dataset, row.protocol)) if (row.dataset, row.protocol) in parts else len(parts),
            row.dataset,
            row.protocol,
            models.index(row.model),
            row.input,
            row.metric,
        )
        for row in rows_as(_Key, frame)
    ]
    frame = frame.iloc[sorted(range(len(frame)), key=place.__getitem__)].reset_index(drop=True)
    columns = ["model", "family", "dataset", "protocol", "input", "metric", "published", "ours", "sd", "ratio", "seeds"]
    words = ["hyperparameters", "search", "published_hyperparameters", "source", "note"]
    return frame[[*columns, *words]].fillna(dict.fromkeys(words, ""))
