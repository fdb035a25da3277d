"""Pruning: unit x criterion x schedule x recovery x budget, for parameters and for training samples."""

from recprune.pruning.criteria import CRITERIA, Criterion
from recprune.pruning.loop import Budget, Pruned, importance, prune, prune_samples
from recprune.pruning.recovery import RECOVERIES
from recprune.pruning.schedule import SCHEDULES
from recprune.pruning.units import UNITS

__all__ = ["CRITERIA", "RECOVERIES", "SCHEDULES", "UNITS", "Budget", "Criterion", "Pruned", "importance", "prune", "prune_samples"]
