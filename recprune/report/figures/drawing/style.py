"""How everything looks: sizes, fonts, one colour and one marker per thing.

Colours are Paul Tol's bright scheme (https://personal.sron.nl/~pault/, safe for colour-blind readers)
and a few of his vibrant and muted ones. No series is told apart by colour alone.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.typing import FillStyleType
from PIL import Image

from recprune.pruning import SAMPLE_UNITS
from recprune.report.evidence.methods import Method

SINGLE, DOUBLE = 3.3, 6.9  # inches: one column and two columns of a paper

BLUE, RED, GREEN, YELLOW, CYAN, PURPLE = "#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377"
ORANGE, TEAL, INDIGO, WINE, OLIVE, SAND = "#EE7733", "#009988", "#332288", "#882255", "#999933", "#BB9955"
BLACK, GREY, PALE = "#000000", "#808080", "#BBBBBB"

FAMILIES = {"cf": INDIGO, "deep": "#BB3311", "other": GREY}

#: one colour and marker per recommender: cold and filled for CF, warm and hollow for deep
MODELS = {
    "item-knn": (CYAN, "^"),
    "ials": (BLUE, "s"),
    "bpr": (TEAL, "D"),
    "ease": (INDIGO, "o"),
    "elsa": (GREEN, "<"),
    "neumf": (ORANGE, "v"),
    "mult-vae": (WINE, "P"),
    "dlrm": (RED, "X"),
    "sasrec": (SAND, "p"),
    "tree": (GREY, "h"),
}
#: one colour and marker per criterion; names that never share a figure may look alike
CRITERIA = {
    "magnitude": (BLUE, "o"),
    "magnitude-layer": (CYAN, "^"),
    "neighbours": (GREEN, "v"),
    "principal-axes": (PURPLE, "D"),
    "activation-variance": (OLIVE, "p"),
    "activation-variance-axes": (TEAL, "d"),
    "mutual-information": (ORANGE, "X"),
    "mutual-information-axes": (SAND, "<"),
    "taylor": (RED, "P"),
    "taylor-apart": (WINE, ">"),
    "brain-surgeon": (GREEN, "v"),
    "cost-complexity": (GREEN, "v"),
    "snip": (WINE, "h"),
    "proximal-l1": (GREEN, "v"),
    "proximal-l1-clip": (TEAL, "^"),
    "l2-threshold": (ORANGE, "X"),
    "l2-threshold-clip": (SAND, "d"),
    "soft-threshold": (PURPLE, "D"),
    "clip": (OLIVE, "p"),
    "train-longer": (BLACK, ">"),
    "slim": (GREEN, "v"),
    "group-lasso": (INDIGO, "<"),
    "group-lasso-clip": (CYAN, ">"),
    "stratified": (BLUE, "o"),
    "weight": (TEAL, "^"),
    "loss": (RED, "P"),
    "gradient": (PURPLE, "D"),
    "forgetting": (ORANGE, "X"),
    "score-variance": (OLIVE, "p"),
    "leverage": (BLUE, "o"),
    "mutual-information-redundant": (SAND, "<"),
    "inverse-propensity": (GREEN, "v"),
    "inverse-propensity-weighted": (ORANGE, "X"),
    "k-core": (WINE, "h"),
    "recency": (PURPLE, "D"),
    "representative": (BLUE, "o"),
    "segment": (RED, "P"),
    "segment-learnt": (ORANGE, "X"),
    "random": (GREY, "x"),
    "mask-shuffle": (GREY, "1"),
    "zero-reset": (GREY, "*"),
    "train-on": (BLACK, "d"),
    "smaller-dense": (BLACK, "s"),
}
#: for names that are in neither list
SPARE_COLOURS = (TEAL, ORANGE, WINE, SAND, INDIGO, YELLOW, RED, GREEN)
SPARE_MARKERS = ("h", "d", "<", ">", "H", "8", "p", "P")
UNFILLED = ("x", "+", "1", "2", "3", "4")

LINES: dict[str, str | tuple] = {
    "retrain-updates": (0, (3, 1, 1, 1, 1, 1)),
    "fine-tune": (0, (6, 1.5)),
    "retrain": (0, (5, 1, 1, 1)),
    "rewind": "-.",
    "none": (0, (1, 1.2)),
}

SAFE_LINE: dict[str, Any] = {
    "color": "black",
    "lw": 0.7,
    "ls": (0, (1, 1.5)),
    "zorder": 1,
}  # where a loss stops being safe


@dataclass(frozen=True)
class Look:
    """How a series is drawn."""

    colour: str
    marker: str
    line: str | tuple = "-"
    fill: FillStyleType = "full"

    def line_style(self) -> dict[str, Any]:
        """The look as arguments of a line of matplotlib's."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": self.line,
            "fillstyle": self.fill,
            "markerfacecoloralt": "white",
        }


def _spare(name: str) -> tuple[str, str]:
    code = zlib.crc32(name.encode())
    return SPARE_COLOURS[code % len(SPARE_COLOURS)], SPARE_MARKERS[code // 8 % len(SPARE_MARKERS)]


def model_look(model: str, family: str) -> Look:
    """CF filled, deep hollow, so that the families stay apart in grey."""
    colour, marker = MODELS.get(model) or (FAMILIES.get(family, GREY), _spare(model)[1])
    return Look(colour, marker, fill="none" if family == "deep" else "full")


def model_looks(data: pd.DataFrame) -> dict[str, Look]:
    """A look for each model of a table with the columns model and family."""
    families = dict(zip(data["model"], data["family"], strict=True))
    return {model: model_look(model, family) for model, family in families.items()}


def method_look(method: Method) -> Look:
    """Colour and marker say the criterion, the line the recovery, the filling of the marker the schedule or unit."""
    colour, marker = CRITERIA.get(method.criterion) or _spare(method.criterion)
    if method.criterion == "smaller-dense":
        return Look(BLACK, marker, (0, (4, 2)), "none")
    if method.criterion == "zero-reset":
        return Look(colour, marker, "")  # a point, not a path
    single = method.unit in ("", "weight", "interaction", "model")
    schedules: dict[str, FillStyleType] = {"linear": "left", "cubic": "bottom", "geometric": "top"}
    fill: FillStyleType = "full" if marker in UNFILLED else schedules.get(method.schedule, "full" if single else "none")
    line = "-" if method.unit in SAMPLE_UNITS else LINES.get(method.recovery, "-")  # samples: always retrained
    return Look(colour, marker, line, fill)


def method_looks(methods: Iterable[Method]) -> dict[Method, Look]:
    """A look for each method of one figure; of two that would look alike, the later one takes a spare marker."""
    looks: dict[Method, Look] = {}
    for method in methods:
        first = method_look(method)
        spare = UNFILLED if first.marker in UNFILLED else SPARE_MARKERS
        others = (replace(first, marker=marker) for marker in spare)
        looks[method] = next((look for look in (first, *others) if look not in looks.values()), first)
    return looks


_PAPER = mpl.RcParams(
    {
        "font.family": "DejaVu Sans",
        "font.size": 8,
        "axes.titlesize": 8,
        "axes.labelsize": 8,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7,
        "legend.frameon": False,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.minor.width": 0.4,
        "ytick.minor.width": 0.4,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "xtick.minor.size": 1.5,
        "ytick.minor.size": 1.5,
        "lines.linewidth": 1.1,
        "lines.markersize": 3.6,
        "lines.markeredgewidth": 0.8,
        "figure.constrained_layout.h_pad": 0.03,
        "figure.constrained_layout.w_pad": 0.03,
        "figure.dpi": 150,
        "savefig.dpi": 180,  # of PNGs, which are for screens and are committed; what is printed is drawn in lines
        "savefig.bbox": None,  # "tight" would change the width
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "recprune",
        "text.parse_math": False,  # names may hold a dollar sign
        "text.usetex": False,
    }
)


@contextmanager
def paper():
    """Settings under which every figure is drawn and saved, whatever the reader's own settings are."""
    with mpl.rc_context():
        mpl.rcParams.update(
            {k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith(("backend", "interactive"))}
        )
        mpl.rcParams.update(_PAPER)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that many inches. pyplot makes it, so that notebooks show it, and forgets it at once."""
    figure = plt.figure(figsize=(width, height), layout="constrained")
    plt.close(figure)
    return figure


def settle(figure: Figure) -> None:
    """Fix the layout of a finished figure. Each drawing would go on improving it from the last one's, so that
    the bytes of a file would depend on which files were made before."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


FORMATS = ("pdf", "svg", "png")
# No date goes into a file: the same rows give the same bytes.
_METADATA = {"pdf": {"CreationDate": None, "ModDate": None}, "svg": {"Date": None}, "png": {}}


def render(figure: Figure, form: str) -> bytes:
    """The figure as a file of `form` ("pdf", "svg" or "png"); the same figure gives the same bytes. A PNG has the dots
    an inch that all have, or more where the figure itself does."""
    buffer = io.BytesIO()
    with paper():
        dots = {"dpi": max(figure.dpi, mpl.rcParams["savefig.dpi"])} if form == "png" else {}
        figure.savefig(buffer, format=form, metadata=_METADATA[form], **dots)
    return _with_palette(buffer) if form == "png" else buffer.getvalue()


def _with_palette(png: io.BytesIO) -> bytes:
    """The picture in 256 colours, none of them far from what it was: a third of the bytes."""
    with Image.open(png) as picture:
        few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        few.save(buffer, "png", optimize=True, dpi=picture.info["dpi"])
    return buffer.getvalue()
