"""Score variance (Swayamdipta et al., 2020, "variability"): how much the proxy changes its mind on an interaction.

High = keep: as in the source, the ambiguous interactions stay; what is easy throughout or hard throughout goes.
"""

from recprune.pruning.samples.proxy import watch


def score(train, seed):
    """(nnz,) standard deviation over epochs of the probability p of the interaction, no groups."""
    return watch(train, seed)["variability"], None
