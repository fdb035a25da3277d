"""What a recommender gives away of the interactions and the users that it was trained on."""

from recprune.evaluation.privacy.membership import membership
from recprune.evaluation.privacy.statistics import Membership, difference

__all__ = ["Membership", "difference", "membership"]
