"""What the command knows of the studies, in an installed package too: known.toml, written by `make known`.

It holds the hyper-parameters that the runs have, the rule that is best for each model, and what was removed from which
model on which data set: a few hundred lines in place of megabytes of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from recprune.datasets import name_of
from recprune.errors import DataError
from recprune.study.tuning.hyperparameters import Hyperparameters, read_tuned
from recprune.typed import named, parse, read_toml

FILE = Path(__file__).with_name("known.toml")
TUNING = Path("results") / "tuning"  # of the folder in which the command is called


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A way to prune a model: what `prune` does where nothing else is asked for."""

    unit: str
    criterion: str
    schedule: str
    recovery: str
    model: str = ""

    @property
    def method(self) -> tuple[str, ...]:
        """What it does to which model."""
        return self.model, self.unit, self.criterion, self.schedule, self.recovery

    @property
    def words(self) -> str:
        """The rule as a message has it."""
        return f"{self.criterion} of {self.unit}s, {self.schedule}, recovery {self.recovery}"


@dataclass(frozen=True, kw_only=True)
class Best(Rule):
    """The rule of a model for any log: safe on validation on the most data sets.

    safe_on       data sets on which 0.99 of validation nDCG@10 is kept; of equals the rule that takes the fewest bytes
    confirmed_on  those of them on which test says so too
    """

    safe_on: tuple[str, ...]
    confirmed_on: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Measured(Rule):
    """What validation let go of a model on one data set by a rule, and what test says.

    The rule is the one that removed the most of a unit, or the model's for any log.

    removed    share of the units, 0 where nothing was safe (then the rest is left out)
    confirmed  whether test confirms it, and neither the model nor what is left of it falls short of popularity
    headline   whether it is the model's choice on this data set, of all units
    """

    dataset: str
    protocol: str
    removed: float
    confirmed: bool = False
    headline: bool = False
    test_ratio: float | None = None
    test_lo: float | None = None
    test_hi: float | None = None
    bytes_ratio: float | None = None


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """The counts of a data set as its study filtered it: `gini_items` is 0 where all items are alike."""

    dataset: str
    protocol: str
    users: int
    items: int
    interactions: int
    density: float
    gini_items: float


@dataclass(frozen=True, kw_only=True)
class Parts:
    """On how many parts of logs and models, left out, the interval of `advise` held what was found, of how many."""

    held: int
    of: int


@dataclass(frozen=True, kw_only=True)
class Known:
    """All of it, as known.toml has it: lists by data set and model, hyper-parameters as `Hyperparameters` has them."""

    parts: Parts
    data_sets: tuple[DataSet, ...]
    rules: tuple[Best, ...]
    measured: tuple[Measured, ...]
    profiles: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    tuned: dict[str, dict[str, dict[str, dict[str, Any]]]] = field(default_factory=dict)

    def rule(self, dataset: str, model: str) -> tuple[Rule, str] | None:
        """The rule for a model on a data set, by its name, and why it is taken; None where none was confirmed."""
        for one in self.measured:
            if (one.dataset, one.model) == (dataset, model) and one.headline and one.confirmed:
                return one, f"the best on {dataset}, protocol {one.protocol}: {one.removed:.3g} of them can go"
        for best in self.rules:
            if best.model == model and best.confirmed_on:
                return best, f"safe and confirmed at a loss of 1 % on {', '.join(best.confirmed_on)}"
        return None

    def hyperparameters(self, dataset: str, model: str, protocol: str) -> tuple[dict[str, Any], str]:
        """What a model has on a data set, by its name, as in the runs, and where that is from.

        What `make tune` found and left in the present folder counts too. Raises StudyError where that cannot be read.
        """
        tuned = self.tuned | read_tuned(TUNING)
        values = Hyperparameters(profiles=self.profiles, tuned=tuned).of_name(dataset, model, protocol)
        found = tuned.get(dataset, {})
        searched = next((each for each in (protocol, "ratio") if model in found.get(each, {})), "")
        if searched:
            return values, f"tuned on {dataset}, protocol {searched}"
        return values, f"the study's for {dataset}" if dataset in self.profiles else "the study's defaults"


@cache
def known() -> Known:
    """What is shipped with the package."""
    with named(FILE):
        return parse(Known, read_toml(FILE))


def named_as(ratings: str) -> str:
    """The name of a data set given by name or path, where the registry is not installed that of the file."""
    try:
        return name_of(ratings)
    except DataError:
        return Path(ratings).stem
