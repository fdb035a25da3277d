"""What the page's own script draws and chooses from: the curve points, column by column, as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence

import pandas as pd

from recprune.datasets.naming import name_of
from recprune.models.quantization import FORMATS
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import CURVE, FLOORS, labels_of, models_in_order, of_kind
from recprune.report.evidence.points import NOT_ABOVE
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing.style import FAMILIES, model_look
from recprune.report.page.choice import best_dense, ranked
from recprune.report.page.recipes import recipe

#: matplotlib's marker -> the shape in assets/marks.js: the page and the paper's figures show a model alike
SYMBOLS = {
    "o": "circle",
    "s": "square",
    "D": "diamond",
    "d": "diamond-tall",
    "^": "triangle-up",
    "v": "triangle-down",
    "<": "triangle-left",
    ">": "triangle-right",
    "P": "cross",
    "X": "x",
    "p": "pentagon",
    "h": "hexagon",
    "H": "hexagon2",
    "8": "octagon",
    "*": "star",
}
#: words that come in this order, before any other, be they there or not
FIRST = {"values": tuple(FORMATS)}
#: column of the points -> its short name in the page
NUMBERS = {
    "kept": "kept",
    "seeds": "seeds",
    "level": "level",
    "own": "own",
    "best": "best",
    "test_own": "testOwn",
    "test_best": "testBest",
    "val_ndcg@10": "val",
    "test_ndcg@10": "ndcg",
    "test_ndcg@10_lo": "lo",
    "test_ndcg@10_hi": "hi",
    "test_ratio": "ratio",
    "test_ratio_lo": "ratioLo",
    "test_ratio_hi": "ratioHi",
    "bytes_disk": "bytes",
    "bytes_ratio": "bytesRatio",
    "p50_ms": "ms",
    "p50_ratio": "msRatio",
    "test_coverage@20": "coverage",
    "popularity": "popularity",
}


def page_data(studies: Sequence[StudyEvidence], notebooks: dict[str, str]) -> dict:
    """Everything the script needs: `points` has a list for each column, words are numbers of entries in `lists`.

    notebooks  key of a run (column `run` of the cells) -> address of its page
    """
    table = ranked(studies)
    words: dict[str, Iterable[str]] = {
        "model": table["model"],
        "side": table["side"],
        "unit": table["unit"],
        "role": table["role"].map(_role),
        "method": labels_of(table),
        "values": table["values"],
        "recipe": [recipe(row) for _, row in table.iterrows()],
        "notebook": _notebooks(studies, table, notebooks),
    }
    points, lists = {"study": table["study"].tolist()}, {}
    for name, values in words.items():
        lists[name] = list(dict.fromkeys([*FIRST.get(name, ()), *values]))
        place = {value: number for number, value in enumerate(lists[name])}
        points[name] = [place[value] for value in values]
    points |= {short: [_number(value) for value in table[column]] for column, short in NUMBERS.items()}
    table = table.assign(below=table["standing"].eq(NOT_ABOVE) & ~table["model"].isin(FLOORS))
    points |= {flag: [int(value) for value in table[flag]] for flag in ("sized", "data", "below")}
    return {
        "studies": [_study(study) for study in studies],
        "models": _models(table),
        "families": {name: {"label": label(name), "colour": colour} for name, colour in FAMILIES.items()},
        "units": {unit: label(unit) for unit in lists["unit"] if unit},
        "lists": lists,
        "points": points,
    }


def to_json(data: dict) -> str:
    """JSON that may stand inside a <script>: no name in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _study(study: StudyEvidence) -> dict:
    """The words of one study, the test quality of popularity, and the model that is best when dense (on validation)."""
    floor = study.dense.set_index("model")["test_ndcg@10"].get(FLOORS[0])
    return {
        "dataset": study.dataset,
        "name": name_of(study.dataset),
        "protocol": study.protocol,
        "heading": study.heading,
        "floor": _number(floor),
        "best": best_dense(study.dense),
    }


def _models(table: pd.DataFrame) -> dict[str, dict]:
    families = table.drop_duplicates("model").set_index("model")["family"]
    found = {}
    for name in models_in_order(table):
        look = model_look(name, families[name])
        found[name] = {
            "label": label(name),
            "family": families[name],
            "colour": look.colour,
            "symbol": SYMBOLS.get(look.marker, "circle"),
            "hollow": look.fill == "none",
            "floor": name in FLOORS,
        }
    return found


def _role(role: str) -> str:
    """What the script knows a point's role as; only random removal is a control there."""
    known = {"dense": "dense", "smaller-dense": "smaller"} | dict.fromkeys(of_kind("control"), "control")
    return known.get(role, "pruned")


def _notebooks(studies: Sequence[StudyEvidence], table: pd.DataFrame, notebooks: dict[str, str]) -> Iterable[str]:
    """For each curve point, the address of the notebook that measured it, or "". Where shares were counted, and so
    averaged over seeds, that of its curve."""
    found: dict[tuple, str] = {}
    columns = [*CURVE, "values", "kept", "run"]
    for study in studies:
        for *curve, kept, run in study.formats[columns].itertuples(index=False, name=None):
            if run in notebooks:
                found.setdefault(tuple(curve), notebooks[run])
                found[(*curve, float(f"{kept:.6g}"))] = notebooks[run]
    keys = table[[*CURVE, "values", "kept"]].itertuples(index=False, name=None)
    return [found.get(key) or found.get(key[:-1], "") for key in keys]


def _number(value: float | None) -> float | int | None:
    """Six digits are more than anybody reads off a plot; a missing number is null."""
    if value is None or pd.isna(value) or math.isinf(value):
        return None
    short = float(f"{value:.6g}")
    return int(short) if short.is_integer() else short
