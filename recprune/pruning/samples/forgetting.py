"""Forgetting: how often an interaction is learnt and lost again.

(Toneva et al., 2019; for recommenders Sachdeva et al., 2022.) It is learnt when it is in the top tenth of the user's
ranking under a proxy. High = keep: as in the source, what is never forgotten goes first, and what is never learnt
counts as forgotten every time.
"""

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores
from recprune.pruning.samples.proxy import watch


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) mean number of times that the interaction was forgotten, no groups."""
    return watch(train, seed)["forgotten"], None


CRITERION = Criterion(
    name="forgetting",
    label="forgetting",
    kind="modelled",
    summary="how often the pair falls out of the proxy's top after having been in it",
    source="Toneva 2019; Sachdeva 2022",
    samples=score,
)
