"""The words that readers see; everything that is shown goes through `label`.

Models and criteria say themselves what they are called (`recprune.models`, `recprune.pruning`); here is the rest.
"""

from __future__ import annotations

import math
import unicodedata

from recprune.models import REGISTRY
from recprune.pruning import CRITERIA

#: families in the order in which readers see them
FAMILIES = {"cf": "CF", "deep": "deep", "other": "other"}
#: recommenders that only others published
PUBLISHED = {
    "slim": "SLIM",
    "admm-slim": "ADMM-SLIM",
    "recvae": "RecVAE",
    "mult-dae": "Mult-DAE",
    "gru4rec": "GRU4Rec",
    "compressed-elsa": "Compressed ELSA",
    "lightgcn": "LightGCN",
    "ultragcn": "UltraGCN",
    "simplex": "SimpleX",
}
UNITS = {
    "weight": "weights",
    "neighbour": "neighbours",
    "factor": "factors",
    "neuron": "neurons",
    "row": "embedding rows",
    "user-row": "user rows",
    "item-row": "item rows",
    "n-of-m": "N of 4",
    "split": "splits",
    "model": "whole model",
    "item-tables": "item tables alone",
    "interaction": "interactions",
    "user": "users",
    "item": "items",
}
#: methods that no criterion is, and recoveries
METHODS = {
    "smaller-dense": "smaller dense",
    "train-on": "trained on",
    "neighbours": "neighbours per item",
    "retrain-updates": "equal updates",
    "retrain-tuned": "tuned again",
    "distil": "distilled",
}
COLUMNS = {
    "ndcg@10": "nDCG@10",
    "ndcg@20": "nDCG@20",
    "ndcg@100": "nDCG@100",
    "mrr@10": "MRR@10",
    "bytes_disk": "bytes on disk",
    "bytes_memory": "bytes in memory",
    "p50_ms": "milliseconds per user (p50)",
    "train_s": "training seconds",
    "macs": "multiply-adds per user",
    "nonzeros": "non-zeros",
}
_WORDS = FAMILIES | PUBLISHED | UNITS | METHODS | COLUMNS


def label(name: str, unit: str = "") -> str:
    """The words for a name, which stands for itself where nobody knows it; with a unit, for the criterion of it."""
    rule = CRITERIA.get(name)
    if unit and rule:
        return rule.labels.get(unit, rule.label)
    if name in REGISTRY:
        return REGISTRY[name].label
    return _WORDS.get(name) or (rule.label if rule else name)


def named_with_unit(criterion: str, unit: str) -> bool:
    """Whether the words for a criterion of that unit say the unit already."""
    return criterion in CRITERIA and unit in CRITERIA[criterion].labels


def visible(text: str) -> str:
    """The text with each character that is not seen but changes what is (controls, marks of direction) as its number,
    [U+202E]; white space stays."""
    return "".join(f"[U+{ord(one):04X}]" if _is_unseen(one) else one for one in text)


def _is_unseen(character: str) -> bool:
    if character.isspace() or character in "\u200c\u200d":  # the joiners are part of how Persian and Hindi are written
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co")


def shortened(text: str, most: int) -> str:
    """The text, or of a longer one at most `most` characters, up to a space where they hold one, and an ellipsis."""
    if len(text) <= most:
        return text
    words = text[: most - 1].rpartition(" ")[0].rstrip()
    return f"{words} …" if words else f"{text[: most - 1]}…"


def percent(removed: float) -> str:
    """A share removed as readers see it, what is kept to two digits: "50 %", "99.5 %", "99.98 %", or "none"."""
    return "none" if math.isnan(removed) or removed <= 0 else f"{percentage(removed)} %"


def percentage(removed: float) -> str:
    """The number of `percent`, without its sign."""
    kept = float(f"{100 * (1 - removed):.2g}")
    return f"{100 - kept:.10g}"
