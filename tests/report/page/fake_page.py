"""A report of made-up rows: two studies, and an executed notebook behind one of the runs."""

from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
from fake_cells import fake_cells
from nbformat import v4

from recprune.cells.rows import canonical
from recprune.report import Evidence, tables
from recprune.report.figures import Drawing
from recprune.report.figures.drawing.style import new_figure
from recprune.report.page.writing import write_page
from recprune.report.tables.layout.formats import BYTES, RATIO, WORDS

TABLES = ("dense", "safe-sparsity")
KEY, METHOD = "0123456789ab", "weight magnitude"
DATASET = 'odd/<b> & "c".csv'


def fake_rows(dataset: str = DATASET) -> pd.DataFrame:
    """Two studies of one data set: three recommenders under `ratio`, one under `strong`; deep ones have fewer seeds."""
    ratio = fake_cells(dataset=dataset, models=("popularity", "random", "ease", "ials", "mult-vae"))
    ratio = ratio[(ratio["model"] != "mult-vae") | (ratio["side"] == "dense") | (ratio["seed"] < 2)]
    rows = pd.concat(
        [ratio, fake_cells(dataset=dataset, protocol="strong", models=("popularity", "ease"))], ignore_index=True
    )
    made = (
        (rows["protocol"] == "ratio")
        & (rows["model"] == "ease")
        & (rows["criterion"] == "magnitude")
        & (rows["unit"] == "weight")
    )
    rows.loc[made, "run"] = KEY
    return canonical(rows)


def in_int8(rows: pd.DataFrame, loss: float = 0.004) -> pd.DataFrame:
    """The rows of dense and pruned models, and the same rounded: a quarter of the bytes, a little worse."""
    whole = rows[rows["side"].isin(["dense", "parameters"]) & ~rows["model"].isin(["popularity", "random"])]
    bounds = [f"{part}_ratio{end}" for part in ("val", "test") for end in ("", "_lo", "_hi", "_lower")]
    worse = {name: whole[name].fillna(1.0) * (1 - loss) for name in bounds}
    levels = {name: whole[name] * (1 - loss) for name in ("val_ndcg@10", "test_ndcg@10")}
    smaller = {"bytes_disk": (whole["bytes_disk"] / 4).round().astype("Int64"), "bytes_ratio": whole["bytes_ratio"] / 4}
    return canonical(pd.concat([rows, whole.assign(values="int8", **worse, **levels, **smaller)], ignore_index=True))


def fake_claims() -> tables.Table:
    """A table that belongs to no study."""
    nan = float("nan")
    frame = pd.DataFrame({"what": ["<i>one</i>", "two", "three"], "size": [2e6, 3e5, nan], "ratio": [0.9, nan, 1.1]})
    columns = [
        tables.column("what", WORDS, frame["what"]),
        tables.column("size", replace(BYTES, missing="none"), frame["size"]),
        tables.column("ratio", RATIO, frame["ratio"], [0.8, nan, nan], [1.0, nan, nan]),
    ]
    return tables.Table("Claims & verdicts", frame, columns, stem="claims", of=Evidence)


def fake_notebook(
    results: Path, method: str = METHOD, key: str = KEY, text: str = "One weight $|w_i|$, `$HOME` and $5 or $6."
) -> Path:
    """An executed notebook of a finished run, with a formula, code and an output; its stamp beside it."""
    folder = Path(results) / "runs" / "main" / "odd" / "ratio" / "ease" / method
    folder.mkdir(parents=True)
    output = v4.new_output("stream", text="<done>\n")
    cells = [v4.new_markdown_cell(text, id="a"), v4.new_code_cell("print('<done>')", outputs=[output], id="b")]
    nbformat.write(v4.new_notebook(cells=cells), folder / "executed.ipynb")
    (folder / f"{key}.done").touch()
    (folder / "cells.csv").write_text("dataset\nodd\n")
    return folder / "executed.ipynb"


def fake_page(results: Path, rows: pd.DataFrame | None = None) -> str:
    """The text of a page of those rows, with two tables and an empty figure of each study."""
    evidence = Evidence(results)
    evidence.cells = fake_rows() if rows is None else rows
    drawn = [Drawing(study.name, "figure", "A <figure>", new_figure(3, 2), study.rows) for study in evidence.studies]
    tabled = [table for table in tables.tables(evidence) if table.stem in TABLES]
    return write_page(evidence, drawn, [*tabled, fake_claims()]).read_text()
