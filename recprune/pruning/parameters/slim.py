"""Sparse linear method: the item-item regression again, under an L1 penalty besides the ridge, then magnitude.

    min_B |X - XB|^2 / 2 + l2 |B|^2 / 2 + lambda |B|_1 with diag(B) = 0

(SLIM: Ning and Karypis, 2011, eq. 3, without its B >= 0) by proximal gradient steps with Nesterov's momentum, started
anew where it leads uphill (FISTA: Beck and Teboulle, 2009; O'Donoghue and Candes, 2015), from the dense solution. In
the first steps lambda is whatever leaves a share EMPTY of the weights at zero; then it stays, and the steps converge
to that problem's solution. Recovery `refit` takes the shrinkage back: L1 has then only chosen the support.
"""

import torch
import torch.nn.functional as F

from recprune.pruning.criterion import Able, Criterion
from recprune.pruning.parameters import magnitude
from recprune.pruning.sparse_training import EMPTY
from recprune.splits import Split

STEPS = 45
ADAPTING = 30  # of them, those that set lambda


def prepare(model: Able, split: Split, unit: str, seed: int) -> None:
    """The model is solved for again, in place; one with a square matrix `item_item` that multiplies histories."""
    weight = model.arrays["item_item"]
    layer = model.linear_layers(split.train, seed)["item_item"]
    weight.copy_(solve(gram_of(layer), layer.ridge, weight)[0])


def gram_of(layer):
    """(n x n) X'X of a layer's sparse inputs."""
    return torch.from_numpy((layer.inputs.T @ layer.inputs).toarray()).float()


def solve(gram, ridge, start):
    """(n x n) B, and the lambda that it is the solution for; `start` is what the steps begin with."""
    n = len(gram)
    right, system = gram.clone(), gram + ridge * torch.eye(n)
    right.fill_diagonal_(0)
    length = 1 / largest_eigenvalue(system)
    zeros = max(1, int(EMPTY * n * n))
    here = ahead = start.clone()
    momentum, size = 1.0, 0.0
    for step in range(STEPS):
        moved = ahead - length * (system @ ahead - right)
        moved.fill_diagonal_(0)
        if step < ADAPTING:
            size = float(moved.abs().ravel().kthvalue(zeros).values)
        new = F.softshrink(moved, size)
        uphill = float(((ahead - new) * (new - here)).sum()) > 0
        faster = 1.0 if uphill else (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new if uphill else new + (momentum - 1) / faster * (new - here)
        here, momentum = new, faster
    return here, size / length


def largest_eigenvalue(matrix, steps=30):
    """The largest eigenvalue of a positive definite matrix, from above by some per cent (power iteration)."""
    vector = torch.ones(len(matrix))
    for _ in range(steps):
        vector = matrix @ (vector / vector.norm())
    return 1.02 * float(vector.norm())


CRITERION = Criterion(
    name="slim",
    label="SLIM",
    kind="trained",
    summary="magnitude after the item-item regression was solved again under an L1 penalty",
    source="article 2; Ning and Karypis 2011; Beck and Teboulle 2009",
    units=("neighbour",),
    parameters=magnitude.score,
    prepare=prepare,
    needs=("linear_layers",),
)
