"""Units: what is removed from a model.

    weight      a single entry of a prunable tensor
    neighbour   an entry of an item's neighbour list (item-item models): a weight, chosen list by list
    factor      a latent dimension, everywhere it runs through
    neuron      a hidden unit with its incoming and outgoing weights and its bias

A unit that is zero throughout is not there: shares are counted over the units that are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from recprune.models.base import Recommender

ENTRIES = ("weight", "neighbour")  # units that are single entries of tensors
DIMENSIONS = ("factor", "neuron")  # units that run through several arrays
UNITS = (*ENTRIES, *DIMENSIONS)


def values(model: Recommender, unit: str) -> dict[str, torch.Tensor]:
    """Name of a tensor or dimension -> (n_units x entries): the entries that make up each unit."""
    if unit in ENTRIES:
        return {name: tensor.reshape(-1, 1) for name, tensor in model.prunable().items()}
    return {name: torch.cat([_by_unit(model, *place) for place in places], 1) for name, places in _dimensions(model, unit)}


def _dimensions(model: Recommender, unit: str):
    return model.structure().get(unit, {}).items()


def _by_unit(model: Recommender, name: str, axis: int) -> torch.Tensor:
    array = tensor(model, name)
    return array.movedim(axis, 0).reshape(array.shape[axis], -1)


def tensor(model: Recommender, name: str) -> torch.Tensor:
    """An array of the model as a tensor that shares its memory (of a sparse one, its stored values)."""
    array = model.arrays[name]
    return array if isinstance(array, torch.Tensor) else torch.from_numpy(array.data)


def there(model: Recommender, unit: str) -> bool:
    """Whether the model has units of this kind."""
    if unit in ENTRIES:
        return bool(model.lists() if unit == "neighbour" else model.prunable())
    return unit in model.structure()


@dataclass(frozen=True)
class Pool:
    """The units of a model that can be chosen from, in one flat numbering.

    names, sizes  the tensors or dimensions, and the number of units in each
    present       (n,) bool, False for units that were zero from the start
    lists         (n,) neighbour list of each unit, or None
    """

    unit: str
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    present: np.ndarray
    lists: np.ndarray | None

    @classmethod
    def of(cls, model: Recommender, unit: str) -> Pool:
        found = values(model, unit)
        lists = model.lists() if unit == "neighbour" else {}
        return cls(
            unit=unit,
            names=tuple(found),
            sizes=tuple(len(v) for v in found.values()),
            present=np.concatenate([(v != 0).any(1).numpy() for v in found.values()]) if found else np.empty(0, bool),
            lists=np.concatenate([lists[name] for name in found]) if lists else None,
        )

    @property
    def n(self) -> int:
        return int(self.present.sum())

    def flat(self, scores: dict[str, torch.Tensor]) -> np.ndarray:
        return np.concatenate([scores[name].detach().numpy().ravel() for name in self.names])

    def groups(self, scope: str) -> np.ndarray | None:
        """What shares are taken of: each list for neighbours, each layer where the criterion says so, else everything."""
        if self.lists is not None:
            return self.lists
        return np.repeat(np.arange(len(self.sizes)), self.sizes) if scope == "layer" else None

    def masks(self, model: Recommender, keep: np.ndarray) -> dict[str, torch.Tensor]:
        """Array name -> bool mask of its shape, from the (n,) choice of units."""
        parts = dict(zip(self.names, np.split(keep, np.cumsum(self.sizes)[:-1]), strict=True))
        if self.unit in ENTRIES:
            return {name: torch.from_numpy(part).reshape(tensor(model, name).shape) for name, part in parts.items()}
        masks: dict[str, torch.Tensor] = {}
        for dimension, places in _dimensions(model, self.unit):
            for name, axis in places:
                shape = [1] * tensor(model, name).ndim
                shape[axis] = -1
                along = torch.from_numpy(parts[dimension]).reshape(shape).expand(tensor(model, name).shape)
                masks[name] = masks[name] & along if name in masks else along.clone()
        return masks


def apply(model: Recommender, masks: dict[str, torch.Tensor]) -> None:
    """Set to zero, in place, what the masks leave out."""
    for name, mask in masks.items():
        tensor(model, name).mul_(mask)
