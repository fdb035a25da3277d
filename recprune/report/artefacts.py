"""What a reproduction should find: each artefact with its target, its notebook, and the number it carries."""

from __future__ import annotations

import math

import pandas as pd

from recprune.report.cells import FLOORS, METHOD, canonical, heading, points
from recprune.report.grouping import BLOCKS, SINGLE
from recprune.report.heatmap import percent
from recprune.report.safe import safe_points
from recprune.report.style import SAMPLES, label
from recprune.report.table import Table
from recprune.study.verify import ABSOLUTE


def artefacts(
    cells: pd.DataFrame, name: str = "artefacts", study: str = "", found: pd.DataFrame | None = None
) -> Table:
    """One row per artefact of one study: artefact, make target, notebook, quantity, expected value and tolerance.

    The tolerance is that of `make verify`: the standard deviation over seeds, or 0.002 where the seeds
    agree more closely than that. found: the rows' `safe_points`, where they are known.
    """
    table = points(canonical(cells))
    dense = table[(table["side"] == "dense") & ~table["model"].isin(FLOORS)]
    rows = []
    for family in ("cf", "deep"):
        members = dense[dense["family"] == family]
        if len(members):
            best = members.loc[members["val_ndcg@10"].idxmax()]
            what = f"best dense {label(family)} model ({label(best['model'])}): test nDCG@10"
            rows.append(_row("tables/dense", "10-dense", what, best, "test_ndcg@10"))
    floor = table[(table["side"] == "dense") & (table["model"] == "popularity")]
    if len(floor):
        rows.append(_row("tables/dense", "10-dense", "popularity: test nDCG@10", floor.iloc[0], "test_ndcg@10"))
    safe = safe_points(cells) if found is None else found
    safe = safe[(safe["side"] != "control") & (safe["criterion"] != "random") & safe["kept"].notna()]
    for figure, notebook, mine in (
        ("tables/safe-sparsity", "21-prune-weights", safe["unit"].isin((*SINGLE, *BLOCKS))),
        ("tables/safe-sparsity", "22-prune-structure", ~safe["unit"].isin((*SINGLE, *BLOCKS, *SAMPLES))),
        ("tables/safe-sparsity", "20-prune-samples", safe["unit"].isin(SAMPLES)),
    ):
        if mine.any():
            most = safe[mine].sort_values("removed_99", ascending=False, kind="stable").iloc[0]
            same = (table[["model", *METHOD]] == most[["model", *METHOD]]).all(axis=1) & (table["kept"] == most["kept"])
            what = (
                f"most removed safely: {percent(most['removed_99'])} of {label(most['model'])} by "
                f"{most['label']}; its test nDCG@10 / dense"
            )
            rows.append(_row(figure, notebook, what, table[same].iloc[0], "test_ratio"))
    frame = pd.DataFrame(rows)
    frame["artefact"] += f"-{study}" if study else ""
    text = pd.DataFrame(
        {
            "artefact": frame["artefact"],
            "target": frame["target"],
            "notebook": frame["notebook"],
            "what": frame["what"],
            "expected": [f"{v:.4f} ± {t:.4f}" for v, t in zip(frame["expected"], frame["tolerance"], strict=True)],
        }
    )
    caption = (
        f"What a reproduction on {heading(canonical(cells))} should find: expected value (mean over seeds) ± tolerance "
        "(standard deviation over seeds, at least 0.002)."
    )
    return Table(name, caption, frame, text)


def _row(artefact: str, notebook: str, what: str, point: pd.Series, column: str) -> dict:
    spread = point[f"{column}_sd"]
    return {
        "artefact": artefact,
        "target": "make " + artefact.partition("/")[0],
        "notebook": notebook,
        "what": what,
        "expected": point[column],
        "tolerance": ABSOLUTE if math.isnan(spread) else max(spread, ABSOLUTE),
    }
