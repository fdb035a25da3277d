"""What hyper-parameters may be: types with a range, to annotate the fields of a model with.

    factors: Count = 64
    dropout: Share = 0.5

They are checked whenever a model is made; `recprune.typed` says where a value is wrong and what is accepted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator

from recprune.errors import StudyError
from recprune.typed import named, values

MOST = 2**31 - 1


def _within(accepts: Callable[[Any], bool], needed: str) -> AfterValidator:
    def check(value):
        if not (math.isfinite(value) and accepts(value)):
            raise StudyError(f"{value!r}; {needed} is needed")
        return value

    return AfterValidator(check)


Count = Annotated[int, _within(lambda n: 1 <= n <= MOST, "a whole number from 1 on")]
Whole = Annotated[int, _within(lambda n: 0 <= n <= MOST, "a whole number from 0 on")]
Share = Annotated[float, _within(lambda x: 0 <= x <= 1, "a number from 0 to 1")]
Positive = Annotated[float, _within(lambda x: x > 0, "a number above 0")]
NotNegative = Annotated[float, _within(lambda x: x >= 0, "a number from 0 on")]
Finite = Annotated[float, _within(lambda x: True, "a number")]


def checked(model) -> dict[str, Any]:
    """The hyper-parameters of a model, numbers of NumPy as Python's own.

    Raises ValueError that names the model, the hyper-parameter, the value and what is accepted.
    """
    given = {field.name: getattr(model, field.name) for field in fields(model)}
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
    with named(model.name, error=ValueError):
        return values(type(model), plain)
