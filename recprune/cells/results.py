"""The end of every notebook: its rows, and beside them the values of every user and further rows."""

from __future__ import annotations

import pandas as pd

from recprune.cells.further import write_further
from recprune.cells.parameters import Parameters
from recprune.cells.rows import PER_USER, canonical, empty, with_defaults, write_rows
from recprune.cells.users import VALUES, write_per_user
from recprune.datasets.naming import name_of


def finish(p: Parameters, frame: pd.DataFrame | None = None, further: pd.DataFrame | None = None) -> pd.DataFrame:
    """The canonical rows of a notebook, written to `p.out` when a run gave one.

    The values of every user, where the frame has them, go to a file beside them (see `recprune.cells.users`).
    `further` rows, of what is no cell (see `recprune.cells.further`), go to another file there.
    A run counts only when the file of rows appeared. A notebook without rows of its own (00-data,
    30-compare) calls `finish(p)`. Data set, protocol and run are the parameters', whatever the frame
    says. The rows are returned, so that the notebook can show them.
    """
    ours = {"dataset": name_of(p.dataset), "protocol": p.protocol, "run": p.run}
    frame = empty() if frame is None else frame.assign(**ours)
    rows = canonical(frame.drop(columns=PER_USER, errors="ignore"))
    if p.out and PER_USER in frame:
        write_per_user(p.out, with_defaults(frame).drop(columns=VALUES).rename(columns={PER_USER: VALUES}))
    if p.out and further is not None:
        write_further(p.out, further.assign(**ours))
    if p.out:
        write_rows(p.out, rows)
    return rows
