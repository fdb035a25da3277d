"""The proxy: a small factor model that is watched while it trains, to judge each interaction by how it is learnt.

The scores of Paul et al. (2021), Toneva et al. (2019) and Swayamdipta et al. (2020) follow the training of the
model itself. A small one in its place costs a fraction and orders alike (selection via proxy, Coleman et al., 2020;
for recommenders Sachdeva et al., 2022). Here it is BPR: the loss of an interaction (u, i) beside an unseen
item j is log(1 + exp(-x)) with x = U_u . V_i - U_u . V_j, and p = 1 / (1 + exp(-x)).

One pass gives all statistics, averaged over SEEDS trainings, DRAWS unseen items and EPOCHS early epochs. The unseen
items of an interaction stay the same for a whole training: what varies over epochs is the model.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from recprune.interactions import Interactions
from recprune.models import BPR
from recprune.models.descent import Adam
from recprune.models.parts.negatives import Positives

FACTORS, LEARNING_RATE, L2 = 32, 0.01, 1e-5
STEPS = 64  # of gradient descent an epoch, about
EPOCHS, SEEDS, DRAWS = 6, 2, 4
TOP = 0.1  # share of the catalogue
SAMPLE = 2048  # items that a user's top is taken from, at most
BLOCK = 2**15  # interactions at a time: bounds the memory


def watch(train: Interactions, seed: int) -> dict[str, np.ndarray]:
    """Statistic -> (nnz,) what the training of the proxy says of each interaction.

    error        mean of 1 - p
    gradient     mean of |dloss/d(U_u, V_i, V_j)| = (1 - p) sqrt(|V_i - V_j|^2 + 2 |U_u|^2)
    variability  standard deviation of p over epochs
    forgotten    how often it fell out of the user's top tenth of the catalogue after an epoch in it; EPOCHS if
                 it never got there
    """
    seeds = np.random.SeedSequence(seed).generate_state(SEEDS).tolist()
    runs = [_follow(train, one) for one in seeds]
    return {name: np.mean([run[name] for run in runs], axis=0) for name in runs[0]}


def _follow(train: Interactions, seed: int) -> dict[str, np.ndarray]:
    """The statistics of `watch` for one training."""
    rng = np.random.default_rng(seed)
    rivals = Positives(train).uniform_negatives(np.repeat(train.user[:, None], DRAWS, axis=1), rng)
    sample = rng.permutation(train.n_items)[:SAMPLE]
    errors, gradient = [], np.zeros(train.nnz)
    forgotten = np.zeros(train.nnz)
    inside = ever = np.zeros(train.nnz, bool)
    for user, item in _epochs(train, seed):
        error, norm, score = _pairs(user, item, train, rivals)
        before, inside = inside, score > _bar(user, item[sample])[train.user]
        forgotten += before & ~inside
        ever = ever | inside
        errors.append(error)
        gradient += norm / EPOCHS
    return {
        "error": np.mean(errors, axis=0),
        "gradient": gradient,
        "variability": np.std(errors, axis=0),
        "forgotten": np.where(ever, forgotten, EPOCHS),
    }


def _epochs(train: Interactions, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The factors of users and items (n x d) after each epoch of training."""
    model = BPR(factors=FACTORS, learning_rate=LEARNING_RATE, l2=L2, batch_size=min(max(train.nnz // STEPS, 32), 8192))
    model.history = train.tocsr()
    model.initialise(torch.Generator().manual_seed(seed))
    optimizer = Adam([array.requires_grad_() for array in model.arrays.values()], model.learning_rate, model.l2)
    rng = np.random.default_rng(seed)
    for epoch in range(EPOCHS):
        for batch in model.batches(train, rng, epoch):
            optimizer.zero_gradients()
            model.loss(model.arrays, batch, None).backward()
            optimizer.step()
        yield model.arrays["user_factors"].detach(), model.arrays["item_factors"].detach()


def _pairs(user, item, train: Interactions, rivals: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(nnz,) each: 1 - p and the norm of the gradient, averaged over the rivals (nnz x DRAWS), and the score."""
    error, norm, score = (np.empty(train.nnz, np.float32) for _ in range(3))
    for start in range(0, train.nnz, BLOCK):
        rows = slice(start, start + BLOCK)
        u, i = (
            table[torch.from_numpy(codes[rows]).long()] for table, codes in ((user, train.user), (item, train.item))
        )
        score[rows] = (u * i).sum(1)
        own = 2 * u.square().sum(1)
        errors, norms = [], []
        for draw in range(rivals.shape[1]):
            apart = i - item[torch.from_numpy(rivals[rows, draw])]
            errors.append(torch.sigmoid(-(u * apart).sum(1)))
            norms.append(errors[-1] * (apart.square().sum(1) + own).sqrt())
        error[rows], norm[rows] = (torch.stack(values).mean(0) for values in (errors, norms))
    return error, norm, score


def _bar(user: torch.Tensor, item: torch.Tensor) -> np.ndarray:
    """(n_users,) bar: the score that TOP of these items lie above, for each user."""
    k = max(1, round(TOP * len(item)))
    blocks = [np.partition((u @ item.T).numpy(), len(item) - k, axis=1)[:, len(item) - k] for u in user.split(1024)]
    return np.concatenate(blocks)
