"""Advice: ranges of what went, honest about a data set that is left out, and commands that can be given."""

import shlex
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recprune.__main__ import _parser, main
from recprune.shell.advice import Expected, expected, held, holds, left_out
from recprune.shell.known import DataSet, Known, Measured, Parts, known

LOG = "synthetic:300x150x12000:seed=1"
SHARES = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1), min_size=1)
(EASE,) = (rule for rule in known().rules if rule.model == "ease")


def knowing(removed: dict[str, float]) -> Known:
    """What is known where one rule was measured, on these data sets."""
    counts = {"protocol": "ratio", "users": 1, "items": 1, "interactions": 1, "density": 1.0, "gini_items": 0.0}
    method = dict(zip(("model", "unit", "criterion", "schedule", "recovery"), EASE.method, strict=True))
    lines = (
        Measured(**method, dataset=name, protocol="ratio", removed=share, confirmed=True)
        for name, share in removed.items()
    )
    sets = tuple(DataSet(dataset=name, **counts) for name in removed)
    return Known(parts=Parts(held=0, of=0), data_sets=sets, rules=(EASE,), measured=tuple(lines))


@given(SHARES)
def test_the_interval_holds_all_that_was_found_and_is_all_there_is_of_one(removed):
    (found,) = expected(knowing(removed))
    assert found.removed == removed and found.least == min(removed.values())
    assert all(holds(found.interval, share) for share in removed.values())
    if len(removed) == 1:
        assert found.interval == (0.0, 1.0) and left_out(removed) == []


@given(SHARES)
def test_a_left_out_data_set_is_outside_by_its_distance_to_the_range_of_the_others(removed):
    shares = np.array(list(removed.values()))
    for place, distance in enumerate(left_out(removed)):
        others = np.delete(shares, place)
        assert distance == pytest.approx(abs(shares[place] - np.clip(shares[place], others.min(), others.max())))


def test_what_is_left_out_has_no_say_in_what_is_held_against_it():
    """Two alike and one far away: the two promise what the third does not keep, and that is counted."""
    assert held(knowing({"a": 0.9, "b": 0.9, "c": 0.0})) == (2, 3)
    assert held(knowing({"a": 0.9, "b": 0.5, "c": 0.7})) == (3, 3)
    assert held(knowing({"a": 0.9, "b": 0.5})) == (0, 0)


def test_what_test_does_not_confirm_counts_as_nothing():
    one = knowing({"a": 0.9, "b": 0.8})
    doubted = replace(one, measured=(replace(one.measured[0], confirmed=False), one.measured[1]))
    assert expected(doubted)[0].removed == {"a": 0.0, "b": 0.8}


def test_a_model_of_another_form_does_not_count():
    """EASE on a hundred neighbours an item: its weights are those that were left."""
    one = replace(knowing({"a": 0.9, "b": 0.1}), profiles={"b": {"ease": {"neighbours": 100}}})
    assert expected(one)[0].removed == {"a": 0.9}


def test_the_models_of_most_data_sets_come_first():
    numbers = [len(each.removed) for each in expected(known())]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] >= 3
    assert isinstance(expected(known())[0], Expected)


def test_advice_ends_in_commands_that_can_be_given(capsys):
    """For each model of which something went anywhere; the options of the log go with them."""
    assert main(["advise", LOG, "--core", "5", "--columns", ""]) == 0
    lines = capsys.readouterr().out.splitlines()
    commands = [line for line in lines if line.startswith("recprune prune")]
    assert lines[-len(commands) :] == commands
    expected_of = [each.rule.model for each in expected(known()) if max(each.removed.values()) > 0]
    options = [_parser().parse_args(shlex.split(command)[1:]) for command in commands]
    assert [each.model for each in options] == expected_of
    assert all((each.ratings, each.core, each.command) == (LOG, 5, "shell.prune") for each in options)
    right, of = held(known())
    assert any(f"in {right} of {of}; of parts" in line for line in lines)
    assert any(line.startswith("outside of what was measured: users, items") for line in lines)


def test_advice_on_a_log_of_the_studies_leaves_its_rows_out(capsys):
    assert main(["advise", "ml-100k", "--core", "-1"]) == 1
    assert "core is -1" in capsys.readouterr().err
    assert all("ml-100k" not in each.removed for each in expected(known(), without=("ml-100k",)))
