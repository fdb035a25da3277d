"""The criteria, by name: what each scores, which units it applies to, and where it comes from."""

from __future__ import annotations

from recprune.models.base import Recommender
from recprune.pruning import units
from recprune.pruning.criterion import Criterion
from recprune.pruning.parameters import magnitude, principal_axes
from recprune.pruning.parameters import random as random_parameters
from recprune.pruning.recovery import RECOVERIES
from recprune.pruning.samples import random as random_samples
from recprune.pruning.samples import stratified
from recprune.pruning.schedule import SCHEDULES

CRITERIA: dict[str, Criterion] = {
    "random": Criterion(
        "uniform: the control",
        "Blalock 2020; article 2",
        units=units.UNITS,
        parameters=random_parameters.score,
        samples=random_samples.score,
    ),
    "stratified": Criterion(
        "uniform inside user x item-popularity strata",
        "article 2, representative removal",
        samples=stratified.score,
    ),
    "magnitude": Criterion(
        "absolute value, or norm of a larger unit; all tensors compete",
        "Han 2015",
        units=units.UNITS,
        parameters=magnitude.score,
    ),
    "magnitude-layer": Criterion(
        "absolute value, or norm of a larger unit; the same share of each tensor",
        "Han 2015",
        units=("weight", *units.DIMENSIONS),
        parameters=magnitude.score,
        scope="layer",
    ),
    "principal-axes": Criterion(
        "singular value of the factor, after turning to principal axes",
        "Eckart and Young 1936; article 1 (c)",
        units=("factor",),
        parameters=principal_axes.score,
        prepare=principal_axes.prepare,
        needs=("canonicalise",),
    ),
    "zero-reset": Criterion(
        "everything to zero: the floor",
        "article 1 (a)",
        units=("weight",),
        parameters=magnitude.score,
    ),
}


def criterion(name: str, side: str) -> Criterion:
    """A registered criterion for `side` ("parameters" or "samples"). Raises ValueError that lists the known names."""
    known = [key for key, value in CRITERIA.items() if getattr(value, side) is not None]
    if name not in known:
        raise ValueError(f"unknown criterion {name!r} for {side}; known: {', '.join(known)}")
    return CRITERIA[name]


def check(model: Recommender, name: str, unit: str, schedule: str, recovery: str) -> Criterion:
    """The criterion of parameters called `name`, after every name and the combination have been checked.

    Raises ValueError; the message lists what is known, or what applies to the model.
    """
    rule = criterion(name, "parameters")
    for what, value, known in (
        ("unit", unit, units.UNITS),
        ("schedule", schedule, SCHEDULES),
        ("recovery", recovery, RECOVERIES),
    ):
        if value not in known:
            raise ValueError(f"unknown {what} {value!r}; known: {', '.join(known)}")
    if reason := rule.rules_out(model, unit):
        possible = [f"{key} ({u})" for key, c in CRITERIA.items() for u in c.units if c.parameters and c.applies(model, u)]
        raise ValueError(
            f"criterion {name!r} with unit {unit!r} does not apply to {model.name}: {reason}; "
            f"what does: {', '.join(possible) or 'nothing'}"
        )
    if recovery not in model.recoveries:
        raise ValueError(f"recovery {recovery!r} does not apply to {model.name}; known: {', '.join(model.recoveries)}")
    return rule
