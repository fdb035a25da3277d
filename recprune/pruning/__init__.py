"""Pruning: unit x criterion x schedule x recovery x budget, for parameters and for training samples."""

from recprune.pruning.budget import Budget
from recprune.pruning.criteria import CRITERIA, register
from recprune.pruning.criterion import Criterion
from recprune.pruning.parameter_path import ParameterPath
from recprune.pruning.prune import importance, prune
from recprune.pruning.prune_data import PrunedData, data_path, prune_data
from recprune.pruning.prune_samples import SAMPLE_UNITS, SamplePath, prune_samples
from recprune.pruning.pruned import Pruned
from recprune.pruning.recovery import RECOVERIES
from recprune.pruning.schedule import SCHEDULES
from recprune.pruning.units import UNITS

__all__ = [
    "CRITERIA",
    "RECOVERIES",
    "SAMPLE_UNITS",
    "SCHEDULES",
    "UNITS",
    "Budget",
    "Criterion",
    "ParameterPath",
    "Pruned",
    "PrunedData",
    "SamplePath",
    "data_path",
    "importance",
    "prune",
    "prune_data",
    "prune_samples",
    "register",
]
