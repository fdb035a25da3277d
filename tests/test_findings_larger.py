"""What the page of findings says of the larger catalogues is what their committed rows say."""

import pandas as pd
import pytest

from recprune.cells.rows import read_rows
from recprune.models import REGISTRY
from recprune.report.tables.published import published
from tests.test_findings import FLAT, PAGE, ROOT, mean, megabytes, with_interval

JOURNEY, GOWALLA = (
    read_rows(ROOT / "results" / "larger" / name / "cells.csv") for name in ("complete-journey", "gowalla")
)
EASE = {"model": "ease", "unit": "weight", "criterion": "magnitude"}
AXES = {"model": "ials", "unit": "factor", "recovery": "none", "kept": 0.5, "values": "float32"}
ELSA_AXES = AXES | {"model": "elsa", "criterion": "principal-axes"}
HALF_VAE = {"model": "mult-vae", "unit": "weight", "criterion": "magnitude", "kept": 0.5}
TENTH = EASE | {"kept": 0.1, "values": "float32"}
MODELS = ("ials", "item-knn", "elsa", "bpr", "ease", "mult-vae", "popularity")


def protocol(rows: pd.DataFrame) -> dict[str, str]:
    assert set(rows["seed"]) == {0, 1, 2}
    return {"protocol": rows["protocol"].iloc[0]}


def of(rows: pd.DataFrame, column: str = "test_ratio", **where) -> float:
    return mean(column, rows, **protocol(rows), **where)


def keeps(rows: pd.DataFrame, **where) -> str:
    return with_interval(rows, **protocol(rows), **where)


def size(rows: pd.DataFrame, **where) -> str:
    return megabytes(rows, **protocol(rows), **where)


def table_row(model: str) -> str:
    def cell(rows: pd.DataFrame, values: str) -> str:
        dense = {"model": model, "side": "dense", "values": values}
        weight = of(rows, "bytes_disk", **dense) / 1e6
        return f"{of(rows, 'test_ndcg@10', **dense):.4f} | {weight:,.0f}" if values == "float32" else f"{weight:.1f}"

    formats = ("float32",) if model == "popularity" else ("float32", "int8")
    sides = [" → ".join(cell(rows, values) for values in formats) for rows in (JOURNEY, GOWALLA)]
    return f"| {REGISTRY[model].label} | {' | '.join(sides)} |"


def rounded() -> str:
    dense = pd.concat([JOURNEY, GOWALLA]).query("side == 'dense' and values == 'int8'")
    kept = dense.groupby(["dataset", "model"])["test_ratio"].mean()
    assert len(kept) == 12
    return f"int8 keeps between {kept.min():.4f} and {kept.max():.4f} of each of these models"


def tenth(column: str) -> str:
    refit, left = (of(GOWALLA, column, **TENTH, recovery=recovery) for recovery in ("refit", "none"))
    return f"{refit:.3f} and {left:.3f}"


def both_halves(column: str) -> str:
    rules = ("principal-axes", "random")
    return "{:.3f} and {:.3f}".format(*(of(GOWALLA, column, **AXES, criterion=rule) for rule in rules))


REFERENCE = (
    read_rows(ROOT / "results" / "reference-gowalla" / "cells.csv")
    .query("criterion == 'train+validation'")
    .set_index("model")["test_ndcg@20"]
)
PUBLISHED = published().set_index(["dataset", "protocol", "metric", "model"])["published"]
DENSE_EASE = {"model": "ease", "side": "dense", "values": "float32"}
SMALL = EASE | {"kept": 0.002, "recovery": "refit", "values": "int8"}
HALF = EASE | {"kept": 0.5, "recovery": "none", "values": "int8"}
HALF_PERCENT = EASE | {"kept": 0.005, "recovery": "refit", "values": "int8"}
IALS = {"model": "ials", "side": "dense", "values": "int8"}

SIZES = pd.read_csv(ROOT / "results" / "bench" / "sizes.csv").set_index(["n_items", "step", "form"])
DENSE, SPARSE, TENTH_OF_SPARSE = "dense item-item", "sparse item-item", "pruned sparse item-item"
MILLION = SIZES.xs((1_000_000, TENTH_OF_SPARSE), level=("n_items", "form")).stack()


def times(n_items: int, form: str) -> float:
    row = SIZES.loc[n_items, "serve-1", form]
    assert row["against"] == "implicit"
    return row["ratio"]


def at_once(form: str) -> float:
    return SIZES.loc[(40_000, "serve-128", form), "processor_seconds"]


def fit(n_items: int, form: str) -> str:
    row = SIZES.loc[n_items, "fit", form]
    return f"{row['processor_seconds']:.0f} seconds and {row['peak_mb'] / 1e3:.1f} GB"


SENTENCES = {
    "larger": lambda: (
        f"EASE's dense matrix takes {of(JOURNEY, 'bytes_disk', **DENSE_EASE) / 1e6:,.0f} MB; 0.2 % of it, refitted, "
        f"in int8, keeps {keeps(JOURNEY, **SMALL)} in {size(JOURNEY, **SMALL)}, "
        f"{1 / of(JOURNEY, 'bytes_ratio', **SMALL):.0f} times fewer bytes, and by magnitude alone "
        f"{keeps(JOURNEY, **SMALL | {'recovery': 'none'})}"
    ),
    "half of Gowalla's": lambda: (
        f"half of these weights, in int8, keep {keeps(GOWALLA, **HALF)} in {size(GOWALLA, **HALF)}"
    ),
    "int8": rounded,
    "half a percent": lambda: (
        f"({keeps(JOURNEY, **HALF_PERCENT)}, in int8 {size(JOURNEY, **HALF_PERCENT)}), and stays below iALS, "
        f"which takes {size(JOURNEY, **IALS)} in int8 and scores {of(JOURNEY, 'test_ndcg@10', **IALS):.4f}"
    ),
    "axes": lambda: (
        f"On Complete Journey half of iALS' axes keep {keeps(JOURNEY, **AXES, criterion='principal-axes')}, half of "
        f"its raw factors at random {of(JOURNEY, **AXES, criterion='random'):.3f}. On Gowalla neither does: "
        f"{both_halves('test_ratio')}, on validation {both_halves('val_ratio')}"
    ),
    "ELSA's axes": lambda: (
        f"Of the axes of ELSA half keep {keeps(JOURNEY, **ELSA_AXES)} and a quarter "
        f"{keeps(JOURNEY, **ELSA_AXES | {'kept': 0.25})}, of its factors at random half keep "
        f"{of(JOURNEY, **ELSA_AXES | {'criterion': 'random'}):.3f}, and an ELSA trained with a quarter of them keeps "
        f"{of(JOURNEY, model='elsa', criterion='smaller-dense', kept=0.25):.3f}"
    ),
    "validation and test": lambda: (
        f"Half of Mult-VAE's weights keep {of(GOWALLA, 'val_ratio', **HALF_VAE):.3f} there and "
        f"{of(GOWALLA, **HALF_VAE):.3f} on test; a tenth of EASE's, refitted or not, {tenth('val_ratio')} there, "
        f"{tenth('test_ratio')} on test"
    ),
    "by size": lambda: (
        f"at 1,000 items the dense matrix takes {times(1_000, DENSE):.1f} and the sparse one "
        f"{times(1_000, SPARSE):.1f} times as long as implicit's item-kNN, at 40,000 items {times(40_000, DENSE):.1f} "
        f"and {times(40_000, SPARSE):.1f} times; to 128 users at once the dense one takes "
        f"{at_once(DENSE) / at_once(SPARSE):.1f} times as long as the sparse one there, and "
        f"{at_once(DENSE) / at_once(TENTH_OF_SPARSE):.1f} times as long as its largest tenth. "
        f"To fit them takes {fit(40_000, DENSE)} and {fit(40_000, SPARSE)} "
        f"there; the sparse one of 100,000 items takes {fit(100_000, SPARSE)}, "
        f"where a dense matrix would take 40 GB, and that of a million {fit(1_000_000, SPARSE)}. Cut to a tenth and "
        f"refitted in {MILLION['prune', 'processor_seconds']:.0f} seconds, that takes "
        f"{MILLION['save', 'bytes'] / 1e6:.0f} MB and {1e3 * MILLION['serve-1', 'processor_seconds']:.2f} ms "
        f"to serve a user, {times(1_000_000, TENTH_OF_SPARSE):.1f} times implicit's"
    ),
    "published": lambda: ", ".join(
        f"{REGISTRY[model].label} {REFERENCE[model]:.3f} of {PUBLISHED['gowalla', 'given', 'ndcg@20', model]:.3f}"
        for model in ("ease", "mult-vae", "bpr", "item-knn")
    ),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_finding_of_a_larger_catalogue_is_what_was_measured(sentence):
    assert SENTENCES[sentence]() in FLAT


@pytest.mark.parametrize("model", MODELS)
def test_the_table_of_dense_models_is_what_was_measured(model):
    assert table_row(model) in PAGE
