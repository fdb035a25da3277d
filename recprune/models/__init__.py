"""Recommenders, by name. Each is one short file; `base` says what they have in common."""

from __future__ import annotations

from dataclasses import fields

from recprune.models import storage
from recprune.models.base import Recommender
from recprune.models.baselines import Popularity, Random
from recprune.models.bpr import BPR
from recprune.models.dlrm import DLRM
from recprune.models.ease import EASE
from recprune.models.ials import IALS
from recprune.models.item_knn import ItemKNN
from recprune.models.mult_vae import MultVAE
from recprune.models.neumf import NeuMF
from recprune.models.sasrec import SASRec
from recprune.models.storage import ModelFileError
from recprune.models.tree import Tree

REGISTRY: dict[str, type[Recommender]] = {
    model.name: model for model in (Popularity, Random, ItemKNN, IALS, BPR, EASE, NeuMF, MultVAE, DLRM, SASRec, Tree)
}


def build(name: str, **hyperparameters) -> Recommender:
    """An untrained recommender by its registered name. Raises ValueError for an unknown name or hyper-parameter."""
    if name not in REGISTRY:
        raise ValueError(f"unknown model {name!r}; known: {', '.join(REGISTRY)}")
    known = [f.name for f in fields(REGISTRY[name])]
    unknown = sorted(set(hyperparameters) - set(known))
    if unknown:
        raise ValueError(f"{name}: unknown hyper-parameter {unknown[0]!r}; known: {', '.join(known) or 'none'}")
    return REGISTRY[name](**hyperparameters)


def load_model(path) -> Recommender:
    """A saved recommender. Raises ModelFileError (a ValueError) where the folder is none or is damaged."""
    header, parts = storage.read_folder(path)
    try:
        model = build(header["model"], **header["hyperparameters"])
    except ValueError as error:
        raise ModelFileError(f"{path}/model.json: {error}") from None
    for part, value in parts.items():
        setattr(model, part, value)
    return model


__all__ = [
    "BPR",
    "DLRM",
    "EASE",
    "IALS",
    "REGISTRY",
    "ItemKNN",
    "ModelFileError",
    "MultVAE",
    "NeuMF",
    "Popularity",
    "Random",
    "Recommender",
    "SASRec",
    "Tree",
    "build",
    "load_model",
]
