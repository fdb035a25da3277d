"""The data behind the rows: sizes after filtering, parts of the split, unevenness."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from recprune.datasets.naming import name_of
from recprune.errors import NothingToDrawError
from recprune.report.evidence.cells import PAIR
from recprune.report.evidence.protocols import ProtocolsEvidence
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import GROUPED, TEXT, TWO, WORDS, Format
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column

AT_LEAST = Format("≥ {:g}".format, missing="all")
DENSITY, SHARE = Format(lambda share: f"{100 * share:.2g} %"), Format(lambda share: f"{100 * share:.0f} %")


@table("data-sets")
def data_sets(study: StudyEvidence) -> Table:
    """The data set of a study: sizes after filtering, parts of the split, unevenness."""
    return _counted([study])


@table("protocols-data", of=ProtocolsEvidence)
def protocols_data(protocols: ProtocolsEvidence) -> Table:
    """The same of a data set under several protocols, one a row."""
    return _counted(protocols.studies.values(), least=2)


def _counted(studies: Iterable[StudyEvidence], least: int = 1) -> Table:
    found = [study.counted for study in studies if study.counted is not None and len(study.counted)]
    if len(found) < least:
        raise NothingToDrawError("the data were not counted: `python -m recprune.report data-sets` does that")
    frame = pd.concat(found).sort_values(PAIR, ignore_index=True)
    columns = [
        column("data set", WORDS, frame["dataset"].map(name_of)),
        column("protocol", WORDS, frame["protocol"]),
        column("rating", AT_LEAST, frame["min_rating"]),
        column("core", TEXT, frame["core"]),
        column("users", GROUPED, frame["users"]),
        column("items", GROUPED, frame["items"]),
        column("interactions", GROUPED, frame["interactions"]),
        column("density", DENSITY, frame["density"]),
        column("training", GROUPED, frame["train"]),
        column("validation", GROUPED, frame["validation"]),
        column("test", GROUPED, frame["test"]),
        column("test users", GROUPED, frame["test_users"]),
        column("new", GROUPED, frame["new_test_users"]),
        column("Gini users", TWO, frame["gini_users"]),
        column("Gini items", TWO, frame["gini_items"]),
        column("top 10 %", SHARE, frame["top_items"]),
    ]
    caption = (
        "Data, after filtering: least rating that counts, least number of interactions of a user and an item (core), "
        f"sizes, the parts of the split of seed {frame['seed'].iloc[0]:.0f}, users with something to find in test, "
        "those of them without training interactions (new), how unevenly interactions are spread over users and items "
        "(Gini: 0 evenly, 1 all on one), and the share that the most popular tenth of the items holds."
    )
    return Table(caption, frame, columns)
