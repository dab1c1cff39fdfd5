"""A deep MLP: the history is pooled to one vector, and many narrow residual layers make the query of it.

The history is pooled four times, from all events alike to the last one alone. Each layer normalises, bends and adds a little
to what came in, so that what is learnt at one end of a hundred layers is felt at the other: He et al., "Identity Mappings in
Deep Residual Networks" (ECCV 2016). The item table is tied: the same vectors come in and go out.
"""

from __future__ import annotations

__all__ = ["DeepMLP", "DeepMLPEncoder", "DeepMLPOptions"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_rec.models.network import Network, check_share, check_whole, keep_all, last_event
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_runtime import Catalogue

_PACES = (0.0, 0.1, 0.5)  # what an event's weight loses, as a power of e, for each event since; the last pool is the last event
_MOST_LAYERS = 1024
_TINY = 1e-6  # added to the sum of the weights of events, so that none gives 0 and not 0 / 0


@dataclass(frozen=True, kw_only=True)
class DeepMLPOptions:
    """The shape of the network.

    Attributes:
        dims: Width of item vectors and queries.
        hidden: Width of the residual layers.
        layers: Dense layers in all: one in, one out, and residual ones between them.
        max_length: Events that the encoder looks back.
        dropout: Share of activations dropped in training: of what comes in, and of what each residual layer adds.
    """

    dims: int = 64
    hidden: int = 64
    layers: int = 10
    max_length: int = 50
    dropout: float = 0.2

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_whole("deep MLP", self, "dims", "hidden", "layers", "max_length")
        check_share("deep MLP", self, "dropout")
        if not 2 < self.layers <= _MOST_LAYERS:
            raise ModelError(f"deep MLP: layers={self.layers!r} is not a whole number from 3 to {_MOST_LAYERS}")


class _Layer(nn.Module):
    """A dense layer behind a normalisation, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.dense = nn.Linear(width, width)

    def forward(self, states: Tensor, drop: Callable[[Tensor], Tensor] = keep_all) -> Tensor:
        """Return [..., width] of ``states`` [..., width]."""
        return states + drop(self.dense(functional.gelu(self.norm(states))))


class DeepMLPEncoder(nn.Module):
    """Item vectors of a history -> the vector that the next item's should resemble."""

    order: Tensor

    def __init__(self, options: DeepMLPOptions) -> None:
        super().__init__()
        self.options = options
        self.expand = nn.Linear((len(_PACES) + 1) * options.dims, options.hidden)
        self.layers = nn.ModuleList(_Layer(options.hidden) for _ in range(options.layers - 2))
        self.contract = nn.Linear(options.hidden, options.dims)
        self.norm = nn.LayerNorm(options.dims)
        self.register_buffer("order", torch.arange(options.max_length, dtype=torch.float32), persistent=False)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query [batch, dims] of each history; finite, without meaning, where there is no event.

        Args:
            vectors: [batch, length, dims] rows of the item table, oldest event first, anything finite after the last event.
            mask: [batch, length] 1 on events, then 0.
        """
        order = self.order[: vectors.shape[1]]
        age = functional.relu(mask.sum(dim=1, keepdim=True) - 1.0 - order)
        weights = [mask * torch.exp(-pace * age) if pace else mask for pace in _PACES]
        shares = [one / (one.sum(dim=1, keepdim=True) + _TINY) for one in weights]
        pools = [(vectors * one[:, :, None]).sum(dim=1) for one in (*shares, last_event(mask, order))]
        return self._query(pools, keep_all)

    def states(self, vectors: Tensor, *, drop: Callable[[Tensor], Tensor] = keep_all) -> Tensor:
        """Return the query [batch, length, dims] after every event; see `Network.states`."""
        order = self.order[: vectors.shape[1], None]
        age = functional.relu(order - order.T)
        weights = [torch.tril(torch.exp(-pace * age)) for pace in _PACES]
        pools = [one / (one.sum(dim=1, keepdim=True) + _TINY) @ vectors for one in weights]
        return self._query([*pools, vectors], drop)

    def _query(self, pools: list[Tensor], drop: Callable[[Tensor], Tensor]) -> Tensor:
        states = self.expand(drop(torch.cat(pools, dim=-1) * math.sqrt(self.options.dims)))
        for layer in cast("list[_Layer]", list(self.layers)):
            states = layer(states, drop)
        query: Tensor = self.norm(self.contract(states))
        return query


class DeepMLP(Network):
    """An encoder and the item table that it shares with the output.

    Attributes:
        options: The shape of the network.
        catalogue: The ids of the table's rows.
        table: [items, dims] item vectors.
        encoder: The network.
    """

    name: ClassVar[str] = "deep-mlp"
    title: ClassVar[str] = "deep MLP"
    Options: ClassVar[type] = DeepMLPOptions

    def __init__(self, options: DeepMLPOptions, catalogue: Catalogue, *, seed: int = 0) -> None:
        super().__init__(options, catalogue)
        self.table = nn.Parameter(torch.empty(len(catalogue), options.dims))
        self.encoder = DeepMLPEncoder(options)
        self.draw(seed)

    def spread(self, name: str, values: Tensor) -> float:
        """Return the standard deviation that a matrix starts with.

        Residual layers start so small that all of them together add about as much as came in.
        """
        if name == "table":
            return 0.02
        layers = self.options.layers if name.startswith("encoder.layers.") else 1
        return float((values.shape[1] * layers) ** -0.5)
