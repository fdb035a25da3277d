"""Loss, EL2N (Paul et al., 2021): the error of a proxy on the interaction, early in training.

High = keep: as in the source, the hard interactions stay and the easy ones go. Noise is hard, too: in a noisy
log this keeps it.
"""

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores
from recprune.pruning.samples.proxy import watch


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) mean error 1 - p of the proxy, no groups."""
    return watch(train, seed)["error"], None


CRITERION = Criterion(
    name="loss",
    label="loss (EL2N)",
    kind="modelled",
    summary="error of a cheap proxy model early in its training (EL2N): keep the hard ones",
    source="Paul 2021",
    samples=score,
)
