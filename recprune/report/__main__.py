"""python -m recprune.report WHAT --results FOLDER: from <FOLDER>/cells.csv and larger/*/cells.csv, without training."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl

from recprune import extensions
from recprune.errors import ReportError, StudyError
from recprune.interactions import DataError
from recprune.report.claims.compared import keep_compared
from recprune.report.docs import update
from recprune.report.evidence import Evidence, ProtocolsEvidence, StudyEvidence
from recprune.report.evidence.data_sets import write_data_sets
from recprune.report.evidence.searches import Search
from recprune.report.figures import drawings, write_figures
from recprune.report.page.writing import write_page
from recprune.report.paper import possible_paper, write_paper
from recprune.report.tables import tables, write_table, write_tables
from recprune.report.tables.reference import reference
from recprune.study.execution import interrupt
from recprune.study.execution.parent import end_with_parent
from recprune.study.load import extensions_of

MEASURED = (StudyEvidence, ProtocolsEvidence, Evidence)  # what the figures and tables of the page are of
# what is written -> the parts of it; what parts share is computed once
PARTS = {
    "figures": ("figures",),
    "tables": ("tables",),
    "page": ("page",),
    "all": ("figures", "tables", "page"),
    "paper": ("figures", "tables"),
}


def report(options: argparse.Namespace) -> Iterator[str]:
    """Figures, tables, page: those that `options.what` consists of."""
    yield from _report(Evidence(options.results), PARTS[options.what])


def paper(options: argparse.Namespace) -> Iterator[str]:
    """New figures and tables, and the PDF over them."""
    evidence = Evidence(options.results)
    possible_paper(evidence, options.study)  # before minutes of drawing, not after
    yield from _report(evidence, PARTS[options.what])
    yield str(write_paper(evidence, options.study))


def docs_parts(options: argparse.Namespace) -> Iterator[str]:
    """The generated parts of docs/."""
    yield ", ".join(map(str, update(Path("docs"), Evidence(options.results))))


def data_sets(options: argparse.Namespace) -> Iterator[str]:
    """The data behind the rows, counted."""
    yield str(write_data_sets(options.results, options.dataset) or "none of the data sets is to be had here")


def references(options: argparse.Namespace) -> Iterator[str]:
    """Dense models beside published numbers."""
    yield ", ".join(map(str, write_table(reference(options.results), options.results)))


def searches(options: argparse.Namespace) -> Iterator[str]:
    """Figures and tables of the searches of hyper-parameters."""
    results, evidence = options.results, Evidence(options.results)
    files = write_figures(drawings(evidence, (Search,)), results) + write_tables(tables(evidence, (Search,)), results)
    yield _counted(files, results)


Writer = Callable[[argparse.Namespace], Iterator[str]]
#: command -> who writes it (and says line by line what is there), and what it is
COMMANDS: dict[str, tuple[Writer, str]] = {
    "all": (report, "figures, tables and page"),
    "figures": (report, "figures, each with its CSV and caption"),
    "tables": (report, "tables: CSV, Markdown, LaTeX"),
    "page": (report, "report/index.html: the rows to explore, all figures and tables"),
    "paper": (paper, "figures, tables, and paper/paper.pdf over them; needs pdflatex"),
    "docs-parts": (docs_parts, "claims, expected values, methods and demands in docs/*.md"),
    "data-sets": (data_sets, "data-sets.csv: sizes and unevenness of the data behind the rows; needs the data"),
    "reference": (references, "tables/reference: the rows of reference*/cells.csv beside published numbers"),
    "tuning": (searches, "figures and tables of the searches in tuning/"),
}


def main(arguments: list[str] | None = None) -> int:
    """What is asked for is written; 0 when it is there, 1 with one line on stderr when it cannot be."""
    options = _parser().parse_args(arguments)
    mpl.use("Agg")  # files only: no window, no display needed
    try:
        _extend(options.config)
        for line in COMMANDS[options.what][0](options):
            print(line)
    except KeyboardInterrupt:
        print(interrupt.SAID, file=sys.stderr)
        return interrupt.STATUS
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
        rows = "the folder with cells.csv (default: results)"
        command.add_argument("--results", type=Path, default=Path("results"), metavar="FOLDER", help=rows)
        extended = "the study.toml whose `extensions` add figures, tables and criteria"
        command.add_argument("--config", type=Path, default=Path("study.toml"), metavar="FILE", help=extended)
        if name == "data-sets":
            command.add_argument("--dataset", default="", metavar="PATH", help="the rows' data set, where it is a file")
        if name == "paper":
            chosen = "which study of the rows; default: the one with the most rows"
            command.add_argument("--study", default="", help=chosen)
    return parser


def _extend(config: Path) -> None:
    """What a study.toml, where there is one, adds from outside the package is loaded, so that its names are known."""
    extensions.load(extensions_of(config) if config.exists() else [])


def _report(evidence: Evidence, parts: tuple[str, ...]) -> Iterator[str]:
    """The parts are written. Searches have figures and tables as files alone: the page is about what was measured."""
    results = evidence.folder
    drawn = list(drawings(evidence)) if {"figures", "page"} & set(parts) else []
    tabled = list(tables(evidence, MEASURED)) if {"tables", "page"} & set(parts) else []
    if "figures" in parts:
        yield _counted(write_figures([*drawn, *drawings(evidence, (Search,))], results), results / "figures")
    if "tables" in parts:
        yield _counted(write_tables([*tabled, *tables(evidence, (Search,))], results), results / "tables")
        for kept in keep_compared(evidence):
            yield f"{kept}: what the claims compare"
    if "page" in parts:
        yield str(write_page(evidence, drawn, tabled))


def _counted(files: list[Path], folder: Path) -> str:
    return f"{len(files)} files in {folder}"


if __name__ == "__main__":
    interrupt.listen()
    end_with_parent()
    sys.exit(main())
