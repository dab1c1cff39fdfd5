"""GRU4Rec: a gated recurrent network walks through the history, and its state after the last event asks for the next item.

Hidasi, Karatzoglou, Baltrunas and Tikk, "Session-based Recommendations with Recurrent Neural Networks" (ICLR 2016), trained
with cross-entropy over the whole catalogue: the loss decides more than the network does, as Klenitskiy and Vasilev found in
"Turning Dross Into Gold Loss" (RecSys 2023). The item table is tied: the same vectors come in and go out.
"""

from __future__ import annotations

__all__ = ["GRU4Rec", "GRU4RecEncoder", "GRU4RecOptions"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from edge_rec.models.network import Network, check_share, check_whole, keep_all, last_event
from edge_rec_runtime.state import StatePart

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_runtime import Catalogue


@dataclass(frozen=True, kw_only=True)
class GRU4RecOptions:
    """The shape of the network.

    Attributes:
        dims: Width of item vectors and queries.
        hidden: Width of the recurrent state.
        layers: Recurrent layers, one above the other.
        max_length: Events that the encoder looks back.
        dropout: Share of activations dropped in training: what comes in, and what the recurrent layers give.
    """

    dims: int = 64
    hidden: int = 128
    layers: int = 1
    max_length: int = 200
    dropout: float = 0.2

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_whole("GRU4Rec", self, "dims", "hidden", "layers", "max_length")
        check_share("GRU4Rec", self, "dropout")


class GRU4RecEncoder(nn.Module):
    """Item vectors of a history -> the vector that the next item's should resemble."""

    order: Tensor

    def __init__(self, options: GRU4RecOptions) -> None:
        super().__init__()
        self.options = options
        self.gru = nn.GRU(options.dims, options.hidden, options.layers, batch_first=True)
        self.output = nn.Linear(options.hidden, options.dims)
        self.norm = nn.LayerNorm(options.dims)
        self.register_buffer("order", torch.arange(options.max_length, dtype=torch.float32), persistent=False)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query [batch, dims] after the last event of each history.

        The recurrence runs on over the padding, whose states nobody looks at. Histories without an event get a finite query
        that means nothing.

        Args:
            vectors: [batch, length, dims] rows of the item table, oldest event first, anything after the last event.
            mask: [batch, length] 1 on events, then 0.
        """
        states, _ = self.gru(self._placed(vectors))
        last = last_event(mask, self.order[: vectors.shape[1]])
        query: Tensor = self.norm(self.output((states * last[:, :, None]).sum(dim=1)))
        return query

    @property
    def state(self) -> tuple[StatePart, ...]:
        """What is remembered, see `Stepping`: one vector a layer."""
        layers = range(self.options.layers)
        return tuple(StatePart(name=f"hidden.{layer}", width=self.options.hidden, per_event=False) for layer in layers)

    def step(self, vectors: Tensor, past: Tensor | None, *state: Tensor) -> tuple[Tensor, ...]:  # noqa: ARG002 - part of the protocol
        """Take new events in, see `Stepping`.

        Args:
            vectors: [1, new, dims].
            past: None.
            *state: [1, hidden] of each layer.
        """
        states, last = self.gru(self._placed(vectors), torch.stack(state))
        query: Tensor = self.norm(self.output(states[:, -1]))
        return query, *last.unbind(0)

    def states(self, vectors: Tensor, *, drop: Callable[[Tensor], Tensor] = keep_all) -> Tensor:
        """Return the query [batch, length, dims] after every event.

        Args:
            vectors: [batch, length, dims] as in `forward`.
            drop: What training does to activations.
        """
        states, _ = self.gru(drop(self._placed(vectors)))
        queries: Tensor = self.norm(self.output(drop(states)))
        return queries

    def _placed(self, vectors: Tensor) -> Tensor:
        return vectors * math.sqrt(self.options.dims)


class GRU4Rec(Network):
    """An encoder and the item table that it shares with the output.

    Attributes:
        options: The shape of the network.
        catalogue: The ids of the table's rows.
        table: [items, dims] item vectors.
        encoder: The network.
    """

    name: ClassVar[str] = "gru4rec"
    title: ClassVar[str] = "GRU4Rec"
    Options: ClassVar[type] = GRU4RecOptions

    def __init__(self, options: GRU4RecOptions, catalogue: Catalogue, *, seed: int = 0) -> None:
        super().__init__(options, catalogue)
        self.table = nn.Parameter(torch.empty(len(catalogue), options.dims))
        self.encoder = GRU4RecEncoder(options)
        self.draw(seed)

    def spread(self, name: str, values: Tensor) -> float:
        """Return the standard deviation that a matrix starts with: the gates' keep the size of what passes through them."""
        return 0.02 if name == "table" else values.shape[1] ** -0.5
