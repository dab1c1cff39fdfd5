"""Encoders whose items are stored along other axes than the network's, fewer of them or as many."""

from __future__ import annotations

__all__ = ["BASES", "NarrowItems", "narrow_items"]

from typing import TYPE_CHECKING, cast

from torch import Tensor, nn

from edge_rec_converters.protocol import Stepping

if TYPE_CHECKING:
    from edge_rec.models.decoder import ItemDecoder
    from edge_rec_runtime.state import StatePart

BASES = "basis_*"  # the names of what `NarrowItems` multiplies with


class NarrowItems(nn.Module):
    """An encoder whose items are widened on the way in, and whose query is narrowed.

    With items F @ B, the inner products of a query q are F @ (B @ q): the device scans F alone. A graph holds B once for each
    side from which it is multiplied, unless both are the same; two names let a plan speak of both. A decoder takes its place on
    the way in.
    """

    def __init__(self, encoder: nn.Module, basis: Tensor, decoder: ItemDecoder | None) -> None:
        """Take an encoder of [dims] vectors, the basis [rank, dims] of the items, and their decoder, if they have one."""
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        if decoder is None:
            self.basis_in = nn.Parameter(basis.detach(), requires_grad=False)
        self.basis_out = nn.Parameter(basis.detach().T.contiguous(), requires_grad=False)

    def forward(self, vectors: Tensor, mask: Tensor, *context: Tensor) -> Tensor:
        """Return the query [batch, rank] for ``vectors`` [batch, length, rank]; mask and context are the encoder's own."""
        query: Tensor = self.encoder(self.widened(vectors), mask, *context)
        return query @ self.basis_out

    def widened(self, stored: Tensor) -> Tensor:
        """Return what the encoder is fed with [..., dims] for items as they are stored [..., rank]."""
        return stored @ self.basis_in if self.decoder is None else self.decoder(stored)


class _SteppingNarrowItems(NarrowItems):
    """The same for an encoder with the protocol `Stepping`, which is kept."""

    @property
    def state(self) -> tuple[StatePart, ...]:
        """What the encoder remembers."""
        return cast("Stepping", self.encoder).state

    def step(self, vectors: Tensor, past: Tensor | None, *state: Tensor) -> tuple[Tensor, ...]:
        """Take new events [1, new, rank] in, see `Stepping`."""
        query, *parts = cast("Stepping", self.encoder).step(self.widened(vectors), past, *state)
        return query @ self.basis_out, *parts


def narrow_items(encoder: nn.Module, basis: Tensor, decoder: ItemDecoder | None = None) -> NarrowItems:
    """Return the encoder of [dims] vectors as one of [rank], for items that are products with a basis [rank, dims]."""
    return (_SteppingNarrowItems if isinstance(encoder, Stepping) else NarrowItems)(encoder, basis, decoder)
