"""L2, then threshold: train on under lambda |w|^2 / 2, then magnitude.

    w <- w / (1 + eta lambda) after each step

It shrinks and never zeroes: what is cut off afterwards is small, not absent.
"""

from recprune.pruning.sparse_training import steps_of, train_on

DECAY = 10.0  # a weight without a gradient ends at one part in so many of what it was


def prepare(model, split, unit, seed, clip=False):
    """Train on, in place, with weights that decay; `clip`: see `train_on`."""
    factor = DECAY ** (-1 / steps_of(model, split))  # 1 / (1 + eta lambda)
    names = list(model.prunable())

    def decay(arrays, learning_rate):
        for name in names:
            arrays[name].mul_(factor)

    train_on(model, split, seed, decay, clip)
