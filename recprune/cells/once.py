"""Values that are made once for an object: all of them, or only the latest."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

Holder = TypeVar("Holder")
Key = ParamSpec("Key")
Value = TypeVar("Value")
Function = Callable[Concatenate[Holder, Key], Value]


def once(function: Function) -> Function:
    """The function of an object and keys that makes its value once for each key, and keeps it on the object."""
    return _remembering(function, forget=False)


def latest(function: Function) -> Function:
    """The same, which lets the last value go before it makes another: a path holds models, so one at a time."""
    return _remembering(function, forget=True)


def _remembering(function: Function, forget: bool) -> Function:
    place = f"_{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def remembering(holder, *key):
        memory = vars(holder).setdefault(place, {})
        if key not in memory:
            if forget:
                memory.clear()
            memory[key] = function(holder, *key)
        return memory[key]

    return remembering
