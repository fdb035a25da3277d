"""Whether less data makes a model less prunable, and whether the two losses multiply, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.report.evidence.labels import label
from recprune.report.readable import share
from recprune.report.tables.layout.formats import RATIO

_METHOD = ["model", "unit", "criterion", "recovery"]


def independent(grid: pd.DataFrame) -> str:
    """Markdown: for each method, where a model of the least data is more, or less, prunable than one of the most data,
    and what both cuts keep together.

    grid  as `recprune.report.figures.samples_and_parameters.grid` makes it
    """
    told = []
    for _, mine in grid.groupby(_METHOD, sort=False):
        both = _most_and_least(mine)
        if len(both):
            told += [f"* {sentence}" for sentence in _sentences(both)]
    return "\n".join(told) or "Only one share of the samples, or none of the parameters removed: nothing to compare."


def _most_and_least(mine: pd.DataFrame) -> pd.DataFrame:
    """(shares of the parameters, from the largest down x most and least): the cells of the most and the least data."""
    ends = {"most": mine["samples_kept"].max(), "least": mine["samples_kept"].min()}
    if ends["most"] == ends["least"]:
        return pd.DataFrame()
    parts = [mine[mine["samples_kept"] == at].set_index("kept").add_prefix(f"{end}_") for end, at in ends.items()]
    both = parts[0].join(parts[1], how="inner").sort_index(ascending=False)
    return both if (both.index < 1).any() else pd.DataFrame()


def _sentences(both: pd.DataFrame) -> Iterator[str]:
    pruned = both[both.index < 1]
    data = [f"{share(both[f'{end}_samples_kept'].iloc[0])} of the interactions" for end in ("most", "least")]
    more, less = pruned["least_lo"] > pruned["most_hi"], pruned["least_hi"] < pruned["most_lo"]
    for word, there in (("more", more), ("less", less)):
        if there.any():
            shares = ", ".join(share(kept) for kept in pruned.index[there].to_list())
            yield f"The model of {data[1]} is **{word} prunable** than that of {data[0]}: apart at {shares}."
    if not (more | less).any():
        yield (
            f"How prunable the model is **does not depend on its data** as far as this can tell: of {data[0]} and of "
            f"{data[1]} the intervals overlap at all {len(pruned)} shares kept."
        )
    at, kept = pruned.iloc[-1], float(pruned.index[-1])
    ratios = [RATIO(*(at[f"{end}_{name}"] for name in ("ratio", "lo", "hi"))) for end in ("most", "least")]
    yield (
        f"{share(kept)} of the {label(at['most_unit'])} keep {ratios[0]} of the dense model of {data[0]}, and "
        f"{ratios[1]} of that of {data[1]}."
    )
    for _, dense in both[both.index == 1].iterrows():
        alone = dense["least_ndcg"] / dense["most_ndcg"]
        yield (
            f"Both cuts together keep {at['least_ndcg'] / dense['most_ndcg']:.3f} of the whole; the data alone "
            f"{alone:.3f}, and if the two losses multiplied it would be {alone * at['most_ratio']:.3f}."
        )
