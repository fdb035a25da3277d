"""Group lasso: train on under lambda sum_g sqrt|g| |w_g|, then the norm of each group.

    w_g <- w_g max(0, 1 - eta lambda sqrt|g| / |w_g|) after each step

(Yuan and Lin, 2006; on the rows, factors and neurons of networks Scardapane et al., 2017). A group is everything that
a unit consists of, in all the arrays that it runs through, so an empty one is cut out of the model for good. The
square root of the number of entries makes groups of unlike size comparable. Where the groups of two dimensions share
entries, the weights between two layers of neurons, the maps are applied in turn.
"""

from functools import partial

from recprune.pruning.criterion import Able, Criterion
from recprune.pruning.parameters import magnitude
from recprune.pruning.sparse_training import Penalty, clipped, steps_of, train_on
from recprune.splits import Split

GAIN = 0.5  # see `Penalty`; by validation nDCG@10 on ml-100k


def prepare(model: Able, split: Split, unit: str, seed: int, clip: bool = False) -> None:
    """The model is trained on, in place, with ever more units empty; `clip`: see `train_on`."""
    dimensions = list(model.structure()[unit].values())
    train_on(model, split, seed, Penalty(partial(shrink, dimensions), GAIN, steps_of(model, split)), clip)


def shrink(dimensions, arrays, size):
    """The share of the groups that are empty, after the norm of each was shrunk by `size` sqrt|g|, in place.

    dimensions  for each, the (array, axis) pairs that its groups run through
    """
    empty = total = 0
    for places in dimensions:
        parts = [(arrays[name], axis) for name, axis in places]
        entries = sum(array.numel() // array.shape[axis] for array, axis in parts)
        norm = sum(_squares(array, axis) for array, axis in parts).sqrt()
        factor = (1 - size * entries**0.5 / norm.clamp(min=1e-30)).clamp(min=0)
        for array, axis in parts:
            array.mul_(factor.view([-1 if d == axis else 1 for d in range(array.ndim)]))
        empty, total = empty + int(((factor == 0) | (norm == 0)).sum()), total + len(norm)
    return empty / total


def _squares(array, axis):
    """(n,) sum of the squares of the entries of each unit along an axis."""
    return array.square().sum([d for d in range(array.ndim) if d != axis]) if array.ndim > 1 else array.square()


PLAIN = Criterion(
    name="group-lasso",
    label="group lasso",
    kind="trained",
    summary="norm after training on under a penalty of the norms of whole units",
    source="article 2; Yuan and Lin 2006; Scardapane 2017",
    units=("factor", "neuron", "user-row", "item-row"),
    parameters=magnitude.score,
    prepare=prepare,
    needs=("descend",),
)
CRITERIA = (PLAIN, clipped(PLAIN, name="group-lasso-clip", label="group lasso, clipped"))
