"""SNIP (Lee et al., 2019): |w dL/dw| of the initial weights, before any training (eq. 5).

The model goes back to the values that `fit` with this seed starts from, and dL/dw is the mean over the batches of
one epoch. A larger unit's saliency is the sum of its entries'. What starts at zero (biases, DLRM's user ids) has no
saliency, and is not there to be removed. The recovery that belongs to it is `retrain`, which starts from the same
values; without it an untrained model would be ranked by.
"""

import torch

from recprune.interactions import Interactions
from recprune.pruning.criterion import Able, Criterion, Scores
from recprune.pruning.parameters import taylor
from recprune.splits import Split


def prepare(model: Able, split: Split, unit: str, seed: int) -> None:
    """The model goes back to its initial values, in place."""
    model.initialise(torch.Generator().manual_seed(seed))


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Name -> (n_units,) sum of |w dL/dw|."""
    total: Scores = {}
    batches = 0
    for gradient in model.gradients(train, seed):
        for name, part in gradient.items():
            total[name] = total[name] + part if name in total else part
        batches += 1
    mean = {name: part / batches for name, part in total.items()}
    return {name: entries.abs().sum(1) for name, entries in taylor.products(model, unit, mean).items()}


CRITERION = Criterion(
    name="snip",
    label="SNIP",
    kind="trained",
    summary="|w dL/dw| at the initial weights; meant for retraining",
    source="Lee 2019",
    units=("weight", "n-of-m", "factor", "neuron"),
    parameters=score,
    prepare=prepare,
    needs=("descend",),
)
