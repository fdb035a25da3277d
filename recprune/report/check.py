"""python -m recprune.report.check: what a user may edit and runs do not read is checked before the first of them.

A fault in claims.toml or data/published*.toml would else be found when hours of runs are over. It is quick: neither
rows are read nor anything drawn.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from recprune import extensions
from recprune.datasets.registry import ROOT, read_registry
from recprune.errors import DataError, ReportError, StudyError
from recprune.report.claims.claim import read_claims
from recprune.report.tables.published import published
from recprune.report.tables.published_sizes import published_sizes
from recprune.study.load import extensions_of
from recprune.study.tuning.space import load_tuning


def check(config: Path, root: Path = ROOT) -> None:
    """Raises StudyError, ReportError or DataError that names the file and the place of the first fault."""
    read_registry(root / "data" / "registry.toml")
    if config.exists():
        extensions.load(extensions_of(config))
    if (root / "tuning.toml").exists():
        load_tuning(root / "tuning.toml")
    read_claims(root / "claims.toml")
    published(root / "data" / "published.toml")
    published_sizes(root / "data" / "published-sizes.toml")


def main(arguments: list[str] | None = None) -> int:
    """0 where all files can be used, 1 with one line on stderr where one cannot."""
    parser = argparse.ArgumentParser(prog="python -m recprune.report.check", description=__doc__.partition("\n")[0])
    extended = "the study.toml whose `extensions` add models and criteria"
    parser.add_argument("--config", type=Path, default=Path("study.toml"), metavar="FILE", help=extended)
    try:
        check(parser.parse_args(arguments).config)
    except (StudyError, ReportError, DataError, OSError) as error:
        print(f"recprune.report.check: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
