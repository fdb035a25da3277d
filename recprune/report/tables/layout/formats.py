"""How the numbers of a column become the text that readers see."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from recprune.report.evidence.labels import label, percent


@dataclass(frozen=True)
class Format:
    """A way to write the cells of a column.

    write    what a cell is made of, one number or several -> its text
    missing  the text where the first of them is missing
    left     whether the column is set to the left, as names and sentences are
    number   whether cells are in order by their first number; words are in order by themselves
    """

    write: Callable[..., str]
    missing: str = ""
    left: bool = False
    number: bool = True

    def __call__(self, *values) -> str:
        """The text of one cell."""
        return self.missing if _is_missing(values[0]) else self.write(*values)


def _is_missing(value) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def in_units(number: float, units: tuple[str, ...]) -> str:
    """A number to three digits, in the first of `units` (each a thousand of the last) that keeps it below 1,000."""
    for unit in units[:-1]:
        if number < 999.5:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:.3g}{units[-1]}"


def human(size: float) -> str:
    """Bytes in words: 1 kB = 1,000 B."""
    return in_units(size, (" B", " kB", " MB", " GB"))


def count(number: float) -> str:
    """A count in few characters: 950, 12.5 k, 1.03 M."""
    return in_units(number, ("", " k", " M", " G"))


def per_cent(ratio: float) -> str:
    """A ratio in per cent, to two digits, without an exponent: 22 %, 0.43 %."""
    return f"{float(format(100 * ratio, '.2g')):g} %"


def plus_minus(mean: float, spread: float) -> str:
    """A mean and its standard deviation, 0.2345 ± 0.0012; without the spread where there is none."""
    return f"{mean:.4f}" if math.isnan(spread) else f"{mean:.4f} ± {spread:.4f}"


def interval(ratio: float, low: float, high: float) -> str:
    """A ratio and its interval, 0.995 [0.991, 0.999]; without the interval where there is none."""
    return f"{ratio:.3f}" if math.isnan(low) or math.isnan(high) else f"{ratio:.3f} [{low:.3f}, {high:.3f}]"


def starred(ratio: float, low: float, high: float, is_confirmed: bool) -> str:
    """The same with a star where test did not confirm it."""
    return interval(ratio, low, high) + ("" if is_confirmed else "*")


def between(low: float, high: float) -> str:
    """The ends of an interval alone, [0.2301, 0.2389], or nothing."""
    return "" if math.isnan(high) else f"[{low:.4f}, {high:.4f}]"


def of_numbers(pattern: str) -> Format:
    """A format that fills the numbers of a cell into a pattern of `str.format`."""
    return Format(pattern.format)


WORDS = Format(str, left=True, number=False)
LABELS = Format(label, left=True, number=False)
TEXT = Format(str, number=False)  # words in a column of numbers' company, set to the right
WHOLE, GROUPED = of_numbers("{:.0f}"), of_numbers("{:,.0f}")
TWO, THREE, FOUR = of_numbers("{:.2f}"), of_numbers("{:.3f}"), of_numbers("{:.4f}")  # digits after the point
TWO_DIGITS, THREE_DIGITS = of_numbers("{:.2g}"), of_numbers("{:.3g}")
BYTES, COUNT, MEGABYTES = Format(human), Format(count), of_numbers("{:,.0f} MB")
REMOVED_IF_MEASURED = Format(percent)  # a share
MEAN, RATIO, STARRED, BETWEEN = Format(plus_minus), Format(interval), Format(starred), Format(between)
