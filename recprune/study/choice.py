"""What is asked for of a study file: which study, on which data, which of its models, and where the results are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recprune.cells.columns import parse_columns
from recprune.datasets.naming import name_of, registered
from recprune.study.grid import Study
from recprune.study.identity import locate
from recprune.study.load import load_study
from recprune.study.rows.places import LARGER, Place, larger


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A study of a file, and what takes the place of its own values; "" and () leave them as they are.

    dataset  a registered name or a path, in place of the study's own data sets
    columns  the column names of this data set, as text: user=uid item=iid
    models   some of the study's models
    only     only the runs of this method, and what they need
    """

    config: Path = Path("study.toml")
    study: str = "main"
    dataset: str = ""
    columns: str = ""
    models: tuple[str, ...] = ()
    only: str = ""
    results: Path = Path("results")

    def load(self) -> Study:
        """The study, with its log's path made absolute, since runs have folders of their own."""
        return load_study(
            self.config,
            self.study,
            dataset=locate(self.dataset) if self.dataset else None,
            columns=parse_columns(self.columns),
            models=self.models or None,
            results=self.results,
        )

    def place(self) -> Place:
        """The folder in which the study's rows are gathered, and the one that is reported.

        results/ (study main, and what goes beside it) or results/<study>/. Below results/own/<data set>/ where the
        study does not name the data set, and below results/part/ when only some runs are asked for: they must not take
        the place of committed rows (those of quick are not). What goes beside the larger studies is gathered in
        larger/<study>/ and reported as what goes beside main.
        """
        results = self.results
        study, named = self.load(), load_study(self.config, self.study).datasets
        if not all(dataset in named or registered(dataset) in named for dataset in study.datasets):
            results = results / "own" / name_of(study.datasets[0])
            return Place.own(results if study.name in ("main", "quick") else results / study.name)
        if study.name != "quick" and (self.models or self.only):
            results = results / "part"
        if study.beside == LARGER:
            return larger(results, study.name)
        return Place.own(results if study.name == "main" or study.beside == "main" else results / study.name)
