"""Weights of training interactions: how much each counts in the loss of the models that read interactions one by one.

A batch's loss becomes sum_b w_b l_b / sum_b w_b, with an interaction's weight on its negatives too. Models that
read the whole matrix have the weights as its entries.
"""

from __future__ import annotations

import numpy as np
import torch

from recprune.interactions import Interactions


def in_order(train: Interactions, order: np.ndarray) -> tuple[torch.Tensor, ...]:
    """The weights (len(order),) of these interactions, as what batches have beside the rest; () where all are 1."""
    if train.weight is None or not differ(train):
        return ()
    return (torch.from_numpy(train.weight[order]),)


def differ(train: Interactions) -> bool:
    """Whether there are weights other than 1."""
    return train.weight is not None and bool((train.weight != 1).any())


def total(n: int, weight: torch.Tensor | None = None) -> float:
    """What `mean` divides by, for n rows: their number, or the sum of their weights."""
    return n if weight is None else float(weight.sum())


def mean(losses: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
    """The mean of all losses (b x ...), each row of them with its weight (b,)."""
    if weight is None:
        return losses.mean()
    return (losses.reshape(len(weight), -1).mean(1) * weight).sum() / weight.sum().clamp_min(1e-12)
