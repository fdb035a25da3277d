"""Which cells a contrast compares: pairs of cells of one model and seed, at the same share unless it says otherwise."""

from __future__ import annotations

import pandas as pd

from recprune.cells.rows import CELL
from recprune.errors import ReportError
from recprune.evaluation.belonging import HISTORIES
from recprune.report.claims.claim import Cells, Contrast
from recprune.report.claims.measures import QUALITY
from recprune.report.evidence.methods import METHOD, Method, controls, method_label, models_in_order

#: chosen by, or measured
NUMBERS = (
    "val_ratio",
    "train_ndcg@10",
    "test_ndcg@10",
    "nonzeros",
    "bytes_disk",
    "macs",
    "p50_ratio",
    "p50_self",
    "train_s",
    "epochs",
)
WHOLE = ("dense", "control")  # sides without a share that could be chosen or matched
MATCHED = ("unit", "kept", "samples_kept")  # what a and b share, unless the contrast is about it
POINT = ["kept", "kept_b", "samples_kept"]  # what the pairs of a point have in common, in every seed

Pairs = dict[str, pd.DataFrame]  # model -> one row per compared pair of its cells


def compared_pairs(contrast: Contrast, cells: pd.DataFrame) -> Pairs:
    """The pairs of cells that a contrast compares, model by model; columns of b have `_b` behind their names.

    Models without a pair are left out; numbers that the cells lack are missing values.

    cells  canonical rows of one data set and protocol
    """
    cells = cells.reindex(columns=[*CELL, *NUMBERS])
    a, b = _picked(cells, contrast.a), _picked(cells, contrast.b) if contrast.b else cells[:0]
    of_a, of_b = (dict(list(side.groupby("model"))) for side in (a, b))
    found = {}
    for model in models_in_order(a):
        pairs = _pairs(contrast, of_a[model], of_b.get(model, b[:0]))
        if len(pairs):
            found[model] = pairs
    return found


def four_cells(contrast: Contrast, pairs: pd.DataFrame, cells: pd.DataFrame) -> list[list[tuple]]:
    """The cells a and b of each pair, and those that each is divided by; `cells` are those of its model."""
    of_a = list(zip(*(pairs[name] for name in CELL), strict=True))
    of_b = list(zip(*(pairs[f"{name}_b"] for name in CELL), strict=True))
    if contrast.relative_to:
        return [of_a, of_b, *([_changed(cell, contrast.relative_to) for cell in side] for side in (of_a, of_b))]
    dense = cells[cells["side"] == "dense"]
    of_seed = dict(zip(dense["seed"], zip(*(dense[name] for name in CELL), strict=True), strict=True))
    base = [of_seed[seed] for seed in pairs["seed"]]
    return [of_a, of_b, base, base]


def points_of(pairs: pd.DataFrame) -> list[str]:
    """The columns that tell the points of these pairs apart."""
    return [name for name in POINT if name in pairs]


def shares(pairs: pd.DataFrame) -> str:
    """The shares that a keeps, in words: "10 % kept", "5 to 80 % kept"; of samples and model, the model's; "" where it
    keeps all or nothing."""
    low, high = (f"{100 * end:.3g}" for end in (pairs["kept"].min(), pairs["kept"].max()))
    if low == high and low in ("0", "100"):
        return ""
    return f"{low} % kept" if low == high else f"{low} to {high} % kept"


def chosen(contrast: Contrast, pairs: pd.DataFrame) -> str:
    """What validation chose, in words; "" where nothing was to be chosen."""
    if not contrast.best:
        return ""
    ways = pairs[[*METHOD, "kept"]].drop_duplicates().itertuples(index=False)
    return "; ".join(f"{method_label(Method(*way[:4]))}, {100 * way[4]:.3g} % kept" for way in ways)


def _pairs(contrast: Contrast, a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """One row per compared pair of the cells a and b of one model: columns of a as they are, those of b with `_b`."""
    if contrast.best:
        a = _best(a[a["kept"] < 1], contrast.best)
    a, b = (_once(_kept(cells, contrast), contrast) for cells in (a, b))
    if contrast.measure != QUALITY or a.empty or b.empty:
        return a if contrast.measure != QUALITY else a[:0]
    about = set(contrast.a) | set(contrast.b)
    whole = set(WHOLE) & (set(a["side"]) | set(b["side"]))
    match = ["seed", *(name for name in MATCHED if name not in about and not whole)]
    pairs = a.merge(b, on=match, suffixes=("", "_b"))
    return pairs.assign(**{f"{name}_b": pairs.get(f"{name}_b", pairs[name]) for name in CELL})


def _picked(cells: pd.DataFrame, wanted: Cells) -> pd.DataFrame:
    """The cells with the values wanted; where nothing is said of them, no grids of both sides, and whole histories."""
    keep = (cells["side"] != "both") | ("side" in wanted)
    keep &= (cells["history"] == HISTORIES[0]) | ("history" in wanted)
    return selected(cells[keep], wanted)


def selected(rows: pd.DataFrame, wanted: Cells) -> pd.DataFrame:
    """The rows that have the values wanted, or one of several, in each column."""
    keep = pd.Series(True, rows.index)
    for column, value in wanted.items():
        keep &= rows[column].isin(value if isinstance(value, (list, tuple)) else [value])
    return rows[keep]


def _kept(cells: pd.DataFrame, contrast: Contrast) -> pd.DataFrame:
    """The cells at the shares that count."""
    return cells[cells["kept"].isin(contrast.keep) | cells["side"].isin(WHOLE)] if contrast.keep else cells


def _best(cells: pd.DataFrame, what: str) -> pd.DataFrame:
    """The cells of the method (of each share), or of the one point, that is best on validation, controls apart."""
    cells = cells[~cells["criterion"].isin(controls())]
    if cells.empty:
        return cells
    means = (
        cells.groupby([*METHOD, "kept"])["val_ratio"]
        .mean()
        .reset_index()
        .sort_values("val_ratio", ascending=False, kind="stable")
    )
    best = means.head(1) if what == "point" else means.drop_duplicates("kept")
    return cells.merge(best[[*METHOD, "kept"]], on=[*METHOD, "kept"])


def _once(cells: pd.DataFrame, contrast: Contrast) -> pd.DataFrame:
    """`cells`, after a check that they are of one method for each share and seed."""
    twice = cells.duplicated(["model", "unit", "kept", "samples_kept", "seed"])
    if twice.any():
        ways = cells.loc[twice, METHOD].drop_duplicates().agg(" ".join, axis=1)
        raise ReportError(
            f"contrast {contrast.name!r} means several methods of one model, such as: {', '.join(ways[:2])}"
        )
    return cells


def _changed(cell: tuple, changes: Cells) -> tuple:
    return tuple((dict(zip(CELL, cell, strict=True)) | changes).values())
