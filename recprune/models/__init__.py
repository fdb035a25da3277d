"""Recommenders, by name. Each is one short file; `base` says what they have in common."""

from __future__ import annotations

from dataclasses import fields
from typing import TypeVar

from recprune.errors import ModelFileError
from recprune.models.base import FAMILIES, Recommender
from recprune.models.baselines import Popularity, Random
from recprune.models.bpr import BPR
from recprune.models.disk import storage
from recprune.models.disk.consistency import check_consistent
from recprune.models.dlrm import DLRM
from recprune.models.ease import EASE
from recprune.models.elsa import ELSA
from recprune.models.exports import export
from recprune.models.ials import IALS
from recprune.models.item_knn import ItemKNN
from recprune.models.mult_vae import MultVAE
from recprune.models.neumf import NeuMF
from recprune.models.quantization import FORMATS, quantize
from recprune.models.sasrec import SASRec
from recprune.models.tree import Tree
from recprune.typed import near

M = TypeVar("M", bound=Recommender)

REGISTRY: dict[str, type[Recommender]] = {}


def register(model: type[M]) -> type[M]:
    """The class itself, registered under its `name`: a decorator for models from outside of the package.

    Raises ValueError where the name is another class's, or the class does not say what it is called.
    """
    for attribute in ("name", "label", "family"):
        if not isinstance(getattr(model, attribute, None), str):
            raise ValueError(f"{model.__name__}: a model needs the class attribute `{attribute}`")
    if model.family not in FAMILIES:
        raise ValueError(f"{model.name}: unknown family {model.family!r}; known: {', '.join(FAMILIES)}")
    if REGISTRY.setdefault(model.name, model) is not model:
        raise ValueError(f"{model.name}: a model of this name is registered already; choose another name")
    return model


for _model in (Popularity, Random, ItemKNN, IALS, BPR, EASE, ELSA, NeuMF, MultVAE, DLRM, SASRec, Tree):
    register(_model)


def build(name: str, **hyperparameters) -> Recommender:
    """An untrained recommender by its registered name. Raises ValueError for an unknown name or hyper-parameter."""
    if name not in REGISTRY:
        raise ValueError(f"unknown model {name!r}; known: {', '.join(REGISTRY)}{near(name, REGISTRY)}")
    known = [f.name for f in fields(REGISTRY[name])]
    unknown = sorted(set(hyperparameters) - set(known))
    if unknown:
        accepted = f"{', '.join(known) or 'none'}{near(unknown[0], known)}"
        raise ValueError(f"{name}: unknown hyper-parameter {unknown[0]!r}; known: {accepted}")
    return REGISTRY[name](**hyperparameters)


def load_model(path) -> Recommender:
    """A saved recommender. Raises ModelFileError (a ValueError) where the folder is none or is damaged."""
    header, parts = storage.read_folder(path)
    try:
        model = build(header.model, **header.hyperparameters)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{path}/model.json: {error}") from None
    for part, value in parts.items():
        setattr(model, part, value)
    try:
        check_consistent(model)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from None
    return model


__all__ = [
    "BPR",
    "DLRM",
    "EASE",
    "FORMATS",
    "ELSA",
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
    "export",
    "load_model",
    "quantize",
    "register",
]
