"""The rows that every figure and table is made of: read, checked, and averaged over seeds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from recprune.cells.rows import COLUMNS, TEXT, read_rows
from recprune.cells.rows import canonical as canonical_rows
from recprune.datasets.naming import name_of
from recprune.errors import ReportError, StudyError
from recprune.report.style import FAMILIES, MODELS, Method

METHOD = list(Method._fields)
CURVE = ["dataset", "protocol", "model", "family", "side", *METHOD]
#: what the figures and tables draw; a file without one of these cannot be reported
NEEDED = [
    *CURVE,
    "kept",
    "seed",
    "val_ndcg@10",
    "val_ratio_lower",
    "test_ratio",
    "test_ratio_lo",
    "test_ratio_hi",
    "test_ratio_lower",
    "test_ndcg@10",
    "test_recall@20",
    "test_mrr@10",
    "test_coverage@20",
    "parameters",
    "bytes_disk",
    "bytes_ratio",
    "p50_ms",
    "p50_ratio",
    "train_s",
]
MORE = ["test_ndcg@10_lo", "test_ndcg@10_hi"]  # drawn where a file has them
RANDOM = ("random", "mask-shuffle")  # criteria that ask nothing of what they remove
CONTROLS = (
    *RANDOM,
    "zero-reset",
    "train-on",
    "smaller-dense",
)  # what a rule should beat: no choice of a rule may end at one
FLOORS = ("popularity", "random")  # recommenders that nobody prunes: the level below which nothing is of use


def read_cells(path: str | Path) -> pd.DataFrame:
    """The rows of a cells.csv, in their canonical order and types.

    Raises ReportError when there is no such file, it is not a table, a column is missing, or it holds no rows.
    """
    path = Path(path)
    try:
        with path.open() as file:
            header = file.readline().strip().split(",")
        missing = [column for column in NEEDED if column not in header]
        if missing:
            raise ReportError(f"{path}: missing column{'s' * (len(missing) > 1)} {', '.join(missing)}")
        cells = read_rows(path)
    except FileNotFoundError:
        raise ReportError(f"{path}: there is no such file; `make reproduce` or `make quick` writes it") from None
    except (StudyError, OSError, UnicodeDecodeError) as error:
        raise ReportError(str(error)) from None
    if cells.empty:
        raise ReportError(f"{path}: holds no rows; `make reproduce` or `make quick` measures them")
    return cells


def canonical(cells: pd.DataFrame) -> pd.DataFrame:
    """`cells` as read_cells gives them, from any frame of rows, such as a notebook's own. Raises ReportError.

    Without the rows of models that were told more at test time (unit "history"): only the reference table shows those.
    """
    cells = cells[cells["unit"] != "history"] if "unit" in cells else cells
    if len(cells) == 0:
        raise ReportError("there are no rows to show")
    try:
        return canonical_rows(cells[[column for column in cells.columns if column in COLUMNS]])
    except StudyError as error:
        raise ReportError(str(error)) from None


def studies(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """(name, rows) of each data set under each protocol. The name suits a file: `ml-100k`, `ml-100k-strong`.

    A path stands for its file. Other characters than letters, digits, dots and hyphens become hyphens;
    should two names become one that way, they carry a piece of a hash.
    """
    parts = {}
    for (dataset, protocol), rows in cells.groupby(["dataset", "protocol"], sort=True):
        title = name_of(dataset) if protocol in ("", "ratio") else f"{name_of(dataset)}-{protocol}"
        parts[dataset, protocol] = (re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-.") or "data", rows)
    names = [name.lower() for name, _ in parts.values()]
    for key, (name, rows) in parts.items():
        if names.count(name.lower()) > 1:
            name += "-" + hashlib.sha256("\0".join(key).encode()).hexdigest()[:6]
        yield name, rows


def of_study(cells: pd.DataFrame, dataset: str, protocol: str) -> pd.DataFrame:
    """The rows (or values of users) of one data set, by its name or a path to its file, under one protocol."""
    name = name_of(dataset)
    return cells[(cells["dataset"] == name) & (cells["protocol"] == protocol)]


def paired(cells: pd.DataFrame) -> pd.DataFrame:
    """Rows in which dense models have the seeds of the others: what sets a mean of theirs beside one of the pruned."""
    others = cells.loc[cells["side"] != "dense", "seed"]
    return cells if others.empty else cells[(cells["side"] != "dense") | cells["seed"].isin(others)]


def heading(rows: pd.DataFrame) -> str:
    """The data set and protocol of one study in words."""
    dataset, protocol = name_of(rows["dataset"].iloc[0]), rows["protocol"].iloc[0]
    return f"{dataset}, protocol {protocol}" if protocol else dataset


def points(cells: pd.DataFrame, also: Sequence[str] = ()) -> pd.DataFrame:
    """One row per curve point: the numbers in NEEDED, MORE and `also` averaged over seeds; without cells that prune samples
    and model.

    Adds `seeds`, how many there are, and `test_ndcg@10_sd` and the like: standard deviations over
    seeds, NaN for one seed. Ordered by model (CF, deep, other), then side, method and share kept.
    """
    cells = cells[cells["side"] != "both"]  # a grid is no curve: see `recprune.report.both`
    wanted = list(dict.fromkeys([*NEEDED, *MORE, *also]))
    numbers = [column for column in wanted if column not in TEXT and column not in ("kept", "seed")]
    frame = cells[wanted].astype(dict.fromkeys(("kept", *numbers), "float64"))
    frame["kept"] = _levels(frame)
    groups = frame.groupby([*CURVE, "kept"], dropna=False, sort=True)
    spread = groups[numbers].std().add_suffix("_sd")
    table = pd.concat([groups["seed"].nunique().rename("seeds"), groups[numbers].mean(), spread], axis=1).reset_index()
    rank = {model: place for place, model in enumerate(models_in_order(table))}
    keys = table.assign(_rank=table["model"].map(rank))
    keys = keys.sort_values(["dataset", "protocol", "_rank", "side", *METHOD, "kept"], kind="stable")
    return table.loc[keys.index].reset_index(drop=True)


def _levels(frame: pd.DataFrame) -> pd.Series:
    """Shares kept that were counted rather than asked for (a smaller dense model's) may differ a little between
    seeds: where each seed of a curve has as many points, the n-th of each seed are one point, at their mean share."""
    of_seed = frame.groupby([*CURVE, "seed"])["kept"]
    size, place = of_seed.transform("size"), of_seed.rank(method="first")
    curves = size.groupby([frame[name] for name in CURVE])
    whole = curves.transform("min") == curves.transform("max")
    mean = frame["kept"].groupby([*(frame[name] for name in CURVE), place]).transform("mean")
    return mean.where(whole, frame["kept"]).map(lambda share: float(f"{share:.6g}"))


def models_in_order(cells: pd.DataFrame) -> list[str]:
    """Names of the models in `cells`: CF, then deep, then other; known ones first in each family."""
    families = [*FAMILIES, ""]
    pairs = cells[["model", "family"]].drop_duplicates().itertuples(index=False)

    def place(pair) -> tuple:
        model, family = pair
        known = list(MODELS).index(model) if model in MODELS else len(MODELS)
        return (families.index(family) if family in families else len(families), model in FLOORS, known, model)

    return list(dict.fromkeys(model for model, _ in sorted(pairs, key=place)))


def method_of(row: pd.Series) -> Method:
    """The method of one curve point."""
    return Method(*(row[name] for name in METHOD))


def methods_in_order(table: pd.DataFrame) -> list[Method]:
    """Methods in `table`: by unit and criterion, plain before recovered; the controls last."""
    units = ["weight", "neighbour"]

    def place(method: Method) -> tuple:
        control = CONTROLS.index(method.criterion) + 1 if method.criterion in CONTROLS else 0
        unit = units.index(method.unit) if method.unit in units else len(units)
        plain = (method.schedule not in ("", "one-shot"), method.recovery not in ("", "none"))
        return (control, unit, method.unit, method.criterion, *plain, method)

    return sorted({Method(*values) for values in table[METHOD].itertuples(index=False, name=None)}, key=place)
