"""Principal axes (Eckart and Young, 1936; article 1's maximum-variance decomposition).

The model is first turned, which changes no score: a factor model to the basis of the singular value decomposition of
U V', ELSA to that of its users' directions. A factor's importance is then its singular value: the share of the scores'
variance, or of the directions, that it carries.
"""

from recprune.interactions import Interactions
from recprune.pruning.criterion import Able, Criterion, Scores
from recprune.splits import Split


def prepare(model: Able, split: Split, unit: str, seed: int) -> None:
    """The model is rotated to its principal axes, in place."""
    model.canonicalise(split.train)


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Name -> (d,) singular values, of a model already on its principal axes."""
    return {name: model.singular_values(train) for name in model.structure()["factor"]}


CRITERION = Criterion(
    name="principal-axes",
    label="principal axes",
    labels={"factor": "principal axes"},
    kind="score",
    summary="singular value of the factor, after turning to principal axes",
    source="Eckart and Young 1936; article 1 (c)",
    units=("factor",),
    parameters=score,
    prepare=prepare,
    needs=("canonicalise",),
)
