"""Clipping alone: train on with clipped gradients and no penalty, then magnitude (article 2 lists it among what prunes).

It shortens steps and zeroes nothing. `clip=False` is the control: as much training, nothing clipped.
"""

from recprune.pruning.sparse_training import train_on


def prepare(model, split, unit, seed, clip=True):
    """Train on, in place; `clip`: see `train_on`."""
    train_on(model, split, seed, None, clip)
