"""The search of a path for the model, and the format of its values, that a budget asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pandas as pd

from recprune.evaluation import footprint
from recprune.models.quantization import FORMATS, quantize
from recprune.pruning.budget import BYTES, NONZEROS, QUALITY, Budget, quality
from recprune.pruning.pruned import AS_TRAINED, Pruned
from recprune.splits import Split


class Search:
    """A search in which a model is pruned once for all formats, and looked at in those that it can decide about.

    cut     step -> the pruned model of it: 0 is the dense model, 1 to `last` keep less and less
    bisect  by bisection, format by format; else one step after another
    """

    def __init__(self, budget: Budget, split: Split, cut: Callable[[int], Pruned], last: int, bisect: bool):
        self.budget, self.split, self.cut, self.last, self.bisect = budget, split, cut, last, bisect
        self.models = {0: cut(0)}  # of the steps that can be the answer: models may be large
        self.rounds: dict[int, dict[str, Any]] = {}  # step -> the last round of its model
        self.seen: dict[tuple[int, str], dict[str, float]] = {}  # step and format -> what was measured
        self.dense = 0.0 if budget.max_loss is None else quality(self.models[0].model, split, AS_TRAINED)

    def best(self, method: str) -> Pruned:
        """The model that the budget asks for. Raises ValueError, which names the method, where there is none."""
        answers = self._answers()
        if not answers:
            raise ValueError(self._unmet(method))
        values = self._chosen(answers)
        step = answers[values]
        if self.budget.limits_both and self.budget.loses(seen := self.seen[step, values], self.dense):
            raise ValueError(
                f"bytes is {self.budget.bytes:,}, max_loss {self.budget.max_loss:g}: the best model of {method} "
                f"that fits loses {1 - seen[QUALITY] / self.dense:.2%}; more of either is needed, or another unit"
            )
        best = self.models[step]
        best.values = values
        if self.rounds:
            rows = pd.DataFrame(self._rows())
            best.rounds = rows.sort_values("kept", ascending=False, kind="stable", ignore_index=True)
        return best

    def _answers(self) -> dict[str, int]:
        """Format -> the first step that is small enough, or the last one within the loss, if any."""
        sized, formats = self.budget.limits_size, self.budget.formats
        low, high = dict.fromkeys(formats, 0), dict.fromkeys(formats, self.last + 1)
        if sized:
            high |= dict.fromkeys(self._reached(0, formats), 0)
        while between := [values for values in formats if high[values] - low[values] > 1]:
            widest = max(between, key=lambda values: high[values] - low[values])
            step = (low[widest] + high[widest]) // 2 if self.bisect else low[widest] + 1
            inside = [values for values in between if low[values] < step < high[values]]
            reached = self._reached(step, inside)
            for values in inside:
                (high if values in reached else low)[values] = step
            ends = {0, *(high if sized else low).values()}
            self.models = {step: model for step, model in self.models.items() if step in ends}
        if sized:
            return {values: step for values, step in high.items() if step <= self.last}
        # with nothing removed, the model as trained has lost nothing; in another format it may have
        return {v: step for v, step in low.items() if step or v == AS_TRAINED or not self._reached(0, [v])}

    def _reached(self, step: int, formats: Iterable[str]) -> list[str]:
        """Those of the formats in which nothing more need, or may, be removed than at a step."""
        if step not in self.models:
            self.models[step] = self.cut(step)
            (*_, last) = self.models[step].rounds.to_dict("records")
            self.rounds[step] = {str(name): value for name, value in last.items()} | {"kept": self.models[step].kept}
        for values in formats:
            self.seen[step, values] = self.budget.look(self.models[step].model, self.split, values)
        return [values for values in formats if self.budget.reached(self.seen[step, values], self.dense)]

    def _chosen(self, answers: dict[str, int]) -> str:
        """The format whose answer is best on validation of those within a size, or smallest of those within a loss."""
        if len(answers) == 1 and not self.budget.limits_both:
            return next(iter(answers))
        for values, step in answers.items():
            model, seen = self.models[step].model, self.seen.setdefault((step, values), {})
            if QUALITY not in seen:
                seen[QUALITY] = quality(model, self.split, values)
            if BYTES not in seen:
                seen[BYTES] = footprint(quantize(model, values)).bytes_disk

        def rank(values: str) -> tuple[float, float]:
            seen = self.seen[answers[values], values]
            cost = seen[BYTES], -seen[QUALITY]
            return cost[::-1] if self.budget.limits_size else cost

        return min(answers, key=rank)

    def _unmet(self, method: str) -> str:
        """What to say where no model of the path meets the budget in any of its formats."""
        budget, formats = self.budget, self.budget.formats
        coded = f" in {', '.join(formats)}" if formats != (AS_TRAINED,) else ""
        if not budget.limits_size:
            least = 1 - max(self.seen[0, values][QUALITY] for values in formats) / self.dense
            return (
                f"max_loss is {budget.max_loss:g}, and the dense model{coded} loses {least:.2%}: more is needed, or "
                f"another of {', '.join(FORMATS)}"
            )
        name, limit = (NONZEROS, budget.nonzeros) if budget.nonzeros is not None else (BYTES, budget.bytes)
        smallest = min(seen[name] for seen in self.seen.values())
        return (
            f"{name} is {limit:,}, and the smallest model that {method} comes to{coded} has {smallest:,.0f}: more is "
            "needed, or another unit, or a smaller model"
        )

    def _rows(self) -> Iterator[dict[str, Any]]:
        """A row a model and format looked at. Seconds stand in the first row of a model: it was pruned once."""
        paid: set[int] = set()
        for (step, values), seen in self.seen.items():
            if step:
                free = {"score_s": 0.0, "recovery_s": 0.0, "epochs": 0} if step in paid else {}
                paid.add(step)
                yield {**self.rounds[step], **free, "values": values, **seen}
