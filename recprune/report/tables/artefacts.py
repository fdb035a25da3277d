"""What a reproduction should find: each artefact with its target, its notebook, and the number it carries."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from recprune.pruning import SAMPLE_UNITS
from recprune.report.evidence.groups import BLOCKS, SINGLE
from recprune.report.evidence.labels import label, percent
from recprune.report.evidence.methods import METHOD, controls
from recprune.report.evidence.safe import is_headline
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import WORDS, Format
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column
from recprune.study.rows.verify import ABSOLUTE

TOLERANCE = Format("{:.4f} ± {:.4f}".format)


@table("artefacts", needs=["dense", "parameters"])
def artefacts(study: StudyEvidence) -> Table:
    """The artefacts of a study, one a row: make target, notebook, quantity, expected value and tolerance.

    The tolerance is that of `make verify`: the standard deviation over seeds, or 0.002 where the seeds
    agree more closely than that.
    """
    frame = pd.DataFrame([*_dense(study), *_safe(study)])
    caption = (
        f"What a reproduction on {study.heading} should find: expected value (mean over seeds) ± tolerance "
        "(standard deviation over seeds, at least 0.002)."
    )
    words = [column(name, WORDS, frame[name]) for name in ("artefact", "target", "notebook", "what")]
    return Table(caption, frame, [*words, column("expected", TOLERANCE, frame["expected"], frame["tolerance"])])


def _dense(study: StudyEvidence) -> Iterator[dict]:
    for family in ("cf", "deep"):
        for _, best in study.best_dense[study.best_dense["family"] == family].iterrows():
            what = f"best dense {label(family)} model ({label(best['model'])}): test nDCG@10"
            yield _row(study, "dense", "10-dense", what, best, "test_ndcg@10")
    for _, floor in study.dense[study.dense["model"] == "popularity"].iterrows():
        yield _row(study, "dense", "10-dense", "popularity: test nDCG@10", floor, "test_ndcg@10")


def _safe(study: StudyEvidence) -> Iterator[dict]:
    """The most that goes safely by single weights, by structure and of the samples, of the headlines."""
    safe, points = study.chosen, study.points
    safe = safe[~safe["criterion"].isin(controls()) & safe["kept"].notna() & is_headline(safe)]
    single, samples = safe["unit"].isin((*SINGLE, *BLOCKS)), safe["unit"].isin(SAMPLE_UNITS)
    notebooks = {"21-prune-weights": single, "22-prune-structure": ~single & ~samples, "20-prune-samples": samples}
    for notebook, mine in notebooks.items():
        for _, most in safe[mine].sort_values("removed_99", ascending=False, kind="stable").head(1).iterrows():
            same = (points[["model", *METHOD]] == most[["model", *METHOD]]).all(axis=1)
            point = points[same & (points["kept"] == most["kept"])].iloc[0]
            what = (
                f"most removed safely: {percent(most['removed_99'])} of {label(most['model'])} by "
                f"{most['label']}; its test nDCG@10 / dense"
            )
            yield _row(study, "safe-sparsity", notebook, what, point, "test_ratio")


def _row(study: StudyEvidence, stem: str, notebook: str, what: str, point: pd.Series, number: str) -> dict:
    spread = point[f"{number}_sd"]
    return {
        "artefact": f"tables/{study.name}/{stem}",
        "target": "make tables",
        "notebook": notebook,
        "what": what,
        "expected": point[number],
        "tolerance": ABSOLUTE if math.isnan(spread) else max(spread, ABSOLUTE),
    }
