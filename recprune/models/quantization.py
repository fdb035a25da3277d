"""Quantized models: a compact recommender whose arrays are rounded to fewer bits after training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from recprune.errors import kind_of
from recprune.models.disk.formats import FORMATS, format_of, rounded
from recprune.typed import near

if TYPE_CHECKING:
    from recprune.models.base import Recommender


class Compactable(Protocol):
    """A recommender, or a pruned one."""

    def compact(self) -> Recommender:
        """The physically smaller recommender with the same scores."""
        ...


def quantize(model: Compactable, values: str) -> Recommender:
    """The compact form of a trained model, dense or pruned, with the values of its arrays rounded to nearest.

    values   float32 (nothing is rounded), float16, int8 or int4: see `recprune.models.disk.formats`. Matrices and
             tables have a scale for each row; vectors are float16 in int8 and int4, and whole numbers stay as they are

    The arrays in memory are float32 and hold exactly what is stored: scores are those of the stored values, and
    `save` writes these in 2, 1 or half a byte. So quantization makes a model smaller on disk, and neither smaller in
    memory nor faster, but for what rounds to zero: that is cut out as pruned parameters are.

    One rule for all arrays, measured on MovieLens-100K (ratio, validation, 5 seeds): in int4 a scale for each row
    keeps .997 of the nDCG@10 of EASE, .996 of EASE cut to 2 % and refitted, .998 of iALS, .994 of BPR and .981 of
    Mult-VAE; for each column .994, .996, .991, .992 and .982; for every 64 entries of a row, which takes 6 % more
    bytes, 1.000, -, 1.001, .993 and .987; standard errors are .002 to .004. Scales of least squares, below the
    largest entry, cost item-item models up to .03 more. In int8 all of these keep .998 to 1.003.

    Raises ValueError for an unknown format, an untrained model, one quantized already to a coarser format, and in
    float16 for a value beyond 65,504; TypeError for what is no model.
    """
    if values not in FORMATS:
        raise ValueError(f"unknown values {values!r}; known: {', '.join(FORMATS)}{near(values, FORMATS)}")
    if not hasattr(model, "compact"):
        raise TypeError(f"a trained recommender is needed, not {kind_of(model)}")
    small = model.compact()
    had = FORMATS.index(small.values)
    if FORMATS.index(values) < had:
        raise ValueError(
            f"{small.name}: its values are in {small.values} already, and {values} brings nothing back; "
            f"accepted: {', '.join(FORMATS[had:])}, or the model that it was made of"
        )
    if values == small.values:
        return small
    for name, array in small.arrays.items():
        if (of_array := format_of(array, values)) is not None:
            try:
                small.arrays[name] = rounded(array, of_array)
            except ValueError as error:
                raise ValueError(f"{small.name}: array {name!r}: {error}") from None
    small.values = values
    return small.compact()
