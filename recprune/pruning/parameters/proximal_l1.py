"""Proximal L1: train on under lambda |w|_1, then magnitude.

    w <- sign(w) max(|w| - eta lambda, 0) after each step

(Parikh and Boyd, 2014, section 6.5). The map makes weights exactly zero. A subgradient of the L1 norm added to the
gradient doesn't under Adam: every step has a length, and no weight comes to rest at zero.
"""

from functools import partial

import torch.nn.functional as F

from recprune.pruning.sparse_training import Penalty, steps_of, train_on

GAIN = 2.0  # see `Penalty`; by validation nDCG@10 on ml-100k


def prepare(model, split, unit, seed, clip=False):
    """Train on, in place, with ever more weights at zero; `clip`: see `train_on`."""
    names = list(model.prunable())
    train_on(model, split, seed, Penalty(partial(shrink, names), GAIN, steps_of(model, split)), clip)


def shrink(names, arrays, size):
    """Bring every weight of the named arrays closer to zero by `size`, in place; returns the share that is zero."""
    zeros = total = 0
    for name in names:
        array = arrays[name]
        array.copy_(F.softshrink(array, size))
        zeros, total = zeros + array.numel() - int(array.count_nonzero()), total + array.numel()
    return zeros / total
