"""Safe sparsity at a glance: rule by model, one number each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from recprune.errors import NothingToDrawError
from recprune.report.evidence.frames import rows_as
from recprune.report.evidence.labels import label, percentage
from recprune.report.evidence.methods import ONCE, methods_in_order, models_in_order
from recprune.report.evidence.safe import best_of_rules
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.words import RULE, STRICT
from recprune.report.tables.layout.standing import DAGGER, explained

SECTIONS = {"parameters": "% removed from the model", "samples": "% removed from the samples"}
DEEPEST = 3.0  # orders of magnitude: 99.9 % removed has the darkest colour
#: what is written behind the number: how the model was recovered
LETTERS = {
    "distil": "d",
    "fine-tune": "f",
    "refit": "s",
    "retrain": "t",
    "retrain-tuned": "v",
    "retrain-updates": "u",
    "rewind": "w",
}
WORDS = {"refit": "solved again", "distil": "taught by the dense model", "retrain-tuned": "retrain, tuned again"}
ROUNDS = "r"
LOWEST, HIGHEST = 0.118, 0.165  # inches of a row
TALLEST = 7.0  # inches for all rows: a page with its caption


class Row(NamedTuple):
    """A rule for one unit; a heading where there is no criterion."""

    unit: str
    criterion: str


class Cell(NamedTuple):
    """What a rule for one unit removes safely from one model; sign: letters that say how."""

    model: str
    unit: str
    criterion: str
    removed_99: float
    confirmed: bool
    counts: bool
    sign: str


def caption(study: StudyEvidence, data: pd.DataFrame) -> str:
    signs = set("".join(data.loc[data["removed_99"] > 0, "sign"]))
    letters = [f"{sign}: {label(name)}" for name, sign in LETTERS.items() if sign in signs]
    letters += [f"{ROUNDS}: removed in rounds"] if ROUNDS in signs else []
    known = f" Letters say how ({'; '.join(letters)}; none: in one shot, nothing after it)." if letters else ""
    marked = explained(not data.loc[data["removed_99"] > 0, "counts"].all())
    return (
        f"Safe sparsity on {study.heading}, in per cent: {RULE.format(f'{STRICT:g}')}. Rules in rows, by the units "
        f"they remove; a cell is the best of the rule's schedules and recoveries by that bound.{known} Shares are of "
        "the units named, which are rows, neurons or splits where whole ones go. A dash: no measured share is safe; "
        "an empty cell: not measured; a star: the same bound does not hold on test. No bound is widened for the "
        f"number of rules.{marked}"
    )


@figure("safe-sparsity", caption=caption)
def safe_sparsity(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """The per cent that each rule removes safely from each model: one-sided 95 % lower bound of validation nDCG@10 at
    least 0.99 of dense. Rules in rows, by unit; models in columns, CF first; parameters on the left, samples on the
    right.

    A cell is the best of its schedules and recoveries, by the same bound on validation: a letter says which. Colour is
    the order of magnitude removed (90 %, 99 %, 99.9 %), "-" that no measured share was safe, an empty cell that the
    rule was not measured on the model; a star, that test did not confirm the choice. Returns the figure and what is
    written in it. Raises NothingToDrawError when nothing was pruned.
    """
    if not study.safe["side"].isin(list(SECTIONS)).any():
        raise NothingToDrawError("nothing was pruned: there is no safe sparsity to show")
    data = best_of_rules(study.safe)
    data = data.assign(sign=[_sign(row) for row in data.itertuples()]).reset_index(drop=True)
    sections = [name for name in SECTIONS if (data["removed from"] == name).any()]
    parts = {name: data[data["removed from"] == name] for name in sections}
    rows = {name: _rows(part) for name, part in parts.items()}
    models = {name: models_in_order(part) for name, part in parts.items()}
    with style.paper():
        tallest = max(map(len, rows.values()))
        height = float(np.clip(TALLEST / tallest, LOWEST, HIGHEST))
        width = style.SINGLE if len(sections) == 1 and len(models[sections[0]]) < 4 else style.DOUBLE
        picture = style.new_figure(width, 0.75 + height * tallest)
        widths = [len(models[name]) for name in sections]
        axes = picture.subplots(1, len(sections), squeeze=False, width_ratios=widths)[0]
        for ax, name in zip(axes, sections, strict=True):
            _grid(ax, parts[name], models[name], rows[name], tallest)
            # over one or two columns a line is wider than they are, and would leave the figure
            few = parts[name]["model"].nunique() < 3
            ax.set_title(SECTIONS[name].replace(" from ", "\nfrom ") if few else SECTIONS[name], fontsize=8, pad=3)
        _key(axes[-1], data, len(rows[sections[-1]]), tallest)
        style.settle(picture)
    return picture, data


def _sign(row) -> str:
    """Letters for rounds and recovery; nothing for what cannot be otherwise (smaller dense models and samples
    retrain)."""
    retrained = row.recovery == "retrain" and (row.criterion == "smaller-dense" or row.side == "samples")
    after = "" if row.recovery in ("", "none") or retrained else LETTERS.get(row.recovery, row.recovery)
    return (ROUNDS if row.schedule not in ONCE else "") + after


def _rows(data: pd.DataFrame) -> list[Row]:
    """Rules by unit, a heading before those of each; units of whole models (the smaller dense one) have none."""
    rows: list[Row] = []
    methods = methods_in_order(data.assign(schedule="", recovery=""))
    for unit in dict.fromkeys(sorted((method.unit for method in methods), key=_unit_place)):
        mine = [Row(unit, method.criterion) for method in methods if method.unit == unit]
        rows += ([Row(unit, "")] if unit else []) + list(dict.fromkeys(mine))
    return rows


def _unit_place(unit: str) -> tuple:
    known = [
        "weight",
        "n-of-m",
        "neighbour",
        "factor",
        "neuron",
        "split",
        "item-row",
        "user-row",
        "interaction",
        "user",
        "item",
    ]
    return (unit in ("", "model"), known.index(unit) if unit in known else len(known), unit)


def _grid(ax: Axes, data: pd.DataFrame, models: list[str], rows: list[Row], tallest: int) -> None:
    ax.set(xlim=(-0.5, len(models) - 0.5), ylim=(tallest - 0.5, -0.5))
    places = {name: place for place, name in enumerate(rows)}
    for cell in rows_as(Cell, data):
        _cell(ax, models.index(cell.model), places[Row(cell.unit, cell.criterion)], cell)
    ax.tick_params(length=0, labeltop=True, labelbottom=False, pad=2)
    ax.set_xticks(
        range(len(models)),
        [label(model) for model in models],
        fontsize=6.5,
        rotation=50,
        ha="left",
        rotation_mode="anchor",
    )
    ax.set_yticks(range(len(rows)), [_name(row) for row in rows], fontsize=6.5)
    families = dict(zip(data["model"], data["family"], strict=True))
    for tick, model in zip(ax.get_xticklabels(), models, strict=True):
        tick.set(color=style.FAMILIES.get(families[model], style.GREY), weight="bold")
    for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
        tick.set(style="normal" if row.criterion else "italic", color="black" if row.criterion else style.GREY)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _name(row: Row) -> str:
    if not row.criterion:
        return label(row.unit)
    return label(row.criterion, row.unit)


def _cell(ax: Axes, x: int, y: int, cell: Cell) -> None:
    removed = cell.removed_99
    depth = 0.0 if np.isnan(removed) else min(-np.log10(max(1 - removed, 1e-9)) / DEEPEST, 1.0)
    colour = colormaps["YlGnBu"](0.08 + 0.82 * depth) if depth else "#EEEEEE"
    ax.add_patch(Rectangle((x - 0.485, y - 0.46), 0.97, 0.92, color=colour, lw=0))
    ink = style.GREY if not depth else "white" if depth > 0.5 else "black"
    marks = f"{'' if cell.confirmed else '*'}{'' if cell.counts else DAGGER}{cell.sign and ' ' + cell.sign}"
    text = f"{percentage(removed)}{marks}" if depth else "–"
    ax.text(
        x, y, text, ha="center", va="center_baseline", fontsize=6 if len(text) < 5 else 5, color=ink
    )  # within the cell


def _key(ax: Axes, data: pd.DataFrame, used: int, tallest: int) -> None:
    """What letters and signs mean, under the shorter panel, or below the only one."""
    signs = set("".join(data.loc[data["removed_99"] > 0, "sign"]))
    lines = [f"{letter}  {WORDS.get(name, label(name))}" for name, letter in LETTERS.items() if letter in signs]
    lines += [f"{ROUNDS}  in rounds"] if ROUNDS in signs else []
    lines += ["*  not confirmed on test"]
    lines += [] if data.loc[data["removed_99"] > 0, "counts"].all() else [f"{DAGGER}  not above popularity"]
    lines += ["–  nothing is safe"]
    room = tallest - used
    if room > len(lines) + 1:
        ax.text(
            -0.45, used + 0.8, "\n".join(lines), ha="left", va="top", fontsize=6.5, color="#444444", linespacing=1.35
        )
    else:
        ax.figure.supxlabel("     ".join(lines), fontsize=6.5, color="#444444")
