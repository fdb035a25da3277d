"""What both sides of a contrast were trained for: a comparison of unequal trainings is none of pruning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recprune.report.claims.claim import Contrast
from recprune.report.claims.measures import QUALITY
from recprune.report.evidence.methods import of_kind

UNEQUAL = 1.2  # times as many epochs: too many to compare
RECOVERED = ("fine-tune", "rewind", "retrain", "retrain-updates")  # recoveries that train


@dataclass(frozen=True)
class Training:
    """Epochs and seconds of training that the cells a and b paid for, means over pairs; NaN where unknown.

    both_trained  whether both sides were trained at all, after the dense model was
    """

    epochs: float = np.nan
    epochs_b: float = np.nan
    train_s: float = np.nan
    train_s_b: float = np.nan
    both_trained: bool = False

    @property
    def is_unequal(self) -> bool:
        """Whether one side was trained for more than UNEQUAL times the epochs of the other."""
        less, more = sorted((self.epochs, self.epochs_b))
        return self.both_trained and bool(more > UNEQUAL * less)  # never of what is unknown


def training_of(contrast: Contrast, pairs: pd.DataFrame) -> Training:
    """How long both sides of the pairs of one model were trained; nothing of another measure than quality."""
    if contrast.measure != QUALITY:
        return Training()
    names = ("epochs", "epochs_b", "train_s", "train_s_b")
    means = {name: float(pairs[name].astype(float).mean()) for name in names}
    return Training(**means, both_trained=bool(_trained(pairs, "").all() and _trained(pairs, "_b").all()))


def refusal(contrast: Contrast, training: Training) -> str:
    """Why the two sides cannot be compared, in words; "" where they can, or the contrast says why it is no fault."""
    if contrast.unequal or not training.is_unequal:
        return ""
    return f"unequal training: {training.epochs:.0f} epochs against {training.epochs_b:.0f}"


def _trained(pairs: pd.DataFrame, side: str) -> pd.Series:
    trains = (*of_kind("trained"), "train-on")
    return pairs[f"recovery{side}"].isin(RECOVERED) | pairs[f"criterion{side}"].isin(trains)
