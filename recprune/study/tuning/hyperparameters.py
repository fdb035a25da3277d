"""The hyper-parameters of a model: the default profile, what a search chose, and the profile of a data set.

A search writes results/tuning/<data set>/<protocol>/tuned.toml:

[ease]               # every hyper-parameter of the model, those that were not searched too
l2 = 512.3

[ease.search]        # how they were found; no run reads this
"val_ndcg@10" = 0.2855
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from recprune.cells.names import known
from recprune.cells.parameters import check_hyperparameters
from recprune.datasets.naming import name_of, without_hash
from recprune.errors import StudyError
from recprune.files import write_atomically
from recprune.typed import named, one_of, read_toml

HEADER = """\
# Written by `make tune`, read by the runs. [MODEL]: the hyper-parameters of its best trial by validation nDCG@10
# (split seed 0). [MODEL.search]: how they were found; MODEL.csv has every trial.
"""


@dataclass(frozen=True)
class Hyperparameters:
    """What is known of the models' hyper-parameters.

    profiles  profile ("default", or a data set's name) -> model -> values, as study.toml has them
    tuned     data set -> protocol -> model -> values, as searches chose them
    """

    profiles: dict[str, dict[str, dict]] = field(default_factory=dict)
    tuned: dict[str, dict[str, dict[str, dict]]] = field(default_factory=dict, repr=False)

    def of(self, dataset: str, model: str, protocol: str = "ratio") -> dict:
        """The default profile of `model`; over it what was tuned for `dataset`; over that the profile of `dataset`.

        Where nothing was tuned under `protocol`, what was tuned under `ratio` counts. A file known to hold
        a registered data set (`aliases` in data/registry.toml) has what that data set has.
        """
        return self.of_name(name_of(dataset), model, protocol)

    def of_name(self, name: str, model: str, protocol: str = "ratio") -> dict:
        """The same of a data set's name, which `name_of` gives."""
        default, log, own = (
            self.profiles.get(profile, {}).get(model, {}) for profile in ("default", without_hash(name), name)
        )
        tuned = self.tuned.get(name, {})
        found = tuned.get(protocol, {}).get(model) or tuned.get("ratio", {}).get(model, {})
        return default | found | log | own


def checked_profiles(table: dict[str, Any]) -> dict[str, dict[str, dict]]:
    """[hyperparameters.PROFILE.MODEL] tables, checked against the models' own arguments."""
    for profile, by_model in table.items():
        if not isinstance(by_model, dict):
            raise StudyError(f"hyperparameters.{profile}: a table [hyperparameters.{profile}.<model>] is needed")
        for model, values in by_model.items():
            where = f"hyperparameters.{profile}.{model}"
            one_of(f"hyperparameters.{profile}", model, known("model"))
            if not isinstance(values, dict):
                raise StudyError(f"{where}: {values!r} is not a table of hyper-parameters")
            check_hyperparameters(model, values, where)
    return table


def read_tuned(folder: Path) -> dict[str, dict[str, dict[str, dict]]]:
    """data set -> protocol -> model -> hyper-parameters, from every <folder>/<data set>/<protocol>/tuned.toml.

    Raises StudyError, naming the file, for an unknown protocol, model or hyper-parameter.
    """
    found: dict[str, dict[str, dict[str, dict]]] = {}
    for path in sorted(folder.glob("*/*/tuned.toml")):
        tables = _read(path)
        with named(path):
            one_of("the folder's protocol", path.parent.name, known("protocol"))
            chosen = {model: {k: v for k, v in table.items() if k != "search"} for model, table in tables.items()}
            for model, values in chosen.items():
                one_of("the top level", model, known("model"))
                check_hyperparameters(model, values, model)
        found.setdefault(path.parent.parent.name, {})[path.parent.name] = chosen
    return found


def write_tuned(path: Path, lock: Path, model: str, values: dict, search: dict) -> None:
    """Put one model's hyper-parameters into a tuned.toml; other models' stay. `lock` keeps two writers apart."""
    with FileLock(lock):
        tables = _read(path) if path.exists() else {}
        tables |= {model: values | {"search": search}}
        order = known("model")
        lines = [HEADER.rstrip()]
        for name in sorted(tables, key=lambda name: order.index(name) if name in order else len(order)):
            table = dict(tables[name])
            found = table.pop("search", {})
            lines += ["", f"[{name}]", *_lines(dict(sorted(table.items()))), "", f"[{name}.search]", *_lines(found)]
        text = "\n".join(lines) + "\n"
        if not path.exists() or path.read_text("utf-8") != text:
            write_atomically(path, text)


def _read(path: Path) -> dict[str, dict]:
    tables = read_toml(path)
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise StudyError(f"{path}: {name}: a table [<model>] is needed, not {table!r}")
    return tables


def _lines(table: dict) -> Iterable[str]:
    """Key and value a line; what TOML has no word for, None, is left out."""
    for key, value in table.items():
        if value is not None:
            yield f"{key if key.isidentifier() else _toml(key)} = {_toml(value)}"


def _toml(value: Any) -> str:
    """A value as TOML text. For text, numbers, truth and lists JSON's is TOML's; tables are written in one line."""
    if isinstance(value, dict):
        pairs = (f"{key if key.isidentifier() else _toml(key)} = {_toml(v)}" for key, v in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
