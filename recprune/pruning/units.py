"""Units: what is removed from a model.

    weight      a single entry of a prunable tensor
    n-of-m      an entry of a dense matrix: a weight, chosen so that of every M = 4 in succession in a row as many stay
                (Mishra et al., 2021; the pattern that sparse tensor cores multiply has 2 of 4)
    neighbour   an entry of an item's neighbour list (item-item models): a weight, chosen list by list
    factor      a latent dimension, everywhere it runs through
    neuron      a hidden unit with its incoming and outgoing weights and its bias
    user-row    a user: the rows of all tables that belong to it
    item-row    an item, likewise; it is not recommended any more (see `recprune.models.parts.lost_rows`)
    split       a question of a tree, with everything below it

A unit that is zero throughout is not there: shares are counted over the units that are. Under n-of-m every entry of a
whole block of M counts; what is left at the end of a row whose length M does not divide stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from recprune.models.base import Recommender
from recprune.models.parts import ops
from recprune.models.parts.lost_rows import KEPT
from recprune.pruning.select import how_many

ENTRIES = ("weight", "n-of-m", "neighbour")  # units that are single entries of tensors
DIMENSIONS = ("factor", "neuron", *KEPT, "split")  # units that run through several arrays
UNITS = (*ENTRIES, *DIMENSIONS)
M = 4  # of n-of-m
SPAN = 1 << 25  # entries of units, and of masks, that are worked on at a time


def values(model: Recommender, unit: str) -> dict[str, torch.Tensor]:
    """Name of a tensor or dimension -> (n_units x entries): the entries that make up each unit.

    The zeros that a sparse array leaves out are among them: what needs no more than a number or a norm of each unit
    asks for `sizes` or `norms`.
    """
    if unit in ENTRIES:
        return {name: entries.reshape(-1, 1) for name, entries in _entries(model, unit).items()}
    return {name: torch.cat([_by_unit(*place) for place in places], 1) for name, places in _places(model, unit).items()}


def sizes(model: Recommender, unit: str) -> dict[str, int]:
    """Name of a tensor or dimension -> number of units."""
    if unit in ENTRIES:
        return {name: entries.numel() for name, entries in _entries(model, unit).items()}
    return {name: places[0][0].shape[places[0][1]] for name, places in _places(model, unit).items()}


def norms(model: Recommender, unit: str) -> dict[str, torch.Tensor]:
    """Name of a tensor or dimension -> (n_units,) Euclidean norm of the entries that make up each unit."""
    if unit in ENTRIES:
        return {name: entries.abs().ravel() for name, entries in _entries(model, unit).items()}
    return {name: _norms(places) for name, places in _places(model, unit).items()}


def _present(model: Recommender, unit: str) -> dict[str, np.ndarray]:
    """Name of a tensor or dimension -> (n_units,) bool, False for units that are zero throughout."""
    if unit in ENTRIES:
        return {name: (entries != 0).numpy().ravel() for name, entries in _entries(model, unit).items()}
    return {name: _sums(places, lambda entries: entries != 0) > 0 for name, places in _places(model, unit).items()}


def there(model: Recommender, unit: str) -> bool:
    """Whether a model has units of this kind, whatever their number."""
    if unit == "neighbour":
        return bool(model.lists())
    return bool(_entries(model, unit) if unit in ENTRIES else model.structure().get(unit))


def _entries(model: Recommender, unit: str) -> dict[str, torch.Tensor]:
    """The prunable tensors whose entries are units; of n-of-m, the matrices with at least one block in a row."""
    found = model.prunable()
    return {name: t for name, t in found.items() if t.ndim == 2 and t.shape[1] >= M} if unit == "n-of-m" else found


Place = tuple[ops.Array, int]  # an array, and the axis of it that has the units


def _places(model: Recommender, unit: str) -> dict[str, list[Place]]:
    """Name of a dimension -> the places that it runs through."""
    found = model.structure().get(unit, {})
    return {dimension: [(model.arrays[name], axis) for name, axis in places] for dimension, places in found.items()}


def _by_unit(array: ops.Array, axis: int) -> torch.Tensor:
    array = ops.dense(array)
    return array.movedim(axis, 0).reshape(array.shape[axis], -1)


def _norms(places: list[Place]) -> torch.Tensor:
    if any(not isinstance(array, torch.Tensor) for array, _ in places):
        return torch.from_numpy(np.sqrt(_sums(places, lambda entries: np.square(entries, dtype=np.float64)))).float()
    return torch.cat([torch.cat([_by_unit(*place) for place in part], 1).norm(dim=1) for part in _in_spans(places)])


def _in_spans(places: list[Place]) -> Iterator[list[Place]]:
    """The same places of some units at a time: of dense arrays that run through a large catalogue a copy is large."""
    n = places[0][0].shape[places[0][1]]
    spans = max(1, min(n, -(-sum(array.numel() for array, _ in places) // SPAN)))
    parts = [torch.tensor_split(array, spans, axis) for array, axis in places]
    for part in zip(*parts, strict=True):
        yield [(array, axis) for array, (_, axis) in zip(part, places, strict=True)]


def _sums(places: list[Place], of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """(n_units,) float64: the sum of `of`(entries) of each unit. What a sparse array leaves out adds nothing."""
    total = np.zeros(places[0][0].shape[places[0][1]])
    for array, axis in places:
        if isinstance(array, torch.Tensor):
            spans = (_by_unit(*place).numpy() for (place,) in _in_spans([(array, axis)]))
            total += np.concatenate([of(entries).sum(1, dtype=np.float64) for entries in spans])
        else:
            total += np.bincount(array.tocoo().coords[axis], of(array.data), len(total))
    return total


def tensor(model: Recommender, name: str) -> torch.Tensor:
    """An array of the model as a tensor that shares its memory (of a sparse one, its stored values)."""
    array = model.arrays[name]
    return array if isinstance(array, torch.Tensor) else torch.from_numpy(array.data)


@dataclass(frozen=True)
class Pool:
    """The units of a model that can be chosen from, in one flat numbering.

    names, sizes  the tensors or dimensions, and the number of units in each
    present       (n,) bool, False for units that were zero from the start
    lists         (n,) neighbour list, or block of M, of each unit; or (c,) of each column of a matrix; or None
    """

    unit: str
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    present: np.ndarray
    lists: np.ndarray | None

    @classmethod
    def of(cls, model: Recommender, unit: str) -> Pool:
        """The units of this kind that a model has."""
        found = sizes(model, unit)
        present = _joined([*_present(model, unit).values()]) if found else np.empty(0, bool)
        lists = None
        if unit == "neighbour" and found:
            lists = _lists(model, found)
        elif unit == "n-of-m" and found:
            present, lists = _blocks([t.shape for t in _entries(model, unit).values()])
        return cls(unit, tuple(found), tuple(found.values()), present, lists)

    def joined(self, dense: Pool) -> Pool:
        """The pool with the units of the dense model too: those that preparing it set to zero can still be chosen."""
        return replace(self, present=self.present | dense.present) if self.sizes == dense.sizes else self

    @property
    def n(self) -> int:
        """Number of units that are there."""
        return int(np.count_nonzero(self.present))

    def shares(self, step: float) -> list[float]:
        """The shares that a budget is searched among, from near 1 down to a single unit: `step`, its square, ...

        Of n-of-m those that there are: 3, 2 and 1 of 4.
        """
        if self.unit == "n-of-m":
            return [i / M for i in range(M - 1, 0, -1)]
        last = int(np.ceil(np.log(1 / self.n) / np.log(step))) if self.n else 0
        return [max(step**power, 1 / self.n) for power in range(1, last + 1)]

    def how_many(self, keep: float) -> int:
        """Number of units that stay in the end at the share `keep`.

        Raises ValueError for a share outside (0, 1], and for n-of-m unless keep * M is a whole number.
        """
        k = how_many(self.n, keep)
        if self.unit == "n-of-m" and k * M % self.n:
            shares = ", ".join(f"{i / M:g}" for i in range(1, M + 1))
            raise ValueError(f"keep is {keep!r}; of every {M} weights a whole number stays: {shares}")
        return k

    def flat(self, scores: dict[str, torch.Tensor]) -> np.ndarray:
        """(n,) scores of all units, in the flat numbering; those of a single tensor are not copied."""
        return _joined([scores[name].detach().numpy().ravel() for name in self.names])

    def groups(self, scope: str) -> np.ndarray | None:
        """Group of each unit that a share is taken of (see `Ranking`): its list, its layer under that scope; or None.

        A single layer is no group: all compete.
        """
        if self.lists is not None:
            return self.lists
        layers = scope == "layer" and len(self.sizes) > 1
        return np.repeat(np.arange(len(self.sizes), dtype=np.int32), self.sizes) if layers else None

    def masks(self, model: Recommender, keep: np.ndarray) -> dict[str, torch.Tensor]:
        """Array name -> bool mask of its shape, from the (n,) choice of units."""
        parts = dict(zip(self.names, np.split(keep, np.cumsum(self.sizes)[:-1]), strict=True))
        if self.unit in ENTRIES:
            return {name: torch.from_numpy(part).reshape(tensor(model, name).shape) for name, part in parts.items()}
        masks: dict[str, torch.Tensor] = {}
        for dimension, places in model.structure()[self.unit].items():
            for name, axis in places:
                along = _along(model.arrays[name], axis, torch.from_numpy(parts[dimension]))
                masks[name] = masks[name] & along if name in masks else along
            if self.unit in KEPT and not parts[dimension].all():
                masks[KEPT[self.unit]] = torch.from_numpy(parts[dimension])
        return masks


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """The parts one after another; a single one as it is."""
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _lists(model: Recommender, names: Iterable[str]) -> np.ndarray:
    """The neighbour list of each weight, or, of a single matrix that has one for each column, of each column."""
    lists, (name, *more) = model.lists(), names
    if not more:
        return lists[name]
    return np.concatenate([np.broadcast_to(lists[name], tensor(model, name).shape).ravel() for name in (name, *more)])


def _along(array: ops.Array, axis: int, keep: torch.Tensor) -> torch.Tensor:
    """The choice of units along an axis, for each entry of the array (of a sparse one, each stored value)."""
    if not isinstance(array, torch.Tensor):
        return keep[torch.from_numpy(array.tocoo().coords[axis]).long()]
    shape = [1] * array.ndim
    shape[axis] = -1
    return keep.reshape(shape).expand(array.shape).clone()


def _blocks(shapes) -> tuple[np.ndarray, np.ndarray]:
    """(n,) each, of the raveled entries of matrices: whether they are in a whole block of M, and in which."""
    whole, block, n = [], [], 0
    for rows, columns in shapes:
        per_row = -(-columns // M)
        number = np.arange(rows)[:, None] * per_row + np.arange(columns) // M
        whole.append(np.tile(np.arange(columns) < columns // M * M, rows))
        block.append(n + number.ravel())
        n += rows * per_row
    return np.concatenate(whole), np.concatenate(block)


def declare(model: Recommender, masks: dict[str, torch.Tensor]) -> None:
    """The arrays of rows that the masks are for (see `lost_rows`) are made, where a new model lacks them."""
    for unit, name in KEPT.items():
        if name in masks:
            model.declare_rows(unit)


def apply(model: Recommender, masks: dict[str, torch.Tensor]) -> None:
    """What the masks leave out is set to zero, in place. Rows that go are declared to be gone."""
    declare(model, masks)
    model.is_pruned = True
    for name, mask in masks.items():
        values = tensor(model, name)
        step = max(1, SPAN * len(mask) // max(1, mask.numel()))  # a mask of floats, which torch makes, is large
        for part, keep in zip(values.split(step), mask.split(step), strict=True):
            part.mul_(keep)
