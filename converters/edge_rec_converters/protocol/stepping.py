"""An encoder that goes on from where it stopped, so that a device need not encode a history again for every new event."""

from __future__ import annotations

__all__ = ["Stepping"]

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch

    from edge_rec_runtime.state import StatePart


@runtime_checkable
class Stepping(Protocol):
    """What an encoder's module may have besides ``forward``, of the same weights."""

    @property
    def state(self) -> tuple[StatePart, ...]:
        """What it remembers from event to event."""

    def step(
        self, vectors: torch.Tensor, past: torch.Tensor | None, *state: torch.Tensor
    ) -> tuple[torch.Tensor, *tuple[torch.Tensor, ...]]:
        """Take new events in.

        Args:
            vectors: [1, new, dims] their item vectors, oldest first, at least one; none of them is padding.
            past: [1, length] 1 on every event that came before, then 0; None where no part of the state has rows of events.
            *state: The parts in order: [1, length, width] with anything finite where ``past`` is 0, or [1, width]. A history
                begins with zeros.

        Returns:
            The query [1, dims] after the last event, as ``forward`` gives it for the whole history, and for each part what is
            new of it: [1, new, width], or [1, width] in the place of what was.
        """
