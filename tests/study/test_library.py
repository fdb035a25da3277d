"""Which code a run's key depends on: a new method measures its own runs, no others; what they share counts for all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import recprune.models
import recprune.pruning
from recprune.study.identity import Library, Notebook
from recprune.study.identity.library import KINDS, PACKAGE

ROOT = PACKAGE.parent
PRUNE, SAMPLES, LOOP = "21-prune-weights", "20-prune-samples", "24-sample-loop"


def code(notebook: str) -> str:
    return Notebook.read(ROOT / "notebooks" / f"{notebook}.ipynb").code


def run(notebook: str = PRUNE, model: str = "ease", criterion: str = "taylor") -> tuple[str, dict]:
    return code(notebook), {"model": model, "criterion": criterion}


@pytest.fixture
def package(tmp_path) -> Path:
    """A copy of the package, to be changed."""
    return Path(shutil.copytree(PACKAGE, tmp_path / "recprune", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture
def changed(package):
    """The runs whose hash changes when a file does."""

    def of(file: str, runs: dict[str, tuple[str, dict]], more: str = "\nMORE = 1\n") -> set[str]:
        before, path = Library(package=package), package / file
        path.write_text((path.read_text() if path.exists() else "") + more)
        after = Library(package=package)
        return {name for name, each in runs.items() if before.hash(*each) != after.hash(*each)}

    return of


CRITERIA = {name: run(criterion=name) for name in ("taylor", "activation-variance", "mutual-information-axes")}
MODELS = {name: run("10-dense", name) for name in ("ease", "ials", "mult-vae")}
ALL = {
    "dense": (code("10-dense"), {"model": "ease"}),
    "weights": run(),
    "samples": run(SAMPLES, criterion="random"),
    "loop": run(LOOP, criterion="segment"),
    "controls": (code("12-controls"), {"model": "ials"}),
    "both": (code("23-prune-both"), {"model": "ease", "criterion": "magnitude", "samples_criterion": "random"}),
    "events": (code("40-event-log"), {}),
}


def test_comments_docstrings_report_and_study_do_not_count(package):
    file = package / "splits.py"
    before = Library(package=package).hash(*run())
    file.write_text("# said first\n" + file.read_text().replace('"""', '"""Once more: ', 1))
    assert Library(package=package).hash(*run()) == before
    for folder in ("report", "study"):
        for path in (package / folder).rglob("*.py"):
            path.write_text("MORE = 1\n" + path.read_text().replace("from __future__ import annotations\n", ""))
    assert Library(package=package).hash(*run()) == before


def test_a_file_that_is_no_python_is_named(package):
    (package / "splits.py").write_text("def")
    with pytest.raises(ValueError, match=r"splits\.py: line 1"):
        Library(package=package).hash(*run())


def test_every_floor_below_the_study_is_seen():
    reached = Library().reached(*run())
    floors = {name.split(".")[1] for name in reached}
    assert {"interactions", "topk", "datasets", "splits", "evaluation", "models", "pruning", "cells"} <= floors
    assert not {"study", "report"} & floors
    assert {"recprune.datasets.readers", "recprune.cells.measure", "recprune.models.ease"} <= set(reached)


class TestACriterionCountsForItsOwnRuns:
    def test_a_changed_rule_changes_the_runs_that_use_it(self, changed):
        found = changed("pruning/parameters/activations.py", CRITERIA)
        assert found == {"activation-variance", "mutual-information-axes"}, "imported by the rules"

    def test_a_new_criterion_changes_no_other_run(self, package, changed):
        folder, new = package / "pruning" / "parameters", run(criterion="new")
        before = Library(package=package).hash(*new)
        listed = folder / "__init__.py"
        listed.write_text(
            listed.read_text()
            .replace("    random,\n", "    new,\n    random,\n")
            .replace("    random.CRITERION,\n", "    random.CRITERION,\n    new.CRITERION,\n")
        )
        text = 'CRITERION = Criterion(name="new", label="", kind="score")\n'
        assert changed("pruning/parameters/new.py", CRITERIA | ALL, text) == set()
        assert Library(package=package).hash(*new) != before

    def test_what_all_pruning_shares_counts_for_all_of_it(self, changed):
        assert changed("pruning/rounds.py", CRITERIA | ALL) == {*CRITERIA, *ALL} - {"dense"}
        assert changed("pruning/select.py", CRITERIA | ALL) == {*CRITERIA, *ALL} - {"dense"}

    def test_a_loop_counts_with_its_rules(self, changed):
        runs = {name: run(LOOP, criterion=name) for name in ("segment", "loss")}
        assert changed("pruning/samples/segment.py", runs) == {"segment"}

    def test_the_controls_count_with_the_rules_that_they_name(self, changed):
        assert changed("pruning/parameters/zero_reset.py", ALL) == {"controls"}

    def test_a_notebook_that_prunes_by_itself_counts_with_what_it_has_in_quotes(self, changed):
        assert changed("pruning/samples/recency.py", ALL) == {"events"}

    def test_a_notebook_that_takes_the_whole_registry_depends_on_all_of_it(self, changed):
        takes = "import recprune as rp\nfor name in rp.CRITERIA: print(name)\n"
        runs = {"all": (takes, {}), "one": (takes, {"criterion": "taylor"})}
        assert changed("pruning/parameters/snip.py", runs) == {"all"}


class TestAModelCountsForItsOwnRuns:
    def test_a_changed_model_changes_its_runs(self, changed):
        assert changed("models/ease.py", MODELS) == {"ease"}

    def test_what_a_model_imports_counts_with_it(self, changed):
        assert changed("models/parts/layers.py", MODELS) == {"ease", "ials", "mult-vae"}
        assert changed("models/parts/least_squares.py", MODELS) == {"ials"}

    def test_a_new_model_changes_no_other_run(self, package, changed):
        listed = package / "models" / "__init__.py"
        text = "from recprune.models.base import Recommender\n"
        listed.write_text(listed.read_text().replace(text, text + "from recprune.models.new import New\n"))
        before = Library(package=package).hash(*run("10-dense", "new"))
        model = 'class New:\n    name: ClassVar[str] = "new"\n'
        assert changed("models/new.py", MODELS | ALL, model) == set()
        assert Library(package=package).hash(*run("10-dense", "new")) != before

    def test_what_all_models_share_counts_for_all(self, changed):
        assert changed("models/base.py", MODELS | ALL) == {*MODELS, *ALL}

    def test_what_builds_a_model_counts_though_it_stands_where_models_are_collected(self, package):
        listed = package / "models" / "__init__.py"
        before = Library(package=package).hash(*run())
        text = listed.read_text()
        assert "return REGISTRY[name](" in text
        listed.write_text(text.replace("return REGISTRY[name](", "return 2 * REGISTRY[name]("))
        assert Library(package=package).hash(*run()) != before


def test_a_kind_of_curve_counts_for_its_notebooks(changed):
    assert changed("cells/curves/loop.py", ALL) == {"loop"}


class TestExtensions:
    """A file from outside the package counts by its content, for the runs that use what it declares."""

    RULE = 'import recprune\nrecprune.pruning.register(Criterion(name="mine"))\n'
    MODEL = 'class Mine:\n    name = "my-model"\n'

    def test_it_counts_for_what_it_declares(self, tmp_path):
        rule, model = tmp_path / "rule.py", tmp_path / "model.py"
        rule.write_text(self.RULE)
        model.write_text(self.MODEL)
        runs = {"taylor": run(), "mine": run(criterion="mine"), "my-model": run(model="my-model")}

        def keys() -> dict[str, str]:
            library = Library([str(rule), str(model)])
            return {name: library.hash(*each) for name, each in runs.items()}

        before = keys()
        assert before["taylor"] == Library().hash(*runs["taylor"])
        rule.write_text(self.RULE + "MORE = 1\n")
        after = keys()
        assert {name for name in runs if after[name] != before[name]} == {"mine"}
        rule.write_text(self.RULE + "MORE = 1\n# a comment\n")
        assert keys() == after

    def test_it_counts_where_a_name_is_computed(self, tmp_path):
        rule = tmp_path / "rule.py"
        rule.write_text("name = 'mi' + 'ne'\n")
        before = Library([str(rule)]).hash(*run(criterion="mine"))
        rule.write_text("name = 'm' + 'ine'\n")
        assert Library([str(rule)]).hash(*run(criterion="mine")) != before


def test_every_registered_name_is_declared_in_a_file():
    library = Library()
    registries = (recprune.models.REGISTRY, recprune.pruning.CRITERIA)
    for kind, registry in zip(KINDS, registries, strict=True):
        declared = {name for _, names in library.declaring(kind) for name in names}
        assert set(registry) <= declared


def test_every_name_that_a_package_offers_is_found_where_it_comes_from():
    """An import that is not followed would be code that counts for nothing."""
    library = Library()
    for module, source in library.files.items():
        if source.collects and not module.startswith(("recprune.study", "recprune.report")):
            for name in source.exported:
                home, _ = library.home(module, name)
                assert home != module or name in source.definitions | source.assigned, f"{module}: {name}"
