"""The paper as PDF: paper/main.tex over the figures and tables of a results folder.

pdflatex runs in a folder of its own, so no path of the checkout matters, and nothing but the PDF is left. The same
figures, tables and rows give the same bytes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pandas as pd

from recprune.datasets.registry import ROOT
from recprune.errors import ReportError
from recprune.files import write_atomically
from recprune.report.cells import read_cells, studies
from recprune.report.numbers import numbers, to_macros

SOURCE = ROOT / "paper" / "main.tex"
PASSES = 3  # a longtable finds its columns in the second, the references follow
_ENVIRONMENT = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "max_print_line": "1000"}


def write_paper(results: Path, study: str = "", source: Path = SOURCE) -> Path:
    """Write <results>/paper/paper.pdf; returns its path.

    study   one of the studies in the rows, as file names call it (`ml-100k-strong`); default: the one with the most rows
    source  the LaTeX document. A figure or table of the study that is not in `results` is named in the PDF instead
    Raises ReportError where there are no rows, the study is not among them, or LaTeX is missing or fails.
    """
    name, rows = possible_paper(results := Path(results), study)
    pdf = compiled(source, name, results, to_macros(numbers(rows)))
    return write_atomically(results / "paper" / "paper.pdf", pdf)


def possible_paper(results: Path, study: str = "") -> tuple[str, pd.DataFrame]:
    """Name and rows of the study that a paper would be about. Raises ReportError where there can be none."""
    if shutil.which("pdflatex") is None:
        raise ReportError(
            "pdflatex is not installed; on Debian and Ubuntu: texlive-latex-recommended texlive-fonts-recommended"
        )
    return _study(read_cells(results / "cells.csv"), study)


def compiled(source: Path, study: str, results: Path, macros: str) -> bytes:
    """The PDF of a document that finds `results`, the study's name and the numbers by the names it asks for."""
    with tempfile.TemporaryDirectory(prefix="paper-") as folder:
        work = Path(folder)
        shutil.copy(source, work / "main.tex")
        (work / "numbers.tex").write_text(macros)
        (work / "results").symlink_to(results.resolve())
        start = f"\\def\\study{{{study}}}\\def\\results{{results}}\\input{{main.tex}}"
        command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "-jobname=paper", start]
        for _ in range(PASSES):
            done = subprocess.run(
                command, cwd=work, env=os.environ | _ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True
            )
            if done.returncode:
                log = write_atomically(results / "paper" / "paper.log", done.stdout)
                raise ReportError(f"{source}: {_cause(done.stdout.decode('utf-8', 'replace'))} (all of it: {log})")
        return (work / "paper.pdf").read_bytes()


def _study(cells: pd.DataFrame, wanted: str) -> tuple[str, pd.DataFrame]:
    """The study of that name, or the largest."""
    known = dict(studies(cells))
    if wanted and wanted not in known:
        raise ReportError(f"study {wanted!r} is not among the rows; known: {', '.join(known)}")
    name = wanted or max(known, key=lambda each: len(known[each]))
    return name, known[name]


def _cause(log: str) -> str:
    """LaTeX's error message and the line it stands in."""
    found = re.search(r"^! (.*)$", log, re.M)
    line = re.search(r"^l\.(\d+) ?(.*)$", log, re.M)
    message = found.group(1) if found else (log.strip().splitlines() or ["LaTeX said nothing"])[-1]
    return message + (f" at line {line.group(1)}: {line.group(2).strip()}" if line else "")
