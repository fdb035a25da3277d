"""The evidence behind the claims at a glance: every contrast of quality, model by model, with its interval."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from recprune.errors import NothingToDrawError
from recprune.report.claims.claim import Claim
from recprune.report.claims.compared import Compared, compared
from recprune.report.claims.contrasts import WORTH
from recprune.report.claims.measures import QUALITY
from recprune.report.claims.verdicts import verdict
from recprune.report.evidence.frames import rows_as
from recprune.report.evidence.labels import label, shortened
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import model_look, model_looks

WIDEST = 93  # characters of a claim
LINEAR = 5.0  # per cent; beyond, the axis is logarithmic
TICKS = (-100, -20, -5, -2, 0, 2, 5, 20, 100)
ROW, HEAD = 0.155, 0.235  # inches that a contrast and a claim take


class _Effect(NamedTuple):
    """A contrast on one model: (a - b) / dense with its interval, and what it says of the claim."""

    model: str
    family: str
    says: str
    effect: float
    lo: float
    hi: float


def caption(study: StudyEvidence, data: pd.DataFrame) -> str:
    return (
        f"Every contrast of quality behind the claims on {study.heading}, model by model: its effect in % of the dense "
        "model's test nDCG@10 with its 95 % interval over users and seeds. Filled: CF, "
        "hollow: deep; pale: undecided after Holm's correction over the comparisons of a claim. Grey band: less than "
        "1 % either way. Beyond 5 % the axis is logarithmic." + study.once(compared).sample
    )


@figure("claims", caption=caption)
def claims(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """The contrasts of quality behind the claims on a study: see `claims_figure`."""
    return claims_figure(study.once(compared))


def claims_figure(claimed: Compared) -> tuple[Figure, pd.DataFrame]:
    """Effects (a - b) / dense of all contrasts of quality, in % of the dense model's test nDCG@10, one row each.

    claimed  the claims with the comparisons of one study
    Markers are models, CF filled, deep hollow, bars their 95 % intervals; pale where Holm's correction leaves it
    undecided. The band are effects below 1 % either way. Returns the figure and what is drawn. Raises
    NothingToDrawError without comparisons.
    """
    found = claimed.found
    data = found[(found["measure"] == QUALITY) & (found["model"] != "")].reset_index(drop=True)
    if data.empty:
        raise NothingToDrawError("no contrast of quality has cells: there is nothing to draw")
    rows = [row for claim in claimed.claims for row in _rows(claim, data)]
    height = sum(HEAD if contrast is None else ROW for _, contrast in rows)
    with style.paper():
        picture = style.new_figure(style.DOUBLE, height + 0.75)
        ax = picture.subplots()
        _effects(ax, data, found, rows)
        _axes(ax, data)
        looks = model_looks(data)
        handles = [
            Line2D([], [], ls="", marker=look.marker, color=look.colour, fillstyle=look.fill, label=label(name))
            for name, look in looks.items()
        ]
        picture.legend(
            handles=handles, loc="outside lower center", ncols=min(len(handles), 8), handlelength=1.2, columnspacing=1.4
        )
        style.settle(picture)
    return picture, data


def _rows(claim: Claim, data: pd.DataFrame) -> list[tuple[Claim, str | None]]:
    there = set(data.loc[data["claim"] == claim.number, "contrast"])
    contrasts = [contrast.name for contrast in claim.contrasts if contrast.name in there]
    return [(claim, None), *((claim, name) for name in contrasts)] if contrasts else []


def _effects(ax: Axes, data: pd.DataFrame, found: pd.DataFrame, rows: list[tuple[Claim, str | None]]) -> None:
    y, ticks = 0.0, []
    for claim, contrast in rows:
        y += HEAD if contrast is None else ROW
        if contrast is None:
            mine = found[(found["claim"] == claim.number) & (found["model"] != "")]
            ax.annotate(
                f"{claim.number}. {shortened(claim.says.rstrip('.'), WIDEST)}: {verdict(mine['says'])}",
                (0.005, y),
                va="center",
                fontsize=7,
                weight="bold",
                xycoords=("figure fraction", "data"),
                annotation_clip=False,
            )
            continue
        ticks.append((y, contrast))
        mine = data[(data["claim"] == claim.number) & (data["contrast"] == contrast)]
        for place, row in enumerate(rows_as(_Effect, mine)):
            at = y + ROW * 0.62 * ((place + 0.5) / len(mine) - 0.5)
            look, ink = model_look(row.model, row.family), 0.4 if row.says == "undecided" else 1.0
            ax.plot([100 * row.lo, 100 * row.hi], [at, at], color=look.colour, lw=0.8, alpha=ink, solid_capstyle="butt")
            ax.plot(
                100 * row.effect,
                at,
                ls="",
                marker=look.marker,
                color=look.colour,
                fillstyle=look.fill,
                ms=3,
                mew=0.7,
                alpha=ink,
            )
    ax.set_yticks([at for at, _ in ticks], [contrast for _, contrast in ticks], fontsize=6.5)
    ax.set_ylim(y + ROW, 0)


def _axes(ax: Axes, data: pd.DataFrame) -> None:
    ax.axvspan(-100 * WORTH, 100 * WORTH, color="#EEEEEE", lw=0, zorder=0)
    ax.axvline(0, color=style.GREY, lw=0.6, zorder=1)
    ax.set_xscale("symlog", linthresh=LINEAR, linscale=1.6)
    ends = 100 * data[["lo", "hi"]].to_numpy()
    ax.set_xlim(min(-LINEAR, 1.3 * ends.min()), max(LINEAR, 1.3 * ends.max()))
    ax.xaxis.set_major_locator(FixedLocator(TICKS))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}" if value else "0"))
    ax.set_xlabel("effect, in % of the dense model's test nDCG@10")
    ax.tick_params(axis="y", length=0)
    ax.spines[["left", "right"]].set_visible(False)
