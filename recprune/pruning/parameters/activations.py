"""What a model's units do on pairs of users and items: their activations, and what they add to the scores."""

from __future__ import annotations

import torch

CHUNK = 4096  # pairs at once: SASRec keeps each pair's history beside it


@torch.no_grad()
def activations(model, unit: str, users, items) -> dict[str, torch.Tensor]:
    """Dimension -> (m x width) activations on m pairs."""
    parts = [model.trace(*chunk)[1] for chunk in _chunks(users, items)]
    return {name: torch.cat([seen[name] for seen in parts]).detach() for name in model.structure()[unit]}


def contributions(model, unit: str, users, items) -> dict[str, torch.Tensor]:
    """Dimension -> (m x width) what each unit adds to the scores of m pairs, to first order.

    That is its activation times the derivative of the pair's score; the product u_f v_f in a factor model.
    """
    names, parts = list(model.structure()[unit]), []
    for chunk in _chunks(users, items):
        scores, seen = model.trace(*chunk)
        slopes = torch.autograd.grad(scores.sum(), [seen[name] for name in names])
        parts.append([seen[name].detach() * slope for name, slope in zip(names, slopes, strict=True)])
    return {name: torch.cat(chunks) for name, chunks in zip(names, zip(*parts, strict=True), strict=True)}


def _chunks(users, items):
    for start in range(0, len(users), CHUNK):
        yield users[start : start + CHUNK], items[start : start + CHUNK]
