"""Do fresh rows agree with the committed ones? Exactly (`compare`), or within the seed spread (`verify`)."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recprune.cells import further
from recprune.cells.rows import CELL, TIMING, read_rows
from recprune.errors import StudyError

CHECKED = ("val_ndcg@10", "test_ndcg@10", "val_recall@20", "test_recall@20")
ABSOLUTE = 0.002  # of a metric in [0, 1]: what another processor's rounding can move where the seeds agree by chance


@dataclass(frozen=True)
class Kind:
    """Cells or further rows: the columns that say what a row is of, and those whose means over seeds are held."""

    key: tuple[str, ...]
    checked: tuple[str, ...]

    @property
    def point(self) -> list[str]:
        """What the rows of all seeds of a point share."""
        return [column for column in self.key if column != "seed"]


CELLS = Kind(CELL, CHECKED)
FURTHER = Kind(further.KEY, ("value",))


class NothingCommitted(StudyError):
    """There are no committed rows: no git, no checkout, or no commit that holds the file."""


def verify(fresh: Path, reference: str | None = None) -> int:
    """Print where the means over seeds of `fresh` differ from the committed rows; 1 when any does, else 0.

    A point of a curve agrees when, for each of CHECKED, |mean - mean'| <= max(s', 0.002), with s' the
    committed standard deviation over the seeds; of further rows, for their value, |mean - mean'| <= max(s', 0.002 m)
    with m the larger of 1 and the committed mean. Of seeds, those count that both have. (The same seeds give the same
    splits, so that most of that spread is not at stake: in the tested environment the digits are the same.)
    """
    rows, kind = _read(fresh)
    expected, other = _read(reference) if reference else committed(fresh)
    _same_kind(fresh, kind, reference, other)
    found, lacking, differences = _differences(rows, expected, kind)
    name = reference or "the committed rows"
    for point in lacking:
        print(f"{fresh}: lacks {point}")
    if len(differences):
        print(f"{fresh}: {len(differences)} of {found} means differ from {name} beyond the seed spread, worst first:")
        print(differences.head(20).to_string(index=False, float_format="{:.4f}".format))
    if len(differences) or lacking:
        return 1
    print(f"{fresh}: all {found} means ({', '.join(kind.checked)}) agree with {name} within the seed spread")
    return 0


def committed(path: Path) -> tuple[pd.DataFrame, Kind]:
    """The rows of `path` as the last commit has them, and their kind. Raises NothingCommitted where there are none."""
    command = ["git", "show", f"HEAD:./{path.name}"]
    try:
        done = subprocess.run(command, cwd=path.resolve().parent, capture_output=True)
    except FileNotFoundError:
        raise NothingCommitted("git is not installed: name a file to compare with (--reference cells.csv)") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1]
        raise NothingCommitted(
            f"{path}: no committed rows to compare with ({said}); "
            "verify needs a git checkout of the project, or --reference cells.csv"
        )
    content = gzip.decompress(done.stdout) if path.suffix == ".gz" else done.stdout
    return _read(io.StringIO(content.decode()))


def _differences(rows: pd.DataFrame, expected: pd.DataFrame, kind: Kind) -> tuple[int, list[str], pd.DataFrame]:
    """How many means were compared, which points are missing, and a row per mean that is too far off, worst first."""
    sets = set(zip(rows["dataset"], rows["protocol"], strict=True))
    expected = expected[[pair in sets for pair in zip(expected["dataset"], expected["protocol"], strict=True)]]
    named = [table.assign(kept=_nominal(table, kind)) for table in (rows, expected)]
    ours, theirs = (_means(table, kind) for table in _same_seeds(*named, kind=kind))
    lacking = [_name(point) for point in theirs.index.difference(ours.index)]
    both = ours.index.intersection(theirs.index)
    found = []
    for column in kind.checked:
        a, b = ours.loc[both, column], theirs.loc[both, column]
        least = ABSOLUTE * (np.maximum(b["mean"].abs(), 1) if kind is FURTHER else 1)  # counts are no metrics
        allowed = np.maximum(b["std"].fillna(0), least)
        off = (a["mean"] - b["mean"]).abs()
        off = off.where(a["mean"].isna() == b["mean"].isna(), np.inf)  # measured in one of them only
        for point in both[(off > allowed).to_numpy()]:
            values = {"mean": a.loc[point, "mean"], "expected": b.loc[point, "mean"], "allowed": allowed[point]}
            found.append({"point": _name(point), "metric": column, **values, "times": off[point] / allowed[point]})
    table = pd.DataFrame(found, columns=["point", "metric", "mean", "expected", "allowed", "times"])
    return len(both) * len(kind.checked), lacking, table.sort_values("times", ascending=False)


def _same_seeds(*tables: pd.DataFrame, kind: Kind) -> list[pd.DataFrame]:
    """The rows of the seeds that both tables have of a point (another seed is another split), or all where none is."""
    points, seeds = (
        [pd.MultiIndex.from_frame(table[keys]) for table in tables] for keys in (kind.point, [*kind.point, "seed"])
    )
    shared = seeds[0].intersection(seeds[1])
    of = shared.droplevel("seed")
    return [
        table[seed.isin(shared) | ~point.isin(of)] for table, point, seed in zip(tables, points, seeds, strict=True)
    ]


def _means(rows: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Mean and standard deviation over seeds, per point of a curve."""
    return rows.groupby(kind.point)[list(kind.checked)].agg(["mean", "std"])


def _nominal(rows: pd.DataFrame, kind: Kind) -> pd.Series:
    """`kept`; for controls, whose share follows from a model's size, its rank among the seed's points of the curve."""
    by = [column for column in kind.key if column != "kept"]
    rank = rows.groupby(by)["kept"].rank(ascending=False)
    return rank.where(rows["side"] == "control", rows["kept"].round(6))


def _name(point: tuple) -> str:
    return " ".join(str(value) for value in point if value != "")


def compare(first: Path, second: Path) -> int:
    """Print the first cells in which two files of rows differ, timing columns apart; 1 when any does, else 0.

    Exact: two runs in one environment must give the same bytes. `run` is compared too. Rows beside the cells
    (`recprune.cells.further`) are compared likewise. Raises StudyError for one of each.
    """
    (a, kind), (b, other) = (_read(path) for path in (first, second))
    _same_kind(first, kind, second, other)
    a, b = (_without_clocks(rows, kind).set_index(list(kind.key)) for rows in (a, b))
    problems = [f"only in {first}: {_name(cell)}" for cell in a.index.difference(b.index)]
    problems += [f"only in {second}: {_name(cell)}" for cell in b.index.difference(a.index)]
    both = a.index.intersection(b.index)
    for column in a.columns:
        x, y = a.loc[both, column], b.loc[both, column]
        same = (x == y).fillna(False).astype(bool) | (x.isna() & y.isna())
        for cell in both[~same.to_numpy()]:
            problems.append(f"{column}: {x[cell]!r} and {y[cell]!r} in {_name(cell)}")
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    if problems:
        print(f"{first} and {second} differ in {len(problems)} places", file=sys.stderr)
        return 1
    print(f"{first} and {second}: {len(a)} rows, identical apart from the timing columns")
    return 0


def _read(source: str | Path | io.StringIO) -> tuple[pd.DataFrame, Kind]:
    """The rows of a file, or of the text of one, and their kind, which its first line says; of further rows those that
    no clock decided, of which nothing is expected."""
    if _header(source) != ",".join(further.COLUMNS):
        return read_rows(source), CELLS
    rows = further.read_file(source)
    return rows[~rows["measure"].str.endswith(further.CLOCK)], FURTHER


def _header(source: str | Path | io.StringIO) -> str:
    if isinstance(source, io.StringIO):
        return source.getvalue().partition("\n")[0]
    if not Path(source).exists():
        return ""
    open_text = gzip.open if Path(source).suffix == ".gz" else open
    with open_text(source, "rt", encoding="utf-8") as file:
        return file.readline().strip()


def _same_kind(first: Path, kind: Kind, second: object, other: Kind) -> None:
    if kind is not other:
        raise StudyError(f"{first} and {second}: one has cells, the other further rows; two of a kind are compared")


def _without_clocks(rows: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    return rows.drop(columns=list(TIMING)) if kind is CELLS else rows
