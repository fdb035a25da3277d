"""From a headline to its number in two clicks: each with the one command that makes it again, and what that says."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from recprune.datasets.registry import ROOT
from recprune.models import REGISTRY
from recprune.report.evidence import Evidence, StudyEvidence
from recprune.report.evidence.cells import QUALITY
from recprune.report.evidence.labels import label, percent
from recprune.report.evidence.methods import CURVE, FLOORS, method_label, method_of
from recprune.report.evidence.points import in_order
from recprune.report.evidence.safe import is_headline
from recprune.report.page.recipes import FILE, KEPT, recipe
from recprune.report.tables.headline import best_methods
from recprune.study.load import load_study
from recprune.study.rows.places import places
from recprune.study.rows.verify import ABSOLUTE
from recprune.typed import read_toml

MAIN = "main"  # the study whose rows are those of the results folder itself
SEED = 0  # of the command `prune`, where none is given
#: points of the findings that the command `prune` makes in seconds: what they have in common with a row of the study
ONCE = {"side": "parameters", "schedule": "one-shot", "values": "float32"}
WEIGHTS, FACTORS = ONCE | {"unit": "weight"}, ONCE | {"unit": "factor"}
POINTS: tuple[dict[str, Any], ...] = (
    WEIGHTS | {"model": "ease", "criterion": "magnitude", "recovery": "refit", "kept": 0.1},
    WEIGHTS | {"model": "ease", "criterion": "magnitude", "recovery": "refit", "kept": 0.01},
    WEIGHTS | {"model": "ease", "criterion": "magnitude", "recovery": "none", "kept": 0.01},
    FACTORS | {"model": "ials", "criterion": "principal-axes", "recovery": "none", "kept": 0.375},
    FACTORS | {"model": "ials", "criterion": "magnitude", "recovery": "none", "kept": 0.375},
    WEIGHTS | {"model": "mult-vae", "criterion": "magnitude", "recovery": "fine-tune", "kept": 0.1},
    WEIGHTS | {"model": "mult-vae", "criterion": "taylor", "recovery": "none", "kept": 0.2},
)
HEAD = "| headline | command | expected |\n|---|---|---:|"
OF_SEED = (
    "In seconds, with seed 0: the line `nDCG@10 on test` says what is expected in its last column, pruned / dense. The "
    "tolerance is the standard deviation over the study's seeds, at least 0.002."
)
OF_ALL = (
    "All that the study measures of a model, over all its seeds: rows in `results/part/cells.csv`, tables and figures "
    "beside them, the number in `headline` or `dense` of `results/part/tables`. Minutes (min) are of one core, "
    "as its runs took them. `make verify` holds a whole study's rows to these tolerances."
)


@dataclass(frozen=True)
class Again:
    """A headline: what it says, the command that makes it again, and the number with its tolerance."""

    what: str
    command: str
    expected: float
    tolerance: float

    def line(self) -> str:
        """It as a row of a Markdown table."""
        return f"| {self.what} | `{self.command}` | {self.expected:.4f} ± {self.tolerance:.4f} |"


def headlines(evidence: Evidence) -> str:
    """The headlines of every study as two tables of Markdown: single points, and all of a model."""
    main = [study for study in evidence.studies if _runs(evidence.folder, study)[0] == MAIN]
    single = [again for study in main for again in pruned_again(study)]
    whole = [again for study in evidence.studies for again in measured_again(evidence, study)]
    parts = [f"{text}\n\n{HEAD}\n" + "".join(f"{again.line()}\n" for again in found)
             for text, found in ((OF_SEED, single), (OF_ALL, whole)) if found]  # fmt: skip
    return "\n".join(parts)


def pruned_again(study: StudyEvidence) -> Iterator[Again]:
    """Of POINTS those that the study has, each with the command `prune` of the hyper-parameters that its rows have."""
    tuned = load_study(ROOT / "study.toml", MAIN).hyperparameters
    for where in POINTS:
        same = (study.rows[[*where]].round({"kept": 6}) == pd.Series(where)).all(axis=1)
        rows = study.rows[same].sort_values("seed", ignore_index=True)
        if study.protocol == "ratio" and (rows["seed"] == SEED).any():
            of_seed, chosen = (
                rows[rows["seed"] == SEED].iloc[0],
                tuned.of(study.dataset, where["model"], study.protocol),
            )
            command = recipe(of_seed).replace(FILE, study.dataset).replace(KEPT, f"{where['kept']:g}")
            method = method_label(method_of(of_seed))
            what = f"{label(where['model'])} on {study.dataset}, {method}, {100 * where['kept']:g} % kept"
            settings = "".join(f" --set {shlex.quote(one)}" for one in _settings(where["model"], chosen))
            yield Again(what, command + settings, float(of_seed["test_ratio"]), _tolerance(rows["test_ratio"].std()))


def measured_again(evidence: Evidence, study: StudyEvidence) -> Iterator[Again]:
    """Of each model of a study the dense one, and what it loses safely, with the command that measures it all."""
    name, seconds = _runs(evidence.folder, study)
    if not name:
        return
    safe = study.once(best_methods)
    safe = safe[is_headline(safe) & safe["kept"].notna()]
    for _, dense in study.dense[~study.dense["model"].isin(FLOORS)].iterrows():
        model = dense["model"]
        if model not in seconds:
            continue
        command = f"make reproduce{'' if name == MAIN else f' STUDY={name}'} MODELS={model}"
        time = f" ({max(1, round(seconds[model] / 60))} min)"
        where = f"{label(model)} on {study.dataset}"
        yield Again(f"{where}, dense: test nDCG@10{time}", command, dense[QUALITY], _tolerance(dense[f"{QUALITY}_sd"]))
        for _, most in safe[safe["model"] == model].iterrows():
            same = (study.points[CURVE] == most[CURVE]).all(axis=1) & (study.points["kept"] == most["kept"])
            point = in_order(study.points[same]).iloc[0]
            what = f"{where}, {most['label']}, {percent(most['removed_99'])} removed: test nDCG@10 / dense"
            yield Again(what, command, point["test_ratio"], _tolerance(point["test_ratio_sd"]))


def _tolerance(spread: float) -> float:
    """That of `make verify`."""
    return ABSOLUTE if math.isnan(spread) else max(spread, ABSOLUTE)


def _settings(model: str, values: dict[str, Any]) -> Iterator[str]:
    """The hyper-parameters that are not the model's own defaults, as the command takes them."""
    own = {each.name: each.default for each in fields(REGISTRY[model]) if each.default is not MISSING}
    for name, value in values.items():
        if name not in own or own[name] != (tuple(value) if isinstance(value, list) else value):
            yield f"{name}={str(value).lower() if isinstance(value, bool) else value}"


def _runs(folder: Path, study: StudyEvidence) -> tuple[str, dict[str, float]]:
    """The study of study.toml that left a data set's rows, and the seconds of its runs by model; "" where none did."""
    known = read_toml(ROOT / "study.toml")["study"]
    for place in places(folder):
        name, path = MAIN if place == Path(folder) else place.name, place / "provenance.csv"
        if name in known and path.exists():
            runs = pd.read_csv(path)
            mine = runs[(runs["dataset"] == study.dataset) & (runs["protocol"] == study.protocol)]
            if len(mine):
                return name, mine.groupby("model")["seconds"].sum().to_dict()
    return "", {}
