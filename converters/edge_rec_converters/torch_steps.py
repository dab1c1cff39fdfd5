"""An encoder's step as a module of its own, for export."""

from __future__ import annotations

__all__ = ["Stepped"]

from typing import TYPE_CHECKING, cast

import torch

if TYPE_CHECKING:
    from edge_rec_converters.protocol import Stepping


class Stepped(torch.nn.Module):
    """Calls ``step`` in the place of ``forward``.

    Args:
        encoder: A module with the protocol `Stepping`.
        growing: Whether its step is told which events came before.
    """

    def __init__(self, encoder: Stepping, *, growing: bool) -> None:
        super().__init__()
        self.encoder = cast("torch.nn.Module", encoder)
        self._growing = growing

    def forward(self, vectors: torch.Tensor, *rest: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the query and what is new of the state."""
        encoder = cast("Stepping", self.encoder)
        past, state = (rest[0], rest[1:]) if self._growing else (None, rest)
        return encoder.step(vectors, past, *state)
