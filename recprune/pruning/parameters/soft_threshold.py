"""Learned soft threshold (PEP: Liu et al., 2021): the loss is that of thresholded weights, and learns the threshold.

    w = sign(v) relu(|v| - sigmoid(s))

with one s for each tensor, -15 at first (a threshold of 3e-7), learned jointly with v. The importance of a weight is
|v| - sigmoid(s). Recovery `retrain` is the paper's: the initial weights are trained again under the mask.

What makes s grow is its own decay, as the paper has it in its optimizer. Here the decay has a strength that needs no
tuning: PULL times the loss, for as long as the share of zeros is behind a wanted one that grows linearly to EMPTY
(the paper stops where the wanted number of parameters is reached). Adam moves what it learns by the learning rate
at most, from -15 too slowly for one training, so what it learns is s in units of such a size that s could go REACH
times the way to zero.
"""

import copy

import torch

from recprune.interactions import Interactions
from recprune.pruning.criterion import Able, Criterion, Masks, Scores
from recprune.pruning.sparse_training import EMPTY, steps_of, train_on
from recprune.splits import Split

START = -15.0
REACH = 3.0
PULL = 0.3
MARGIN = "margin."  # names of the auxiliary arrays |v| - sigmoid(s), from `prepare` to `adjust`


def prepare(model: Able, split: Split, unit: str, seed: int) -> None:
    """v and s are trained on, in place, from the trained weights; the model is left with w."""
    learned = Thresholds(model, steps_of(model, split))
    learner = copy.copy(model)  # with the same arrays, and another loss
    learner.auxiliary = model.auxiliary | learned.initial()
    learner.loss = learned.loss
    train_on(learner, split, seed, learned.count)
    model.epochs_trained = learner.epochs_trained
    for name, value in model.prunable().items():
        model.auxiliary[MARGIN + name] = value.abs() - learned.threshold(learner.auxiliary, name)
        value.copy_(soft(value, learned.threshold(learner.auxiliary, name)))


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Name -> (n_units,) |v| - sigmoid(s); |w| once weights have been removed."""
    kept = model.auxiliary
    return {name: kept.get(MARGIN + name, value.abs()).reshape(-1) for name, value in model.prunable().items()}


def adjust(model: Able, split: Split, unit: str, masks: Masks, seed: int, before: Able) -> None:
    """v and s are forgotten: what stays is w."""
    model.auxiliary = {name: array for name, array in model.auxiliary.items() if not name.startswith(MARGIN)}


def soft(value: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    """The values, each brought closer to zero by the threshold, or to zero."""
    return value.sign() * torch.relu(value.abs() - threshold)


class Thresholds:
    """The thresholds of a model in training: its loss as a function of v and s, and the share of zeros."""

    def __init__(self, model, steps):
        self.model_loss, self.names, self.steps = model.loss, list(model.prunable()), steps
        self.unit = -START * REACH / (model.learning_rate * steps)  # how far s goes in a step of the learning rate
        self.taken, self.zeros = 0, 0.0

    def initial(self):
        """Name -> s in units of `unit`, a scalar array."""
        return {f"s.{name}": torch.tensor(START / self.unit) for name in self.names}

    def threshold(self, arrays, name):
        """sigmoid(s) of an array, a scalar."""
        return torch.sigmoid(self.unit * arrays[f"s.{name}"])

    def loss(self, arrays, batch, generator):
        """The loss of w, with the gradients of v and s.

        Look-ups add to the gradient of the very tensor that they are given, so w is a leaf of its own. Its gradient
        g is found here, and handed on to v and s by a term that is zero and has the gradient g dw/d(v, s).
        """
        weights = {name: soft(arrays[name], self.threshold(arrays, name)) for name in self.names}
        leaves = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
        loss = self.model_loss({**arrays, **leaves}, batch, generator)
        loss.backward()
        gradients = [leaf.grad for leaf in leaves.values() if leaf.grad is not None]  # none is: the loss uses each
        zeros = (w - w.detach() for w in weights.values())
        chain = sum(((g * zero).sum() for g, zero in zip(gradients, zeros, strict=True)), torch.zeros(()))
        loss = loss.detach()
        if self.zeros >= EMPTY * self.taken / self.steps:
            return loss + chain
        decay = 0.5 * PULL * loss * sum((self.unit * arrays[f"s.{name}"]).square() for name in self.names)
        return loss + chain + decay - decay.detach()

    def count(self, arrays, learning_rate):
        """The share of weights at zero is counted after a step; nothing is changed."""
        zeros = [int((arrays[name].abs() <= self.threshold(arrays, name)).sum()) for name in self.names]
        self.zeros, self.taken = sum(zeros) / sum(arrays[name].numel() for name in self.names), self.taken + 1


CRITERION = Criterion(
    name="soft-threshold",
    label="soft threshold (PEP)",
    kind="trained",
    summary="|v| less a threshold learned with the weights (PEP); meant for retraining",
    source="article 2; Liu 2021",
    units=("weight",),
    parameters=score,
    prepare=prepare,
    adjust=adjust,
    needs=("descend",),
)
