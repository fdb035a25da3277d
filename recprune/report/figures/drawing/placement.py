"""Words inside a plot, put where they cover nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

DISTANCES, NEAR = (5, 13, 24, 38, 54), (4, 8)  # points between an anchor and its text
TOUCHING = 8  # beyond, a thin line ties them


@dataclass(frozen=True)
class Words:
    """A text, its colour, and the points (data coordinates) that it may stand beside, best first."""

    text: str
    colour: str
    anchors: Sequence[tuple[float, float]]


def place(ax: Axes, words: Sequence[Words], obstacles: np.ndarray, size: float = 7, far: bool = True) -> None:
    """Write each of `words` beside one of its anchors, where it covers least of what is there.

    obstacles  (n, 2) data coordinates of what is drawn; earlier words are obstacles to later ones
    far        also try places further away, tied to the anchor by a thin line
    The layout of the figure must have been settled.
    """
    covered = ax.transData.transform(obstacles) if len(obstacles) else np.empty((0, 2))
    frame, distances = ax.get_window_extent(), DISTANCES if far else NEAR
    taken: list[Spot] = []
    for word in words:
        spots = _spots(ax, word, size, distances)
        taken.append(_cheapest((spot.cost + _cost(spot, covered, taken, frame), spot) for spot in spots))
        _write(ax, word, taken[-1], size)


def _cheapest(spots: Iterator[tuple[float, Spot]]) -> Spot:
    """The first of the spots, with their costs, that no other beats by more than an error of rounding."""
    lowest, best = next(spots)
    for cost, spot in spots:
        if cost < lowest - 1e-6:
            lowest, best = cost, spot
    return best


@dataclass(frozen=True)
class Spot:
    """A place for a text: where it stands, and what it covers.

    offset    from the anchor, in points, in the direction of (right, up), `distance` points away
    box, tie  (left, bottom, right, top) of the text and points on the line to its anchor, in pixels
    cost      of the place itself: a later anchor, a longer way
    """

    anchor: tuple[float, float]
    offset: np.ndarray
    right: float
    up: float
    distance: float
    box: np.ndarray
    tie: np.ndarray
    cost: float


def _spots(ax: Axes, word: Words, size: float, distances: tuple[float, ...]) -> Iterator[Spot]:
    """All places that a text may take."""
    text = ax.annotate(word.text, word.anchors[0], (0, 0), textcoords="offset points", fontsize=size)
    extent = text.get_window_extent()
    text.remove()
    scale = ax.figure.dpi / 72
    for rank, anchor in enumerate(word.anchors):
        origin = ax.transData.transform(anchor)
        for distance in distances:
            for angle in np.deg2rad([0, 180, 90, 270, 45, 135, 225, 315]):
                right, up = np.cos(angle), np.sin(angle)
                offset = distance * np.array([right, up])
                box = _box(origin + offset * scale, extent.width, extent.height, right, up)
                tied = origin + np.linspace(0, 1, 20)[:, None] * offset * scale
                tie = tied if distance > TOUCHING else origin[None]
                yield Spot(anchor, offset, right, up, distance, box, tie, 1.5 * rank + distance / 12)


def _write(ax: Axes, word: Words, spot: Spot, size: float) -> None:
    line = {"arrowstyle": "-", "color": word.colour, "lw": 0.5, "shrinkA": 0, "shrinkB": 2}
    ax.annotate(
        word.text,
        spot.anchor,
        (spot.offset[0], spot.offset[1]),
        textcoords="offset points",
        fontsize=size,
        color=word.colour,
        arrowprops=line if spot.distance > TOUCHING else None,
        ha=_side(spot.right, "left", "right"),
        va=_side(spot.up, "bottom", "top"),
        zorder=9,
        path_effects=[withStroke(linewidth=1.5, foreground="white")],
    ).set_in_layout(False)


def _side(direction: float, positive: str, negative: str) -> str:
    return "center" if abs(direction) < 0.1 else positive if direction > 0 else negative


def _box(origin: np.ndarray, width: float, height: float, right: float, up: float) -> np.ndarray:
    """(left, bottom, right, top) in pixels of a text that stands at `origin` and grows in that direction."""
    left = origin[0] - width * {"left": 0, "center": 0.5, "right": 1}[_side(right, "left", "right")]
    bottom = origin[1] - height * {"bottom": 0, "center": 0.5, "top": 1}[_side(up, "bottom", "top")]
    return np.array([left, bottom, left + width, bottom + height])


def _cost(spot: Spot, covered: np.ndarray, taken: list[Spot], frame) -> float:
    """What a text covers there: points, other words and their lines, or the edge of the panel."""
    left, bottom, right, top = spot.box
    cost = 2.0 * _inside(spot.box, covered)
    for other in taken:
        wide = min(right, other.box[2]) - max(left, other.box[0])
        high = min(top, other.box[3]) - max(bottom, other.box[1])
        cost += 1000 * (wide > -2 and high > -2)  # words over words cannot be read, words over points can
        cost += 20 * (_inside(spot.box, other.tie) + _inside(other.box, spot.tie))
    outside = left < frame.x0 + 2 or right > frame.x1 or bottom < frame.y0 or top > frame.y1
    return cost + 200 * outside


def _inside(box: np.ndarray, *points: np.ndarray) -> int:
    """How many of the points the box covers, or nearly."""
    left, bottom, right, top = box + np.array([-3, -2, 3, 2])
    return sum(
        int(((some[:, 0] > left) & (some[:, 0] < right) & (some[:, 1] > bottom) & (some[:, 1] < top)).sum())
        for some in points
    )


def along(x: ArrayLike, y: ArrayLike, log: bool = True, steps: int = 12) -> np.ndarray:
    """(m, 2) points on the polyline through (x, y), close enough together to keep words off the line."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) < 2:
        return np.column_stack([x, y])
    t = np.linspace(0, len(x) - 1, steps * (len(x) - 1) + 1)
    across = np.interp(t, np.arange(len(x)), np.log(x) if log else x)
    return np.column_stack([np.exp(across) if log else across, np.interp(t, np.arange(len(y)), y)])
