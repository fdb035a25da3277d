"""Quantized models: a compact recommender whose arrays are rounded to fewer bits after training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from recprune.errors import kind_of
from recprune.models.disk.formats import FORMATS, format_of, rounded
from recprune.models.parts import ops
from recprune.models.parts.rotation import distance, evened, is_full
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

    One rule for all arrays, measured on MovieLens-100K (ratio, validation, mean of 5 seeds): int8 keeps .999 to 1.001
    of the nDCG@10 of EASE, of EASE cut to 10 and 2 % and refitted, of iALS, BPR and Mult-VAE. In int4 a scale for each
    row keeps .997, .997, .996, .998, .994 and .981 of them; for each column .994, .993, .996, .991, .992 and .982; for
    every 64 entries of a row, which takes 6 % more bytes, 1.000 of EASE, 1.001, .993 and .987 of the last three;
    standard errors are .001 to .004. Scales below the largest entry, of least squares, keep less: on one seed .972
    of EASE and .975 of item-kNN, where these scales keep .997 and .999.

    Before factors are rounded to int4, their basis is turned where scores do not depend on it and their products lose
    less so: principal axes are of unequal length, and one scale for a row is that of its longest. Validation nDCG@10
    of int4 relative to the dense model, before → now: half of iALS' axes on MovieLens-1M .956 → .991 (float32 .998), a
    quarter .951 → .970 (.981), one seed; on MovieLens-100K, mean of two seeds, half of BPR's .959 → .977 (.992), of
    ELSA's .987 → .998 (.999), of iALS' .975 → .978 (.994). Not cut to their axes, factors mostly stay as they are.

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
    if values == "int4":
        _turn(small)
    for name, array in small.arrays.items():
        if (of_array := format_of(array, values)) is not None:
            try:
                small.arrays[name] = rounded(array, of_array)
            except ValueError as error:
                raise ValueError(f"{small.name}: array {name!r}: {error}") from None
    small.values = values
    return small.compact()


def _turn(model: Recommender) -> None:
    """The factors of a model are turned, in place, where int4 then keeps more of their dot products."""
    if model.products is None or not all(is_full(model.arrays[name]) for name in model.products):
        return
    exact = [ops.dense(model.arrays[name]) for name in model.products]
    turned = [evened(table) for table in exact]
    as_they_are, of_turned = (
        distance(tables, [ops.dense(rounded(table, "int4")) for table in tables]) for tables in (exact, turned)
    )
    if of_turned < as_they_are:
        model.arrays |= dict(zip(model.products, turned, strict=True))
