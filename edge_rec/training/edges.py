"""What a graph network learns from: edges of the graph, as many of each user, whoever met much or little."""

from __future__ import annotations

__all__ = ["Edges", "SomeEdges"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_rec.data import Split
    from edge_rec.models import GraphNetwork

_OF_EACH = 8  # edges of a user that a step looks at


@dataclass(frozen=True, kw_only=True)
class SomeEdges:
    """A few users and an item that each of them met.

    Attributes:
        users: [edges] int64.
        targets: [edges] int64, rows of items.
    """

    users: Tensor
    targets: Tensor


class Edges:
    """Find again who met what."""

    def __init__(self, split: Split, *, users: int) -> None:
        """Look at ``split.train``, ``users`` of it in a step."""
        self._train = split.train
        self._users = users
        self._active = np.flatnonzero(np.diff(split.train.offsets))

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return math.ceil(len(self._active) / self._users)

    def batches(self, rng: np.random.Generator) -> Iterator[list[SomeEdges]]:
        """Yield every user once, in random order, with eight of the user's edges, drawn with replacement."""
        order, offsets = rng.permutation(self._active), self._train.offsets
        for start in range(0, len(order), self._users):
            users = np.repeat(order[start : start + self._users], _OF_EACH)
            picked = rng.integers(offsets[users], offsets[users + 1])
            targets = self._train.items[picked].astype(np.int64)
            yield [SomeEdges(users=torch.from_numpy(users), targets=torch.from_numpy(targets))]

    def shared(self, model: GraphNetwork) -> tuple[Tensor, ...]:
        """Return the vectors of items and users, spread over the graph."""
        return model.spread_out()

    def states(
        self,
        model: GraphNetwork,  # noqa: ARG002 - all of it is in ``shared``
        part: SomeEdges,
        shared: tuple[Tensor, ...],
        *,
        drop: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """Return the vector of each edge's user."""
        return drop(shared[1][part.users])
