"""Training by gradient descent: one loop for every model that learns by it."""

from recprune.models.descent.model import GradientModel, steps_an_epoch, with_equal_updates
from recprune.models.descent.step import Adam, Regulariser
from recprune.models.descent.stopping import Target

__all__ = ["Adam", "GradientModel", "Regulariser", "Target", "steps_an_epoch", "with_equal_updates"]
