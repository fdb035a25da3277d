"""L2, then threshold: train on under lambda |w|^2 / 2, then magnitude.

    w <- w / (1 + eta lambda) after each step

It shrinks and never zeroes: what is cut off afterwards is small, not absent.
"""

from recprune.pruning.criterion import Able, Criterion
from recprune.pruning.parameters import magnitude
from recprune.pruning.sparse_training import clipped, steps_of, train_on
from recprune.splits import Split

DECAY = 10.0  # a weight without a gradient ends at one part in so many of what it was


def prepare(model: Able, split: Split, unit: str, seed: int, clip: bool = False) -> None:
    """The model is trained on, in place, with weights that decay; `clip`: see `train_on`."""
    factor = DECAY ** (-1 / steps_of(model, split))  # 1 / (1 + eta lambda)
    names = list(model.prunable())

    def decay(arrays, learning_rate):
        for name in names:
            arrays[name].mul_(factor)

    train_on(model, split, seed, decay, clip)


PLAIN = Criterion(
    name="l2-threshold",
    label="L2, then threshold",
    kind="trained",
    summary="magnitude after training on under a strong weight decay",
    source="article 2",
    units=("weight", "n-of-m"),
    parameters=magnitude.score,
    prepare=prepare,
    needs=("descend",),
)
CRITERIA = (PLAIN, clipped(PLAIN, name="l2-threshold-clip", label="L2, then threshold, clipped"))
