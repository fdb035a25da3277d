"""What a notebook found, in sentences that none of its tables has."""

from recprune.report.meaning.curves import meaning
from recprune.report.meaning.leaks import leaked

__all__ = ["leaked", "meaning"]
