"""LightGCN: who met what is a graph, and a vector is smoothed by those of its neighbours, without weights in between.

He et al., "LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation" (SIGIR 2020). Training learns one
vector a user and item and spreads them over the graph (`GraphNetwork`). On the device nothing is left of the graph: the item
vectors are frozen as they were spread, and a user, known or not, is one more step of spreading over the items of the history.
"""

from __future__ import annotations

__all__ = ["GraphNetwork", "LightGCN", "LightGCNOptions", "OneStep"]

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from edge_rec.models.network import Network, check_share, check_whole, keep_all
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec.data import Sequences
    from edge_rec_converters.protocol import Retriever
    from edge_rec_runtime import Catalogue

_STEEPEST = 100  # beyond it the newest event alone counts, as it does at 100
_TINY = 1e-6  # added to a count of events, so that none gives 0 and not 0 / 0


@dataclass(frozen=True, kw_only=True)
class LightGCNOptions:
    """The vectors, and how a history is looked at.

    Attributes:
        dims: Width of the vectors.
        layers: Times that they are spread over the graph in training; the vectors of all layers are averaged.
        max_length: Events that the encoder looks back; training sees all of them. What comes next is told best by the last few.
        recency: What an event's weight loses, as a power of e, for each event that has come since; at 0 all count alike.
        dropout: Share of a user's vector that is dropped in training.
    """

    dims: int = 64
    layers: int = 2
    max_length: int = 4
    recency: float = 0.0  # what runs without this option were trained with
    dropout: float = 0.1

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_whole("LightGCN", self, "dims", "layers", "max_length")
        if not isinstance(self.recency, int | float) or not 0 <= self.recency <= _STEEPEST:
            raise ModelError(f"LightGCN: recency={self.recency!r} is not a number from 0 to {_STEEPEST}")
        check_share("LightGCN", self, "dropout")


class OneStep(nn.Module):
    """One step of spreading, from the items of a history to their user: the sum of their vectors over the root of their number.

    The published step also divides by the root of each item's own count, which the device does not know: here a popular item
    counts as much as any other. The published user has no order either; here an event may weigh less than the newer ones.
    """

    order: Tensor

    def __init__(self, *, max_length: int, recency: float = 0.0) -> None:
        """Take the window, and what an event's weight loses for each event that has come since."""
        super().__init__()
        self.recency = recency
        self.register_buffer("order", torch.arange(max_length, dtype=torch.float32), persistent=False)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the user [batch, dims]; 0 for a history without events.

        Args:
            vectors: [batch, length, dims] item vectors, oldest event first, anything finite where the mask is 0.
            mask: [batch, length] 1 on events, then 0.
        """
        count = mask.sum(dim=1, keepdim=True)
        weights = mask * self._faded(count - 1 - self.order[: vectors.shape[1]]) if self.recency else mask
        return (vectors * weights[:, :, None]).sum(dim=1) / (count + _TINY).sqrt()

    def states(self, vectors: Tensor, *, drop: Callable[[Tensor], Tensor] = keep_all) -> Tensor:
        """Return the user [batch, length, dims] after every event; see `Network.states`."""
        order = self.order[: vectors.shape[1], None]
        weights = torch.tril(self._faded(order - order.T))
        return drop(weights @ vectors / (order + 1 + _TINY).sqrt())

    def _faded(self, age: Tensor) -> Tensor:
        """Return what is left of weights of 1 of events of some age, of any shape; where there is no event, at most 1."""
        return torch.exp(-self.recency * functional.relu(age))


class LightGCN(Network):
    """Item vectors that were spread over the graph of the training, and the step that is left for a history.

    Attributes:
        options: The shape.
        catalogue: The ids of the table's rows.
        table: [items, dims].
    """

    name: ClassVar[str] = "lightgcn"
    title: ClassVar[str] = "LightGCN"
    Options: ClassVar[type] = LightGCNOptions
    float_weights: ClassVar[tuple[str, ...]] = ("*",)

    def __init__(self, options: LightGCNOptions, catalogue: Catalogue, *, seed: int = 0) -> None:
        super().__init__(options, catalogue)
        self.table = nn.Parameter(torch.empty(len(catalogue), options.dims))
        self.encoder = OneStep(max_length=options.max_length, recency=options.recency)
        self.draw(seed)


@dataclass(frozen=True)
class _Graph:
    """A symmetric sparse matrix that copies of a network share: it never changes, and torch cannot copy it."""

    matrix: Tensor

    def __deepcopy__(self, memo: dict[int, object]) -> _Graph:
        return self


class _Spread(torch.autograd.Function):
    """The product of a symmetric sparse matrix and vectors, whose gradient is the same product."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, graph: Tensor) -> Tensor:  # noqa: ANN401 - torch's own context
        ctx.graph = graph
        return graph @ vectors

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - torch's own context
        return ctx.graph @ upstream, None


class GraphNetwork(LightGCN):
    """What is trained: a vector for each user and item, and the graph that they are spread over.

    Attributes:
        users: [users, dims] vectors before they are spread; ``table`` has those of the items.
    """

    def __init__(self, options: LightGCNOptions, catalogue: Catalogue, *, met: Sequences, seed: int = 0) -> None:
        """Take the graph from ``met``, the item rows of each user; an item met twice has one edge."""
        super().__init__(options, catalogue, seed=seed)
        self.users = nn.Parameter(torch.empty(len(met), options.dims))
        self._graph = _Graph(_joined(met, len(catalogue)))
        self.draw(seed)

    def spread(self, name: str, values: Tensor) -> float:  # noqa: ARG002 - all vectors start alike
        """Return the standard deviation that a matrix starts with."""
        return 0.1

    def spread_out(self) -> tuple[Tensor, Tensor]:
        """Return the vectors of items [items, dims] and users [users, dims], averaged over the layers, with gradients."""
        layer = mean = torch.cat([self.table, self.users])
        for _ in range(self.options.layers):
            layer = _Spread.apply(layer, self._graph.matrix)  # type: ignore[no-untyped-call]  # torch types it so
            mean = mean + layer
        items, users = (mean / (self.options.layers + 1)).split([len(self.table), len(self.users)])
        return items, users

    def item_vectors(self) -> Tensor:
        """Return the item table [items, dims], spread, with a gradient."""
        return self.spread_out()[0]

    def frozen(self) -> LightGCN:
        """Return the model that needs no graph any more."""
        model = LightGCN(self.options, self.catalogue)
        with torch.no_grad():
            model.table.copy_(self.item_vectors())
        return model

    def source(self) -> Retriever:
        """Return the frozen model as the converters take it."""
        return self.frozen().source()


def _joined(met: Sequences, items: int) -> Tensor:
    """Return the symmetric [items + users, items + users] matrix with 1 / sqrt(degree x degree) for each edge, as CSR."""
    users = np.repeat(np.arange(len(met), dtype=np.int64), np.diff(met.offsets))
    edges = np.unique(np.stack([users, met.items.astype(np.int64)]), axis=1)
    if not edges.size:
        raise ModelError("LightGCN: nobody met anything, so there is no graph; a longer log is needed")
    degree = [np.maximum(np.bincount(one, minlength=size), 1) for one, size in zip(edges, (len(met), items), strict=True)]
    weight = 1 / np.sqrt(degree[0][edges[0]] * degree[1][edges[1]])
    size, (who, what) = items + len(met), torch.from_numpy(edges)
    both = torch.stack([torch.cat([what, who + items]), torch.cat([who + items, what])])
    values = torch.from_numpy(np.concatenate([weight, weight]).astype(np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch says of every such matrix that it is new to them
        return torch.sparse_coo_tensor(both, values, (size, size), check_invariants=True).to_sparse_csr()
