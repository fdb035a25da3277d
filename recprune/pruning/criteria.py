"""The criteria, by name: what each scores, which units it applies to, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from recprune.models.base import Recommender
from recprune.pruning import units
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
    slim,
    snip,
    soft_threshold,
    taylor,
)
from recprune.pruning.parameters import random as random_parameters
from recprune.pruning.recovery import RECOVERIES
from recprune.pruning.samples import (
    forgetting,
    gradient,
    inverse_propensity,
    k_core,
    leverage,
    loss,
    recency,
    score_variance,
    stratified,
    weight,
)
from recprune.pruning.samples import mutual_information as information
from recprune.pruning.samples import random as random_samples
from recprune.pruning.schedule import SCHEDULES

_SINGLE = ("weight", "n-of-m", "neighbour")
_ROWS = ("user-row", "item-row")


def _trained(summary: str, source: str, of: tuple[str, ...], prepare: Callable) -> Criterion:
    """Magnitude, after a training of its own."""
    return Criterion(summary, source, of, magnitude.score, prepare=prepare, needs=("descend",))


PARAMETERS = {
    "random": Criterion(
        "uniform: the control",
        "Blalock 2020; article 2",
        units=units.UNITS,
        parameters=random_parameters.score,
        samples=random_samples.score,
    ),
    "mask-shuffle": Criterion(
        "the magnitude mask, shuffled inside each tensor: the control of which unit matters",
        "Frankle 2021",
        units=(*_SINGLE, "factor", "neuron"),
        parameters=mask_shuffle.score,
    ),
    "magnitude": Criterion(
        "absolute value, or norm of a larger unit; all tensors compete",
        "Han 2015",
        units=(*_SINGLE, "factor", "neuron", *_ROWS),
        parameters=magnitude.score,
    ),
    "magnitude-layer": Criterion(
        "absolute value, or norm of a larger unit; the same share of each tensor",
        "Han 2015",
        units=("weight", "factor", "neuron"),
        parameters=magnitude.score,
        scope="layer",
    ),
    "principal-axes": Criterion(
        "singular value of the factor, after turning to principal axes",
        "Eckart and Young 1936; article 1 (c)",
        units=("factor",),
        parameters=principal_axes.score,
        prepare=principal_axes.prepare,
        needs=("canonicalise",),
    ),
    "activation-variance": Criterion(
        "variance of the unit's activation; its mean is folded into the next bias",
        "article 1 (c)",
        units=("factor", "neuron"),
        parameters=activation_variance.score,
        scope="layer",
        adjust=activation_variance.adjust,
        needs=("trace",),
    ),
    "activation-variance-axes": Criterion(
        "the same, after turning to principal axes",
        "article 1 (c)",
        units=("factor",),
        parameters=activation_variance.score,
        prepare=principal_axes.prepare,
        adjust=activation_variance.adjust,
        needs=("canonicalise", "trace"),
    ),
    "mutual-information": Criterion(
        "of units: relevance for the click less redundancy; of samples: item and rest of the history, keep informative",
        "Peng 2005; article 1 (d)",
        units=("factor", "neuron"),
        parameters=mutual_information.score,
        samples=information.score,
        scope="layer",
        needs=("trace",),
    ),
    "mutual-information-axes": Criterion(
        "relevance less redundancy of factors, after turning to principal axes",
        "Peng 2005; article 1 (d)",
        units=("factor",),
        parameters=mutual_information.score,
        scope="layer",
        prepare=principal_axes.prepare,
        needs=("canonicalise", "trace"),
    ),
    "taylor": Criterion(
        "what the loss changes when the unit goes, to first order",
        "Molchanov 2019; article 1, gradient decomposition",
        units=("weight", "n-of-m", "factor", "neuron", *_ROWS),
        parameters=taylor.score,
        needs=("gradients",),
    ),
    "taylor-apart": Criterion(
        "the same for each entry of a larger unit by itself, added up: entries do not cancel",
        "Molchanov 2019, eq. 9",
        units=("factor", "neuron"),
        parameters=taylor.score_apart,
        needs=("gradients",),
    ),
    "snip": Criterion(
        "|w dL/dw| at the initial weights; meant for retraining",
        "Lee 2019",
        units=("weight", "n-of-m", "factor", "neuron"),
        parameters=snip.score,
        prepare=snip.prepare,
        needs=("descend",),
    ),
    "brain-surgeon": Criterion(
        "layer by layer, what the inverse Hessian says is cheapest; what stays is corrected",
        "Hassibi 1993; Frantar 2022",
        units=("weight", "n-of-m"),
        parameters=brain_surgeon.score,
        scope="layer",
        adjust=brain_surgeon.adjust,
        needs=("linear_layers",),
    ),
    "proximal-l1": _trained(
        "magnitude after training on under an L1 penalty by its proximal map",
        "article 2; Parikh and Boyd 2014",
        ("weight", "n-of-m"),
        proximal_l1.prepare,
    ),
    "proximal-l1-clip": _trained(
        "the same with clipped gradients",
        "article 2; Pascanu 2013",
        ("weight", "n-of-m"),
        partial(proximal_l1.prepare, clip=True),
    ),
    "group-lasso": _trained(
        "norm after training on under a penalty of the norms of whole units",
        "article 2; Yuan and Lin 2006; Scardapane 2017",
        ("factor", "neuron", "user-row", "item-row"),
        group_lasso.prepare,
    ),
    "group-lasso-clip": _trained(
        "the same with clipped gradients",
        "article 2; Pascanu 2013",
        ("factor", "neuron", "user-row", "item-row"),
        partial(group_lasso.prepare, clip=True),
    ),
    "l2-threshold": _trained(
        "magnitude after training on under a strong weight decay",
        "article 2",
        ("weight", "n-of-m"),
        l2_threshold.prepare,
    ),
    "l2-threshold-clip": _trained(
        "the same with clipped gradients",
        "article 2; Pascanu 2013",
        ("weight", "n-of-m"),
        partial(l2_threshold.prepare, clip=True),
    ),
    "soft-threshold": Criterion(
        "|v| less a threshold learned with the weights (PEP); meant for retraining",
        "article 2; Liu 2021",
        units=("weight",),
        parameters=soft_threshold.score,
        prepare=soft_threshold.prepare,
        adjust=soft_threshold.adjust,
        needs=("descend",),
    ),
    "clip": _trained(
        "magnitude after training on with clipped gradients and no penalty",
        "article 2; Pascanu 2013",
        ("weight", "n-of-m"),
        clipping.prepare,
    ),
    "train-longer": _trained(
        "magnitude after as much more training, nothing clipped: the control of all that train on",
        "article 2",
        ("weight", "n-of-m"),
        partial(clipping.prepare, clip=False),
    ),
    "slim": Criterion(
        "magnitude after the item-item regression was solved again under an L1 penalty",
        "article 2; Ning and Karypis 2011; Beck and Teboulle 2009",
        units=("neighbour",),
        parameters=magnitude.score,
        prepare=slim.prepare,
        needs=("linear_layers",),
    ),
    "cost-complexity": Criterion(
        "weakest link: impurity gained per leaf",
        "Breiman 1984",
        units=("split",),
        parameters=cost_complexity.score,
    ),
    "zero-reset": Criterion(
        "everything to zero: the floor",
        "article 1 (a)",
        units=("weight",),
        parameters=magnitude.score,
    ),
}

SAMPLES = {
    "stratified": Criterion(
        "uniform inside user x item-popularity strata",
        "article 2, representative removal",
        samples=stratified.score,
    ),
    "weight": Criterion(
        "rating or event weight",
        "article 1 (b)",
        samples=weight.score,
    ),
    "loss": Criterion(
        "error of a cheap proxy model early in its training (EL2N): keep the hard ones",
        "Paul 2021",
        samples=loss.score,
    ),
    "gradient": Criterion(
        "norm of the proxy's gradient for the pair (GraNd)",
        "Paul 2021; article 1, gradient decomposition",
        samples=gradient.score,
    ),
    "forgetting": Criterion(
        "how often the pair falls out of the proxy's top after having been in it",
        "Toneva 2019; Sachdeva 2022",
        samples=forgetting.score,
    ),
    "score-variance": Criterion(
        "variance of the pair's score over the proxy's epochs",
        "Swayamdipta 2020; article 1 (c)",
        samples=score_variance.score,
    ),
    "leverage": Criterion(
        "statistical leverage of user and item in the truncated SVD of the training matrix",
        "Mahoney and Drineas 2009; article 1 (c)",
        samples=leverage.score,
    ),
    "mutual-information-redundant": Criterion(
        "pointwise mutual information of the item and the rest of the history: keep what is not redundant",
        "article 1 (d)",
        samples=information.score_redundant,
    ),
    "inverse-propensity": Criterion(
        "at random, with a probability that falls with the item's popularity",
        "Jain 2016; article 2",
        samples=inverse_propensity.score,
    ),
    "inverse-propensity-weighted": Criterion(
        "the same, and what stays is weighted by one over the probability that it stayed",
        "Jain 2016; Horvitz and Thompson 1952; article 2",
        samples=inverse_propensity.score,
        weights=inverse_propensity.weights,
    ),
    "k-core": Criterion(
        "the largest k whose k-core the pair is in: activity of user and item",
        "Seidman 1983; Beel and Brunel 2019",
        samples=k_core.score,
    ),
    "recency": Criterion(
        "time: keep the latest",
        "Beel and Brunel 2019",
        samples=recency.score,
    ),
}

CRITERIA: dict[str, Criterion] = PARAMETERS | SAMPLES


def criterion(name: str, side: str) -> Criterion:
    """A registered criterion for `side` ("parameters" or "samples"). Raises ValueError that lists the known names."""
    known = [key for key, value in CRITERIA.items() if getattr(value, side) is not None]
    if name not in known:
        raise ValueError(f"unknown criterion {name!r} for {side}; known: {', '.join(known)}")
    return CRITERIA[name]


def check(model: Recommender, name: str, unit: str, schedule: str, recovery: str) -> Criterion:
    """The criterion of parameters called `name`, after every name and the combination have been checked.

    Raises ValueError; the message lists what is known, or what applies to the model.
    """
    rule = criterion(name, "parameters")
    for what, value, known in (
        ("unit", unit, units.UNITS),
        ("schedule", schedule, SCHEDULES),
        ("recovery", recovery, RECOVERIES),
    ):
        if value not in known:
            raise ValueError(f"unknown {what} {value!r}; known: {', '.join(known)}")
    if reason := rule.rules_out(model, unit):
        possible = [
            f"{key} ({u})" for key, c in CRITERIA.items() for u in c.units if c.parameters and c.applies(model, u)
        ]
        raise ValueError(
            f"criterion {name!r} with unit {unit!r} does not apply to {model.name}: {reason}; "
            f"what does: {', '.join(possible) or 'nothing'}"
        )
    if recovery not in model.recoveries:
        raise ValueError(f"recovery {recovery!r} does not apply to {model.name}; known: {', '.join(model.recoveries)}")
    return rule
