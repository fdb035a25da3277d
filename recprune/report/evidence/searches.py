"""What `make tune` searched and found, from <results>/tuning alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import gammaln

from recprune.errors import ReportError, StudyError
from recprune.report.evidence.cells import study_name
from recprune.report.evidence.frames import read_table
from recprune.typed import named, parse, read_toml

#: the columns of trials that are shown, and their types
KINDS = {"trial": "int64", "state": "str", "val_ndcg@10": "float64", "seconds": "float64"}


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What a table [MODEL] of tuned.toml must have to be shown."""

    search: dict


@dataclass(frozen=True)
class Search:
    """The searches of all models on one data set under one protocol: <results>/tuning/<data set>/<protocol>."""

    folder: Path

    @property
    def dataset(self) -> str:
        return self.folder.parent.name

    @property
    def protocol(self) -> str:
        return self.folder.name

    @property
    def name(self) -> str:
        """The study's name."""
        return study_name(self.dataset, self.protocol)

    @cached_property
    def tuned(self) -> dict[str, dict]:
        """Model -> what was chosen for it, and how it was searched (tuned.toml)."""
        path = self.folder / "tuned.toml"
        try:
            tables = read_toml(path)
            with named(path):
                for model, table in tables.items():
                    if isinstance(table, dict):
                        parse(_Found, {"search": table.get("search")}, model)
        except StudyError as error:
            raise ReportError(str(error)) from None
        if not tables:
            raise ReportError(f"{path}: holds no model; remove the folder, or `make tune` searches again")
        return tables

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Every trial, one row each, models in the order of tuned.toml.

        seconds  of processor time since the search began
        best     highest validation nDCG@10 up to this trial
        expected, lo, hi   of the best of as many trials, in any order (see `expected_best`)
        """
        frames = []
        for model in self.tuned:
            rows = read_table(self.folder / f"{model}.csv", KINDS, "`make tune`", KINDS)[list(KINDS)]
            rows["seconds"] = rows["seconds"].cumsum()
            scores = rows["val_ndcg@10"]
            best = expected_best(scores.to_numpy()).set_axis(rows.index)
            frames.append(pd.concat([rows.assign(model=model, best=scores.fillna(-np.inf).cummax()), best], axis=1))
        columns = ["model", "trial", "state", "seconds", "val_ndcg@10", "best", "expected", "lo", "hi"]
        return pd.concat(frames, ignore_index=True)[columns]


def expected_best(scores: np.ndarray) -> pd.DataFrame:
    """What the best of the first n trials is worth when they come in any order, a row for each n from 1 to all.

    scores  (n_trials,) higher is better; a trial that failed (NaN) finds nothing and counts as 0
    Dodge et al. (2019, EMNLP, sec. 3) draw n of the N scores with replacement. Here they are drawn without, as trials
    that ran can be put in any order; with scores s_1 <= ... <= s_N this is exact:

        P(best of n <= s_i) = C(i, n) / C(N, n)

    expected  the mean;  lo, hi  2.5 % and 97.5 % quantiles: the least s_i of which at most so many are better
    At n = N it is the best that was found, without a spread: what other trials would find is not in it. A search that
    learns has better trials late, so its first n are on average worse than any n.
    """
    ordered = np.sort(np.nan_to_num(np.asarray(scores, np.float64)))
    total = len(ordered)
    n, place = np.arange(1, total + 1)[:, None], np.arange(total + 1)[None]
    below = np.where(place >= n, np.exp(_log_choose(np.maximum(place, n), n) - _log_choose(total, n)), 0.0)
    quantiles = [ordered[np.argmax(below[:, 1:] >= level - 1e-12, axis=1)] for level in (0.025, 0.975)]
    return pd.DataFrame({"expected": np.diff(below, axis=1) @ ordered, "lo": quantiles[0], "hi": quantiles[1]})


def _log_choose(n: np.ndarray | int, k: np.ndarray) -> np.ndarray:
    return gammaln(np.add(n, 1)) - gammaln(k + 1) - gammaln(np.subtract(n, k) + 1)


def searches(results: Path) -> Iterator[Search]:
    """Every search there is."""
    for path in sorted(Path(results).glob("tuning/*/*/tuned.toml")):
        yield Search(path.parent)
