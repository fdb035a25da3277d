"""The criteria, by name: what each scores, which units it applies to, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recprune.models.base import Recommender
from recprune.pruning import units
from recprune.pruning.parameters import magnitude, principal_axes
from recprune.pruning.parameters import random as random_parameters
from recprune.pruning.samples import random as random_samples
from recprune.pruning.samples import stratified


@dataclass(frozen=True)
class Criterion:
    """One rule of importance.

    summary      what it scores, in a line
    source       where it comes from
    units        the units of a model that it scores
    parameters   (model, unit, train, seed) -> {name: (n_units,) scores}, high = keep; None if it scores no parameters
    samples      (train, seed) -> ((nnz,) scores, strata or None); None if it scores no interactions
    scope        "global": all units compete; "layer": every tensor or dimension loses the same share
    prepare      changes the model's basis, not its scores, before anything is scored
    """

    summary: str
    source: str
    units: tuple[str, ...] = ()
    parameters: Callable | None = None
    samples: Callable | None = None
    scope: str = "global"
    prepare: Callable[[Recommender], None] | None = None

    def applies(self, model: Recommender, unit: str) -> bool:
        """Whether the criterion can score this unit of this model."""
        if unit not in self.units or (self.prepare is not None and not hasattr(model, "canonicalise")):
            return False
        if unit == "weight":
            return bool(model.prunable())
        if unit == "neighbour":
            return bool(model.lists())
        return unit in model.structure()


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
        prepare=principal_axes.canonicalise,
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
