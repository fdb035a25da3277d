"""Membership inference: can be told, of a recommender, what it was trained on?"""

from __future__ import annotations

from collections.abc import Sequence

from recprune.errors import kind_of
from recprune.evaluation.belonging import check_belongs
from recprune.evaluation.privacy.likelihood import Retrain, likelihood_ratio
from recprune.evaluation.privacy.queries import Queries, queries
from recprune.evaluation.privacy.signals import Signal, asked, hides
from recprune.evaluation.privacy.statistics import Membership, within_users
from recprune.evaluation.privacy.together import learnt
from recprune.evaluation.privacy.users import of_users
from recprune.splits import Split

AUDITED = ("ratio", "strong")
MOST = 10  # members asked for of each user


def membership(
    model,
    split: Split,
    seed: int = 0,
    *,
    most: int = MOST,
    hide: bool = True,
    retrain: Retrain | None = None,
    retrainings: int = 8,
) -> Membership:
    """How well an attacker who sees a model's scores tells what it was trained on, with intervals over users.

    model    anything with `score(users) -> (len(users) x n_items)`; or several, of which the attacker sees all: a
             logistic regression of their scores, learnt from the other users
    split    protocol `ratio`: of each user up to `most` training interactions, drawn at random, are the members, all
             test interactions the non-members. Chance alone made them so, and a model that cannot remember has an AUC
             of .5, as popularity has. `strong`: the members are the training users, the non-members those held out for
             test (see `recprune.evaluation.privacy.users`)
    hide     a member is hidden from the history that its user's scores are made from, for the member and for the
             non-members beside it, in what can score other histories (`serving` or `score_histories`): a history with
             the member in it would tell by itself. False: users are served as they are. A model that scores users by
             a table alone is asked as it is (`.hidden` is False)
    retrain  (interactions, seed) -> a model like the one audited, trained anew on them: the attack by likelihood ratio
             of Carlini et al. (2022, "Membership inference attacks from first principles"), from `retrainings` models
             each trained on a random half (see `recprune.evaluation.privacy.likelihood`)

    The same seed asks the same. Interactions of weight zero count.
    Membership inference on recommenders: Zhang et al. (2021, "Membership inference attacks against recommender
    systems"), of users; here of interactions, without shadow models unless `retrain` is given.

    Raises ValueError for another protocol, whose test part differs from training by more than chance, a model that is
    not of the split (see `check_belongs`) or gives NaN or scores of another shape, and for options out of range or
    that do not go together; DataError where no user has training and test interactions; TypeError for what is no
    split or no model.
    """
    several = list(model) if isinstance(model, Sequence) else [model]
    _check(several, split, most, retrain, retrainings)
    if split.protocol == "strong":
        return of_users(several[0], split, seed)
    of = queries(split, most, seed)
    signals = [asked(each, of, split.unpruned, hide) for each in several]
    hidden = hide and all(hides(each) for each in several)
    return within_users(of, _combined(signals, of, split, seed, hide, retrain, retrainings), hidden)


def _combined(
    signals: list[Signal], of: Queries, split: Split, seed: int, hide: bool, retrain: Retrain | None, retrainings: int
) -> Signal:
    """What the attacker makes of the scores."""
    if retrain is not None:
        return likelihood_ratio(signals[0], of, split, retrain, retrainings, seed, hide)
    return learnt(signals, of, seed) if len(signals) > 1 else signals[0]


def _check(models: list, split: Split, most: int, retrain: Retrain | None, retrainings: int) -> None:
    """Raises what `membership` raises before anything is asked."""
    if not models or not all(hasattr(each, "score") for each in models):
        odd = next((each for each in models if not hasattr(each, "score")), models)
        raise TypeError(f"a trained model is needed, or what has its `score(users)`, not {kind_of(odd)}")
    for each in models:
        check_belongs(each, split, "test")
    if split.protocol not in AUDITED:
        raise ValueError(
            f"protocol {split.protocol!r}: its test interactions differ from training ones by more than chance, so a "
            f"difference in scores tells nothing of memory; audited are splits by {', '.join(AUDITED)}"
        )
    for name, value, least in (("most", most, 1), ("retrainings", retrainings, 4)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} is {value!r}; a whole number from {least} on is needed")
    if retrain is not None and len(models) > 1:
        raise ValueError(f"retrain makes models like one; {len(models)} were given")
    if split.protocol == "strong" and (retrain is not None or len(models) > 1):
        raise ValueError("users are audited by the scores of one model; leave out retrain, and give a single model")
