"""What is said while something goes on: on stderr, a line with the time left where it takes more than a few seconds."""

from __future__ import annotations

import sys
import time
from typing import Any

EVERY = 5.0  # seconds between two lines where there is no terminal to write one line anew


def say(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)


class Epochs:
    """A context in which a model that learns by epochs says how far it is, and how long it takes at most.

    with Epochs(model) as model: model.fit(...)
    """

    def __init__(self, model: Any):
        self.model, self.began = model, time.monotonic()
        self.said, self.written = self.began, False

    def __enter__(self) -> Any:
        if hasattr(type(self.model), "watch"):
            self.model.watch = self._look
        return self.model

    def __exit__(self, *_: object) -> None:
        vars(self.model).pop("watch", None)
        if self.written and sys.stderr.isatty():
            say("")

    def _look(self, epoch: int, best: float) -> bool:
        """Called after each epoch; False: training goes on."""
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if now - self.said >= (0.5 if terminal else EVERY):
            self.said, self.written = now, True
            left = (now - self.began) / epoch * (self.model.epochs - epoch)
            text = (
                f"{self.model.name}: epoch {epoch} of at most {self.model.epochs}, "
                f"best validation nDCG@10 {best:.4f}, at most {left:.0f} s left"
            )
            print(f"\r{text}  " if terminal else text, file=sys.stderr, end="" if terminal else "\n", flush=True)
        return False
