"""python -m recprune.report WHAT --results FOLDER: from <FOLDER>/cells.csv, without training."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl
import pandas as pd

from recprune.cells.rows import empty
from recprune.cells.users import read_per_user
from recprune.errors import ReportError, StudyError
from recprune.interactions import DataError
from recprune.report.cells import read_cells
from recprune.report.claims.claim import read_claims
from recprune.report.claims.compared import compared
from recprune.report.claims_figure import claims_drawings
from recprune.report.claims_tables import claims_tables
from recprune.report.data_sets import data_set_tables, write_data_sets
from recprune.report.figures import across_protocols, drawings, write_figures
from recprune.report.page import write_page
from recprune.report.paper import possible_paper, write_paper
from recprune.report.protocols_tables import protocol_tables
from recprune.report.readme import update
from recprune.report.reference import reference
from recprune.report.tables import tables, write_table, write_tables
from recprune.report.tuning import tuning_drawings, tuning_tables

# what is written -> the parts of it; what parts share is computed once
PARTS = {
    "figures": ("figures",),
    "tables": ("tables",),
    "page": ("page",),
    "all": ("figures", "tables", "page"),
    "paper": ("figures", "tables"),
}


def evidence(options: argparse.Namespace) -> Iterator[str]:
    """Figures, tables, page: those that `options.what` consists of."""
    results, parts = options.results, PARTS[options.what]
    cells, claims, protocols = read_cells(results / "cells.csv"), read_claims(), _protocols(results)
    studied = compared(cells, read_per_user(results), claims)
    drawn, tabled = [], []
    if {"figures", "page"} & set(parts):
        drawn = [*drawings(cells), *claims_drawings(claims, studied), *across_protocols(protocols)]
    if {"tables", "page"} & set(parts):
        tabled = [
            *tables(cells),
            *claims_tables(claims, studied),
            *data_set_tables(results, cells),
            *protocol_tables(protocols),
        ]
    if "figures" in parts:
        yield _counted(write_figures([*drawn, *tuning_drawings(results)], results), results / "figures")
    if "tables" in parts:
        yield _counted(write_tables(tabled, results) + _tuning_tables(results), results / "tables")
    if "page" in parts:
        yield str(write_page(pd.concat([cells, _others(protocols, cells)]), drawn, tabled, results))


def paper(options: argparse.Namespace) -> Iterator[str]:
    """New figures and tables, and the PDF over them."""
    possible_paper(options.results, options.study)  # before minutes of drawing, not after
    yield from evidence(options)
    yield str(write_paper(options.results, options.study))


def readme(options: argparse.Namespace) -> Iterator[str]:
    """The generated blocks of README.md."""
    yield str(update(Path("README.md"), read_cells(options.results / "cells.csv"), read_per_user(options.results)))


def data_sets(options: argparse.Namespace) -> Iterator[str]:
    """The data behind the rows, counted."""
    yield str(write_data_sets(options.results, options.dataset) or "none of the data sets is to be had here")


def references(options: argparse.Namespace) -> Iterator[str]:
    """Dense models beside published numbers."""
    yield ", ".join(map(str, write_table(reference(options.results), options.results)))


def searches(options: argparse.Namespace) -> Iterator[str]:
    """Figures and tables of the searches of hyper-parameters."""
    results = options.results
    yield _counted(write_figures(tuning_drawings(results), results) + _tuning_tables(results), results)


Writer = Callable[[argparse.Namespace], Iterator[str]]
#: command -> who writes it (and says line by line what is there), and what it is
COMMANDS: dict[str, tuple[Writer, str]] = {
    "all": (evidence, "figures, tables and page"),
    "figures": (evidence, "figures, each with its CSV and caption"),
    "tables": (evidence, "tables: CSV, Markdown, LaTeX"),
    "page": (evidence, "report/index.html: the rows to explore, all figures and tables"),
    "paper": (paper, "figures, tables, and paper/paper.pdf over them; needs pdflatex"),
    "readme": (readme, "claims, expected values and methods in README.md"),
    "data-sets": (data_sets, "data-sets.csv: sizes and unevenness of the data behind the rows; needs the data"),
    "reference": (references, "tables/reference: the rows of reference*/cells.csv beside published numbers"),
    "tuning": (searches, "figures and tables of the searches in tuning/"),
}


def main(arguments: list[str] | None = None) -> int:
    """Write what is asked for; 0 when it is there, 1 with one line on stderr when it cannot be."""
    options = _parser().parse_args(arguments)
    mpl.use("Agg")  # files only: no window, no display needed
    try:
        for line in COMMANDS[options.what][0](options):
            print(line)
    except (ReportError, StudyError, DataError, OSError) as error:
        print(f"recprune.report: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recprune.report", description="Figures, tables, page and paper from measured rows."
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for name, (_, written) in COMMANDS.items():
        command = commands.add_parser(name, help=written, description=written)
        command.add_argument(
            "--results",
            type=Path,
            default=Path("results"),
            metavar="FOLDER",
            help="the folder with cells.csv (default: results)",
        )
        if name == "data-sets":
            command.add_argument("--dataset", default="", metavar="PATH", help="the rows' data set, where it is a file")
        if name == "paper":
            command.add_argument(
                "--study", default="", help="which study of the rows; default: the one with the most rows"
            )
    return parser


def _counted(files: list[Path], folder: Path) -> str:
    return f"{len(files)} files in {folder}"


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
