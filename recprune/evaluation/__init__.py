"""How good a recommender is, what it costs, and how sure a comparison is."""

from recprune.evaluation.belonging import check_belongs
from recprune.evaluation.compare import Comparison, Scores, compare
from recprune.evaluation.footprint import Footprint, Latency, footprint, latency, peak_rss_mb
from recprune.evaluation.intervals import Interval, holm, paired_p, paired_ratio
from recprune.evaluation.metrics import overlap
from recprune.evaluation.privacy import Membership, membership
from recprune.evaluation.ranking import Report, evaluate
from recprune.evaluation.safety import SafeSparsity, safe_sparsity

__all__ = [
    "Comparison",
    "Footprint",
    "Interval",
    "Latency",
    "Membership",
    "Report",
    "SafeSparsity",
    "Scores",
    "check_belongs",
    "compare",
    "evaluate",
    "footprint",
    "holm",
    "latency",
    "membership",
    "overlap",
    "paired_p",
    "paired_ratio",
    "peak_rss_mb",
    "safe_sparsity",
]
