"""Attributes of users and items as integer codes, which a model keeps beside its arrays.

A saved model scores without the data set, so what it needs of the attributes goes with it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from recprune.interactions import Interactions

BINS = 10  # of a numeric attribute
NAMES = ("id", "title", "zip", "history")  # what names and does not describe, and what a model has of its own


def encode(attributes: pd.DataFrame | None, bins: int = BINS) -> dict[str, torch.Tensor]:
    """Name of an attribute -> (n x m) codes: the values of each user or item, -1 where there is none.

    A number falls into one of `bins` quantile bins, a text has one value, a text with "|" inside (genres)
    several: m is the largest number of values that one row has. Codes are int16 and run from 0 in sorted
    order of the values. A column in which all rows are alike, or no two are, tells nothing and is left out.
    """
    codes: dict[str, torch.Tensor] = {}
    if attributes is None:
        return codes
    for name in attributes.columns.difference(list(NAMES), sort=False):
        lists = _binned(attributes[name], bins) if _is_number(attributes[name]) else _split(attributes[name])
        values = sorted({value for row in lists for value in row})
        if 1 < len(values) < len(lists):
            codes[str(name)] = _padded(lists, {value: code for code, value in enumerate(values)})
    return codes


def of_both_sides(train: Interactions) -> dict[str, torch.Tensor]:
    """The codes of a log's users and items, by the names that they have among a model's arrays: `user.age.codes`."""
    sides = {"user": train.user_attributes, "item": train.item_attributes}
    return {f"{side}.{name}.codes": codes for side, frame in sides.items() for name, codes in encode(frame).items()}


def columns(arrays: dict, side: str, rows: np.ndarray | None, n: int) -> np.ndarray:
    """(n x columns) float32 from what `of_both_sides` gave, at `rows` of the codes, or (None) for n rows unknown.

    An attribute of one value is one column, its code, -1 where it is missing; one of several values has a
    column of 0 and 1 for each.
    """
    parts = [np.empty((n, 0), np.float32)]
    for name, codes in arrays.items():
        if name.startswith(side + ".") and name.endswith(".codes"):
            taken = np.full((n, codes.shape[1]), -1) if rows is None else codes.numpy()[rows].astype(np.int64)
            if codes.shape[1] == 1:
                parts.append(taken)
            else:
                parts.append((taken[:, :, None] == np.arange(n_values(codes))).any(axis=1))
    return np.concatenate(parts, axis=1, dtype=np.float32, casting="unsafe")


def n_values(codes: torch.Tensor) -> int:
    """How many values an encoded attribute has."""
    return int(codes.max()) + 1


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _binned(column: pd.Series, bins: int) -> list[list[int]]:
    numbers = column.to_numpy(np.float64, na_value=np.nan)
    known = np.isfinite(numbers)
    if not known.any():
        return [[] for _ in numbers]
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, bins + 1)[1:-1]))
    return [[int(b)] if k else [] for b, k in zip(np.searchsorted(edges, numbers, side="right"), known, strict=True)]


def _split(column: pd.Series) -> list[list[str]]:
    return [[] if pd.isna(text) else [v for v in str(text).split("|") if v] for text in column]


def _padded(lists: list[list], code: dict) -> torch.Tensor:
    table = np.full((len(lists), max(map(len, lists))), -1, np.int16)
    for row, values in zip(table, lists, strict=True):
        row[: len(values)] = [code[value] for value in values]
    return torch.from_numpy(table)
