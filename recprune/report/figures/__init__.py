"""All figures, one a file: drawing and caption together, registered by `@figure`.

For a notebook one at a time, `figures.pareto(StudyEvidence.of(cells))` gives (figure, the data drawn in it); for `make
figures` all of them: `write_figures(drawings(Evidence(folder)), folder)`.
"""

# ruff: isort: off
# in the order in which readers see them
from recprune.report.figures.what_stays import what_stays
from recprune.report.figures.best import best
from recprune.report.figures.pareto import pareto
from recprune.report.figures.bytes_per_item import bytes_per_item
from recprune.report.figures.bytes_per_item_models import bytes_per_item_models
from recprune.report.figures.safe_sparsity import safe_sparsity
from recprune.report.figures.who_pays import who_pays
from recprune.report.figures.leak import leak, leak_of
from recprune.report.figures.tradeoff import tradeoff
from recprune.report.figures.rounds import rounds
from recprune.report.figures.time_saved import time_saved
from recprune.report.figures.samples_and_parameters import both, safe_by_samples
from recprune.report.figures.windows import windows
from recprune.report.figures.claims import claims
from recprune.report.figures.protocols_order import protocol_order
from recprune.report.figures.protocols_pruning import protocol_curves
from recprune.report.figures.break_even import break_even
from recprune.report.figures.tuning import tuning
from recprune.report.figures.curve import curve
from recprune.report.figures.importance import importance
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.registry import REGISTRY, Drawing, drawings, figure
from recprune.report.figures.drawing.writing import to_latex, write_figures
# ruff: isort: on

__all__ = [
    "REGISTRY",
    "Drawing",
    "best",
    "both",
    "break_even",
    "bytes_per_item",
    "bytes_per_item_models",
    "claims",
    "curve",
    "drawings",
    "figure",
    "importance",
    "leak",
    "leak_of",
    "pareto",
    "protocol_curves",
    "protocol_order",
    "rounds",
    "safe_by_samples",
    "safe_sparsity",
    "style",
    "time_saved",
    "to_latex",
    "tradeoff",
    "tuning",
    "what_stays",
    "who_pays",
    "windows",
    "write_figures",
]
