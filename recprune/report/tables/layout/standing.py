"""What stands beside a verdict of safety: quality and coverage, before and after, and popularity's quality."""

from __future__ import annotations

import pandas as pd

from recprune.report.evidence.cells import QUALITY
from recprune.report.evidence.labels import percent
from recprune.report.evidence.safe import COVERAGE, unmeasured
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import Format
from recprune.report.tables.layout.table import Column, column

DAGGER = "†"
#: sentences for a caption, a space before them: what the star says
UNCONFIRMED = " *: test does not confirm it (its one-sided 95 % bound): shown, but no headline."
NOTE = "nDCG@10 and coverage@20: of dense → at 0.99, on test; popularity: its nDCG@10, same seeds."
#: columns of safe points that these columns are made of
WORTH = ("popularity", "dense_ndcg@10", "dense_coverage@20", COVERAGE, "counts", "counts_95")


def _before_and_after(pattern: str) -> Format:
    """Of the dense model and at the safe point; of the dense model alone where nothing is safe."""
    return Format(lambda dense, safe: pattern.format(dense) + ("" if pd.isna(safe) else " → " + pattern.format(safe)))


def _marked(removed: float, counts: bool) -> str:
    return percent(removed) + (DAGGER if removed > 0 and not counts else "")


#: a share removed safely, and whether it counts (`safe.safe_points`)
SAFE = Format(_marked, missing="none")
_FLOOR = Format("{:.4f}".format, missing="not measured")


def beside_popularity(safe: pd.DataFrame) -> list[Column]:
    """The columns of a table of safe points (`safe.safe_points`) that say what the verdict is worth."""
    return [
        column("nDCG@10", _before_and_after("{:.4f}"), safe["dense_ndcg@10"], safe[QUALITY]),
        column("popularity", _FLOOR, safe["popularity"]),
        column("coverage@20", _before_and_after("{:.2f}"), safe["dense_coverage@20"], safe[COVERAGE]),
    ]


def worth(study: StudyEvidence) -> str:
    """Sentences for a caption, a space before them: what these columns are, and which models are of no use."""
    counts = study.safe[["counts", "counts_95"]].all(axis=None)
    return f" {NOTE}{explained(not counts)}{study.warning}{unmeasured(study.dense)}"


def explained(is_marked: bool) -> str:
    """The sentence, a space before it, on the sign, where a table has it."""
    return f" {DAGGER}: the dense or the pruned model is not shown to beat popularity on test." if is_marked else ""
