"""What the page tells readers to type does what it says, on a small log of their own."""

import ast
import shlex

import pandas as pd
import pytest

import recprune as rp
from recprune.__main__ import main
from recprune.report.page.recipes import recipe


def point(
    model, side, unit="weight", criterion="magnitude", schedule="one-shot", recovery="none", protocol="ratio",
    values="float32",
):  # fmt: skip
    row = {
        "model": model,
        "side": side,
        "unit": unit,
        "criterion": criterion,
        "schedule": schedule,
        "recovery": recovery,
        "protocol": protocol,
        "values": values,
    }
    return pd.Series(row)


@pytest.fixture
def ratings(tmp_path, monkeypatch):
    log = rp.load("synthetic:60x40x1500:seed=1")
    frame = pd.DataFrame({"user_id": log.users[log.user], "item_id": log.items[log.item], "rating": 5})
    frame.to_csv(tmp_path / "RATINGS.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "asked",
    [
        point("ease", "parameters", recovery="refit"),
        point("ials", "parameters", "factor", "principal-axes", protocol="strong"),
        point("ease", "parameters", "neighbour", schedule="linear", recovery="refit"),
        point("ease", "parameters", recovery="refit", values="int4"),
    ],
    ids=["weights", "axes", "rounds", "int4"],
)
@pytest.mark.slow
def test_a_pruned_model_is_one_command(ratings, asked):
    text = recipe(asked).replace("{kept}", "0.5")
    program, *words = shlex.split(text)
    assert (program, words[:2]) == (".venv/bin/python", ["-m", "recprune"])
    assert ("--schedule" in words) == (asked["schedule"] != "one-shot")
    assert ("--protocol" in words) == (asked["protocol"] != "ratio")
    assert main(words[2:]) == 0
    made = rp.load_model(ratings / "small")
    assert (made.name, made.values) == (asked["model"], asked["values"])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (point("ease", "dense", "", "none", "", ""), []),
        (point("ials", "control", "model", "smaller-dense", "one-shot", "retrain"), ["smaller(0.5)"]),
        (
            point("ease", "samples", "interaction", "stratified", "one-shot", "retrain", "strong"),
            ["prune_samples", "fold_in", '"strong"'],
        ),
        (point("item-knn", "samples", "user", "random", "one-shot", "retrain"), ['unit="user"']),
        (point("ease", "samples", "interaction", "segment", "linear", "retrain"), ["prune_data"]),
        (point("bpr", "samples", "interaction", "random", "one-shot", "retrain-updates"), ["with_equal_updates"]),
        (point("ials", "dense", "", "none", "", "", values="int8"), ['rp.quantize(model, "int8").save']),
        (point("ials", "control", "model", "smaller-dense", "one-shot", "retrain", values="float16"), ["smaller(0.5)"]),
        (point("bpr", "control", "model", "smaller-dense", "one-shot", "distil"), ["with_lists(split.train, lists)"]),
    ],
    ids=["dense", "smaller", "samples", "users", "loop", "updates", "int8", "smaller-float16", "taught"],
)
@pytest.mark.slow
def test_anything_else_is_a_few_lines_of_python(ratings, asked, expected):
    text = recipe(asked).replace("{kept}", "0.5")
    assert all(word in text for word in expected)
    exec(compile(ast.parse(text), "recipe", "exec"), {})
    made = rp.load_model(ratings / "small")
    assert (made.name, made.values) == (asked["model"], asked["values"])


@pytest.mark.slow
def test_item_tables_alone_have_the_share_that_was_asked_for(ratings):
    asked = point("ials", "control", "item-tables", "smaller-dense", "one-shot", "retrain", values="int8")
    made = {}
    exec(compile(ast.parse(recipe(asked).replace("{kept}", "0.2")), "recipe", "exec"), made)
    whole, small = rp.models.build("ials").fit(made["split"].train), rp.load_model(ratings / "small")
    assert small.values == "int8"
    share = rp.footprint(small).parameters / rp.footprint(whole).parameters
    assert share == pytest.approx(0.2, rel=0.1), "with one row of the users' table left"
    assert rp.evaluate(small, made["split"]).mean["ndcg@10"] > 0


def test_a_control_has_no_recipe():
    assert recipe(point("ease", "control", "weight", "zero-reset")) == ""
