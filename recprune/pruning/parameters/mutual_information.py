"""Mutual information: maximum relevance, minimum redundancy (Peng et al., 2005, eq. 6 and 7; article 1 (d)).

Units are chosen one by one: next comes the one with the largest I(h_j; y) - mean over those chosen of I(h_j; h_s),
where h_j is what the unit adds to the score of a pair, to first order, and y whether the pair is an interaction or
an unseen item. Both are estimated from counts over quantile bins, less the bias of counting (Miller, 1955).
A unit is worth its rank, within its dimension: every dimension loses the same share.

The rotation trap: factors of a factor model are scored in the basis they are in. `principal_axes.prepare` turns it.
"""

import torch

from recprune.interactions import Interactions
from recprune.models.parts.negatives import labelled_pairs
from recprune.pruning.criterion import Able, Criterion, Scores
from recprune.pruning.parameters import principal_axes
from recprune.pruning.parameters.activations import contributions
from recprune.pruning.samples import mutual_information as of_samples

BINS = 8
PAIRS = 5000


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Dimension -> (n_units,) in (0, 1]: 1 for the unit that is chosen first; 0 for one that is the same everywhere."""
    users, items, label = labelled_pairs(train, seed, PAIRS)
    y = torch.from_numpy(label)[:, None]
    return {name: _ranks(h, y) for name, h in contributions(model, unit, users, items).items()}


def _ranks(h: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """(width,) from the units' values (n x width) and labels (n x 1): 1 - rank / width."""
    codes = binned(h)
    information = pairwise_information(torch.cat([codes, y], 1))
    relevance, redundancy = information[:-1, -1], information[:-1, :-1]
    chosen, score, width = torch.zeros(len(relevance)), torch.zeros(len(relevance)), len(relevance)
    varies = codes.amax(0) > 0
    taken = ~varies
    for rank in range(int(varies.sum())):
        gain = relevance - chosen / max(1, rank)
        best = int(gain.masked_fill(taken, -torch.inf).argmax())
        score[best], taken[best] = 1 - rank / width, True
        chosen += redundancy[best]
    return score


def binned(h: torch.Tensor, bins: int = BINS) -> torch.Tensor:
    """(n x width) int64 codes from 0: each column cut at its quantiles; equal values share a bin."""
    edges = h.sort(dim=0).values[len(h) * torch.arange(1, bins) // bins]
    codes = torch.searchsorted(edges.T.contiguous(), h.T.contiguous()).T
    return codes - codes.amin(0)


def pairwise_information(codes: torch.Tensor) -> torch.Tensor:
    """(width x width) mutual information, in nats, of the columns of codes (n x width) below BINS.

    All joint counts come from one product of 0/1 matrices. From the plug-in estimate its bias for independent
    columns, (a - 1)(b - 1) / 2n for a and b occupied bins, is taken off; what is below 0 then is 0.
    """
    n, width = codes.shape
    hot = torch.zeros(n, width * BINS).scatter_(1, codes + BINS * torch.arange(width), 1.0)
    joint = (hot.T @ hot / n).view(width, BINS, width, BINS).transpose(1, 2)  # (width x width x BINS x BINS)
    single = hot.mean(0).view(width, BINS)
    entropy = -torch.special.xlogy(single, single).sum(1)
    information = entropy[:, None] + entropy + torch.special.xlogy(joint, joint).sum((2, 3))
    free = (single > 0).sum(1) - 1
    return (information - free[:, None] * free / (2 * n)).clamp(min=0)


CRITERIA = (
    Criterion(
        name="mutual-information",
        label="mutual information",
        kind="modelled",  # of samples; of units it asks the model as it is
        summary="of units: relevance for the click less redundancy; "
        "of samples: item and rest of the history, keep informative",
        source="Peng 2005; article 1 (d)",
        units=("factor", "neuron"),
        parameters=score,
        samples=of_samples.score,
        scope="layer",
        needs=("trace",),
    ),
    Criterion(
        name="mutual-information-axes",
        label="mutual information (axes)",
        kind="score",
        summary="relevance less redundancy of factors, after turning to principal axes",
        source="Peng 2005; article 1 (d)",
        units=("factor",),
        parameters=score,
        scope="layer",
        prepare=principal_axes.prepare,
        needs=("canonicalise", "trace"),
    ),
)
