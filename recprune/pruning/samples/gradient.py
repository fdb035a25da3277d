"""Gradient norm, GraNd (Paul et al., 2021): how far an interaction moves a proxy's parameters, early in training.

High = keep: as in the source, what would move the model most stays. "Gradient decomposition" of article 1: the
gradient of the whole log is the sum of those of its interactions.
"""

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores
from recprune.pruning.samples.proxy import watch


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) mean Euclidean norm of the loss gradient of the proxy, no groups."""
    return watch(train, seed)["gradient"], None


CRITERION = Criterion(
    name="gradient",
    label="gradient (GraNd)",
    kind="modelled",
    summary="norm of the proxy's gradient for the pair (GraNd)",
    source="Paul 2021; article 1, gradient decomposition",
    samples=score,
)
