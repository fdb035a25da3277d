"""The registry of figures: what each is drawn of, by which function, under which caption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from recprune.errors import NothingToDrawError
from recprune.report.artefact import Artefact
from recprune.report.evidence import Evidence, ProtocolsEvidence, StudyEvidence
from recprune.report.evidence.searches import Search
from recprune.report.figures.drawing.style import render

Drawn = tuple[Figure, pd.DataFrame]


@dataclass(frozen=True)
class Drawing(Artefact):
    """A figure as it is drawn of one study: where it belongs, what it shows, and the data in it.

    study   the folder of its files: a study's name, a data set's for several protocols; "" for what belongs to none
    stem    the name of its files in there, without ending;  of  what it was drawn of: a class of evidence
    """

    study: str
    stem: str
    caption: str
    figure: Figure
    data: pd.DataFrame
    of: type = StudyEvidence
    _rendered: dict[str, bytes] = field(default_factory=dict, repr=False)

    def rendered(self, form: str) -> bytes:
        """The figure as a file of `form`; drawn once, however often it is asked for."""
        if form not in self._rendered:
            self._rendered[form] = render(self.figure, form)
        return self._rendered[form]


@dataclass(frozen=True)
class Kind:
    """A registered figure: `draw(evidence, **options)` gives the figure and its data, `caption(evidence, data,
    **options)` the words below; `of` is the class of the evidence."""

    stem: str
    of: type
    draw: Callable[..., Drawn]
    caption: Callable[..., str]
    options: dict[str, Any]


#: stem -> figure, in the order in which readers see them
REGISTRY: dict[str, Kind] = {}


def figure(stem: str, caption: Callable[..., str], of: type = StudyEvidence, **options):
    """A decorator that registers a function as the figure of that name: it is drawn of everything that it is `of`.

        @figure("pareto", caption=caption)
        def pareto(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]: ...

    of       StudyEvidence, ProtocolsEvidence (a data set under several protocols), Search, or Evidence (a folder)
    options  arguments of the function and of the caption
    A function that finds nothing to draw raises NothingToDrawError. Raises ValueError for a name that another
    function has.
    """

    def register(draw: Callable[..., Drawn]) -> Callable[..., Drawn]:
        if stem in REGISTRY and REGISTRY[stem].draw is not draw:
            raise ValueError(f"figure {stem!r} is registered already, by {REGISTRY[stem].draw.__module__}")
        REGISTRY[stem] = Kind(stem, of, draw, caption, options)
        return draw

    return register


def drawings(
    evidence: Evidence, of: tuple[type, ...] = (StudyEvidence, ProtocolsEvidence, Evidence)
) -> Iterator[Drawing]:
    """Every figure that the rows suffice for, study after study; `of` says which kinds."""
    for subject, study in _subjects(evidence, of):
        for kind in REGISTRY.values():
            if kind.of is type(subject):
                yield from _drawn(kind, subject, study)


def _subjects(evidence: Evidence, of: tuple[type, ...]) -> Iterator[tuple[Any, str]]:
    """All that figures are drawn of, and the folder of its figures."""
    if StudyEvidence in of:
        yield from ((study, study.name) for study in evidence.studies)
    if ProtocolsEvidence in of:
        yield from ((protocols, protocols.name) for protocols in evidence.protocols)
    if Search in of:
        yield from ((search, search.name) for search in evidence.searches)
    if Evidence in of:
        yield evidence, ""


def _drawn(kind: Kind, subject: Any, study: str) -> Iterator[Drawing]:
    """The drawing, or none where the rows hold nothing of it."""
    try:
        picture, data = kind.draw(subject, **kind.options)
    except NothingToDrawError:
        return
    caption = kind.caption(subject, data, **kind.options)
    if isinstance(subject, (StudyEvidence, ProtocolsEvidence)):
        caption += subject.warning  # what a model keeps of its dense quality says nothing where that is of no use
    yield Drawing(study, kind.stem, caption, picture, data, kind.of)
