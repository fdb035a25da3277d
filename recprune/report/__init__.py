"""From measured rows to what is read: evidence, claims, figures, tables, the page and the paper.

`evidence` computes what the rows say, once; `figures` and `tables` show it, each in one file, registered by name;
`claims` are judged by it; `page` and `paper` put all of it together. `python -m recprune.report` writes the files.
"""

from recprune.report.evidence import Evidence, ProtocolsEvidence, StudyEvidence, read_cells

__all__ = ["Evidence", "ProtocolsEvidence", "StudyEvidence", "read_cells"]
