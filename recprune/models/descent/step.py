"""One step of gradient descent: what happens between a batch and the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.optim.adam import adam

from recprune.together import Group

if TYPE_CHECKING:
    from recprune.models.descent.model import GradientModel

# (arrays, learning rate) -> None: changes arrays in place, by name, after a step
Regulariser = Callable[[dict[str, torch.Tensor], float], None]


class Step:
    """One step of training: gradients -> their sum over the processes of a group -> clipping -> Adam -> regulariser
    -> masks -> the model's own constraint."""

    def __init__(
        self,
        model: GradientModel,
        arrays: dict[str, torch.Tensor],
        optimizer: Adam,
        generator: torch.Generator,
        group: Group,
        device: torch.device,
        regulariser: Regulariser | None = None,
        clip: float | None = None,
    ):
        self.model, self.arrays, self.optimizer, self.generator = model, arrays, optimizer, generator
        self.group, self.device, self.regulariser, self.clip = group, device, regulariser, clip
        self.held: list[tuple[torch.Tensor, torch.Tensor]] = []
        self.lengths: list[float] = []  # of the gradient before clipping, since `norms` was last asked

    def __call__(self, batch: tuple) -> float:
        """Take the step; returns the loss before it."""
        self.optimizer.zero_gradients()
        part, share = self._part(batch)
        part = tuple(x.to(self.device) if isinstance(x, torch.Tensor) else x for x in part)
        loss = self.model.loss(self.arrays, part, self.generator)
        loss.backward()
        loss = loss.detach()
        self.group.add([*self.optimizer.gradients, loss], share)
        if self.clip is not None:
            self.lengths.append(self.optimizer.clip(self.clip))
        self.optimizer.step()
        with torch.no_grad():
            if self.regulariser is not None:
                self.regulariser(self.arrays, self.optimizer.learning_rate)
        self.hold(self.held)
        self.model.project(self.arrays)
        return float(loss)

    def _part(self, batch: tuple) -> tuple[tuple, float]:
        """What this process takes of a batch, and its share of the batch's loss, a mean, and so of its gradient."""
        size = self.group.size
        n = batch[0].shape[0] if size > 1 else 0
        if n < size:
            return batch, 1 / size
        for at, x in enumerate(batch):
            if at not in self.model.in_common and getattr(x, "shape", (0,))[0] != n:
                raise ValueError(
                    f"{self.model.name}: place {at} of a batch has not a row for each of its {n} samples; "
                    "`in_common` of the model has to name it, or processes cannot train together"
                )
        rows, whole = self.group.part(n), self.model.weight(batch)
        part = tuple(x if at in self.model.in_common else x[rows] for at, x in enumerate(batch))
        return part, self.model.weight(part) / whole if whole else 1 / size

    @torch.no_grad()
    def hold(self, held: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """From now on these arrays are zero where their masks, bool tensors of the same shape, are False."""
        self.held = held
        for array, mask in held:
            array.mul_(mask)

    def norms(self) -> dict[str, float]:
        """What an epoch with clipping has to log: the gradients' mean norm, and the share of them that was clipped."""
        lengths, self.lengths = np.array(self.lengths), []
        if not len(lengths):
            return {}
        return {"gradient_norm": float(lengths.mean()), "clipped": float((lengths > self.clip).mean())}


class Adam:
    """Adam (Kingma and Ba, 2015) with weight decay added to the gradient: torch's fused kernel.

    Called in its functional form, since torch.optim's class imports torch's compiler at the first step
    (more than a second in every process). Gradients keep their memory from step to step.
    """

    def __init__(self, arrays: list[torch.Tensor], learning_rate: float, l2: float):
        self.arrays, self.learning_rate, self.l2 = arrays, learning_rate, l2
        for array in arrays:
            array.grad = torch.zeros_like(array)
        self.first, self.second = ([torch.zeros_like(array) for array in arrays] for _ in range(2))
        self.steps = [torch.zeros((), device=array.device) for array in arrays]

    def zero_gradients(self) -> None:
        for gradient in self.gradients:
            gradient.zero_()

    @property
    def gradients(self) -> list[torch.Tensor]:
        """The gradient of each array."""
        return [array.grad for array in self.arrays if array.grad is not None]

    def clip(self, limit: float) -> float:
        """Scale the gradients so that their norm, taken together, is at most `limit` (Pascanu et al., 2013).

        Returns the norm before.
        """
        return float(torch.nn.utils.clip_grad_norm_(self.arrays, limit))

    @torch.no_grad()
    def step(self) -> None:
        adam(
            self.arrays,
            self.gradients,
            self.first,
            self.second,
            [],
            self.steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            maximize=False,
            lr=self.learning_rate,
            weight_decay=self.l2,
        )
