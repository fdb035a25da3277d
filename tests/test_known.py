"""What the command knows of the studies is what their rows say, and can be used where no rows are."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import recprune as rp
from recprune.__main__ import _parser
from recprune.models import REGISTRY, build
from recprune.report.evidence import Evidence
from recprune.shell.known import FILE, known
from recprune.shell.learn import known_of, text_of
from recprune.shell.order import METHOD, Order, method_of
from recprune.study.load import load_study
from recprune.typed import parse

ROOT = Path(rp.__file__).parents[1]
LOG = "synthetic:300x150x12000:seed=1"


def order(*arguments: str) -> Order:
    options = _parser().parse_args(["prune", *arguments, "--out", "nowhere/small"])
    assert isinstance(options, argparse.Namespace)
    return Order.of(options)


@pytest.mark.slow
def test_it_is_made_of_the_committed_rows():
    """`make known` brings it up to date."""
    hyperparameters = load_study(ROOT / "study.toml", "main").hyperparameters
    assert FILE.read_text("utf-8") == text_of(known_of(Evidence(ROOT / "results"), hyperparameters))


def test_hyper_parameters_are_those_of_the_runs(tmp_path, monkeypatch):
    """For each data set of the studies and each model, with what was tuned under the protocol, in any folder."""
    hyperparameters = load_study(ROOT / "study.toml", "main").hyperparameters
    monkeypatch.chdir(tmp_path)
    for one in known().data_sets:
        for model in REGISTRY:
            values, source = known().hyperparameters(one.dataset, model, one.protocol)
            assert values == hyperparameters.of(one.dataset, model, one.protocol)
            build(model, **values)
            tuned = model in hyperparameters.tuned.get(one.dataset, {}).get(one.protocol, {})
            assert source.startswith(f"tuned on {one.dataset}") == tuned


def test_every_rule_can_be_carried_out():
    """`method_of` checks it on a model that was trained for a moment; who has no rule gets one that is possible."""
    for name in set(REGISTRY) - {"popularity", "random"}:
        for dataset in ("stars", *(one.dataset for one in known().data_sets)):
            method, why = method_of(dataset, build(name), {})
            found = known().rule(dataset, name)
            assert found is None or method == {each: getattr(found[0], each) for each in METHOD}
            assert ("no rule that is safe" in why) == (found is None)


def test_a_rule_is_the_data_sets_own_or_the_one_that_holds_on_the_most():
    """A choice that test does not confirm is nobody's default."""
    for one in known().measured:
        if one.headline:
            rule, _ = known().rule(one.dataset, one.model) or (None, "")
            assert (rule == one) == one.confirmed
    for best in known().rules:
        assert set(best.confirmed_on) <= set(best.safe_on)
        assert (known().rule("stars", best.model) is None) == (not best.confirmed_on)


def test_what_is_given_counts():
    """Of the method, the rest is the plain one; of hyper-parameters, the rest is what was tuned."""
    plain = {"criterion": "magnitude", "unit": "weight", "schedule": "one-shot", "recovery": "refit"}
    assert order("ml-100k", "--recovery", "none").method == plain | {"recovery": "none"}
    assert order("ml-100k", "--criterion", "magnitude").method == plain
    tuned, own = order("ml-100k", "--model", "ials"), order("ml-100k", "--model", "ials", "--set", "factors=8")
    assert own.model.factors == 8 != tuned.model.factors and own.model.l2 == tuned.model.l2
    assert "factors = 8 (--set)" in own.taken[0] and "tuned on ml-100k, protocol ratio" in own.taken[0]


def test_what_was_tuned_in_this_folder_counts(tmp_path, monkeypatch):
    """As `make tune DATASET=stars.csv` leaves it, for a log of this name and content."""
    (tmp_path / "stars.csv").write_text("user,item\n1,2\n")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "tuning" / rp.datasets.name_of("stars.csv") / "ratio"
    folder.mkdir(parents=True)
    (folder / "tuned.toml").write_text("[ease]\nl2 = 12.5\n")
    assert order("stars.csv").model.l2 == 12.5
    (folder / "tuned.toml").write_text("[ease]\nl3 = 12.5\n")
    with pytest.raises(ValueError, match=r"tuned.toml: ease"):
        order("stars.csv")


def test_the_file_is_typed():
    with pytest.raises(ValueError, match="`measured` is missing"):
        parse(type(known()), {"parts": {"held": 1, "of": 2}, "data_sets": [], "rules": []})


@pytest.mark.slow
def test_an_installed_package_needs_neither_results_nor_registry(tmp_path):
    """The package alone, copied elsewhere, called in an empty folder."""
    shutil.copytree(ROOT / "recprune", tmp_path / "site" / "recprune", ignore=shutil.ignore_patterns("__pycache__"))
    log = rp.load(LOG, quiet=True)
    rows = (f"{u},{i}" for u, i in zip(log.user, log.item, strict=True))
    (tmp_path / "stars.csv").write_text("\n".join(["user,item", *rows]))
    command = [sys.executable, "-m", "recprune", "prune", "stars.csv", "--out", "small", "--model", "ials"]
    environment = {"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (best,) = (best for best in known().rules if best.model == "ials")
    assert f"rule: {best.words}" in done.stdout and "factors = 128" in done.stdout
    assert rp.load_model(tmp_path / "small").n_users == log.n_users
