"""What audits and attacks found, of further rows: points over seeds, and those that readers are shown."""

from recprune.report.evidence.audits.attacks import attacks, fakes
from recprune.report.evidence.audits.leaks import leaks, shown

__all__ = ["attacks", "fakes", "leaks", "shown"]
