"""The numbers that the paper's sentences carry, from the rows: none of them is typed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import pandas as pd

from recprune.cells.names import AS_TRAINED
from recprune.datasets.naming import name_of
from recprune.errors import NothingToDrawError
from recprune.report.evidence.frames import where_lowest
from recprune.report.evidence.labels import label, percent
from recprune.report.evidence.methods import FLOORS, METHOD, controls, method_label, method_of
from recprune.report.evidence.safe import is_headline
from recprune.report.evidence.size.formats import shrunk
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.footprint import smallest
from recprune.report.tables.headline import best_methods
from recprune.report.tables.layout.formats import BYTES, MEAN, RATIO, per_cent
from recprune.report.tables.layout.latex import escape


def numbers(study: StudyEvidence) -> dict[str, str]:
    """The numbers of one study, name -> words. What the rows do not hold has no name here: its sentence is left out."""
    rows, sides = study.rows, set(study.rows["side"])
    found = {
        "data": name_of(study.dataset),
        "protocol": study.protocol,
        "cells": f"{len(study.formats):,}",
        "models": f"{rows.loc[~rows['model'].isin(FLOORS), 'model'].nunique()}",
        "seeds": _seeds(rows),
    }
    found |= _dense(study)
    if sides & {"parameters", "samples"}:
        found |= _safe(study.safe) | _samples(study.once(best_methods))
        if "dense" in sides:
            found |= _smallest(study.once(smallest))
        with suppress(NothingToDrawError):  # there is one value format alone
            found |= _in_formats(study.once(shrunk))
    return {name: words for name, words in found.items() if words}


def elsewhere(studies: Iterable[StudyEvidence]) -> dict[str, str]:
    """What other studies found, a sentence or two of each that has a safe point; no name where none has."""
    told = " ".join(filter(None, (_told(study.heading, numbers(study)) for study in studies)))
    return {"elsewhere": told} if told else {}


def _told(heading: str, found: dict[str, str]) -> str:
    told = []
    if "disk model" in found:
        told.append(
            f"On {heading}, {found['disk model']} shrinks most by pruning alone: to {found['disk ratio']} of its dense "
            f"bytes by {found['disk method']}, which keeps {found['disk quality']}."
        )
    if found.get("format values", AS_TRAINED) != AS_TRAINED:
        told.append(
            f"With values in fewer bits{'' if told else f' on {heading}'}, {found['format model']} by "
            f"{found['format method']} in {found['format values']} keeps {found['format quality']} in "
            f"{found['format bytes']}, {found['format ratio']} of its dense bytes in float32."
        )
    return " ".join(told)


def to_macros(found: dict[str, str]) -> str:
    """The LaTeX source that defines the numbers for `\\known` and `\\given` of paper/main.tex."""
    return "".join(
        f"\\expandafter\\def\\csname rec@{name}\\endcsname{{{escape(words)}}}\n" for name, words in found.items()
    )


def _seeds(cells: pd.DataFrame) -> str:
    """The number of seeds: "5 seeds", or "3 to 5 seeds" where methods differ."""
    counts = cells.groupby(["model", "side", *METHOD])["seed"].nunique().tolist()
    least, most = min(counts), max(counts)
    return f"{least} to {most} seeds" if least < most else "one seed" if most == 1 else f"{most} seeds"


def _dense(study: StudyEvidence) -> dict[str, str]:
    """The best dense model of each family, chosen on validation, and the popularity floor."""
    found = {}
    for best in study.best_dense[study.best_dense["family"].isin(["cf", "deep"])].to_dict("records"):
        found[f"{best['family']} model"] = label(best["model"])
        found[f"{best['family']} ndcg"] = MEAN(best["test_ndcg@10"], best["test_ndcg@10_sd"])
    floor = study.dense[study.dense["model"] == "popularity"]
    return found | ({"popularity ndcg": f"{floor['test_ndcg@10'].iloc[0]:.4f}"} if len(floor) else {})


def _safe(safe: pd.DataFrame) -> dict[str, str]:
    """How many pairs of model and method remove anything safely, of what beats popularity, and of how many test says so
    too."""
    methods = safe[~safe["criterion"].isin(controls())]
    there = methods["kept"].notna() & methods["counts"]
    if methods.empty:
        return {}
    return {
        "pairs": str(len(methods)),
        "methods": str(len(methods[["side", *METHOD]].drop_duplicates())),
        "safe pairs": str(int(there.sum())),
        "confirmed pairs": str(int((there & methods["confirmed"]).sum())),
    }


def _samples(rows: pd.DataFrame) -> dict[str, str]:
    """The most of its training samples that any model does without, of what test confirms."""
    rows = rows[(rows["side"] == "samples") & rows["removed_99"].notna() & is_headline(rows)]
    if rows.empty:
        return {}
    most = rows.sort_values(["removed_99", "val_lower"], ascending=False, kind="stable").iloc[0]
    return {
        "samples share": percent(most["removed_99"]),
        "samples model": label(most["model"]),
        "samples method": method_label(method_of(most)),
        "samples ratio": RATIO(most["test_ratio"], most["test_lo"], most["test_hi"]),
    }


def _smallest(rows: pd.DataFrame) -> dict[str, str]:
    """The model that shrinks most on disk, of those that are safe, confirmed and beat popularity."""
    pruned = rows[(rows["state"] != "dense") & (rows["criterion"] != "smaller-dense") & is_headline(rows)]
    if pruned["bytes_ratio"].notna().sum() == 0:
        return {}
    least = where_lowest(pruned, pruned["bytes_ratio"])
    return {
        "disk model": label(least["model"]),
        "disk method": method_label(method_of(least)),
        "disk ratio": per_cent(least["bytes_ratio"]),
        "disk bytes": BYTES(least["bytes_disk"]),
        "disk quality": RATIO(least["test_ratio"], least["test_ratio_lo"], least["test_ratio_hi"]),
    }


def _in_formats(rows: pd.DataFrame) -> dict[str, str]:
    """The model that pruning and value formats together shrink most, of those that are safe, confirmed and beat
    popularity, and what its formats do alone."""
    pruned = rows[(rows["role"] == "pruned") & rows["adds"].notna() & is_headline(rows)]
    if pruned.empty:
        return {}
    least = where_lowest(pruned, pruned["bytes_ratio"])
    return {
        "format model": label(least["model"]),
        "format method": method_label(method_of(least)),
        "format values": least["values"],
        "format ratio": per_cent(least["bytes_ratio"]),
        "format bytes": BYTES(least["bytes_disk"]),
        "format quality": RATIO(least["test_ratio"], least["test_ratio_lo"], least["test_ratio_hi"]),
        "format alone": per_cent(least["bytes_ratio"] * least["adds"]),
        "format adds": f"{least['adds']:.2g}",
    }
