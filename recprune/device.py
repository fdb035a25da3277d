"""The device that models train on: "cpu", "cuda", or "auto", a GPU where there is one.

    RECPRUNE_DEVICE=cuda python train.py          a script of one's own
    device = "cuda"                               [study.NAME] of a study.toml: its runs, whatever the environment says

The processor is the default, since the same seed gives the same bytes there alone: a GPU adds up in an order that it
does not promise. What is drawn by chance is the same on both. Models train there and come back: pruning, scoring and
early stopping are the processor's. Models without gradient descent do not ask.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

VARIABLE = "RECPRUNE_DEVICE"
Device = Literal["cpu", "cuda", "auto"]
DEVICES = ("auto", "cpu", "cuda")


def resolved(name: str) -> str:
    """ "cpu" or "cuda": what the name of a device stands for on this machine. Raises ValueError for an unknown name."""
    if name not in DEVICES:
        raise ValueError(f"{VARIABLE}: {name!r} is unknown; known: {', '.join(DEVICES)}")
    if name != "auto":
        return name
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def chosen() -> torch.device:
    """The device that the environment asks for; under torchrun each process of a machine has a GPU of its own.

    Raises ValueError for an unknown name, and for a GPU that is not there.
    """
    import torch

    if resolved(os.environ.get(VARIABLE) or "cpu") == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ValueError(f"{VARIABLE}: 'cuda', and torch {torch.__version__} finds no GPU; 'cpu' or 'auto' is accepted")
    number, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= there:
        raise ValueError(
            f"{VARIABLE}: 'cuda', and process {number} of this machine has no GPU of its own: there are {there}; "
            f"torchrun --nproc-per-node {there} at most, or 'cpu', is accepted"
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)
