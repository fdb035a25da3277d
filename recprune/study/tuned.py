"""tuned.toml: the hyper-parameters that a search chose, results/tuning/<data set>/<protocol>/tuned.toml.

[ease]               # every hyper-parameter of the model, those that were not searched too
l2 = 512.3

[ease.search]        # how they were found; no run reads this
"val_ndcg@10" = 0.2855
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock

from recprune.cells.parameters import check_hyperparameters, known
from recprune.errors import StudyError
from recprune.files import write_atomically
from recprune.typed import one_of, read_toml

HEADER = """\
# Written by `make tune`, read by the runs. [MODEL]: the hyper-parameters of its best trial by validation nDCG@10
# (split seed 0). [MODEL.search]: how they were found; MODEL.csv has every trial.
"""


def read_tuned(folder: Path) -> dict[str, dict[str, dict[str, dict]]]:
    """data set -> protocol -> model -> hyper-parameters, from every <folder>/<data set>/<protocol>/tuned.toml.

    Raises StudyError, naming the file, for an unknown protocol, model or hyper-parameter.
    """
    found: dict[str, dict[str, dict[str, dict]]] = {}
    for path in sorted(folder.glob("*/*/tuned.toml")):
        tables = _read(path)
        try:
            one_of("the folder's protocol", path.parent.name, known()["protocol"])
            chosen = {model: {k: v for k, v in table.items() if k != "search"} for model, table in tables.items()}
            for model, values in chosen.items():
                one_of("the top level", model, known()["model"])
                check_hyperparameters(model, values, model)
        except StudyError as error:
            raise StudyError(f"{path}: {error}") from None
        found.setdefault(path.parent.parent.name, {})[path.parent.name] = chosen
    return found


def write_tuned(path: Path, lock: Path, model: str, values: dict, search: dict) -> None:
    """Put one model's hyper-parameters into a tuned.toml; other models' stay. `lock` keeps two writers apart."""
    with FileLock(lock):
        tables = _read(path) if path.exists() else {}
        tables |= {model: values | {"search": search}}
        order = known()["model"]
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
