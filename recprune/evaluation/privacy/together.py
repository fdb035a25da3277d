"""The attacker who sees several versions of a model, such as the dense one and what was pruned of it."""

from __future__ import annotations

import numpy as np

from recprune.evaluation.privacy.queries import Queries
from recprune.evaluation.privacy.signals import Signal

FOLDS = 5


def learnt(signals: list[Signal], of: Queries, seed: int) -> Signal:
    """The log odds of being a member by a logistic regression of several models' scores, learnt from other users.

    The users fall into FOLDS groups at random; what is said of a group's interactions was learnt from all others, in
    which each user counts once on either side. So the attacker is one who knows of some users what was trained on.
    Whether versions beside each other leak more than one: CompLeak (arXiv 2507.16872).
    """
    from sklearn.linear_model import LogisticRegression

    member, other = (np.stack([getattr(s, side) for s in signals], 1) for side in ("member", "non_member"))
    features = np.concatenate([member, other])
    features = np.nan_to_num(features, neginf=features[np.isfinite(features)].min(initial=0.0))
    features = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-12)
    label = np.arange(len(features)) < len(member)
    weight = np.append(of.weight, of.weight_of_asked)
    user = np.append(of.user, of.user[of.query])
    fold = np.random.default_rng([seed, 27]).permutation(of.n_users)[user] % FOLDS
    odds = np.empty(len(features))
    for this in np.unique(fold):
        rest = fold != this
        model = LogisticRegression(C=1e3).fit(features[rest], label[rest], sample_weight=weight[rest])
        odds[~rest] = model.decision_function(features[~rest])
    return Signal(odds[: len(member)], odds[len(member) :])
