"""Training by several processes together: each takes its part of every batch, and all of them take the same step.

    torchrun --nproc-per-node 2 train.py

with a script as it is for one process, train.py:

    import recprune as rp

    split = rp.split(rp.load("ml-100k"), protocol="ratio", seed=0)
    model = rp.models.MultVAE().fit(split.train, validation=split.validation, seed=0)
    model.save("model")
    print(rp.evaluate(model, split).mean["ndcg@10"])

Under torchrun the group of processes is made when the first model trains (gloo on processors, nccl on GPUs); one that
a script has made itself (`torch.distributed.init_process_group`) is used as it is. Models of gradient descent train
together; all others are trained by each process for itself. The first process alone writes.

All processes make the same batches, in the same order; the rows of a batch are cut into as many parts as there are
processes, and of the sum of the gradients, each with its part's share of the batch, all have the same. So they follow
what one process does, up to the rounding of sums, but for what is drawn for each sample (dropout, the noise of
Mult-VAE): that is drawn anew in each process. A batch of fewer samples than processes is everybody's. Validation users
are cut into parts too. One process is not changed by a bit.
"""

from __future__ import annotations

import atexit
import os
from typing import Any

import numpy as np
import torch
import torch.distributed as dist


class Group:
    """The processes that train together, as one of them sees them; by default it is alone, and nothing is exchanged.

    rank    its number, from 0
    size    how many there are
    device  where tensors are when they are exchanged
    """

    def __init__(self, rank: int = 0, size: int = 1, device: torch.device | str = "cpu"):
        self.rank, self.size, self.device = rank, size, device

    def part(self, n: int) -> slice:
        """This process's part of n rows; sizes differ by one at most."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def seed(self, seed: int) -> int:
        """The seed of what is drawn for each sample: another one in each process, in the first `seed` itself."""
        return int(np.random.SeedSequence([seed, self.rank]).generate_state(1)[0]) if self.rank else seed

    def agree(self, about: dict[str, Any]) -> None:
        """Raises ValueError, in all processes, unless these values are the same in all of them."""
        if self.size == 1:
            return
        said: list[Any] = [None] * self.size
        dist.all_gather_object(said, about)
        for rank, theirs in enumerate(said):
            for name, value in said[0].items():
                if theirs[name] != value:
                    raise ValueError(
                        f"process {rank} trains with {name} {theirs[name]!r}, process 0 with {value!r}; "
                        "all processes of a group have to train the same model on the same data"
                    )

    @torch.no_grad()
    def take_from_first(self, tensors: list[torch.Tensor]) -> None:
        """The first process's values for all, in place."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    @torch.no_grad()
    def add(self, tensors: list[torch.Tensor], share: float = 1.0) -> None:
        """The sum over all processes of each tensor times its process's share, in place; the same bits in all."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors]).mul_(share)  # one exchange, not one for each
        dist.all_reduce(flat)
        for tensor, total in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(total.view_as(tensor))

    def fill(self, values: np.ndarray) -> np.ndarray:
        """(n,) values, of which each process knows its `part` and has zeros elsewhere: those of all."""
        if self.size == 1:
            return values
        told = torch.from_numpy(values).to(self.device)
        dist.all_reduce(told)
        return told.cpu().numpy()

    def first_says(self, answer: bool) -> bool:
        """The first process's answer, for all."""
        return bool(self.fill(np.array([float(answer and self.rank == 0)]))[0])


def group(device: torch.device) -> Group:
    """The group of this process: torch's own, one that is made now under torchrun, or nobody else."""
    if not dist.is_available():
        return Group()
    if not dist.is_initialized():
        if not dist.is_torchelastic_launched():
            return Group()
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(_leave)
    return Group(dist.get_rank(), dist.get_world_size(), device)


def writes() -> bool:
    """Whether this process writes files: the first of a group, and every process without one."""
    if not dist.is_available():
        return True
    if dist.is_initialized():
        return dist.get_rank() == 0
    return not dist.is_torchelastic_launched() or os.environ.get("RANK", "0") == "0"


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
