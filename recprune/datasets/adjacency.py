"""A published split: train.txt and test.txt, in each a line for a user: the user, then the items, blanks between.

It is the format of NGCF and LightGCN (He et al., SIGIR 2020), in which their splits of Gowalla, Yelp2018 and
Amazon-Book are passed on. The interface is that of `delimited.DelimitedFile`.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from recprune.datasets.layouts import SPLIT
from recprune.datasets.streams import decoded
from recprune.errors import DataError

FORM = "one line a user is needed: the user, then the items, blanks between"

Known = dict[str, dict[str, int]]  # user, item -> id -> code


@dataclass
class SplitFolder:
    """A folder with the two files; `part` is 0 for a row of train.txt, 1 for one of test.txt.

    places  after reading: file and line of each list, with the number of rows up to its end
    """

    path: Path
    columns: tuple[str, ...] = ("user", "item", "part")
    places: list[tuple[str, int, int]] = field(default_factory=list)

    def read(self, text: list[str], numbers: list[str]) -> dict[str, pd.Series]:
        """The columns `text` and `numbers`, a row for each interaction; ids as categories, four bytes a row.

        Raises DataError naming the line of a user who has one already, or the file that has no interactions.
        """
        self.places = []
        known: Known = {"user": {}, "item": {}}
        codes = {"user": array("i"), "item": array("i")}
        ends = [self._lists(file, known, codes) for file in SPLIT]
        columns = {
            name: pd.Series(pd.Categorical.from_codes(np.array(codes[name]), pd.Index(list(ids), dtype=object)))
            for name, ids in known.items()
        }
        part = np.repeat(np.arange(len(SPLIT), dtype=np.int8), np.diff(ends, prepend=0))
        return {name: pd.Series(part) if name == "part" else columns[name] for name in (*text, *numbers)}

    def _lists(self, file: str, known: Known, codes: dict[str, array]) -> int:
        """Appends the codes of a file's lists, and to `known` the ids that are new; returns the rows so far."""
        users, items = known["user"], known["item"]
        lines: dict[str, int] = {}
        for number, line in decoded(self.path / file, "utf-8"):
            user, *found = line.split() or [""]
            if not found:  # a user of whom nothing is in this part, or a blank line
                continue
            if user in lines:
                raise DataError(
                    f"{self.path / file}: line {number}: user {user!r} has line {lines[user]} already; {FORM}"
                )
            lines[user] = number
            codes["user"].extend([users.setdefault(user, len(users))] * len(found))
            codes["item"].extend([items.setdefault(item, len(items)) for item in found])
            self.places.append((file, number, len(codes["item"])))
        if not lines:
            raise DataError(f"{self.path / file}: no interactions; {FORM}")
        return len(codes["item"])

    def usable(self, column: str) -> bool:
        """Whether a column is of a type that can be read: all are."""
        return True

    def place(self, row: int) -> str:
        """File and line of a row, counted from 0; after reading."""
        file, line, _ = next(place for place in self.places if row < place[2])
        return f"{file}: line {line}"


def open_split(folder: Path) -> SplitFolder:
    """Raises DataError where one of the two files is not there."""
    missing = [file for file in SPLIT if not (folder / file).is_file()]
    if missing:
        raise DataError(f"{folder}: no {missing[0]}; a published split is {' and '.join(SPLIT)}")
    return SplitFolder(folder)
