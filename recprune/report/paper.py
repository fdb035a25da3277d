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

from recprune.datasets.registry import ROOT
from recprune.errors import ReportError
from recprune.files import write_atomically
from recprune.report.evidence import Evidence, StudyEvidence
from recprune.report.numbers import elsewhere, numbers, to_macros

SOURCE = ROOT / "paper" / "main.tex"
PASSES = 3  # a longtable finds its columns in the second, the references follow
_ENVIRONMENT = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "max_print_line": "1000"}


def write_paper(evidence: Evidence, study: str = "", source: Path = SOURCE) -> Path:
    """The paper is written to paper/paper.pdf of a results folder; returns its path.

    study   one of the studies in the rows, as files call it (`ml-100k-strong`); default: the one with the most rows
    source  the LaTeX document. A figure or table of the study that is not in the folder is named in the PDF instead
    Raises ReportError where there are no rows, the study is not among them, or LaTeX is missing or fails.
    """
    about = possible_paper(evidence, study)
    others = [each for each in evidence.studies if each is not about]
    macros = to_macros(numbers(about) | elsewhere(others))
    others_named = ",".join(each.name for each in others)
    pdf = compiled(source, about.name, evidence.folder, f"{macros}\\def\\others{{{others_named}}}\n")
    return write_atomically(evidence.folder / "paper" / "paper.pdf", pdf)


def possible_paper(evidence: Evidence, study: str = "") -> StudyEvidence:
    """The study that a paper would be about: of that name, or the largest. Raises ReportError without one."""
    if shutil.which("pdflatex") is None:
        raise ReportError(
            "pdflatex is not installed; on Debian and Ubuntu: texlive-latex-recommended texlive-fonts-recommended"
        )
    known = {each.name: each for each in evidence.studies}
    if study and study not in known:
        raise ReportError(f"study {study!r} is not among the rows; known: {', '.join(known)}")
    return known[study] if study else max(known.values(), key=lambda each: len(each.rows))


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


def _cause(log: str) -> str:
    """LaTeX's error message and the line it stands in."""
    found = re.search(r"^! (.*)$", log, re.M)
    line = re.search(r"^l\.(\d+) ?(.*)$", log, re.M)
    message = found.group(1) if found else (log.strip().splitlines() or ["LaTeX said nothing"])[-1]
    return message + (f" at line {line.group(1)}: {line.group(2).strip()}" if line else "")
