"""`make tune`: one path whatever interrupts it, inside its ranges and budget, blind to the test part; runs read it."""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from recprune.cells.parameters import Parameters
from recprune.errors import StudyError
from recprune.models import REGISTRY
from recprune.splits import Split
from recprune.study.__main__ import main
from recprune.study.load import load_study
from recprune.study.tuning.hyperparameters import read_tuned, write_tuned
from recprune.study.tuning.search import Search
from recprune.study.tuning.space import Budget, load_tuning
from recprune.study.tuning.trials import Trial, best_trial, read_trials, write_trials
from recprune.study.tuning.tune import without_test

ROOT = Path(__file__).resolve().parents[2]
TUNING = """
seed = 3

[budget.default]
trials = 6
seconds = 600

[budget.small]
trials = 2
seconds = 1.5

[stop]
percentile = 50
trials = 2
epochs = 2

[space.ease.l2]
low = 30.0
high = 300.0
log = true

[space.bpr]
factors = { choices = [4, 8] }
batch_size = { choices = [256, 512] }

[[space.bpr.learning_rate]]
when = { factors = 4 }
low = 1e-4
high = 1e-3
log = true

[[space.bpr.learning_rate]]
when = { factors = 8 }
low = 1e-2
high = 2e-2

[space.bpr.fixed]
epochs = 5
patience = 5

[space.neumf]
hidden = { choices = [[8], [8, 4]] }
"""


@pytest.fixture
def tuning(tmp_path):
    def write(text=TUNING):
        (tmp_path / "tuning.toml").write_text(text)
        return load_tuning(tmp_path / "tuning.toml")

    return write


@pytest.fixture
def search(tuning, ratio, tmp_path):
    """A search on the tiny log; `text` is the tuning.toml."""

    def make(model="bpr", text=TUNING, file="trials.csv", **changes):
        told = tuning(text)
        options = {"budget": told.budget("any"), "start": {"l2": 1.0}, "data": without_test(ratio)} | changes
        return Search(space=told.space(model), stop=told.stop, seed=told.seed, path=tmp_path / file, **options)

    return make


def last(search: Search) -> list[Trial]:
    """All trials of a search, when it has run."""
    *_, trials = search.run()
    return trials


def path_of(trials: list[Trial]) -> list[Trial]:
    return [replace(trial, seconds=0.0) for trial in trials]


# -- the search


def test_an_interrupted_search_goes_on_along_the_same_path(search):
    whole = last(search(file="whole.csv", budget=Budget(trials=12, seconds=600)))
    for _ in range(4):  # stopped after every third trial, as Ctrl-C does it: nothing but the file is left
        for _ in itertools.islice(search(file="parts.csv", budget=Budget(trials=12, seconds=600)).run(), 4):
            pass
    parts, _ = read_trials(search(file="parts.csv").path)
    assert path_of(parts) == path_of(whole)
    assert {trial.state for trial in whole} == {"complete", "pruned"}
    assert len({trial.score for trial in whole}) > 6


def test_trials_stay_inside_the_ranges_and_the_first_is_what_was_there(search):
    first, *others = last(search(start={"factors": 16, "learning_rate": 5e-3}))
    there = {"factors": 16, "learning_rate": 5e-3, "l2": 1e-5, "batch_size": 2048}
    assert first.values == there | {"epochs": 5, "patience": 5}
    for trial in others:
        low, high = {4: (1e-4, 1e-3), 8: (1e-2, 2e-2)}[trial.values["factors"]]
        assert low <= trial.values["learning_rate"] <= high
        assert trial.values["batch_size"] in (256, 512)
        assert (trial.values["epochs"], trial.values["l2"]) == (5, 1e-5), "what is not searched stays"
    assert len({trial.values["learning_rate"] for trial in others}) == len(others)


def test_another_seed_takes_another_path(search):
    told = [last(search("ease", TUNING.replace("seed = 3", f"seed = {seed}"), f"{seed}.csv")) for seed in (3, 4)]
    first, second = ([trial.values["l2"] for trial in trials] for trials in told)
    assert first[0] == second[0] and first[1:] != second[1:]


def test_a_trial_is_what_a_run_with_its_values_gives(search, ratio):
    from recprune.evaluation import evaluate
    from recprune.models import build

    top = best_trial(last(search()))
    model = build("bpr", **top.values).fit(ratio.train, ratio.validation, seed=0)
    assert evaluate(model, ratio, on="validation").mean["ndcg@10"] == top.score
    curve = [row["val_ndcg@10"] for row in model.train_log]
    assert top.curve == pytest.approx(curve, abs=1e-6) and curve[top.best_epoch - 1] == max(curve)


def test_the_budget_is_kept(search):
    assert len(last(search(budget=Budget(trials=3, seconds=600)))) == 3
    short = Budget(trials=50, seconds=1e-9)
    assert len(last(search("ease", file="b.csv", budget=short))) == 1, "what began is finished"
    cut = last(search(file="c.csv", budget=short))
    assert [trial.state for trial in cut] == ["cut"] and len(cut[0].curve) == 1, "unless it takes much too long"


def test_a_finished_search_is_not_repeated_and_a_larger_budget_goes_on(search):
    first = last(search(budget=Budget(trials=2, seconds=600)))
    before = search().path.read_bytes()
    assert last(search(budget=Budget(trials=2, seconds=600))) == first
    assert search().path.read_bytes() == before
    assert last(search(budget=Budget(trials=3, seconds=600)))[:2] == first


def test_a_trial_that_fails_is_recorded_and_the_search_goes_on(search):
    text = TUNING.replace("low = 30.0\nhigh = 300.0\nlog = true", "choices = [0.0, 100.0]")
    trials = last(search("ease", text))
    failed = [trial for trial in trials if trial.state == "failed"]
    assert 0 < len(failed) < len(trials) == 6
    assert all(trial.score is None and "l2 is 0.0; a positive number is needed" in trial.note for trial in failed)
    assert best_trial(trials).values["l2"] == 100.0


def test_another_space_or_other_data_are_not_mixed_in(search, ratio):
    last(search("ease", budget=Budget(trials=1, seconds=600)))
    for other in (
        search("ease", TUNING.replace("high = 300.0", "high = 200.0")),
        search("ease", TUNING.replace("seed = 3", "seed = 4")),
        search("ease", data=replace(without_test(ratio), data_hash="other")),
    ):
        with pytest.raises(StudyError, match=r"trials\.csv: these trials are of another space"):
            last(other)


class Blind(Split):
    """A split whose test part must not be looked at."""

    def __getattribute__(self, name):
        assert name != "test", "the test part was read"
        return super().__getattribute__(name)


def test_the_test_part_is_never_read(search, ratio):
    blind = Blind(**{f.name: getattr(ratio, f.name) for f in fields(Split)})
    seen = last(search("ease", data=blind, budget=Budget(trials=2, seconds=600)))
    assert len(seen) == 2
    data = without_test(ratio)
    assert data.test.nnz == 0 and data.test.shape == ratio.test.shape and data.validation is ratio.validation


def test_held_out_users_of_the_test_part_are_hidden_too(search, strong):
    data = without_test(strong)
    assert data.histories["test"].nnz == data.test.nnz == 0
    assert last(search("ease", data=data, budget=Budget(trials=1, seconds=600)))[0].score > 0


def test_a_tie_goes_to_the_first():
    scores = [0.1, 0.3, 0.3, None]
    trials = [Trial(number=i, state="complete", values={}, score=score) for i, score in enumerate(scores)]
    assert best_trial(trials).number == 1
    assert best_trial(trials[3:]) is None


def test_trials_survive_their_file(tmp_path):
    values = {"l2": 1e-5, "hidden": (64, 32), "similarity": "bm25", "max_items": None, "factors": 8, "user_id": True}
    trials = [
        Trial(number=0, state="complete", values=values, score=1 / 3, seconds=1.5, curve=(0.1, 0.25)),
        Trial(number=1, state="failed", values=values, note='the loss is "nan", so'),
    ]
    write_trials(tmp_path / "x.csv", trials, "key")
    assert read_trials(tmp_path / "x.csv") == (trials, "key")
    assert read_trials(tmp_path / "none.csv") == ([], "")
    text = (tmp_path / "x.csv").read_text()
    wrong = (("failed", "fialed"), ("1.5", "soon"), ("key,1", "key,2"), ("key,1", "kye,1"), ("trial,", "number,"))
    for old, new in wrong:
        (tmp_path / "x.csv").write_text(text.replace(old, new))
        with pytest.raises(StudyError, match=r"x\.csv: (line|trials)"):
            read_trials(tmp_path / "x.csv")


# -- tuning.toml


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 3", "seeds = 3", "the top level: unknown key 'seeds'; accepted: .*seed"),
        ("[budget.default]", "[budget.other]", r"budget: a table \[budget\.default\] is needed"),
        ("trials = 6", "trial = 6", r"budget\.default: unknown key 'trial'; accepted: seconds, trials"),
        ("trials = 6", "trials = 0", r"budget\.default: 0 trials or 600 s; at least one trial"),
        ("trials = 6", 'trials = "6"', r"budget\.default\.trials: '6' is a str; an int is needed"),
        ("percentile = 50", "percentile = 500", "stop: percentile from 0 to 100"),
        ("[space.ease.l2]", "[space.esae.l2]", "space: 'esae' is unknown; known: .*ease"),
        ("[space.ease.l2]", "[space.ease.L2]", r"space\.ease of ease: 'L2' is unknown; known: .*l2"),
        ("low = 30.0\n", "", r"space\.ease\.l2\.low: None is a NoneType"),
        ("low = 30.0", "lo = 30.0", r"space\.ease\.l2: unknown key 'lo'; accepted: .*low"),
        ("low = 30.0", "low = 3000.0", r"space\.ease\.l2: from 3000\.0 to 300\.0; low < high"),
        ("low = 30.0", "low = 0.0", r"space\.ease\.l2: .*with log 0 < low"),
        ("low = 30.0", "choices = [1.0]\nlow = 30.0", r"space\.ease\.l2: `low` and `high`, or `choices`"),
        ("choices = [4, 8]", "choices = [4, 8.5]", r"space\.bpr\.factors\.choices: 8\.5 is a float; an int is needed"),
        ("choices = [4, 8]", "choices = []", r"space\.bpr\.factors\.choices: \[\]"),
        ("choices = [[8], [8, 4]]", "low = 4, high = 8", r"space\.neumf\.hidden: hidden is no number; `choices`"),
        ("{ factors = 4 }", "{ factor = 4 }", r"learning_rate\[1\]\.when: 'factor' is unknown; known: .*factors"),
        ("when = { factors = 4 }\n", "", r"space\.bpr\.learning_rate\[1\]: `when` is missing"),
        ("epochs = 5", "epoch = 5", r"space\.bpr\.fixed: unknown key 'epoch'; accepted: .*epochs"),
        ("epochs = 5", "factors = 5", r"space\.bpr\.fixed: unknown key 'factors'"),
        ("epochs = 5", "epochs = ", "not TOML"),
    ],
)
def test_mistakes_are_named(tuning, old, new, message):
    assert old in TUNING
    with pytest.raises(StudyError, match=r"tuning\.toml: .*" + message):
        tuning(TUNING.replace(old, new, 1))


def test_a_data_set_can_have_a_budget_of_its_own(tuning):
    assert tuning().budget("small") == Budget(trials=2, seconds=1.5)
    assert tuning().budget("ml-100k") == Budget(trials=6, seconds=600)
    own = tuning(TUNING.replace("[budget.small]", '[budget."small/loo"]'))
    assert own.budget("small", "loo") == Budget(trials=2, seconds=1.5)
    assert own.budget("small", "ratio") == own.budget("small") == Budget(trials=6, seconds=600)


def test_every_model_that_learns_is_tuned_here():
    told = load_tuning(ROOT / "tuning.toml")
    assert set(told.spaces) == set(REGISTRY) - {"popularity", "random"}


# -- tuned.toml


STUDY = """
[study.main]
dataset = "ml-100k"
protocols = ["ratio", "loo"]
seeds = [0]
models = ["ease", "neumf"]

[[study.main.runs]]
notebook = "10-dense"

[hyperparameters.default.neumf]
negatives = 2
dropout = 0.4
factors = 8

[hyperparameters.ml-100k.neumf]
factors = 16
"""


@pytest.fixture
def tuned(tmp_path):
    """A study whose results hold what was tuned for ml-100k under `ratio`."""
    (tmp_path / "study.toml").write_text(STUDY)
    path = tmp_path / "results/tuning/ml-100k/ratio/tuned.toml"
    values = {"hidden": (8, 4), "dropout": 0.25, "factors": 64, "l2": 1e-07}
    write_tuned(path, tmp_path / "lock", "neumf", values, {"val_ndcg@10": 0.3, "space": {"l2[nu=1.0]": "x"}})
    write_tuned(path, tmp_path / "lock", "ease", {"l2": 77.5, "max_items": None}, {"trials": 3})
    return path


def hyperparameters(tuned: Path, id: str, **options) -> dict:
    runs = load_study(tuned.parents[4] / "study.toml", "main", **options).runs()
    return {run.id: run.parameters.hyperparameters for run in runs}[id]


def test_tuned_values_reach_the_runs_between_the_two_profiles(tuned):
    assert hyperparameters(tuned, "ml-100k/ratio/ease/dense") == {"l2": 77.5}
    found = hyperparameters(tuned, "ml-100k/ratio/neumf/dense")
    assert found == {"negatives": 2, "dropout": 0.25, "factors": 16, "hidden": [8, 4], "l2": 1e-07}
    Parameters(model="neumf", hyperparameters=found)


def test_a_protocol_that_was_not_tuned_takes_what_ratio_found(tuned, tmp_path):
    assert hyperparameters(tuned, "ml-100k/loo/ease/dense") == {"l2": 77.5}
    loo = tuned.parents[1] / "loo/tuned.toml"
    write_tuned(loo, tmp_path / "lock", "ease", {"l2": 5.0}, {})
    assert hyperparameters(tuned, "ml-100k/loo/ease/dense") == {"l2": 5.0}
    assert hyperparameters(tuned, "ml-100k/ratio/ease/dense") == {"l2": 77.5}
    assert hyperparameters(tuned, "ml-100k/loo/neumf/dense")["hidden"] == [8, 4], "model by model"


def test_a_file_known_to_hold_a_registered_data_set_has_what_that_has(tuned, tmp_path):
    ml_1m = tuned.parents[2] / "ml-1m/ratio/tuned.toml"
    write_tuned(ml_1m, tmp_path / "lock", "ease", {"l2": 5.0}, {})
    for dataset in ("ml-1m", "ml-1m-ratings"):
        log = f"/logs/{dataset}.csv.gz"
        assert hyperparameters(tuned, "ml-1m/ratio/ease/dense", dataset=log) == {"l2": 5.0}
    assert hyperparameters(tuned, "ml-10m/ratio/ease/dense", dataset="ml-10m") == {}


def test_what_was_tuned_elsewhere_can_be_read(tuned, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/study.toml").write_text(STUDY)
    study = load_study(tmp_path / "other/study.toml", "main", results=tmp_path / "results")
    assert study.hyperparameters.of("ml-100k", "ease") == {"l2": 77.5}
    assert load_study(tmp_path / "other/study.toml", "main").hyperparameters.of("ml-100k", "ease") == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("l2 = 77.5", "L2 = 77.5", "ease of ease: 'L2' is unknown"),
        ("[ease]", "[esae]", "the top level: 'esae' is unknown"),
        ("# Written", "bpr = 3\n# Written", "bpr: a table"),
        ("l2 = 77.5", "l2 = ", "not TOML"),
    ],
)
def test_mistakes_in_tuned_values_are_named(tuned, old, new, message):
    tuned.write_text(tuned.read_text().replace(old, new, 1))
    with pytest.raises(StudyError, match=r"tuned\.toml: .*" + message):
        read_tuned(tuned.parents[2])


# -- the commands


@pytest.fixture
def command(tmp_path, monkeypatch):
    """`python -m recprune.study ...` in a folder with a study and a tuning.toml."""
    monkeypatch.chdir(tmp_path)
    Path("study.toml").write_text(STUDY)
    Path("tuning.toml").write_text(TUNING.replace("trials = 6", "trials = 3"))
    return lambda *words: main([*words, "--dataset", "synthetic:120x80x4000"])


def test_the_command_searches_writes_what_it_chose_and_does_it_once(command, capsys):
    folder = Path("results/tuning/synthetic-120x80x4000/ratio")
    assert command("tune", "--model", "ease") == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ease")]
    assert "3 trials or 600 s; l2 30 to 300, log" in said[0]
    assert ["trial 0 (1/3)" in said[1], "trial 2 (3/3)" in said[3]] == [True, True]
    assert "best" in said[4] and "3 of 3 trials" in said[4] and "of 600 s used" in said[4]
    tables = tomllib.loads((folder / "tuned.toml").read_text())
    trials, _ = read_trials(folder / "ease.csv")
    assert tables["ease"]["l2"] == best_trial(trials).values["l2"]
    assert tables["ease"]["search"]["val_ndcg@10"] == best_trial(trials).score
    assert tables["ease"]["search"]["space"] == {"l2": "30 to 300, log"}
    assert (tables["ease"]["search"]["trials"], tables["ease"]["search"]["trials_budget"]) == (3, 3)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert command("tune", "--model", "ease") == 0
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert (
        load_study("study.toml", "main").hyperparameters.of("synthetic:120x80x4000", "ease")["l2"]
        == trials[best_trial(trials).number].values["l2"]
    )


def test_unknown_names_and_models_that_a_protocol_has_no_use_for(command, capsys):
    for words, message in (
        (("--model", "esae"), "tuning.toml: space: 'esae' is unknown; known: .*ease"),
        (("--model", "ease", "--protocol", "random"), "PROTOCOL: 'random' is unknown; known: .*ratio"),
        (("--model", "bpr", "--protocol", "strong"), "bpr cannot be tuned; strong: .*cannot be folded in"),
        (("--model", "ease", "--tuning", "no.toml"), "no.toml: there is no such file"),
    ):
        assert command("tune", *words) == 1
        assert re.search(message, capsys.readouterr().err)
    assert not Path("results/tuning").exists()


def test_the_plan_has_a_target_for_each_model_that_the_protocol_allows(command, capsys):
    assert command("tune-plan", "--out", "tune.mk", "--protocol", "strong") == 0
    assert "without bpr, neumf" in capsys.readouterr().err
    text, folding = (
        Path("tune.mk").read_text(),
        [name for name, kind in REGISTRY.items() if kind.search and kind.folds_in],
    )
    assert f".PHONY: all {' '.join(folding)}\n" in text and "--protocol strong --model ease" in text
    assert command("tune-plan", "--out", "tune.mk", "--models", "bpr,ease") == 0
    assert ".PHONY: all bpr ease\n" in Path("tune.mk").read_text()
    assert command("tune-plan", "--out", "tune.mk", "--models", "bpr,dense") == 1
    assert re.search("MODELS: 'dense' is unknown; known: bpr, .*ease", capsys.readouterr().err)


def test_a_model_is_searched_in_its_own_ranges_unless_tuning_toml_has_others(tuning):
    told = tuning()
    assert told.space("ials").described().keys() == {"factors", "alpha", "iterations", "nu", "l2[nu=0.0]", "l2[nu=1.0]"}
    assert told.space("ease").described() == {"l2": "30 to 300, log"}, "the model's own end at 5000"
    assert set(load_tuning(ROOT / "tuning.toml").spaces) == {name for name, kind in REGISTRY.items() if kind.search}


def test_the_seed_of_a_trial_depends_on_its_number():
    states = {int(np.random.SeedSequence([0, n]).generate_state(1)[0]) for n in range(100)}
    assert len(states) == 100
