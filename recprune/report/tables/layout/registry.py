"""The registry of tables: what each is made of, by which function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from recprune.errors import NothingToDrawError
from recprune.report.evidence import Evidence, ProtocolsEvidence, StudyEvidence
from recprune.report.evidence.searches import Search
from recprune.report.tables.layout.table import Table

Make = Callable[[Any], Table]
#: what a table can be of -> the evidence of that kind in a results folder
SUBJECTS: dict[type, Callable[[Evidence], Sequence[Any]]] = {
    StudyEvidence: lambda evidence: evidence.studies,
    ProtocolsEvidence: lambda evidence: evidence.protocols,
    Search: lambda evidence: evidence.searches,
    Evidence: lambda evidence: [evidence],
}


@dataclass(frozen=True)
class Kind:
    """A registered table: its name, the class of the evidence that it is of, and how it is made."""

    stem: str
    of: type
    make: Make


#: (stem, class of the evidence) -> table; in the order in which readers see them
REGISTRY: dict[tuple[str, type], Kind] = {}


def table(stem: str, of: type = StudyEvidence, needs: Sequence[str | Sequence[str]] = ()) -> Callable[[Make], Make]:
    """A decorator that registers a function as the table of that name: it is made of everything that it is `of`.

        @table("dense", needs=["dense"])
        def dense(study: StudyEvidence) -> Table: ...

    of     StudyEvidence, ProtocolsEvidence (a data set under several protocols), Search, or Evidence (a folder)
    needs  sides that the rows of a study must have; of several together, one is enough
    A function that finds nothing to show raises NothingToDrawError. The table gets its name and that of its evidence.
    Raises ValueError for another `of`, and for a name that another function has.
    """
    if of not in SUBJECTS:
        raise ValueError(f"table {stem!r} is of {of!r}; known: {', '.join(each.__name__ for each in SUBJECTS)}")

    def register(make: Make) -> Make:
        @wraps(make)
        def named(evidence: Any) -> Table:
            _check(evidence, needs)
            return replace(make(evidence), stem=stem, of=of, study="" if of is Evidence else evidence.name)

        known = REGISTRY.setdefault((stem, of), Kind(stem, of, named))
        if known.make is not named:
            raise ValueError(f"table {stem!r} is registered already, by {known.make.__module__}")
        return named

    return register


def tables(evidence: Evidence, of: Sequence[type] = tuple(SUBJECTS)) -> Iterator[Table]:
    """Every table that the evidence suffices for, study after study; `of` says which kinds."""
    for subject in of:
        for mine in SUBJECTS[subject](evidence):
            for kind in [kind for kind in REGISTRY.values() if kind.of is subject]:
                try:
                    yield kind.make(mine)
                except NothingToDrawError:
                    continue


def _check(evidence: Any, needs: Sequence[str | Sequence[str]]) -> None:
    for one in needs:
        sides = {one} if isinstance(one, str) else set(one)
        if not sides & set(evidence.rows["side"]):
            raise NothingToDrawError(f"there are no rows of {' or '.join(sorted(sides))} models")
