"""From rows to what people look at: figures, tables and a page, all from the committed rows, without any training."""

from recprune.errors import ReportError
from recprune.report import figures, tables
from recprune.report.cells import read_cells

__all__ = ["ReportError", "figures", "read_cells", "tables"]
