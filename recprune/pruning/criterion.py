"""What a criterion is: one rule of importance, for parameters, for samples, or for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from recprune.interactions import Interactions
from recprune.models.base import Recommender
from recprune.pruning import units
from recprune.splits import Split

Scores = dict[str, torch.Tensor]  # name of a tensor or dimension -> (n_units,), high = keep
SampleScores = tuple[np.ndarray, np.ndarray | None]  # (nnz,), high = keep; (nnz,) stratum of each, or None
Masks = dict[str, torch.Tensor]  # array name -> bool, False where a parameter was removed
Able = Any  # a recommender with the methods that a criterion `needs`

# what a criterion asks -> in words
KINDS = {
    "control": "nothing of what it removes: what every rule has to beat",
    "floor": "nothing, since everything goes",
    "score": "the trained model, or the log, as it is",
    "trained": "a model that was trained on, solved again or drawn anew for the purpose",
    "modelled": "of samples: a proxy model, or a decomposition of the log",
}
# what a criterion needs a model to have -> why a model may lack it
NEEDS = {
    "canonicalise": "its scores are not a product of user and item factors",
    "trace": "it has no hidden units or factors whose activations could be looked at",
    "gradients": "it has no loss that could be differentiated",
    "descend": "it is not trained by gradient descent",
    "linear_layers": "it has no linear layers",
}
# unit -> why a model may have none
LACKS = {
    "weight": "it has no weights that could be zero",
    "n-of-m": "it has no dense matrix",
    "neighbour": "it has no neighbour lists",
    "factor": "it has no latent factors",
    "neuron": "it has no hidden neurons",
    "user-row": "it has no table of users",
    "item-row": "it has no table of items",
    "split": "it is not a tree",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Criterion:
    """One rule of importance.

    name         what runs and rows call it, kebab-case
    label        what readers see
    labels       unit -> what they see in place of the label and the unit's name
    kind         what it asks: one of KINDS
    summary      what it scores, in a line
    source       where it comes from
    units        the units of a model that it scores
    parameters   (model, unit, train, seed) -> {name: (n_units,) scores}, high = keep; None if it scores no parameters
    samples      (train, seed) -> ((nnz,) scores, strata or None), high = keep; None if data alone do not tell
    by_model     (model, split, seed) -> the same of the training interactions, where it is the model that tells
    weights      (train, kept (nnz,) bool, seed) -> (kept.sum(),) weights of the interactions that stay; None: as they
                 were
    scope        "global": all units compete; "layer": every tensor or dimension loses the same share
    prepare      (model, split, unit, seed): changes a copy of the dense model before anything is scored: turns its
                 basis, goes back to its initial values, trains it on under a penalty
    adjust       (model, split, unit, masks, seed, before): corrects what stays, right after a removal from `before`
    needs        methods that a model must have (see NEEDS)
    """

    name: str
    label: str
    kind: str
    summary: str
    source: str
    labels: Mapping[str, str] = field(default_factory=dict)
    units: tuple[str, ...] = ()
    parameters: Callable[[Able, str, Interactions, int], Scores] | None = None
    samples: Callable[[Interactions, int], SampleScores] | None = None
    by_model: Callable[[Able, Split, int], SampleScores] | None = None
    weights: Callable[[Interactions, np.ndarray, int], np.ndarray] | None = None
    scope: str = "global"
    prepare: Callable[[Able, Split, str, int], None] | None = None
    adjust: Callable[[Able, Split, str, Masks, int, Able], None] | None = None
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, given, known in (
            ("kind", (self.kind,), KINDS),
            ("scope", (self.scope,), ("global", "layer")),
            ("unit", self.units, units.UNITS),
            ("need", self.needs, NEEDS),
        ):
            for value in given:
                if value not in known:
                    raise ValueError(f"criterion {self.name!r}: unknown {what} {value!r}; known: {', '.join(known)}")

    @property
    def sides(self) -> tuple[str, ...]:
        """What it scores: "parameters", "samples", or both."""
        found = {"parameters": self.parameters, "samples": self.samples or self.by_model}
        return tuple(side for side, score in found.items() if score)

    def of_units(self, model: Recommender, unit: str, train: Interactions, seed: int) -> Scores:
        """Scores of the units of a model. Raises ValueError where the criterion scores no parameters."""
        if self.parameters is None:
            raise ValueError(f"criterion {self.name!r} scores no parameters")
        return self.parameters(model, unit, train, seed)

    def of_samples(self, split: Split, seed: int, model: Recommender | None = None) -> SampleScores:
        """Scores of the training interactions: by the model, if one is given and the criterion asks it, else by data.

        Raises ValueError where the criterion scores no samples, or none without a model.
        """
        if model is not None and self.by_model is not None:
            return self.by_model(model, split, seed)
        if self.samples is None:
            raise ValueError(f"criterion {self.name!r} scores no samples" + (" without a model" * bool(self.by_model)))
        return self.samples(split.train, seed)

    def rules_out(self, model: Recommender, unit: str) -> str:
        """The reason why the criterion cannot score this unit of this model; "" where it can."""
        if unit not in self.units:
            return f"it does not score the unit {unit}"
        if not units.there(model, unit):
            return LACKS[unit]
        lacks = model.lacks()
        return next(
            (lacks.get(need, NEEDS[need]) for need in self.needs if need in lacks or not hasattr(model, need)), ""
        )

    def applies(self, model: Recommender, unit: str) -> bool:
        """Whether the criterion can score this unit of this model."""
        return not self.rules_out(model, unit)
