"""What a model says of itself besides its mathematics: its name and family, and where a search looks."""

from dataclasses import fields

import numpy as np
import pytest

from recprune.models import REGISTRY, build
from recprune.models.base import FAMILIES

SEARCHED = {name: kind for name, kind in REGISTRY.items() if kind.search}


def entries(kind):
    """(hyper-parameter, entry) of everything that is searched, one of several ranges by itself."""
    for name, found in kind.search.items():
        if name != "fixed":
            yield from ((name, entry) for entry in (found if isinstance(found, list) else [found]))


def values(entry):
    """Some values that a search may try."""
    if "choices" in entry:
        return entry["choices"]
    return [entry["low"], entry["high"]]


@pytest.mark.parametrize("name", REGISTRY)
def test_a_model_says_what_it_is_called_and_what_it_is(name):
    kind = REGISTRY[name]
    assert kind.name == name and kind.label and kind.family in FAMILIES
    assert kind.seconds_a_fit > 0


def test_all_models_that_learn_are_searched():
    assert set(SEARCHED) == set(REGISTRY) - {"popularity", "random"}
    assert len({kind.label for kind in REGISTRY.values()}) == len(REGISTRY)


@pytest.mark.parametrize("name", SEARCHED)
def test_each_axis_of_the_search_is_a_hyper_parameter(name):
    kind = SEARCHED[name]
    known = {field.name for field in fields(kind)}
    assert set(kind.search) - {"fixed"} <= known
    assert set(kind.search.get("fixed", {})) <= known - set(kind.search)
    assert set(kind.tiny) <= known


@pytest.mark.parametrize("name", SEARCHED)
def test_each_value_of_the_search_makes_a_model(name):
    before = []
    for axis, entry in entries(SEARCHED[name]):
        assert set(entry) <= {"low", "high", "log", "choices", "when"}
        assert ("choices" in entry) != ("low" in entry)
        assert set(entry.get("when", {})) <= set(before), "a condition stands before what depends on it"
        for value in values(entry):
            given = getattr(build(name, **{axis: value}), axis)
            assert given == (tuple(value) if isinstance(value, list) else value)
        if "choices" not in entry:
            assert 0 <= entry["low"] < entry["high"] and (entry["low"] > 0 or not entry.get("log", False))
            assert type(entry["low"]) is type(getattr(build(name), axis)), "whole numbers stay whole"
        before.append(axis)


@pytest.mark.parametrize("name", [name for name, kind in REGISTRY.items() if kind.tiny])
def test_a_tiny_one_has_something_of_every_unit(name, ratio):
    tiny = build(name, **REGISTRY[name].tiny).fit(ratio.train, ratio.validation, seed=0)
    assert np.isfinite(tiny.score([0, 1])).all()
    assert all(array.numel() for array in tiny.prunable().values())
    for dimensions in tiny.structure().values():
        assert all(tiny.arrays[array].shape[axis] > 1 for places in dimensions.values() for array, axis in places)
