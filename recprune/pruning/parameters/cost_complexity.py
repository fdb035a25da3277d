"""Cost complexity: weakest-link pruning of a decision tree (Breiman et al., 1984, section 3.3).

g(t) = (R(t) - R(T_t)) / (|leaves of T_t| - 1) is what a branch gains for each leaf more than the split's node as a
leaf, R being impurity as a share of the training pairs. The branch with the smallest g goes first, again and again.
Inside a branch that goes at once the deepest splits come first, so that any number of splits that stay is a tree.
"""

import numpy as np
import torch

from recprune.interactions import Interactions
from recprune.pruning.criterion import Able, Criterion, Scores


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """{"splits": (n_nodes,)}: the order in which splits go, from 1 on; 0 for leaves."""
    return {"splits": torch.from_numpy(model.bottom_up(alphas(model)))}


def alphas(model) -> np.ndarray:
    """(n_nodes,) the cost complexity at which each split goes; 0 for leaves."""
    left, right = model.children()
    cost = model.auxiliary["impurity"].double().numpy() * model.auxiliary["samples"].numpy()
    cost = cost / model.auxiliary["samples"][0].item()
    parent = np.full(len(left), -1)
    split = model.splits()
    parent[left[split]] = parent[right[split]] = split
    leaves, branch = np.ones(len(left)), cost.copy()
    for t in split[::-1]:  # children come after parents
        leaves[t] = leaves[left[t]] + leaves[right[t]]
        branch[t] = branch[left[t]] + branch[right[t]]
    open_, alpha, at = np.zeros(len(left), bool), np.zeros(len(left)), 0.0
    open_[split] = True
    while open_.any():
        alive = np.flatnonzero(open_)
        links = (cost[alive] - branch[alive]) / (leaves[alive] - 1)
        weakest = alive[links.argmin()]
        at = max(at, links.min())  # it can only grow; rounding aside
        below = [weakest]
        while below:
            t = below.pop()
            if open_[t]:
                open_[t], alpha[t] = False, at
                below += [left[t], right[t]]
        saved, shed = cost[weakest] - branch[weakest], leaves[weakest] - 1
        t = weakest
        while t >= 0:
            branch[t], leaves[t] = branch[t] + saved, leaves[t] - shed
            t = parent[t]
    return alpha


CRITERION = Criterion(
    name="cost-complexity",
    label="cost complexity",
    kind="score",
    summary="weakest link: impurity gained per leaf",
    source="Breiman 1984",
    units=("split",),
    parameters=score,
)
