"""Score variance (Swayamdipta et al., 2020, "variability"): how much the proxy changes its mind on an interaction.

High = keep: as in the source, the ambiguous interactions stay; what is easy throughout or hard throughout goes.
"""

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores
from recprune.pruning.samples.proxy import watch


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) standard deviation over epochs of the probability p of the interaction, no groups."""
    return watch(train, seed)["variability"], None


CRITERION = Criterion(
    name="score-variance",
    label="score variance",
    kind="modelled",
    summary="variance of the pair's score over the proxy's epochs",
    source="Swayamdipta 2020; article 1 (c)",
    samples=score,
)
