"""What is known of a criterion stands in its own file; the registry only collects."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

from recprune.pruning import CRITERIA, UNITS, parameters, samples
from recprune.pruning.criterion import KINDS, Criterion
from recprune.pruning.samples import representative

MODULES = [f"{package.__name__}.{m.name}" for package in (parameters, samples) for m in iter_modules(package.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_what_a_file_declares_is_registered(name):
    module = import_module(name)
    declared = [*getattr(module, "CRITERIA", ()), *([module.CRITERION] if hasattr(module, "CRITERION") else [])]
    assert all(CRITERIA[rule.name] is rule for rule in declared)
    if not declared:
        assert name.endswith(("activations", "proxy", "samples.random")), "what others score by"


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_says_what_it_is_called_and_what_it_asks(name):
    rule = CRITERIA[name]
    assert isinstance(rule, Criterion) and rule.name == name
    assert rule.label and rule.summary and rule.source and rule.kind in KINDS
    assert set(rule.labels) <= set(rule.units)
    assert rule.sides and ("parameters" in rule.sides) == bool(rule.units)


def test_controls_ask_nothing():
    assert [name for name, rule in CRITERIA.items() if rule.kind == "control"] == ["random", "mask-shuffle"]
    assert [name for name, rule in CRITERIA.items() if rule.kind == "floor"] == ["zero-reset"]
    assert set(CRITERIA["random"].units) == set(UNITS)


def test_what_is_scored_after_a_training_of_its_own_prepares_it():
    for rule in CRITERIA.values():
        assert (rule.kind == "trained") <= (rule.prepare is not None), rule.name


def test_labels_tell_criteria_apart():
    labels = [rule.label for rule in CRITERIA.values()]
    assert len(set(labels)) == len(labels)


def test_representative_removal_needs_no_model():
    assert representative.CRITERION.samples and not representative.CRITERION.by_model
