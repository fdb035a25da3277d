"""What the rows say, computed once and drawn by nobody: figures, tables, claims and page all start here.

`Evidence(folder)` is a results folder; its `studies` are `StudyEvidence`, one data set under one protocol each,
its `protocols` are `ProtocolsEvidence`, one data set under several. A notebook makes one of its own rows:
`StudyEvidence.of(frame)`. Words for readers are in `labels`, methods and their order in `methods`.
"""

from recprune.report.evidence.cells import read_cells
from recprune.report.evidence.labels import label, percent
from recprune.report.evidence.methods import Method, method_label
from recprune.report.evidence.protocols import ProtocolsEvidence
from recprune.report.evidence.results import Evidence
from recprune.report.evidence.study import StudyEvidence

__all__ = [
    "Evidence",
    "Method",
    "ProtocolsEvidence",
    "StudyEvidence",
    "label",
    "method_label",
    "percent",
    "read_cells",
]
