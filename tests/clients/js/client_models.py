"""A small retriever with titles, converted with its whole graph, and histories that an app may come with."""

from __future__ import annotations

__all__ = ["ITEMS", "LONGEST", "PRECISIONS", "K", "converted", "histories"]

import random
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from edge_rec_converters import Retriever, convert, prepare
from edge_rec_runtime import Catalogue, History, Precision

if TYPE_CHECKING:
    from pathlib import Path

ITEMS, DIMS, LONGEST, K = 300, 32, 20, 50
PRECISIONS = ("fp32", "int8", "binary", "binary-only")


class Encoder(nn.Module):
    """The mean of a history's vectors and positions, through two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(LONGEST, DIMS) * 0.3)
        self.expand = nn.Linear(DIMS, 2 * DIMS)
        self.contract = nn.Linear(2 * DIMS, DIMS)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See `Retriever`."""
        events = (vectors + self.positions[: vectors.shape[1]]) * mask.unsqueeze(-1)
        mean = events.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        query: Tensor = mean + self.contract(torch.relu(self.expand(mean)))
        return query


def _source() -> Retriever:
    """Return the model with its items; titles go beyond ASCII."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    return Retriever(
        encoder=Encoder().eval(),
        item_table=rng.normal(size=(ITEMS, DIMS)).astype(np.float32),
        catalogue=Catalogue(
            tuple(map(str, range(ITEMS))),
            tuple(f"The {row}. film, a façade" for row in range(ITEMS)),
            popularity=rng.permutation(ITEMS).astype(np.uint32) // 3,
        ),
        max_length=LONGEST,
        name="small",
    )


def converted(folder: Path) -> dict[str, Path]:
    """Return a bundle of the model with its whole graph for each precision."""
    torch.set_num_threads(1)
    prepared = prepare(_source(), [History(tuple(events)) for events in histories(40, seed=5)[3:]])
    paths = {name: folder / f"{name}.edgerec" for name in PRECISIONS}
    for name, path in paths.items():
        convert(prepared, target="onnx", precision=Precision.parse(name), output=path, graph="retriever", graph_k=K)
    return paths


def histories(count: int, *, seed: int = 1) -> list[list[str]]:
    """Return ids: none, none that is known, some unknown, repeated ones, and more than the window holds."""
    drawn = random.Random(seed)
    found: list[list[str]] = [[], ["nobody knows this"], ["3", "nor this", "3"]]
    while len(found) < count:
        events = [str(drawn.randrange(ITEMS + 5)) for _ in range(drawn.choice((1, 2, 7, 8, 9, LONGEST, LONGEST + 1, 55)))]
        found.append(events)
    return found
