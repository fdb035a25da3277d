"""L2, then threshold: train on under lambda |w|^2 / 2, then magnitude.

    w <- w / (1 + eta lambda) after each step

It shrinks and never zeroes: what is cut off afterwards is small, not absent.
"""

from functools import partial

from recprune.pruning.sparse_training import train_on

DECAY = 10.0  # a weight without a gradient ends at one part in so many of what it was


def prepare(model, split, unit, seed, clip=False):
    """Train on, in place, with weights that decay; `clip`: see `train_on`."""
    train_on(model, split, seed, partial(Decay, list(model.prunable())), clip)


class Decay:
    """The regulariser of the named arrays: eta lambda is such that (1 + eta lambda)^steps = DECAY."""

    def __init__(self, names, steps):
        self.names, self.factor = names, DECAY ** (-1 / steps)

    def __call__(self, arrays, learning_rate):
        for name in self.names:
            arrays[name].mul_(self.factor)
