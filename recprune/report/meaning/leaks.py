"""What pruned models give away of who they were trained on, beside models that only fit less, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.report.evidence.labels import label
from recprune.report.readable import share

LIKE = 0.02  # of the dense quality: two models fit about as well


def leaked(points: pd.DataFrame) -> str:
    """Markdown: what each pruned model gives away, beside the dense one and one trained smaller to about its quality.

    points  of one model, as `recprune.report.evidence.audits.leaks` makes them
    """
    told = []
    for at in points[points["role"].isin(["parameters", "samples"])].to_dict("records"):
        what = "parameters" if at["role"] == "parameters" else "interactions"
        told.append(" ".join(["*", *_leak_sentences(at, f"{share(at['kept'])} of the {what}", points)]))
    return "\n".join(told)


def _leak_sentences(at: dict, name: str, points: pd.DataFrame) -> Iterator[str]:
    gain, low, high = (at[f"auc_gain{end}"] for end in ("", "_lo", "_hi"))
    than = "neither less nor more for sure" if low <= 0 <= high else "less" if gain < 0 else "more"
    yield (
        f"**{name}** ({label(at['criterion'])}) give away {than} than the dense model: AUC {at['auc']:.3f}, a "
        f"difference of {gain:+.3f} [{low:+.3f}, {high:+.3f}], at {at['ratio']:.3f} of its quality."
    )
    smaller = points[points["role"] == "smaller"]
    like = smaller[(smaller["ratio"] - at["ratio"]).abs() <= LIKE]
    if len(like):
        nearest = like.loc[(like["ratio"] - at["ratio"]).abs().idxmin()]
        yield (
            f"Trained smaller, to {nearest['ratio']:.3f} of it, a model has {nearest['auc']:.3f}: pruning adds "
            f"{at['auc'] - nearest['auc']:+.3f} to what less fit gives away."
        )
    elif len(smaller):
        yield f"No model trained smaller is within {LIKE} of that quality: is it pruning, or less fit? Not known."
    if pd.notna(at.get("beside_auc")):
        yield f"Who holds the dense model and this one tells members at {at['beside_auc']:.3f}."
