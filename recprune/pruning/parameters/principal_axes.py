"""Principal axes (Eckart and Young, 1936; article 1's maximum-variance decomposition).

The model is first turned to the basis of the singular value decomposition of U V', or A A', which changes no
score; a factor's importance is then its singular value, the share of the scores' variance it carries.
"""

import torch

from recprune.interactions import Interactions
from recprune.pruning.criterion import Able, Criterion, Scores
from recprune.splits import Split


def prepare(model: Able, split: Split, unit: str, seed: int) -> None:
    """The model is rotated to its principal axes, in place."""
    model.canonicalise()


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Name -> (d,) of a model already on its principal axes: the singular values |U_f| |V_f|, or their roots |A_f|."""
    return {
        name: torch.stack([model.arrays[table].norm(dim=0) for table, _ in places]).prod(0)
        for name, places in model.structure()["factor"].items()
    }


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
