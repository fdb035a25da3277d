"""Representative removal with the inverse distribution (article 2).

What goes is drawn at random inside strata, so that what stays is representative (see `stratified`); what stays is
then weighted in inverse proportion to the share of its item that stayed, so that the items keep the
distribution that they had.
"""

import numpy as np

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion
from recprune.pruning.samples.stratified import score


def weights(train: Interactions, kept: np.ndarray, seed: int) -> np.ndarray:
    """(kept.sum(),) float32: the log's own weights (or 1), scaled so that each item's total is what it was.

    kept    (nnz,) bool. The total of an item of which nothing stays is lost
    """
    own = np.ones(train.nnz) if train.weight is None else train.weight.astype(np.float64)
    total, left = (np.bincount(train.item, w, minlength=train.n_items) for w in (own, own * kept))
    scale = np.divide(total, left, out=np.ones(train.n_items), where=left > 0)
    return (own * scale[train.item])[kept].astype(np.float32)


CRITERION = Criterion(
    name="representative",
    label="representative",
    kind="score",
    summary="at random inside strata; what stays gets back the distribution of the items",
    source="article 2",
    samples=score,
    weights=weights,
)
