"""A cell for each value format of a run: of one and the same model, and held against the model as it was trained."""

import numpy as np
import pytest

from recprune.cells import COLUMNS, TIMING, Parameters, finish
from recprune.cells.bench import Bench
from recprune.cells.curves.both import both_rows
from recprune.cells.curves.controls import control_rows, smaller_curve
from recprune.cells.curves.dense import dense_rows
from recprune.cells.curves.parameters import parameter_curve
from recprune.cells.curves.samples import sample_curve
from recprune.cells.names import AS_TRAINED, known
from recprune.cells.rows import CELL
from recprune.errors import StudyError
from recprune.evaluation import evaluate, footprint
from recprune.models import EASE
from recprune.models.quantization import FORMATS, quantize
from recprune.pruning import prune

BASE = {"dataset": "synthetic:90x60x2500:seed=1", "core": 5, "model": "ease", "hyperparameters": {"l2": 50.0}}
METHOD = {"unit": "weight", "criterion": "magnitude", "schedule": "one-shot", "recovery": "none", "keep": (0.5, 0.1)}
ALIKE = ["family", "side", "unit", "criterion", "recovery", "kept", "samples_kept", "seed", "train_s", "score_s"]
SAME = [column for column in COLUMNS if column not in TIMING]


def bench(**parameters) -> Bench:
    return Bench(Parameters(**BASE | METHOD | parameters))


@pytest.mark.parametrize(
    "rows_of",
    [
        dense_rows,
        parameter_curve,
        smaller_curve,
        control_rows,
        *(pytest.param(rows_of, marks=pytest.mark.slow) for rows_of in (sample_curve, both_rows)),
    ],
    ids=lambda function: function.__name__,
)
def test_every_curve_has_a_row_for_each_format_and_those_as_trained_are_what_they_are_alone(rows_of):
    more = {"samples": (1.0, 0.5)} if rows_of is both_rows else {}
    more |= {"unit": "interaction", "criterion": "random", "recovery": "retrain"} if rows_of is sample_curve else {}
    several, alone = (bench(values=values, **more) for values in (("float32", "int4"), ("float32",)))
    found, expected = (finish(b.p, getattr(rows := rows_of(b), "rows", rows)) for b in (several, alone))
    forgot = found["history"] == "pruned"
    assert set(found.loc[forgot, "values"]) <= {"float32"}, "what it costs to forget is asked of one format"
    found, expected = (rows[rows["history"] == "full"].reset_index(drop=True) for rows in (found, expected))
    assert len(found) == 2 * len(expected)
    trained = found[found["values"] == "float32"].reset_index(drop=True)
    assert trained[SAME].equals(expected[SAME])
    coded = found[found["values"] == "int4"].reset_index(drop=True)
    assert coded[ALIKE].equals(trained[ALIKE]), "one training, whatever the format"
    assert coded[["p50_ms", "p50_ratio"]].notna().equals(trained[["p50_ms", "p50_ratio"]].notna())


def test_a_row_is_of_the_rounded_compact_model_against_the_dense_one_as_trained():
    b = bench(values=FORMATS, keep=(0.2,), seeds=(0, 1))
    rows = finish(b.p, parameter_curve(b).rows).set_index(["values", "seed"])
    for values in FORMATS:
        for seed in (0, 1):
            split, dense = b.split(seed), b.dense(seed)
            small = quantize(prune(dense.model, split, keep=0.2, seed=seed), values)
            row, cost = rows.loc[values, seed], footprint(small)
            quality = evaluate(small, split, on="test").mean["ndcg@10"]
            assert row["test_ndcg@10"] == pytest.approx(quality)
            assert row["test_ratio"] == pytest.approx(quality / dense.reports["test"].mean["ndcg@10"])
            assert row["bytes_disk"] == cost.bytes_disk and row["bytes_memory"] == cost.bytes_memory
            assert row["bytes_ratio"] == pytest.approx(cost.bytes_disk / dense.bytes_disk)
    for values, point in rows.groupby("values"):  # an interval is of the seeds of one format
        assert point["test_ratio_lo"].nunique() == 1, values
        assert point["test_ratio_lo"].iloc[0] <= point["test_ratio"].mean() <= point["test_ratio_hi"].iloc[0]


def test_users_of_each_format_are_kept():
    b = bench(values=("float32", "int4"), keep=(0.1,))
    frame = parameter_curve(b).rows
    means = frame["per_user"].map(np.nanmean).to_numpy()
    np.testing.assert_allclose(means, frame["test_ndcg@10"])
    assert means[0] != means[1] and not frame.duplicated([c for c in CELL if c in frame]).any()


def test_the_format_as_trained_is_the_finest():
    assert known("values") == FORMATS and AS_TRAINED == FORMATS[0] == EASE().values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["float32", "int9"], r"values: 'int9' is unknown; known: float16, float32, int4, int8; did you mean 'int"),
        (["float32", "float32"], r"values: \['float32', 'float32'\] names a format twice"),
        (["int8"], r"values: \['int8'\] lacks 'float32'"),
        ([], r"values: \[\] lacks 'float32'"),
        ("int8", r"values: 'int8' is not a list"),
    ],
)
def test_formats_that_cannot_be_are_refused(values, message):
    with pytest.raises(StudyError, match=message):
        Parameters(values=values)
