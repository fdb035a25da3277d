"""The numbers that the paper's sentences carry, from the rows: none of them is typed."""

from __future__ import annotations

import pandas as pd

from recprune.datasets.naming import name_of
from recprune.report.cells import CONTROLS, FLOORS, METHOD, canonical, method_of, points
from recprune.report.footprint import footprint
from recprune.report.headline import headline
from recprune.report.heatmap import percent
from recprune.report.latex import escape
from recprune.report.safe import safe_points
from recprune.report.style import label, method_label
from recprune.report.table import human, interval, plus_minus


def numbers(cells: pd.DataFrame) -> dict[str, str]:
    """name -> words, of one study. What the rows do not hold has no name here, and its sentence is left out."""
    cells = canonical(cells)
    found = {
        "data": name_of(cells["dataset"].iloc[0]),
        "protocol": cells["protocol"].iloc[0],
        "cells": f"{len(cells):,}",
        "models": f"{cells.loc[~cells['model'].isin(FLOORS), 'model'].nunique()}",
        "seeds": _seeds(cells),
    }
    found |= _dense(points(cells))
    if cells["side"].isin(["parameters", "samples"]).any():
        safe = safe_points(cells)
        found |= _safe(safe) | _samples(headline(cells, found=safe).frame)
        if (cells["side"] == "dense").any():
            found |= _smallest(footprint(cells, found=safe).frame)
    return {name: words for name, words in found.items() if words}


def to_macros(found: dict[str, str]) -> str:
    """LaTeX source that defines them for `\\known` and `\\given` of paper/main.tex."""
    return "".join(
        f"\\expandafter\\def\\csname rec@{name}\\endcsname{{{escape(words)}}}\n" for name, words in found.items()
    )


def _seeds(cells: pd.DataFrame) -> str:
    """5 seeds, or 3 to 5 seeds where methods differ."""
    counts = cells.groupby(["model", "side", *METHOD])["seed"].nunique().tolist()
    least, most = min(counts), max(counts)
    return f"{least} to {most} seeds" if least < most else "one seed" if most == 1 else f"{most} seeds"


def _dense(table: pd.DataFrame) -> dict[str, str]:
    """The best dense model of each family, chosen on validation, and the popularity floor."""
    found = {}
    dense = table[table["side"] == "dense"]
    for family in ("cf", "deep"):
        members = dense[(dense["family"] == family) & ~dense["model"].isin(FLOORS)]
        if members["val_ndcg@10"].notna().any():
            best = members.loc[members["val_ndcg@10"].idxmax()]
            found[f"{family} model"] = label(best["model"])
            found[f"{family} ndcg"] = plus_minus(best["test_ndcg@10"], best["test_ndcg@10_sd"])
    floor = dense[dense["model"] == "popularity"]
    return found | ({"popularity ndcg": f"{floor['test_ndcg@10'].iloc[0]:.4f}"} if len(floor) else {})


def _safe(safe: pd.DataFrame) -> dict[str, str]:
    """How many pairs of model and method remove anything safely, and of how many test says so too."""
    methods = safe[~safe["criterion"].isin(CONTROLS)]
    there = methods["kept"].notna()
    if methods.empty:
        return {}
    return {
        "pairs": str(len(methods)),
        "methods": str(len(methods[["side", *METHOD]].drop_duplicates())),
        "safe pairs": str(int(there.sum())),
        "confirmed pairs": str(int((there & methods["confirmed"]).sum())),
    }


def _samples(rows: pd.DataFrame) -> dict[str, str]:
    """The most of its training samples that any model does without."""
    rows = rows[(rows["side"] == "samples") & rows["removed_99"].notna()]
    if rows.empty:
        return {}
    most = rows.sort_values(["removed_99", "val_lower"], ascending=False, kind="stable").iloc[0]
    return {
        "samples share": percent(most["removed_99"]),
        "samples model": label(most["model"]),
        "samples method": method_label(method_of(most)),
        "samples ratio": interval(most["test_ratio"], most["test_lo"], most["test_hi"]),
    }


def _smallest(rows: pd.DataFrame) -> dict[str, str]:
    """The model that shrinks most on disk, of those that are safe."""
    pruned = rows[(rows["state"] != "dense") & (rows["criterion"] != "smaller-dense")]
    if pruned["bytes_ratio"].notna().sum() == 0:
        return {}
    least = pruned.loc[pruned["bytes_ratio"].idxmin()]
    return {
        "disk model": label(least["model"]),
        "disk method": method_label(method_of(least)),
        "disk ratio": f"{float(format(100 * least['bytes_ratio'], '.2g')):g} %",  # two digits, no exponent
        "disk bytes": human(least["bytes_disk"]),
        "disk quality": interval(least["test_ratio"], least["test_ratio_lo"], least["test_ratio_hi"]),
    }
