"""Proximal L1: train on under lambda |w|_1, then magnitude.

    w <- sign(w) max(|w| - eta lambda, 0) after each step

(Parikh and Boyd, 2014, section 6.5). The map makes weights exactly zero. A subgradient of the L1 norm added to the
gradient doesn't under Adam: every step has a length, and no weight comes to rest at zero.
"""

from functools import partial

import torch.nn.functional as F

from recprune.pruning.criterion import Able, Criterion
from recprune.pruning.parameters import magnitude
from recprune.pruning.sparse_training import Penalty, clipped, steps_of, train_on
from recprune.splits import Split

GAIN = 2.0  # see `Penalty`; by validation nDCG@10 on ml-100k


def prepare(model: Able, split: Split, unit: str, seed: int, clip: bool = False) -> None:
    """The model is trained on, in place, with ever more weights at zero; `clip`: see `train_on`."""
    names = list(model.prunable())
    train_on(model, split, seed, Penalty(partial(shrink, names), GAIN, steps_of(model, split)), clip)


def shrink(names, arrays, size):
    """The share of weights that is zero, after all of the named arrays came closer to it by `size`, in place."""
    zeros = total = 0
    for name in names:
        array = arrays[name]
        array.copy_(F.softshrink(array, size))
        zeros, total = zeros + array.numel() - int(array.count_nonzero()), total + array.numel()
    return zeros / total


PLAIN = Criterion(
    name="proximal-l1",
    label="proximal L1",
    kind="trained",
    summary="magnitude after training on under an L1 penalty by its proximal map",
    source="article 2; Parikh and Boyd 2014",
    units=("weight", "n-of-m"),
    parameters=magnitude.score,
    prepare=prepare,
    needs=("descend",),
)
CRITERIA = (PLAIN, clipped(PLAIN, name="proximal-l1-clip", label="proximal L1, clipped"))
