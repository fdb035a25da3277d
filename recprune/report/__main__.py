"""python -m recprune.report figures|tables|page|readme|all --results FOLDER: from <FOLDER>/cells.csv, without training.

`reference` puts the rows of <FOLDER>/reference*/cells.csv beside published numbers, `tuning` shows the searches
in <FOLDER>/tuning.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib as mpl
import pandas as pd

from recprune.report.cells import ReportError, read_cells
from recprune.report.claims import read_claims
from recprune.report.claims_figure import claims_drawings
from recprune.report.claims_tables import claims_tables, compared
from recprune.report.data_sets import data_set_tables
from recprune.report.figures import across_protocols, drawings, write_figures
from recprune.report.page import write_page
from recprune.report.protocols_tables import protocol_tables
from recprune.report.readme import update
from recprune.report.reference import reference
from recprune.report.tables import tables, write_table, write_tables
from recprune.report.tuning import tuning_drawings, tuning_tables
from recprune.study.config import StudyError
from recprune.study.per_user import read_per_user
from recprune.study.rows import empty


def main(arguments: list[str] | None = None) -> int:
    """Write what is asked for; 0 when it is there, 1 with one line on stderr when it cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m recprune.report", description="Figures, tables and a page from measured rows."
    )
    parser.add_argument("what", choices=["figures", "tables", "page", "readme", "reference", "tuning", "all"])
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        metavar="FOLDER",
        help="the folder with cells.csv (default: results)",
    )
    options = parser.parse_args(arguments)
    mpl.use("Agg")  # files only: no window, no display needed
    try:
        if options.what == "reference":
            print(", ".join(map(str, write_table(reference(options.results), options.results))))
            return 0
        if options.what == "tuning":
            files = write_figures(tuning_drawings(options.results), options.results) + _tuning_tables(options.results)
            print(f"{len(files)} files in {options.results}")
            return 0
        cells = read_cells(options.results / "cells.csv")
        if options.what == "readme":
            print(update(Path("README.md"), cells, read_per_user(options.results)))
            return 0
        claims = read_claims()
        studied = compared(cells, read_per_user(options.results), claims)
        protocols = _protocols(options.results)
        drawn, tabled = [], []
        if options.what != "tables":
            drawn = [*drawings(cells), *claims_drawings(claims, studied), *across_protocols(protocols)]
        if options.what != "figures":
            tabled = [*tables(cells), *claims_tables(claims, studied), *data_set_tables(options.results, cells), *protocol_tables(protocols)]
        if options.what in ("figures", "all"):
            files = write_figures([*drawn, *tuning_drawings(options.results)], options.results)
            print(f"{len(files)} files in {options.results / 'figures'}")
        if options.what in ("tables", "all"):
            files = write_tables(tabled, options.results) + _tuning_tables(options.results)
            print(f"{len(files)} files in {options.results / 'tables'}")
        if options.what in ("page", "all"):
            print(write_page(pd.concat([cells, _others(protocols, cells)]), drawn, tabled, options.results))
    except (ReportError, StudyError, OSError) as error:
        print(f"recprune.report: {error}", file=sys.stderr)
        return 1
    return 0


def _protocols(results: Path) -> pd.DataFrame:
    """The rows that `make protocols` left below `results`, if it did: their comparison belongs to the report of all."""
    path = results / "protocols" / "cells.csv"
    return read_cells(path) if path.exists() else empty()


def _others(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The rows of data sets and protocols that `cells` has none of."""
    known = set(zip(cells["dataset"], cells["protocol"], strict=True))
    return rows[[pair not in known for pair in zip(rows["dataset"], rows["protocol"], strict=True)]]


def _tuning_tables(results: Path) -> list[Path]:
    return [path for table in tuning_tables(results) for path in write_table(table, results)]


if __name__ == "__main__":
    sys.exit(main())
