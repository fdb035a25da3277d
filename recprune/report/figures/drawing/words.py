"""Words that captions share: over how many seeds, what the bands are, what is safe."""

from __future__ import annotations

import pandas as pd

from recprune.datasets.naming import name_of
from recprune.report.evidence.safe import FLOOR_LEVELS

INTERVAL = "95 %"  # what the rows hold: recprune.evaluation
STRICT = FLOOR_LEVELS[0]
RULE = (
    f"the largest share removed whose one-sided {INTERVAL} lower bound of validation nDCG@10 is at least {{}} of the "
    "dense model's, with no unsafe share before it"
)


def of_protocols(data: pd.DataFrame) -> str:
    """Data set and protocols of the points drawn."""
    protocols = ", ".join(dict.fromkeys(data["protocol"]))
    name = name_of(data["dataset"].iloc[0])
    return f"{name}, protocol{'s' * (', ' in protocols)} {protocols}" if protocols else name


def over(data: pd.DataFrame) -> str:
    """How many seeds the means are over."""
    pruned = data[data["role"] != "dense"] if "role" in data and (data["role"] != "dense").any() else data
    least, most = (int(n) for n in (pruned["seeds"].dropna().min(), pruned["seeds"].dropna().max()))
    return (
        f"means over {least} to {most} seeds"
        if least < most
        else f"means over {most} seeds"
        if most > 1
        else "one seed"
    )


def bands(data: pd.DataFrame) -> str:
    """What the bands are, where the rows have intervals."""
    pruned = data[data["role"] != "dense"] if "role" in data else data
    known = pruned[["lo", "hi"]].notna().any(axis=None)
    return f"bands: {INTERVAL} intervals over users and seeds" if known else "the rows hold no intervals"


def means(data: pd.DataFrame) -> str:
    """Seeds and bands, as a sentence."""
    text = f"{over(data)}; {bands(data)}."
    return text[0].upper() + text[1:]
