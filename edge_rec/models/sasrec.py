"""SASRec: self-attention over the history, trained to foretell the next item, its output table tied to its input table.

Kang and McAuley, "Self-Attentive Sequential Recommendation" (ICDM 2018), with what has been learnt since: blocks normalise
before they compute, the loss sees the whole catalogue, and each head forgets at a pace of its own (`recency`; Press, Smith and
Lewis, "Train Short, Test Long", ICLR 2022): that the newest events tell most need not be learnt from a small log.

The encoder exists once and computes in two ways. `SASRecEncoder.forward` is what is exported: item vectors and a mask in,
one query out, written with the operations that every target has. `SASRecEncoder.states` gives the state after every event
of a batch at once, for training. A test holds the two to the same numbers.
"""

from __future__ import annotations

__all__ = ["SASRec", "SASRecEncoder", "SASRecOptions"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_rec.models.attention import FORBIDDEN
from edge_rec.models.causal_block import CausalBlock
from edge_rec.models.network import Network, check_share, check_whole, keep_all, last_event
from edge_rec_runtime.errors import ModelError
from edge_rec_runtime.state import StatePart

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_runtime import Catalogue

_STEEPEST = 100  # beyond it a head sees the newest event alone, as it does at 100


@dataclass(frozen=True, kw_only=True)
class SASRecOptions:
    """The shape of the network.

    Attributes:
        dims: Width of item vectors and states.
        blocks: Transformer blocks.
        heads: Attention heads a block; they divide ``dims`` unless ``head_dims`` says how wide they are.
        feed_forward: Width of the hidden layer of every block, or one width a block.
        max_length: Events that the encoder looks back.
        dropout: Share of activations dropped in training: at the input and at the end of both halves of a block.
        recency: What the first head's attention score loses for each event that has come since; the next head loses a quarter
            of that, and so on. At 0 all events are alike to a head but for their positions.
        kept_heads: For each block the numbers of the heads that it still has, ascending; a head's number decides how fast it
            forgets. None where no head was taken away.
        head_dims: Width of a head; None for ``dims`` over ``heads``.
    """

    dims: int = 64
    blocks: int = 2
    heads: int = 2
    feed_forward: int | tuple[int, ...] = 256
    max_length: int = 200
    dropout: float = 0.2
    recency: float = 0.0  # what runs without this option were trained with

    kept_heads: tuple[tuple[int, ...], ...] | None = None
    head_dims: int | None = None

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built; lists, as JSON has them, become tuples."""
        check_whole("SASRec", self, "dims", "blocks", "heads", "max_length")
        if self.head_dims is not None:
            check_whole("SASRec", self, "head_dims")
        elif self.dims % self.heads:
            raise ModelError(f"SASRec: {self.heads} heads do not divide {self.dims} dims; choose dims as a multiple of heads")
        check_share("SASRec", self, "dropout")
        if not isinstance(self.recency, int | float) or not 0 <= self.recency <= _STEEPEST:
            raise ModelError(f"SASRec: recency={self.recency!r} is not a number from 0 to {_STEEPEST}")
        if isinstance(self.feed_forward, list | tuple):
            object.__setattr__(self, "feed_forward", tuple(self.feed_forward))
            if len(self.feed_forward) != self.blocks:
                raise ModelError(f"SASRec: feed_forward={self.feed_forward!r} is not one width for each of {self.blocks} blocks")
        for width in self.widths:
            if type(width) is not int or not 1 <= width <= 1 << 16:
                raise ModelError(f"SASRec: feed_forward={width!r} is not a whole number from 1 to 65536")
        if self.kept_heads is not None:
            self._check_heads(self.kept_heads)
            object.__setattr__(self, "kept_heads", tuple(tuple(heads) for heads in self.kept_heads))

    @property
    def widths(self) -> tuple[int, ...]:
        """The width of each block's hidden layer."""
        return self.feed_forward if isinstance(self.feed_forward, tuple) else (self.feed_forward,) * self.blocks

    @property
    def head_width(self) -> int:
        """The width of a head."""
        return self.head_dims or self.dims // self.heads

    @property
    def head_numbers(self) -> tuple[tuple[int, ...], ...]:
        """The heads that each block has."""
        return self.kept_heads or (tuple(range(self.heads)),) * self.blocks

    def slope(self, head: int) -> float:
        """Return what a head's attention score loses for an event of distance."""
        return float(self.recency * 0.25**head)

    def _check_heads(self, kept: object) -> None:
        if not isinstance(kept, list | tuple) or len(kept) != self.blocks:
            raise ModelError(f"SASRec: kept_heads={kept!r} is not one list of heads for each of {self.blocks} blocks")
        for heads in kept:
            whole = isinstance(heads, list | tuple) and all(type(head) is int and 0 <= head < self.heads for head in heads)
            if not whole or not heads or sorted(set(heads)) != list(heads):
                raise ModelError(
                    f"SASRec: {heads!r} in kept_heads is not a list of at least one of the heads 0 to {self.heads - 1}, ascending"
                )


def _block(options: SASRecOptions, number: int) -> CausalBlock:
    heads = options.head_numbers[number]
    return CausalBlock(
        options.dims,
        heads=heads,
        slopes=tuple(options.slope(head) for head in heads),
        head_width=options.head_width,
        hidden=options.widths[number],
    )


class SASRecEncoder(nn.Module):
    """Item vectors of a history -> the vector that the next item's should resemble."""

    order: Tensor

    def __init__(self, options: SASRecOptions) -> None:
        super().__init__()
        self.options = options
        self.positions = nn.Parameter(torch.empty(options.max_length, options.dims))
        self.blocks = nn.ModuleList(_block(options, number) for number in range(options.blocks))
        self.norm = nn.LayerNorm(options.dims)
        self.register_buffer("order", torch.arange(options.max_length, dtype=torch.float32), persistent=False)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query [batch, dims] after the last event of each history.

        Only the last event's state leaves the encoder, so the last block computes no other. Histories without an event
        get a finite query that means nothing.

        Args:
            vectors: [batch, length, dims] rows of the item table, oldest event first, anything after the last event.
            mask: [batch, length] 1 on events, then 0.
        """
        order = self.order[: vectors.shape[1]]
        states = self._placed(vectors)
        future = functional.relu(order[None, :] - order[:, None]) * FORBIDDEN
        past = functional.relu(order[:, None] - order[None, :])
        *earlier, final = self._layers()
        for block in earlier:
            states = block(states, states, future, past)
        asking = (states * last_event(mask, order)[:, :, None]).sum(dim=1, keepdim=True)
        padding = ((1.0 - mask) * FORBIDDEN)[:, None, :]
        since = functional.relu(mask.sum(dim=1, keepdim=True) - 1.0 - order)[:, None, :]
        query: Tensor = self.norm(final(asking, states, padding, since))
        return query.squeeze(1)

    @property
    def state(self) -> tuple[StatePart, ...]:
        """What is remembered, see `Stepping`: keys and values of every event, block by block."""
        widths = [len(heads) * self.options.head_width for heads in self.options.head_numbers]
        return tuple(
            StatePart(name=f"{what}.{number}", width=width, per_event=True)
            for number, width in enumerate(widths)
            for what in ("keys", "values")
        )

    def step(self, vectors: Tensor, past: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Take new events in, see `Stepping`. Their positions go on from those before them.

        Args:
            vectors: [1, new, dims].
            past: [1, length] 1 on the events before, then 0.
            *state: Keys and values [1, length, width] of each block in turn.
        """
        order = self.order[: vectors.shape[1]]
        place = past.sum(dim=1, keepdim=True) + order[None, :]
        positions = functional.embedding(place.to(torch.int32), self.positions)
        states = vectors * math.sqrt(self.options.dims) + positions
        known = self.order[: past.shape[1]]
        forbidden = torch.cat(
            [
                ((1.0 - past) * FORBIDDEN)[:, None, :] + torch.zeros_like(place)[:, :, None],
                (functional.relu(order[None, :] - order[:, None]) * FORBIDDEN)[None],
            ],
            dim=2,
        )
        distance = torch.cat(
            [functional.relu(place[:, :, None] - known), functional.relu(order[:, None] - order[None, :])[None]], dim=2
        )
        found = []
        layers = self._layers()
        for number, block in enumerate(layers):
            biases = [forbidden - distance * slope if slope else forbidden for slope in block.slopes]
            keys, values = state[2 * number : 2 * number + 2]
            states, *new = block.step(states, keys, values, biases, last=block is layers[-1])
            found += new
        query: Tensor = self.norm(states)
        return query.squeeze(1), *found

    def states(self, vectors: Tensor, *, drop: Callable[[Tensor], Tensor] = keep_all) -> Tensor:
        """Return the query [batch, length, dims] after every event.

        No mask is needed: padding comes after the events, and no state looks ahead. What stands at padding means nothing.

        Args:
            vectors: [batch, length, dims] as in `forward`.
            drop: What training does to activations.
        """
        states = drop(self._placed(vectors))
        order = self.order[: vectors.shape[1]]
        distance = order[:, None] - order[None, :]
        slopes = vectors.new_tensor([self.options.slope(head) for head in range(self.options.heads)])[None, :, None, None]
        bias = (-distance * slopes).masked_fill(distance < 0, -math.inf)
        for block in self._layers():
            of_heads = bias if len(block.heads) == self.options.heads else bias[:, list(block.heads)]
            states = block.all_positions(states, of_heads, drop)
        queries: Tensor = self.norm(states)
        return queries

    def _layers(self) -> list[CausalBlock]:
        return cast("list[CausalBlock]", list(self.blocks))

    def _placed(self, vectors: Tensor) -> Tensor:
        return vectors * math.sqrt(self.options.dims) + self.positions[: vectors.shape[1]]


class SASRec(Network):
    """An encoder and the item table that it shares with the output.

    Attributes:
        options: The shape of the network.
        catalogue: The ids of the table's rows.
        table: [items, dims] item vectors.
        encoder: The network.
    """

    name: ClassVar[str] = "sasrec"
    title: ClassVar[str] = "SASRec"
    Options: ClassVar[type] = SASRecOptions

    def __init__(self, options: SASRecOptions, catalogue: Catalogue, *, seed: int = 0) -> None:
        super().__init__(options, catalogue)
        self.table = nn.Parameter(torch.empty(len(catalogue), options.dims))
        self.encoder = SASRecEncoder(options)
        self.draw(seed)
