"""What a notebook found, in sentences that none of its tables has."""

from recprune.report.meaning.attacks import attacked, unmasked
from recprune.report.meaning.curves import meaning
from recprune.report.meaning.families import compared
from recprune.report.meaning.grids import independent
from recprune.report.meaning.leaks import leaked
from recprune.report.meaning.windows import lived

__all__ = ["attacked", "compared", "independent", "leaked", "lived", "meaning", "unmasked"]
