"""What changes in a network while it is trained, beside its weights: masks that grow, for example."""

from __future__ import annotations

__all__ = ["KeepLast", "Plan"]

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from edge_rec.models.network import Network


class Plan(Protocol):
    """Acts between the steps of a fine-tune, on parameters without a gradient in the modules that hold others.

    These are copied, not averaged, into the average of the weights, and have their place in checkpoints and in the best epoch: a
    plan needs no memory of its own.
    """

    def describe(self) -> dict[str, Any]:
        """Return what it does, fit for JSON: the checkpoint of a training with another plan is refused."""

    def before_step(self, model: Network, step: int, steps: int) -> None:
        """Change what holds the parameters of ``model``, if it is time.

        Args:
            model: The network under training; its weights are left alone.
            step: Counted from 0.
            steps: Of all epochs.
        """

    def accepts(self, model: Network, *, ndcg: float, best: float) -> bool:
        """Tell whether the average that was just evaluated is to be kept in the place of the best so far.

        Args:
            model: The average.
            ndcg: Its NDCG@10 on validation.
            best: That of the best so far, -inf before there is one.
        """


class KeepLast:
    """Changes nothing, and keeps the last epoch whatever it came to: where another training goes on from it at once."""

    def describe(self) -> dict[str, Any]:
        """Return nothing: there is nothing to set."""
        return {}

    def before_step(self, model: Network, step: int, steps: int) -> None:
        """Leave everything as it is."""

    def accepts(self, model: Network, *, ndcg: float, best: float) -> bool:  # noqa: ARG002 - as the protocol has it
        """Accept."""
        return True
