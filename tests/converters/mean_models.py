"""Models that are not of the zoo, and histories for them."""

from __future__ import annotations

__all__ = ["DIMS", "ITEMS", "LONGEST", "MeanEncoder", "histories_of", "source_of"]

import numpy as np
import torch
from torch import Tensor, nn

from edge_rec_converters import Retriever
from edge_rec_runtime import Catalogue, History

ITEMS, DIMS, LONGEST = 240, 32, 20


class MeanEncoder(nn.Module):
    """The mean of a history's vectors and positions, through two dense layers."""

    def __init__(self, dims: int = DIMS, longest: int = LONGEST) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(longest, dims) * 0.1)
        self.expand = nn.Linear(dims, 2 * dims)
        self.contract = nn.Linear(2 * dims, dims)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See `Retriever`."""
        events = (vectors + self.positions[: vectors.shape[1]]) * mask.unsqueeze(-1)
        mean = events.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        query: Tensor = mean + self.contract(torch.relu(self.expand(mean)))
        return query


def source_of(encoder: nn.Module, *, seed: int = 0, **parts: object) -> Retriever:
    """Return a source with random items of uneven popularity."""
    rng = np.random.default_rng(seed)
    table = (rng.normal(size=(ITEMS, DIMS)) * rng.lognormal(0, 0.3, size=(ITEMS, 1))).astype(np.float32)
    catalogue = Catalogue(tuple(f"i{row}" for row in range(ITEMS)), popularity=rng.integers(1, 900, ITEMS).astype(np.uint32))
    given = {"encoder": encoder.eval(), "item_table": table, "catalogue": catalogue, "max_length": LONGEST, "name": "mean"}
    return Retriever(**(given | parts))  # type: ignore[arg-type]  # tests give wrong parts on purpose


def histories_of(users: int, *, seed: int = 1) -> list[History]:
    """Return histories of 1 to 30 events, some beyond the window, each with a target."""
    rng = np.random.default_rng(seed)
    made = []
    for user in range(users):
        rows = rng.permutation(ITEMS)[: rng.integers(2, 31)]
        made.append(History(tuple(f"i{row}" for row in rows[:-1]), target=f"i{rows[-1]}", user=str(user)))
    return made
