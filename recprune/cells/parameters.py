"""The parameters of a run: what a notebook's parameters cell may declare, typed and checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator

from recprune.cells.columns import check_columns
from recprune.cells.names import (
    AS_TRAINED,
    Criterion,
    CriterionOrNone,
    ModelOrNone,
    Protocol,
    Recovery,
    RecoveryOrNone,
    ScheduleOrNone,
    UnitOrNone,
    ValueFormat,
    registered,
)
from recprune.errors import StudyError
from recprune.typed import one_of, parse, shown, value, values

EXTENSIONS = "RECPRUNE_EXTENSIONS"  # files to load before names are checked: the launcher tells the kernel


def check_shares(shares: tuple[float, ...]) -> tuple[float, ...]:
    """The shares, each in (0, 1] and different from the others. Raises StudyError."""
    for share in shares:
        if not 0 < share <= 1:
            raise StudyError(f"{share!r} is outside (0, 1]; it is the share that is kept")
    if len(set(shares)) != len(shares):
        raise StudyError(f"{list(shares)!r} names a share twice")
    return shares


def _check_seeds(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if not seeds or min(seeds) < 0 or max(seeds) >= 2**32 or len(set(seeds)) != len(seeds):
        raise StudyError(
            f"one value or more, different whole numbers from 0 to 2^32 - 1, are needed, not {shown(list(seeds))}"
        )
    return seeds


def _check_recoveries(recoveries: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(recoveries)) != len(recoveries):
        raise StudyError(f"{list(recoveries)!r} names a recovery twice")
    return recoveries


def _check_values(formats: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(formats)) != len(formats):
        raise StudyError(f"{list(formats)!r} names a format twice")
    if AS_TRAINED not in formats:
        raise StudyError(
            f"{list(formats)!r} lacks {AS_TRAINED!r}, the values as trained, which others are held against"
        )
    return formats


def _check_core(core: int | None) -> int | None:
    if core is not None and core < 0:
        raise StudyError(f"{core}; 0 (no filter) or more is needed")
    return core


def _check_rounds(rounds: int) -> int:
    if not 1 <= rounds <= 1000:
        raise StudyError(f"{rounds}; a whole number from 1 to 1000 is needed")
    return rounds


Shares = Annotated[tuple[float, ...], AfterValidator(check_shares)]
Seeds = Annotated[tuple[int, ...], AfterValidator(_check_seeds)]
Core = Annotated[int | None, AfterValidator(_check_core)]
Recoveries = Annotated[tuple[Recovery, ...], AfterValidator(_check_recoveries)]
Values = Annotated[tuple[ValueFormat, ...], AfterValidator(_check_values)]
Columns = Annotated[dict, AfterValidator(check_columns)]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What `options` of a run may hold: arguments of `recprune.pruning.ParameterPath` beside the named ones.

    rounds    of the schedules linear and cubic
    windows, shuffled   of a log that is followed through windows of time: how many, and whether its times are permuted
    """

    rounds: Annotated[int, AfterValidator(_check_rounds)] = 5
    windows: Annotated[int, AfterValidator(_check_rounds)] = 4
    shuffled: bool = False


def check_options(options: dict, where: str = "options") -> dict:
    """The options as they were given. Raises StudyError for one that is unknown, of another type or out of range."""
    parse(Options, options, where)
    return options


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Every parameter that a notebook can have; a notebook's parameters cell declares those it uses.

    The launcher passes them through papermill, typed, and the notebook makes them a `Parameters` again
    (`Parameters.collect(globals())`), so that both sides refuse the same things.
    """

    dataset: str = "ml-100k"  # a registered name, or a path
    columns: Columns = field(default_factory=dict)  # column names of the user's own log, as `load` takes them
    protocol: Protocol = "ratio"
    min_rating: float | None = None  # None: the protocol's own, as with core (see `recprune.splits.split`)
    core: Core = None
    model: ModelOrNone = ""
    method: str = ""  # the run's name among those of its model
    unit: UnitOrNone = ""
    criterion: CriterionOrNone = "none"
    schedule: ScheduleOrNone = ""
    recovery: RecoveryOrNone = ""
    recoveries: Recoveries = ()  # several, after the same removals
    values: Values = (AS_TRAINED,)  # formats that the values of each model are stored in, a cell for each
    keep: Shares = ()  # shares kept
    samples: Shares = ()  # shares of the training interactions kept first
    samples_criterion: Criterion = "random"
    seeds: Seeds = (0,)
    hyperparameters: dict = field(default_factory=dict)  # of the model
    options: dict = field(default_factory=dict)  # of the pruning, see Options
    out: str = ""  # folder to write to; "" shows and writes nothing
    dense: str = ""  # folder of the saved dense models; "" trains them when they are needed
    results: str = ""  # folder of cells.csv, for notebooks that compare
    run: str = ""  # key of the run, for the rows' `run` column

    def __post_init__(self):
        for name, found in values(type(self), vars(self)).items():
            object.__setattr__(self, name, found)
        if self.model:
            check_hyperparameters(self.model, self.hyperparameters)
        check_options(self.options)

    @classmethod
    def collect(cls, variables: Mapping[str, Any]) -> Parameters:
        """The parameters among a notebook's variables: `p = Parameters.collect(globals())`.

        What extends a study from outside the package is loaded first, so that its names are known.
        """
        if paths := os.environ.get(EXTENSIONS):
            from recprune import extensions

            extensions.load(paths.split(os.pathsep))
        return cls(**{f.name: variables[f.name] for f in fields(cls) if f.name in variables})

    def mapping(self) -> dict[str, Any]:
        """Plain values for papermill and JSON."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def check_hyperparameters(model: str, values: dict, where: str = "hyperparameters") -> None:
    """Raises StudyError for a hyper-parameter that the model does not have, of another type, or that it refuses."""
    kind = registered("model")[model]
    hints = get_type_hints(kind, include_extras=True)
    names = [f.name for f in fields(kind) if f.init]
    given = {}
    for key, found in values.items():
        one_of(f"{where} of {model}", key, names)
        given[key] = value(hints[key], found, f"{where}.{key}")
    try:
        kind(**given)  # a model checks what it is made of
    except ValueError as error:
        raise StudyError(f"{where}: {error}") from None
