"""python -m recprune.shell.learn: known.toml, what the command knows of the studies, from the committed rows."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recprune.errors import ReportError, StudyError
from recprune.files import write_atomically
from recprune.report.evidence import Evidence, StudyEvidence
from recprune.report.evidence.frames import read_table
from recprune.report.evidence.methods import METHOD, controls, models_in_order
from recprune.report.evidence.safe import is_headline
from recprune.report.tables.headline import best_methods
from recprune.shell.known import FILE
from recprune.study.load import load_study
from recprune.study.tuning.hyperparameters import Hyperparameters

HEADER = """\
# Written by `make known` from results/ and study.toml, read by `recprune prune` and `recprune advise` (known.py says
# what each key means). Safe: 0.99 of validation nDCG@10 as results/tables/*/headline.md has it; nothing here is typed.
"""
COUNTS = ["users", "items", "interactions", "density", "gini_items"]
SHOWN = ["test_ratio", "test_lo", "test_hi", "bytes_ratio"]
FOUND = ["model", *METHOD]


def known_of(evidence: Evidence, hyperparameters: Hyperparameters) -> dict[str, Any]:
    """The tables of known.toml: see `recprune.shell.known.Known`. Raises ReportError where there are no rows."""
    safe = pd.concat([_safe(study) for study in evidence.studies], ignore_index=True)
    counted = evidence.counted if evidence.counted is not None else pd.DataFrame()
    rules = list(_rules(safe))
    return {
        "parts": _parts(evidence.folder),
        "data_sets": _records(counted.reindex(columns=["dataset", "protocol", *COUNTS])),
        "rules": rules,
        "measured": list(_measured(safe, rules)),
        "profiles": hyperparameters.profiles,
        "tuned": hyperparameters.tuned,
    }


def _parts(results: Path) -> dict[str, int]:
    """What `python -m bench.advice` found: how often the interval held, of how often. Raises ReportError without it."""
    found = read_table(results / "bench" / "advice.csv", ("held",), "`python -m bench.advice`", {"held": "bool"})
    return {"held": int(found["held"].sum()), "of": len(found)}


def _safe(study: StudyEvidence) -> pd.DataFrame:
    """The safe points of a study's rules for parameters (see `StudyEvidence.chosen`), bounds for all rules at once.

    Adds `result`, whether test confirms it and popularity is beaten, and `headline`, whether it is the table's choice.
    """
    found = study.chosen[study.chosen["side"].eq("parameters") & ~study.chosen["criterion"].isin(controls())]
    best = study.once(best_methods)
    best = best[(best["side"] == "parameters") & best["removed_99"].notna()]
    chosen = pd.MultiIndex.from_frame(best[FOUND])
    return found.assign(
        dataset=study.dataset,
        protocol=study.protocol,
        result=is_headline(found),
        headline=pd.MultiIndex.from_frame(found[FOUND]).isin(chosen),
    )


def _rules(safe: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """For each model the rule that validation calls safe on the most data sets; of equals that of the fewest bytes."""
    there = safe[safe["removed_99"] > 0]
    for model in models_in_order(there):
        rows = there[there["model"] == model].assign(size=lambda rows: np.log(rows["bytes_ratio"]))
        ways = rows.groupby(METHOD).agg(number=("dataset", "nunique"), size=("size", "mean"))
        first = ways.sort_values(["number", "size"], ascending=[False, True], kind="stable").index[0]
        rows = rows[(rows[METHOD] == list(first)).all(axis=1)]
        on = {"safe_on": [*rows["dataset"]], "confirmed_on": [*rows.loc[rows["result"], "dataset"]]}
        yield {"model": model} | dict(zip(METHOD, first, strict=True)) | on


def _measured(safe: pd.DataFrame, rules: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """For each data set, model and unit the rule that removes the most on validation, of equals the smallest; and the
    model's rule for any log."""
    order = safe.assign(best=safe["removed_99"].fillna(0.0)).sort_values(
        ["headline", "best", "bytes_ratio", "val_lower"], ascending=[False, False, True, False], kind="stable"
    )
    first = order.drop_duplicates(["dataset", "protocol", "model", "unit"]).index
    general = pd.MultiIndex.from_tuples([tuple(rule[name] for name in FOUND) for rule in rules], names=FOUND)
    shown = safe.index.isin(first) | pd.MultiIndex.from_frame(safe[FOUND]).isin(general)
    for _, row in safe[shown].iterrows():
        line: dict[str, Any] = {name: row[name] for name in ("dataset", "protocol", *FOUND)}
        if not row["removed_99"] > 0:
            yield line | {"removed": 0.0}
            continue
        said = {"removed": _short(row["removed_99"]), "confirmed": bool(row["result"])}
        yield line | said | {"headline": bool(row["headline"])} | {name: _short(row[name]) for name in SHOWN}


def _short(number: float) -> float:
    """The six digits that rows have of a number."""
    return float(f"{number:.6g}")


def text_of(known: dict[str, Any]) -> str:
    """The file: a line for each entry of a list, and for each model of a table."""
    lines = [HEADER, f"parts = {_toml(known['parts'])}", ""]
    for key in ("data_sets", "rules", "measured"):
        lines += [f"{key} = [", *(f"  {_toml(entry)}," for entry in known[key]), "]", ""]
    for name, models in known["profiles"].items():
        lines += _table(f"profiles.{_key(name)}", models)
    for name, protocols in known["tuned"].items():
        for protocol, models in protocols.items():
            lines += _table(f"tuned.{_key(name)}.{protocol}", models)
    return "\n".join(lines)


def _table(name: str, models: dict[str, dict]) -> list[str]:
    return [f"[{name}]", *(f"{model} = {_toml(values)}" for model, values in models.items()), ""]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.to_dict("records")
    return [{str(key): _short(v) if isinstance(v, float) else v for key, v in row.items()} for row in rows]


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else json.dumps(name)


def _toml(value: Any) -> str:
    """A value in one line; what is not there is left out."""
    if isinstance(value, dict):
        there = {key: each for key, each in value.items() if not (isinstance(each, float) and each != each)}
        return "{ " + ", ".join(f"{_key(key)} = {_toml(each)}" for key, each in there.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, np.generic):
        value = value.item()
    return json.dumps(value, ensure_ascii=False)


def write(results: Path, config: Path) -> Path:
    """known.toml is written anew; returns its path. Raises ReportError or StudyError for files that cannot be used."""
    hyperparameters = load_study(config, "main", results=results).hyperparameters
    return write_atomically(FILE, text_of(known_of(Evidence(results), hyperparameters)))


def main(arguments: Iterable[str] | None = None) -> int:
    """0 when the file is there, 1 with one line on stderr when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m recprune.shell.learn", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="the folder with cells.csv")
    parser.add_argument("--config", type=Path, default=Path("study.toml"), help="the file that describes the studies")
    options = parser.parse_args(None if arguments is None else list(arguments))
    try:
        print(write(options.results, options.config))
    except (ReportError, StudyError, OSError) as error:
        print(f"recprune.shell.learn: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
