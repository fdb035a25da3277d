"""Tables: one frame each, written as CSV (numbers), Markdown and LaTeX (rounded, best in bold)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from recprune.files import write_atomically
from recprune.report.artefacts import artefacts
from recprune.report.cells import FLOORS, METHOD, MORE, canonical, heading, models_in_order, points, studies
from recprune.report.cost import cost, cost_methods
from recprune.report.footprint import footprint
from recprune.report.headline import headline
from recprune.report.heatmap import percent
from recprune.report.latex import escape as escape  # figures write LaTeX, too
from recprune.report.latex import to_latex
from recprune.report.protocols_tables import protocol_tables
from recprune.report.reference import published_of
from recprune.report.safe import safe_points
from recprune.report.style import label
from recprune.report.table import WORDS, Table, best, between, human, interval, none_bold, plus_minus, written

QUALITY = ("ndcg@10", "recall@20", "mrr@10", "coverage@20")
COSTS = {"parameters": "parameters", "bytes_disk": "disk", "train_s": "training s", "p50_ms": "p50 ms"}


def tables(cells: pd.DataFrame) -> Iterator[Table]:
    """Every table that the rows suffice for, study after study; those of the claims and of the data are made elsewhere."""
    for name, rows in studies(cells):
        if (rows["side"] == "dense").any():
            yield dense(rows, f"dense-{name}")
        if rows["side"].isin(["parameters", "samples"]).any():
            found = safe_points(rows)  # takes seconds
            yield headline(rows, f"headline-{name}", found)
            if {"dense", "parameters"} <= set(rows["side"]):
                yield footprint(rows, f"footprint-{name}", found)
            yield safe_sparsity(rows, f"safe-sparsity-{name}", found)
        if "dense" in set(rows["side"]) and rows["side"].isin(["parameters", "samples"]).any():
            yield cost(rows, f"cost-{name}")
            yield cost_methods(rows, f"cost-methods-{name}")
        if {"dense", "parameters"} <= set(rows["side"]):
            yield artefacts(rows, f"artefacts-{name}", name, found)
    yield from protocol_tables(cells)


def dense(cells: pd.DataFrame, name: str = "dense") -> Table:
    """The dense models of one study on test: quality as mean ± standard deviation over seeds, and what they cost.

    Where the rows have it, the 95 % interval of mean nDCG@10 over users stands beside it, and where others published
    an nDCG@10 of one of the models under this protocol, that does. Best of the recommenders in bold; popularity and
    random, the floors, stand below and take no part in that.
    """
    table = points(canonical(cells))
    table = table[table["side"] == "dense"].reset_index(drop=True)
    order = [m for m in models_in_order(table) if m not in FLOORS] + [m for m in FLOORS if m in set(table["model"])]
    table = table.sort_values("model", key=lambda names: names.map(order.index), kind="stable", ignore_index=True)
    numbers = [column for metric in QUALITY for column in (f"test_{metric}", f"test_{metric}_sd")] + list(COSTS)
    known = table[MORE].notna().any(axis=None)
    frame = table[["dataset", "protocol", "model", "family", "seeds", *numbers, *(MORE if known else [])]]
    others = (
        table["model"].map(published_of(table["dataset"].iloc[0], table["protocol"].iloc[0], QUALITY[0])).astype(float)
    )
    if others.notna().any():
        frame = frame.assign(**{f"published_{QUALITY[0]}": others})
    text = pd.DataFrame({"model": frame["model"].map(label), "family": frame["family"].map(label)})
    for metric in QUALITY:
        text[label(metric)] = [
            plus_minus(*pair) for pair in zip(frame[f"test_{metric}"], frame[f"test_{metric}_sd"], strict=True)
        ]
        if known and metric == QUALITY[0]:
            text["95 % interval"] = [between(*pair) for pair in frame[MORE].itertuples(index=False)]
        if metric == QUALITY[0] and others.notna().any():
            text["published"] = written(others, "{:.4f}".format)
    writers = {
        "parameters": lambda v: f"{v:,.0f}",
        "bytes_disk": human,
        "train_s": lambda v: f"{v:.3g}",
        "p50_ms": lambda v: f"{v:.3g}",
    }
    for column, head in COSTS.items():
        text[head] = written(frame[column], writers[column])
    contest = ~frame["model"].isin(FLOORS)
    bold = none_bold(text)
    for metric in QUALITY:
        bold[label(metric)] = best(frame[f"test_{metric}"].where(contest), max)
    for column, head in COSTS.items():
        bold[head] = best(frame[column].where(contest), min)
    seeds = int(frame["seeds"].max())
    spread = f"mean ± standard deviation over {seeds} seeds" if seeds > 1 else "one seed"
    users = " The interval is of the mean nDCG@10: bootstrap over users, all seeds together." if known else ""
    if others.notna().any():
        users += " Published: nDCG@10 of the same model under the same protocol by others."
    caption = (
        f"Dense models on {heading(table)}: test quality ({spread}, full catalogue ranked) and cost.{users} "
        "Times are of the machine that measured them."
    )
    return Table(name, caption, frame, text, bold)


def safe_sparsity(cells: pd.DataFrame, name: str = "safe-sparsity", found: pd.DataFrame | None = None) -> Table:
    """Model by method: the largest share removed safely, chosen on validation, and what test, disk and clock say there.

    In bold, the most that is removed from a model (of parameters, and of samples). Rows are those of `safe_points`:
    `found`, where they are known.
    """
    frame = safe_points(cells) if found is None else found
    part = frame["side"].replace("control", "parameters")
    text = pd.DataFrame(
        {
            "model": frame["model"].map(label),
            "removes": part.map({"parameters": "parameters", "samples": "samples"}),
            "method": frame["label"],
            "safe at 0.99": frame["removed_99"].map(percent),
            "safe at 0.95": frame["removed_95"].map(percent),
            "test ratio": [
                interval(*row) for row in frame[["test_ratio", "test_lo", "test_hi"]].itertuples(index=False)
            ],
            "on test": frame["confirmed"]
            .map({True: "confirmed", False: "not confirmed"})
            .where(frame["kept"].notna(), ""),
            "bytes / dense": written(frame["bytes_ratio"], lambda v: f"{v:.3g}"),
            "p50 / dense": written(frame["p50_ratio"], lambda v: f"{v:.2f}"),
        }
    )
    bold = none_bold(text)
    for _, rows in frame.groupby(["model", part]):
        for column, head in (("removed_99", "safe at 0.99"), ("removed_95", "safe at 0.95")):
            bold.loc[rows.index, head] = best(rows[column], max)
    caption = (
        f"Safe sparsity on {heading(canonical(cells))}: the largest share removed whose one-sided 95 % lower bound "
        "of pruned / dense nDCG@10 on validation is at least 0.99 (0.95), with no unsafe share before it. "
        "Right of it, at the 0.99 point: the ratio on test with its two-sided 95 % interval, "
        "whether the one-sided bound holds on test too, and size and latency relative to dense. "
        "Each interval stands for itself; none is widened for the number of methods."
    )
    keep = [
        "dataset",
        "protocol",
        "model",
        "family",
        "side",
        *METHOD,
        "removed_99",
        "removed_95",
        "kept",
        "test_ratio",
        "test_lo",
        "test_hi",
        "confirmed",
        "bytes_ratio",
        "p50_ratio",
        "bytes_disk",
        "p50_ms",
        "test_ndcg@10",
    ]
    return Table(name, caption, frame[keep], text, bold)


def to_markdown(table: Table) -> str:
    """A pipe table under its caption; numbers to the right."""
    marked = table.text.map(_plain)
    marked = marked.where(~table.bold, "**" + marked + "**")
    align = ["left" if column in WORDS else "right" for column in marked.columns]
    return f"{_plain(table.caption)}\n\n{marked.to_markdown(index=False, colalign=align, disable_numparse=True)}\n"


def _plain(text: str) -> str:
    """`text` so that Markdown prints it as it stands: a data set or criterion may be called anything."""
    for character in "\\|*_<`":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())


def write_tables(tabled: Iterable[Table], results: Path) -> list[Path]:
    """Write each table to <results>/tables as CSV, Markdown and LaTeX; returns the paths."""
    return [path for table in tabled for path in write_table(table, results)]


def write_table(table: Table, results: Path) -> list[Path]:
    """Write one table to <results>/tables as CSV, Markdown and LaTeX; returns the paths."""
    base = Path(results) / "tables" / table.name
    files = {
        "csv": table.frame.to_csv(index=False, lineterminator="\n"),
        "md": to_markdown(table),
        "tex": to_latex(table),
    }
    return [write_atomically(f"{base}.{form}", content) for form, content in files.items()]
