"""The further rows of audits and attacks: which models they are of, and what they must agree with."""

import numpy as np
import pytest

import recprune as rp
from recprune.cells import Parameters
from recprune.cells.bench import Bench
from recprune.cells.curves.attack import RULES, TARGETS, attack_rows
from recprune.cells.curves.membership import membership_rows
from recprune.datasets import synthetic
from recprune.evaluation.attack import PROFILES
from recprune.report import figures
from recprune.report.evidence.audits import attacks, fakes, leaks, shown

KEY = ["kind", "model", "side", "unit", "criterion", "recovery", "values", "kept", "seed", "at", "measure"]


@pytest.fixture(scope="module")
def bench():
    """EASE on a small log, cut to a fifth of its weights."""
    method = {"unit": "weight", "criterion": "magnitude", "schedule": "one-shot", "recovery": "refit"}
    p = Parameters(
        dataset="synthetic",
        core=5,
        model="ease",
        hyperparameters={"l2": 5.0},
        keep=[0.2],
        samples=[0.5],
        values=["float32", "int8"],
        **method,
    )
    made = Bench(p)
    made.log = synthetic(120, 80, 4000, seed=1)
    return made


@pytest.fixture(scope="module")
def audited(bench):
    return membership_rows(bench)


def test_every_kind_of_model_is_audited_once(audited):
    assert not audited.duplicated(KEY).any()
    assert set(audited["side"]) == {"dense", "parameters", "samples", "control"}
    found = audited[audited["measure"] == "auc"].groupby(["side", "criterion", "values"])["at"].agg(set)
    assert found["dense", "none", "float32"] == {"", "as served", "retrainings"}
    assert found["dense", "none", "int8"] == {"", "beside dense"}
    assert found["parameters", "magnitude", "float32"] == {"", "beside dense", "retrainings"}
    assert (
        found["parameters", "random", "float32"] == found["control", "smaller-dense", "float32"] == {"", "beside dense"}
    )


def test_rows_are_those_of_the_audit_itself(bench, audited):
    audit = rp.membership(bench.dense(0).model, bench.split(0), seed=0)
    mine = audited[(audited["side"] == "dense") & (audited["at"] == "") & (audited["values"] == "float32")]
    mine = mine.set_index("measure")
    assert mine.loc["auc", "value"] == audit.auc.estimate and mine.loc["auc", "error"] == audit.errors["auc"]
    assert mine.loc["ratio", "value"] == 1


def test_leaks_are_one_point_a_model_and_method(audited):
    points = leaks(audited)
    assert list(points["role"]) == ["dense", "format", "parameters", "random", "samples", *["smaller"] * 3]
    first = points.iloc[0]
    assert first["auc_lo"] < first["auc"] < first["auc_hi"] and first["ratio"] == 1 and np.isnan(first["auc_gain"])
    pruned = points[points["role"] == "parameters"].iloc[0]
    assert pruned["auc"] - first["auc"] == pytest.approx(pruned["auc_gain"])
    assert len(shown(points)) == 6
    drawn = figures.leak_of(points)
    assert len(drawn.axes) == 1 and len(drawn.axes[0].containers) == 6


def test_attacks_are_measured_dense_pruned_and_on_fewer_samples(bench):
    rows = attack_rows(bench)
    assert not rows.duplicated(KEY).any()
    assert len(rows) == TARGETS * (1 + len(PROFILES)) * 3 * 2
    assert rows["value"].between(0, 1).all()
    table = attacks(rows)
    assert len(table) == 3 * len(PROFILES) and table["clean"].notna().all()
    assert table["standing"].between(0, 1).all() and table["standing_clean"].between(0, 1).all()
    one = rows[(rows["measure"] == "hit@10") & (rows["side"] == "dense") & rows["at"].str.startswith("average")]
    mine = table[(table["side"] == "dense") & (table["profiles"] == "average")]
    assert mine["value"].item() == pytest.approx(one["value"].mean())


@pytest.mark.slow
def test_rules_for_samples_find_fakes_and_random_as_many_as_it_removes(bench):
    rules = Bench(Parameters(dataset="synthetic", core=5, samples=[0.5]))
    rules.log = bench.log
    table = fakes(attack_rows(rules))
    assert set(table["criterion"]) == set(RULES) and table["recall"].between(0, 1).all()
    at_random = table[(table["criterion"] == "random") & (table["unit"] == "interaction")]
    assert at_random["recall"].mean() == pytest.approx(0.5, abs=0.15)
