"""Zero reset: every prunable parameter goes (article 1 (a)). What is left is what a model scores by without them.

It removes everything, so no scores decide: `prune` resets, and recovers, without a budget.
"""

from recprune.pruning.criterion import Criterion
from recprune.pruning.parameters import magnitude

CRITERION = Criterion(
    name="zero-reset",
    label="zero reset",
    kind="floor",
    summary="everything to zero: the floor",
    source="article 1 (a)",
    units=("weight",),
    parameters=magnitude.score,
)
