"""What is said while something goes on: on stderr, a line with the time left where it takes more than a few seconds."""

from __future__ import annotations

import sys
import time
from typing import Any

from recprune.pruning.parameter_path import ParameterPath
from recprune.pruning.pruned import Pruned

EVERY = 5.0  # seconds between two lines where there is no terminal to write one line anew


def say(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)


class Line:
    """A line that is written again and again, on a terminal in its own place; elsewhere now and then."""

    def __init__(self) -> None:
        self.began = self.said = time.monotonic()
        self.written = False

    def write(self, text: str, done: int, most: int) -> None:
        """What goes on, with the time left at most if `done` of at most `most` steps took what has gone by."""
        now, terminal = time.monotonic(), sys.stderr.isatty()
        if now - self.said >= (0.5 if terminal else EVERY):
            self.said, self.written = now, True
            text += f", at most {(now - self.began) / done * max(0, most - done):.0f} s left"
            print(f"\r{text}  " if terminal else text, file=sys.stderr, end="" if terminal else "\n", flush=True)

    def end(self) -> None:
        """What comes next begins a line of its own."""
        if self.written and sys.stderr.isatty():
            say("")


class Epochs:
    """A context in which a model that learns by epochs says how far it is, and how long it takes at most.

    with Epochs(model) as model: model.fit(...)
    """

    def __init__(self, model: Any):
        self.model, self.line = model, Line()

    def __enter__(self) -> Any:
        if hasattr(type(self.model), "watch"):
            self.model.watch = self._look
        return self.model

    def __exit__(self, *_: object) -> None:
        vars(self.model).pop("watch", None)
        self.line.end()

    def _look(self, epoch: int, best: float) -> bool:
        """Called after each epoch; False: training goes on."""
        most = self.model.epochs
        text = f"{self.model.name}: epoch {epoch} of at most {most}, best validation nDCG@10 {best:.4f}"
        self.line.write(text, epoch, most)
        return False


class Told(ParameterPath):
    """A path that says how many of its models were made, of at most `most`, while a budget is searched."""

    most, done = 1, 0

    def search(self, most: int) -> Told:
        """The path itself, at the start of a search."""
        self.most, self.done, self.line = most, 0, Line()
        return self

    def recovering(self, recovery: str) -> Told:
        """The same path with another recovery (see `ParameterPath.recovering`), with a count of its own."""
        other = super().recovering(recovery)
        assert isinstance(other, Told)
        return other.search(1)

    def cut(self, keep: float) -> Pruned:
        """The model that `ParameterPath.cut` makes."""
        found = super().cut(keep)
        self.done += 1
        self.line.write(f"pruned to {keep:.3g}: {self.done} of at most {self.most} models", self.done, self.most)
        return found
