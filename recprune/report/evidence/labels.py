"""The words that readers see for models, units, criteria and columns; everything that is shown goes through `label`."""

from __future__ import annotations

import math

#: families in the order in which readers see them
FAMILIES = {"cf": "CF", "deep": "deep", "other": "other"}
#: recommenders in the order in which readers see them
MODELS = {
    "item-knn": "item-kNN",
    "ials": "iALS",
    "bpr": "BPR",
    "ease": "EASE",
    "neumf": "NeuMF",
    "mult-vae": "Mult-VAE",
    "dlrm": "DLRM",
    "sasrec": "SASRec",
    "tree": "decision tree",
}
#: recommenders that only others published
PUBLISHED = {
    "slim": "SLIM",
    "admm-slim": "ADMM-SLIM",
    "recvae": "RecVAE",
    "mult-dae": "Mult-DAE",
    "gru4rec": "GRU4Rec",
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
    "interaction": "interactions",
    "user": "users",
    "item": "items",
}
#: "unit criterion" goes before the bare criterion
CRITERIA = {
    "weight magnitude": "magnitude (global)",
    "weight magnitude-layer": "magnitude (per layer)",
    "magnitude-layer": "magnitude (per layer)",
    "neighbour magnitude": "neighbours per item",
    "neighbours": "neighbours per item",
    "neighbour neighbours": "neighbours per item",
    "principal-axes": "principal axes",
    "factor principal-axes": "principal axes",
    "activation-variance": "activation variance",
    "mutual-information": "mutual information",
    "taylor": "Taylor",
    "activation-variance-axes": "activation variance (axes)",
    "mutual-information-axes": "mutual information (axes)",
    "taylor-apart": "Taylor (apart)",
    "brain-surgeon": "brain surgeon",
    "cost-complexity": "cost complexity",
    "proximal-l1": "proximal L1",
    "proximal-l1-clip": "proximal L1, clipped",
    "l2-threshold": "L2, then threshold",
    "l2-threshold-clip": "L2, then threshold, clipped",
    "soft-threshold": "soft threshold (PEP)",
    "clip": "clipping",
    "train-longer": "trained longer",
    "group-lasso": "group lasso",
    "group-lasso-clip": "group lasso, clipped",
    "snip": "SNIP",
    "mask-shuffle": "mask shuffle",
    "zero-reset": "zero reset",
    "smaller-dense": "smaller dense",
    "train-on": "trained on",
    "inverse-propensity": "inverse propensity",
    "inverse-propensity-weighted": "inverse propensity, weighted",
    "interaction weight": "rating",
    "loss": "loss (EL2N)",
    "gradient": "gradient (GraNd)",
    "score-variance": "score variance",
    "mutual-information-redundant": "mutual information, low first",
    "segment-learnt": "segment, learnt first",
}
RECOVERIES = {"retrain-updates": "equal updates"}
COLUMNS = {
    "ndcg@10": "nDCG@10",
    "ndcg@100": "nDCG@100",
    "mrr@10": "MRR@10",
    "bytes_disk": "bytes on disk",
    "bytes_memory": "bytes in memory",
    "p50_ms": "milliseconds per user (p50)",
    "train_s": "training seconds",
    "macs": "multiply-adds per user",
    "nonzeros": "non-zeros",
}
_ALL = FAMILIES | MODELS | PUBLISHED | UNITS | CRITERIA | RECOVERIES | COLUMNS


def label(name: str, unit: str = "") -> str:
    """The words for `name`, of that unit where they differ by it; a name that nobody knows stands for itself."""
    return _ALL.get(f"{unit} {name}", _ALL.get(name, name)) if unit else _ALL.get(name, name)


def named_with_unit(criterion: str, unit: str) -> bool:
    """Whether the words for a criterion of that unit say the unit already."""
    return f"{unit} {criterion}" in _ALL


def percent(removed: float) -> str:
    """A share removed as readers see it, what is kept to two digits: "50 %", "99.5 %", "99.98 %", or "none"."""
    return "none" if math.isnan(removed) or removed <= 0 else f"{percentage(removed)} %"


def percentage(removed: float) -> str:
    """The number of `percent`, without its sign."""
    kept = float(f"{100 * (1 - removed):.2g}")
    return f"{100 - kept:.10g}"
