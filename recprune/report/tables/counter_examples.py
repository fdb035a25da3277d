"""What speaks most against the claims that are supported, over all data sets."""

from __future__ import annotations

import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.claims.compared import compared_studies
from recprune.report.claims.counter import FOR_EACH, counter_examples
from recprune.report.claims.wording import effect_text
from recprune.report.evidence.results import Evidence
from recprune.report.tables.layout.formats import LABELS, WHOLE, WORDS, Format
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column


@table("counter-examples", of=Evidence)
def against(evidence: Evidence) -> Table:
    """The single points that go against each supported claim most, data set by data set."""
    parts = [counter_examples(study, of).assign(study=study.heading) for study, of in compared_studies(evidence)]
    frame = pd.concat(parts).sort_values("claim", kind="stable").reset_index(drop=True)
    if frame.empty:
        raise NothingToDrawError("no claim is supported")
    columns = [
        column("#", WHOLE, frame["claim"]),
        column("claim", WORDS, frame["says"].mask(frame.duplicated(["claim", "study"]), "")),
        column("data set", WORDS, frame["study"]),
        column("model", LABELS, frame["model"]),
        column("a", WORDS, frame["a"]),
        column("against b", WORDS, frame["b"]),
        column("effect", Format(effect_text), *(frame[name] for name in ("effect", "lo", "hi", "measure"))),
        column("against the claim", WORDS, frame["against"]),
        column("not counted", WORDS, frame["left_out"]),
    ]
    caption = (
        f"The {FOR_EACH} comparisons of single shares that go against each supported claim most, whether or not they "
        "are decided: the effect in % of the dense model's test nDCG@10 (of another measure its number) with its 95 % "
        "interval, of this comparison alone. Where even the worst speaks for the claim, its interval says no."
    )
    return Table(caption, frame, columns)
