"""Importance scores of parameters: one short file a criterion, each a function of (model, unit, train, seed).

CRITERIA says in which order they are listed; a new one is one file, and one line here.
"""

from recprune.pruning.criterion import Criterion
from recprune.pruning.parameters import (
    activation_variance,
    brain_surgeon,
    clipping,
    cost_complexity,
    group_lasso,
    l2_threshold,
    magnitude,
    mask_shuffle,
    mutual_information,
    principal_axes,
    proximal_l1,
    random,
    slim,
    snip,
    soft_threshold,
    taylor,
    zero_reset,
)

CRITERIA: tuple[Criterion, ...] = (
    random.CRITERION,
    mask_shuffle.CRITERION,
    *magnitude.CRITERIA,
    principal_axes.CRITERION,
    *activation_variance.CRITERIA,
    *mutual_information.CRITERIA,
    *taylor.CRITERIA,
    snip.CRITERION,
    brain_surgeon.CRITERION,
    *proximal_l1.CRITERIA,
    *group_lasso.CRITERIA,
    *l2_threshold.CRITERIA,
    soft_threshold.CRITERION,
    *clipping.CRITERIA,
    slim.CRITERION,
    cost_complexity.CRITERION,
    zero_reset.CRITERION,
)
