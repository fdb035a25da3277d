"""What each model loses safely: the one method per model that validation chooses, beside its controls."""

from __future__ import annotations

import pandas as pd

from recprune.report.cells import CONTROLS, METHOD, canonical, heading, models_in_order
from recprune.report.heatmap import percent
from recprune.report.safe import safe_points
from recprune.report.style import label
from recprune.report.table import Table, best, interval, none_bold, starred, written

PARTS = ("parameters", "samples")


def headline(cells: pd.DataFrame, name: str = "headline", found: pd.DataFrame | None = None) -> Table:
    """One row per model and what is removed (parameters, samples): the best method and what its controls remove safely.

    Of parameters, the method is the one whose safe point (0.99 on validation) takes the fewest bytes: shares of weights, factors and
    rows are not of one kind. Of samples, the one of the largest safe share. Then the larger validation bound decides, and
    where nothing is safe at 0.99, 0.95. Test columns have no say in it. In bold, the smallest model and the fewest samples. found: the rows' `safe_points`, where they are known.
    """
    found = safe_points(cells) if found is None else found
    chosen = [
        _choice(rows[rows["side"] == part]) | {"smaller": _most(rows[rows["criterion"] == "smaller-dense"], part)}
        for model in models_in_order(found)
        for rows in [found[found["model"] == model]]
        for part in PARTS
        if ((rows["side"] == part) & ~rows["criterion"].isin(CONTROLS)).any()
    ]
    columns = [
        "dataset",
        "protocol",
        "model",
        "family",
        "side",
        *METHOD,
        "label",
        "methods",
        *_NUMBERS,
        "random",
        "smaller",
    ]
    frame = pd.DataFrame(chosen, columns=columns)
    text = pd.DataFrame(
        {
            "model": frame["model"].map(label),
            "removes": frame["side"],
            "best method": frame["label"],
            "of": frame["methods"].astype(str),
            "safe at 0.99": frame["removed_99"].map(percent),
            "ratio at 0.99": _ratios(frame, ""),
            "disk": written(frame["bytes_ratio"], "{:.2g}".format),
            "safe at 0.95": frame["removed_95"].map(percent),
            "ratio at 0.95": _ratios(frame, "_95"),
            "random": _shares(frame["random"]),
            "smaller dense": _shares(frame["smaller"]),
        }
    )
    bold = none_bold(text)
    for _, rows in frame.groupby("side"):
        if rows["side"].iloc[0] == "parameters":
            bold.loc[rows.index, "disk"] = best(rows["bytes_ratio"], min)
        else:
            bold.loc[rows.index, "safe at 0.99"] = best(rows["removed_99"], max)
    caption = (
        f"What each model on {heading(canonical(cells))} loses safely. Of its methods (of: how many) the one that is smallest on disk, or has the "
        "fewest samples, where it is safe at 0.99 on validation; the share removed, of the method's own units; what that and the share "
        "safe at 0.95 keep on test (nDCG@10 / dense, 95 % interval; *: test does not confirm it); bytes on disk / dense at 0.99. "
        "Right, what is safe at 0.99 by chance: random removal of the same units; and by training the model smaller (empty: not measured)."
    )
    return Table(name, caption, frame.drop(columns="label"), text, bold)


_NUMBERS = [
    "removed_99",
    "kept",
    "val_lower",
    "test_ratio",
    "test_lo",
    "test_hi",
    "confirmed",
    "bytes_ratio",
    "removed_95",
    "kept_95",
    "val_lower_95",
    "test_ratio_95",
    "test_lo_95",
    "test_hi_95",
    "confirmed_95",
]


def _choice(rows: pd.DataFrame) -> dict:
    """The best method of one model and side, how many there are, and what random removal of its units does safely."""
    methods = rows[~rows["criterion"].isin(CONTROLS)]
    size = methods["bytes_ratio"] if (methods["side"] == "parameters").all() else 1 - methods["removed_99"]
    order = ["removed_99", "val_lower", "removed_95", "val_lower_95"]
    first = (
        methods.assign(size=-size)
        .sort_values(["size", *order], ascending=False, kind="stable", na_position="last")
        .iloc[0]
        .drop("size")
    )
    row = first.to_dict() | {"methods": len(methods)}
    if pd.isna(first["removed_95"]):  # none of them is safe: it would be a choice of nothing
        return row | {"label": "", "random": float("nan")} | dict.fromkeys(METHOD, "")
    same = rows[(rows["criterion"] == "random") & (rows["unit"] == first["unit"])]
    return row | {"random": _most(same, first["side"])}


def _most(controls: pd.DataFrame, part: str) -> float:
    """The largest share that a control removes safely at 0.99: 0 where it is measured and none is safe, NaN where it is not."""
    if controls.empty or (part == "samples" and (controls["side"] == "control").all()):
        return float("nan")
    return controls["removed_99"].fillna(0.0).max()


def _shares(shares: pd.Series) -> list[str]:
    return ["" if pd.isna(share) else percent(share) for share in shares]


def _ratios(frame: pd.DataFrame, end: str) -> list[str]:
    columns = [f"{name}{end}" for name in ("test_ratio", "test_lo", "test_hi", "confirmed")]
    return [starred(interval(*numbers), confirmed) for *numbers, confirmed in frame[columns].itertuples(index=False)]
