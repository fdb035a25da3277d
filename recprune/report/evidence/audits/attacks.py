"""What attacks by fake profiles reached, before and after pruning, and which fakes rules for samples remove."""

from __future__ import annotations

import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.evidence.audits.leaks import over_seeds
from recprune.report.evidence.methods import by_model, models_in_order

METHOD = ["model", "family", "side", "unit", "criterion", "recovery", "kept"]


def attacks(further: pd.DataFrame) -> pd.DataFrame:
    """One row per model, method and kind of profile: `value`, the mean over targets and seeds of the hit rate@10, with
    `lo` and `hi` over targets and seeds, and `clean`, that of the same targets without an attack. `standing` and
    `standing_clean` are the same of the share of items scored below the target.

    Raises NothingToDrawError where nothing was attacked.
    """
    found = _with_clean(_of_kind(further, "hit@10"))
    try:
        where = _with_clean(_of_kind(further, "standing"))
    except NothingToDrawError:
        where = found.assign(value=float("nan"), clean=float("nan"))
    where = where.rename(columns={"value": "standing", "clean": "standing_clean"})
    found = found.merge(
        where[[*METHOD, "profiles", "standing", "standing_clean"]], how="left", on=[*METHOD, "profiles"]
    )
    order = by_model(models_in_order(found))
    return found.sort_values(["model", "profiles"], key=order, kind="stable", ignore_index=True)


def _with_clean(rows: pd.DataFrame) -> pd.DataFrame:
    """The means of each kind of profile, beside those of the same method without an attack."""
    means = over_seeds(rows.assign(error=0.0), [*METHOD, "profiles"])
    clean = means.loc[means["profiles"] == "none", [*METHOD, "value"]].rename(columns={"value": "clean"})
    return means[means["profiles"] != "none"].merge(clean, how="left", on=METHOD)


def fakes(further: pd.DataFrame) -> pd.DataFrame:
    """One row per rule for samples, unit and share removed: `recall` of the fake interactions, mean over kinds of
    profile, targets and seeds. Raises NothingToDrawError where none was measured."""
    rows = _of_kind(further, "recall")
    found = rows.groupby(["unit", "criterion", "kept", "profiles"], sort=False)["value"].mean().rename("recall")
    table = found.reset_index()
    table.insert(2, "removed", 1 - table.pop("kept"))
    return table.sort_values(["unit", "criterion", "removed", "profiles"], kind="stable", ignore_index=True)


def _of_kind(further: pd.DataFrame, measure: str) -> pd.DataFrame:
    rows = further[(further["kind"] == "attack") & (further["measure"] == measure)]
    if rows.empty:
        raise NothingToDrawError(f"no attack was measured by {measure}")
    return rows.assign(profiles=rows["at"].str.partition(" ")[0])
