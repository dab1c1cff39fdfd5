"""Axes along which eight bits lose least: items and queries are rotated together, so that their scores stay as they are.

A vector's scale is its largest magnitude by 127, so that the same bits round finer where no value stands out. Which rotation
brings that about is learnt, after Liu et al., "SpinQuant: LLM Quantization with Learned Rotations" (ICLR 2025), from the peaks
alone and not from a loss. SASRec on MovieLens-1M, validation, queries: the largest value falls from 2.86 to 2.17 times the
root mean square, where a random rotation leaves it; overlap@10 of eight-bit queries and items with float ones rises from .992
to .994.
"""

from __future__ import annotations

__all__ = ["in_axes", "level_axes"]

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import nn
from torch.nn.functional import normalize
from torch.nn.utils.parametrizations import orthogonal

from edge_rec.models import Network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from edge_rec_runtime import Progress

_N = TypeVar("_N", bound=Network)

_STEPS = 1500
_BATCH = 1024  # queries, and as many items
_RATE = 2e-3
_POWER = 12  # of the norm that stands for the largest magnitude, and has a gradient in every value


def in_axes(model: _N, axes: NDArray[np.float32]) -> _N:
    """Return the network with its items as products of coordinates [items, width] and axes [width, dims].

    Args:
        model: Whose item table, where it is a product already, has the coordinates of ``width`` factors.
        axes: [width, width], orthonormal: the new axes in the coordinates of the table.
    """
    weights = model.weights()
    basis = axes if model.structure.item_rank is None else axes @ weights["item_basis"]
    pruned = tuple(name for name in model.structure.pruned if name not in {"table", "item_basis"})  # no zero stays one
    structure = replace(model.structure, item_rank=len(axes), pruned=pruned, rotated=True)
    return model.with_structure(structure, {**weights, "table": weights["table"] @ axes.T, "item_basis": basis})


def level_axes(items: Tensor, queries: Tensor, *, seed: int, progress: Progress) -> NDArray[np.float32]:
    """Return axes [width, width], orthonormal, along which no value of items and queries stands out.

    Args:
        items: [items, width] float32.
        queries: [n, width] float32.
        seed: Decides which are looked at when.
        progress: Told about each step.
    """
    sides = [(side, rows) for side in (items.detach(), queries) if len(rows := side.any(dim=1).nonzero()[:, 0])]
    width = items.shape[1]
    with torch.random.fork_rng(devices=()):  # what a layer draws first is overwritten
        rotation = nn.Linear(width, width, bias=False)
    nn.init.eye_(rotation.weight)
    orthogonal(rotation, orthogonal_map="cayley")
    optimizer = torch.optim.Adam(rotation.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    draws = torch.Generator().manual_seed(seed)
    for step in range(_STEPS if width > 1 and sides else 0):
        axes = rotation.weight
        peaks = torch.zeros(())
        for side, rows in sides:
            drawn = normalize(side[rows[torch.randint(len(rows), (min(_BATCH, len(rows)),), generator=draws)]])
            peaks = peaks + torch.linalg.vector_norm(drawn @ axes.T, ord=_POWER, dim=1).square().mean()
        optimizer.zero_grad()
        peaks.backward()  # type: ignore[no-untyped-call]  # torch types it so
        optimizer.step()
        schedule.step()
        progress(step + 1, _STEPS, "axes for eight bits")
    found: NDArray[np.float32] = rotation.weight.detach().numpy()
    return found
