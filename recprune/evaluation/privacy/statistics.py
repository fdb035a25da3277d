"""How well members can be told: the area under the ROC curve, and true positives where few are accused wrongly."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recprune.evaluation.intervals import Estimate, Interval, over_users_and_seeds
from recprune.evaluation.privacy.queries import Queries
from recprune.evaluation.privacy.signals import Signal

FALSE_POSITIVES = 0.01  # the share of non-members at which true positives are counted (Carlini et al., 2022)
BESIDE = 0.005  # how far on both sides of it the slope of the ROC curve is looked at


@dataclass(frozen=True, repr=False)
class Membership:
    """How well an attacker tells what a model was trained on.

    what           "interaction": which of a user's interactions are training ones; "user": which users are
    auc            probability that a member is ranked above a non-member, of the same user where `what` is
                   "interaction"; .5 is chance. With its 95 % interval over users
    tpr_at_1_fpr   share of the members that are told, by one threshold for all users, which 1 % of the non-members
                   pass; .01 is chance. With its interval over users
    errors         name of either -> its standard error over users
    per_user       name -> (n_users,), NaN for who was not asked about. "interaction": "auc" of the user's own pairs;
                   "tpr", "fpr": shares of the user's members and non-members that pass the threshold. "user":
                   "signal" of each, "member" 1 or 0
    n_users        users asked about;  n_members, n_non_members: interactions, or users
    hidden         whether each member was hidden from the history that it was scored from. Where it was not, since
                   the model looks at no history or was to be served as it is, what the history tells counts, too
    """

    what: str
    auc: Interval
    tpr_at_1_fpr: Interval
    errors: dict[str, float]
    per_user: dict[str, np.ndarray] = field(repr=False)
    n_users: int
    n_members: int
    n_non_members: int
    hidden: bool

    def __repr__(self) -> str:
        shown = "; ".join(
            f"{name} {found.estimate:.3f} [{found.lo:.3f}, {found.hi:.3f}]"
            for name, found in (("AUC", self.auc), ("true positives at 1 % false ones", self.tpr_at_1_fpr))
        )
        counted = f"{self.n_members:,} members, {self.n_non_members:,} non-members"
        return f"{shown} ({self.what}s of {self.n_users:,} users: {counted}; {'' if self.hidden else 'not '}hidden)"


def within_users(of: Queries, signal: Signal, hidden: bool) -> Membership:
    """The audit of a signal whose members and non-members are of the same users; users count alike.

    The threshold for the true positives is one for all. Its own chance counts in their error: a user moves the share
    of true positives, and by way of the threshold the slope of the ROC curve times that of false ones.
    """
    users = of.users
    mine, other = signal.member[of.query], signal.non_member
    won = (mine > other) + 0.5 * (mine == other)
    auc = _means(of.user, _means(of.query, won))[users]
    threshold, slope = _threshold(signal.member, of.weight, signal.non_member, of.weight_of_asked)
    tpr = _means(of.user, signal.member > threshold)[users]
    fpr = _means(of.user[of.query], other > threshold)[users]
    reached = np.clip(tpr.mean() + slope * (FALSE_POSITIVES - fpr.mean()), 0, 1)  # between two thresholds
    found = {
        "auc": _mean(auc, auc - auc.mean()),
        "tpr_at_1_fpr": _mean(reached, tpr - tpr.mean() - slope * (fpr - fpr.mean())),
    }
    per_user = {name: np.full(of.n_users, np.nan) for name in ("auc", "tpr", "fpr")}
    for name, values in (("auc", auc), ("tpr", tpr), ("fpr", fpr)):
        per_user[name][users] = values
    pairs = np.unique(of.user[of.query] * of.n_items + of.non_member)
    return _audit("interaction", found, per_user, len(users), len(of.user), len(pairs), hidden)


def across_users(signal: np.ndarray, member: np.ndarray, hidden: bool) -> Membership:
    """The audit of a signal (n_users,), NaN for who was not asked about, of users who are members (n_users,) or not.

    Members and non-members are different users here: the influence of one is its share of pairs won, divided by the
    number of its kind (DeLong et al., 1988).
    """
    known = ~np.isnan(signal)
    inside, outside = signal[known & member], signal[known & ~member]
    won, lost = _placed(inside, outside), 1 - _placed(outside, inside)
    auc, n = won.mean(), len(inside) + len(outside)
    threshold, slope = _threshold(inside, np.ones(len(inside)), outside, np.ones(len(outside)))
    tpr, fpr = inside > threshold, outside > threshold
    reached = np.clip(tpr.mean() + slope * (FALSE_POSITIVES - fpr.mean()), 0, 1)
    influence = np.append((won - auc) / len(inside), (lost - auc) / len(outside)) * n
    of_rates = np.append((tpr - tpr.mean()) / len(inside), -slope * (fpr - fpr.mean()) / len(outside)) * n
    found = {"auc": _mean(auc, influence), "tpr_at_1_fpr": _mean(reached, of_rates)}
    per_user = {"signal": signal, "member": np.where(known, member.astype(float), np.nan)}
    return _audit("user", found, per_user, n, len(inside), len(outside), hidden)


def difference(one: Membership, other: Membership) -> Estimate:
    """How much larger the AUC of one audit is than that of another of the same users, paired by user.

    Raises ValueError for audits of other users, or of users themselves, which pair nothing.
    """
    if "auc" not in one.per_user or "auc" not in other.per_user:
        raise ValueError("audits of users do not pair: those of interactions have an AUC for each user")
    values = [audit.per_user["auc"] for audit in (one, other)]
    if len({array.shape for array in values}) > 1 or (np.isnan(values[0]) != np.isnan(values[1])).any():
        raise ValueError("the two audits asked about other users; those of one split and seed pair")
    gain = values[0] - values[1]
    gain = gain[~np.isnan(gain)]
    return _mean(gain.mean(), gain - gain.mean())


def _means(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(largest group + 1,) the mean of each group's values, NaN where it has none."""
    count = np.bincount(group)
    return np.divide(np.bincount(group, values), count, out=np.full(len(count), np.nan), where=count > 0)


def _mean(value: float, influence: np.ndarray) -> Estimate:
    """The estimate of a mean over users, each of whom moves it by influence / n_users (n_users,)."""
    return over_users_and_seeds(np.array([value]), influence[:, None] / len(influence))


def _audit(what: str, found: dict[str, Estimate], per_user, n_users, n_members, n_non_members, hidden) -> Membership:
    return Membership(
        what=what,
        auc=found["auc"].interval,
        tpr_at_1_fpr=found["tpr_at_1_fpr"].interval,
        errors={name: each.error for name, each in found.items()},
        per_user=per_user,
        n_users=n_users,
        n_members=n_members,
        n_non_members=n_non_members,
        hidden=hidden,
    )


def _threshold(
    member: np.ndarray, weight: np.ndarray, non_member: np.ndarray, weight_of_non_member: np.ndarray
) -> tuple[float, float]:
    """The threshold that a share FALSE_POSITIVES of the non-members passes at most, and the slope of the ROC there.

    The slope, true positives gained for each false one, is that between FALSE_POSITIVES - BESIDE and + BESIDE.
    """
    order = np.argsort(-non_member, kind="stable")
    passed = np.cumsum(weight_of_non_member[order]) / weight_of_non_member.sum()

    def at(share: float) -> float:
        """The largest score that must not pass for at most `share` of the non-members to pass."""
        return float(non_member[order[min(int(np.searchsorted(passed, share * (1 + 1e-9), "right")), len(order) - 1)]])

    def rates(threshold: float) -> np.ndarray:
        both = ((member, weight), (non_member, weight_of_non_member))
        return np.array([each[scores > threshold].sum() / each.sum() for scores, each in both])

    (more_true, more_false), (less_true, less_false) = (rates(at(FALSE_POSITIVES + way * BESIDE)) for way in (1, -1))
    gained = more_false - less_false
    return at(FALSE_POSITIVES), float((more_true - less_true) / gained) if gained > 0 else 0.0


def _placed(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """(len(these),) the share of `those` that lies below each, half of what is equal."""
    ordered = np.sort(those)
    below, not_above = (np.searchsorted(ordered, these, side) for side in ("left", "right"))
    return (below + not_above) / (2 * len(those))
