"""The trials of a search as a CSV file: what was tried, what came out, and all that is needed to go on.

search        key of the search: its space, seed, data and split; trials of different searches do not mix
trial         counted from 0; trial 0 has the hyper-parameters that were there before
state         complete | pruned (stopped early, not promising) | cut (stopped early, time was over) | failed
val_ndcg@10   of the best epoch; empty where the trial failed
best_epoch, last_epoch
              of models trained by gradient descent, from 1
seconds       of processor time, training and validation
(then every hyper-parameter of the model, as JSON where it is no text)
note          why a trial failed
curve         val_ndcg@10 after each epoch, separated by spaces
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recprune.errors import StudyError
from recprune.files import write_atomically

FIRST = ("search", "trial", "state", "val_ndcg@10", "best_epoch", "last_epoch", "seconds")
LAST = ("note", "curve")
STATES = ("complete", "pruned", "cut", "failed")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training of a model with the hyper-parameters `values` (all that the model has)."""

    number: int
    state: str
    values: dict[str, Any]
    score: float | None = None  # validation nDCG@10
    seconds: float = 0.0
    note: str = ""
    curve: tuple[float, ...] = field(default=(), repr=False)  # validation nDCG@10 after each epoch

    @property
    def best_epoch(self) -> int | None:
        """Counted from 1; None in models without epochs."""
        return 1 + self.curve.index(max(self.curve)) if self.curve else None


def best_trial(trials: list[Trial]) -> Trial | None:
    """The trial with the highest score, of equal ones the first; None when all failed."""
    scored = [trial for trial in trials if trial.score is not None]
    return max(scored, key=lambda trial: (trial.score, -trial.number), default=None)


def write_trials(path: Path, trials: list[Trial], search: str) -> None:
    """Write the file, whole or not at all; numbers are the shortest texts that read back as themselves."""
    names = sorted(set().union(*(trial.values for trial in trials)))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((*FIRST, *names, *LAST))
    for t in trials:
        measured = (t.score, t.best_epoch, len(t.curve) or None, t.seconds)
        values = (_text(t.values.get(name)) for name in names)
        rows.writerow((search, t.number, t.state, *measured, *values, t.note, " ".join(map(repr, t.curve))))
    write_atomically(path, text.getvalue())


def read_trials(path: Path) -> tuple[list[Trial], str]:
    """(trials, key of the search); no trials and an empty key where there is no file.

    Raises StudyError, naming the line, for what is no such file.
    """
    if not path.exists():
        return [], ""
    trials: list[Trial] = []
    keys = set()
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                trials.append(_trial(row))
                keys.add(row["search"])
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                raise StudyError(f"{path}: line {len(trials) + 2}: not a row of trials: {error!r}") from None
    if [trial.number for trial in trials] != list(range(len(trials))) or len(keys) > 1:
        raise StudyError(f"{path}: trials 0, 1, 2, ... of one search are needed")
    return trials, keys.pop() if keys else ""


def _trial(row: dict[str, str]) -> Trial:
    if row["state"] not in STATES:
        raise ValueError(f"state {row['state']!r} is unknown; known: {', '.join(STATES)}")
    values = {name: _value(text) for name, text in row.items() if name not in (*FIRST, *LAST)}
    return Trial(
        number=int(row["trial"]),
        state=row["state"],
        values=values,
        score=float(row["val_ndcg@10"]) if row["val_ndcg@10"] else None,
        seconds=float(row["seconds"]),
        note=row["note"],
        curve=tuple(map(float, row["curve"].split())),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _value(text: str) -> Any:
    try:
        value = json.loads(text) if text else None
    except ValueError:
        return text
    return tuple(value) if isinstance(value, list) else value
