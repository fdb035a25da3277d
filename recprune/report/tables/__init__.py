"""All tables, by name: for notebooks one at a time, for `make tables` all of them as files.

Of one study (`StudyEvidence`), in the order in which they are shown: `dense`, `headline`, `footprint`, `formats`,
`equal_bytes`, `smaller`, `safe_sparsity`, `histories`, `privacy_users`, `privacy`, `attack`, `fakes`,
`cost`, `cost_methods`, `artefacts`, `claims`, `comparisons`, `windows`; of a data set under several protocols
(`ProtocolsEvidence`): `protocols_order`, `protocols_strangers`,
`protocols_agreement`, `protocols_safe`. `data_sets`, `protocols_data`, `tuning`, `verdicts`, `when_claims_hold` and
`against` are of a results folder. `table` registers another one; `tables` makes all that the evidence suffices for.
"""

# ruff: isort: off
# in the order in which readers see them
from recprune.report.tables.dense import dense
from recprune.report.tables.headline import headline
from recprune.report.tables.footprint import footprint
from recprune.report.tables.formats import equal_bytes, formats
from recprune.report.tables.smaller import smaller
from recprune.report.tables.safe_sparsity import safe_sparsity
from recprune.report.tables.histories import histories
from recprune.report.tables.privacy import privacy, privacy_users
from recprune.report.tables.attack import attack, fakes
from recprune.report.tables.cost import cost, cost_methods
from recprune.report.tables.artefacts import artefacts
from recprune.report.tables.claims import claims, claims_table
from recprune.report.tables.comparisons import comparisons, comparisons_table
from recprune.report.tables.windows import windows
from recprune.report.tables.data_sets import data_sets, protocols_data
from recprune.report.tables.protocols import (
    protocols_agreement,
    protocols_order,
    protocols_safe,
    protocols_strangers,
)
from recprune.report.tables.tuning import tuning
from recprune.report.tables.verdicts import verdicts, when_claims_hold
from recprune.report.tables.counter_examples import against
from recprune.report.tables.layout.registry import table, tables
from recprune.report.tables.layout.table import Column, Table, column
from recprune.report.tables.layout.writing import to_markdown, write_table, write_tables
# ruff: isort: on

__all__ = [
    "Column",
    "Table",
    "against",
    "artefacts",
    "attack",
    "claims",
    "claims_table",
    "column",
    "comparisons",
    "comparisons_table",
    "cost",
    "cost_methods",
    "data_sets",
    "dense",
    "equal_bytes",
    "fakes",
    "footprint",
    "formats",
    "headline",
    "histories",
    "privacy",
    "privacy_users",
    "protocols_agreement",
    "protocols_data",
    "protocols_order",
    "protocols_safe",
    "protocols_strangers",
    "safe_sparsity",
    "smaller",
    "table",
    "tables",
    "to_markdown",
    "tuning",
    "verdicts",
    "when_claims_hold",
    "windows",
    "write_table",
    "write_tables",
]
