"""Importance scores of training interactions: one short file a criterion, each a function of (train, seed);
where it is a model that tells, of (model, split, seed).

CRITERIA says in which order they are listed; a new one is one file, and one line here.
"""

from recprune.pruning.criterion import Criterion
from recprune.pruning.samples import (
    forgetting,
    gradient,
    inverse_propensity,
    k_core,
    leverage,
    loss,
    mutual_information,
    recency,
    representative,
    score_variance,
    segment,
    stratified,
    weight,
)

CRITERIA: tuple[Criterion, ...] = (
    stratified.CRITERION,
    weight.CRITERION,
    loss.CRITERION,
    gradient.CRITERION,
    forgetting.CRITERION,
    score_variance.CRITERION,
    leverage.CRITERION,
    mutual_information.CRITERION,
    *inverse_propensity.CRITERIA,
    k_core.CRITERION,
    recency.CRITERION,
    representative.CRITERION,
    *segment.CRITERIA,
)
