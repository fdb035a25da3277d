"""Clipping alone: train on with clipped gradients and no penalty, then magnitude (article 2 counts it as pruning).

It shortens steps and zeroes nothing. `clip=False` is the control: as much training, nothing clipped.
"""

from functools import partial

from recprune.pruning.criterion import Able, Criterion
from recprune.pruning.parameters import magnitude
from recprune.pruning.sparse_training import train_on
from recprune.splits import Split


def prepare(model: Able, split: Split, unit: str, seed: int, clip: bool = True) -> None:
    """The model is trained on, in place; `clip`: see `train_on`."""
    train_on(model, split, seed, None, clip)


CRITERIA = (
    Criterion(
        name="clip",
        label="clipping",
        kind="trained",
        summary="magnitude after training on with clipped gradients and no penalty",
        source="article 2; Pascanu 2013",
        units=("weight", "n-of-m"),
        parameters=magnitude.score,
        prepare=prepare,
        needs=("descend",),
    ),
    Criterion(
        name="train-longer",
        label="trained longer",
        kind="trained",
        summary="magnitude after as much more training, nothing clipped: the control of all that train on",
        source="article 2",
        units=("weight", "n-of-m"),
        parameters=magnitude.score,
        prepare=partial(prepare, clip=False),
        needs=("descend",),
    ),
)
