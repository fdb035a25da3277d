"""The criteria, by name: collected from the files that declare them, found, and checked against a model."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from recprune.errors import kind_of
from recprune.evaluation import check_belongs
from recprune.models.base import Recommender
from recprune.pruning import parameters, samples, units
from recprune.pruning.criterion import Criterion
from recprune.pruning.recovery import RECOVERIES
from recprune.pruning.schedule import SCHEDULES
from recprune.splits import Split
from recprune.typed import near

CRITERIA: dict[str, Criterion] = {}


def register(criterion: Criterion) -> Criterion:
    """The criterion itself, registered under its name: what a file outside of the package calls.

    Raises ValueError where the name is another criterion's.
    """
    if CRITERIA.setdefault(criterion.name, criterion) is not criterion:
        raise ValueError(f"{criterion.name}: a criterion of this name is registered already; choose another name")
    return criterion


for _criterion in (*parameters.CRITERIA, *samples.CRITERIA):
    register(_criterion)


def find(criterion: str | Criterion, *sides: str) -> Criterion:
    """The criterion of that name, or the one given, if it scores one of the `sides`: fields of Criterion that do.

    Raises ValueError that lists the names of those that do.
    """
    if not isinstance(criterion, str | Criterion):
        raise TypeError(f"a criterion is its name or a Criterion, not {kind_of(criterion)}")
    rule = criterion if isinstance(criterion, Criterion) else CRITERIA.get(criterion)
    if rule is not None and any(getattr(rule, side) for side in sides):
        return rule
    names = [name for name, one in CRITERIA.items() if any(getattr(one, side) for side in sides)]
    known = ", ".join(names)
    if rule is not None and rule.by_model and "samples" in sides:
        raise ValueError(
            f"criterion {rule.name!r} asks a model which samples it needs: it works in "
            f"prune_data(model, split, {rule.name!r}), which has one; here: {known}"
        )
    name = criterion if rule is None else rule.name
    raise ValueError(f"unknown criterion {name!r} for {sides[0]}; known: {known}{near(name, names)}")


def check_trained(model: Recommender, split: Split, seed: int, rounds: int) -> None:
    """Raises ValueError for a model that is not trained on this split, and for a wrong seed or number of rounds."""
    check_belongs(model, split)
    for what, value, least in (("seed", seed, 0), ("rounds", rounds, 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{what} is {value!r}; a whole number from {least} on is needed")


def check(model: Any, criterion: str | Criterion, unit: str, schedule: str, recovery: str) -> Criterion:
    """The criterion of parameters that is meant, after every name and the combination have been checked.

    Raises ValueError; the message lists what is known, or what applies to the model. TypeError for what is no model.
    """
    if not isinstance(model, Recommender):
        already = "; it is pruned already: give the dense model and less to keep" if hasattr(model, "masks") else ""
        raise TypeError(f"a trained recommender is needed, not {kind_of(model)}{already}")
    model.n_users  # noqa: B018  an untrained one says so
    rule = check_names(model, criterion, unit, schedule, recovery)
    if reason := rule.rules_out(model, unit):
        possible = [
            f"{key} ({u})" for key, c in CRITERIA.items() for u in c.units if c.parameters and c.applies(model, u)
        ]
        raise ValueError(
            f"criterion {rule.name!r} with unit {unit!r} does not apply to {model.name}: {reason}; "
            f"what does: {', '.join(possible) or 'nothing'}"
        )
    return rule


def check_known(what: str, value: str, known: Collection[str]) -> None:
    """Raises ValueError, with the known names and the nearest, for a value that is none of them."""
    if value not in known:
        raise ValueError(f"unknown {what} {value!r}; known: {', '.join(known)}{near(value, known)}")


def check_names(model: Recommender, criterion: str | Criterion, unit: str, schedule: str, recovery: str) -> Criterion:
    """What `check` can say of a model before it is trained. Raises ValueError."""
    rule = find(criterion, "parameters")
    for what, value, known in (
        ("unit", unit, units.UNITS),
        ("schedule", schedule, SCHEDULES),
        ("recovery", recovery, RECOVERIES),
    ):
        check_known(what, value, known)
    if model.values != "float32":
        raise ValueError(f"{model.name}: its values are in {model.values}; prune the model it was made of before")
    if recovery != "none" and model.is_compact:
        raise ValueError(
            f"a compact {model.name} has lost what recovery {recovery!r} needs: prune the model that it was made of"
        )
    if recovery not in model.recoveries:
        raise ValueError(f"recovery {recovery!r} does not apply to {model.name}; known: {', '.join(model.recoveries)}")
    return rule
