"""What every network that reads a history event by event keeps to, said once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_rec.models.network import Network

ITEMS, DIMS, LONGEST = 30, 16, 20


def disturbed(model: Network, *, seed: int = 2) -> Network:
    """Return the model with every weight drawn, biases too, so that nothing cancels out."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(torch.randn(value.shape, generator=generator) * 0.2)
    return model.eval()


def vectors(*shape: int, seed: int = 0) -> Tensor:
    """Return drawn vectors."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.3


def mask(lengths: Sequence[int], width: int) -> Tensor:
    """Return 1 on the events of histories of these lengths."""
    return (torch.arange(width)[None, :] < torch.tensor(lengths)[:, None]).float()


@torch.inference_mode()
def both_ways_agree(model: Network, lengths: list[int], *context: Tensor) -> None:
    """`forward` gives the state that `states` has after the last event, for every mix of lengths."""
    given = vectors(len(lengths), max(lengths), DIMS)
    queries = model.source().encoder(given, mask(lengths, max(lengths)), *context)  # type: ignore[operator]  # a module
    states = model.states(given, *context)
    wanted = torch.stack([states[line, length - 1] for line, length in enumerate(lengths)])
    torch.testing.assert_close(queries, wanted, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def neighbours_do_not_matter(encoder: Callable[..., Tensor], *context: Tensor) -> None:
    """A history gives the same query alone, in a batch, and whatever stands behind its end; an empty one gives numbers."""
    given, known = vectors(4, 12, DIMS), mask([5, 12, 1, 0], 12)
    together = encoder(given, known, *context)
    alone = encoder(given[:1, :5], known[:1, :5], *(one[:1] for one in context))
    given[0, 5:] = 100.0
    torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together, encoder(given, known, *context), rtol=1e-4, atol=1e-5)
    assert bool(torch.isfinite(together).all())


@torch.inference_mode()
def no_state_looks_ahead(model: Network, *context: Tensor) -> None:
    """Changing an event changes no state before it, and every state from it on."""
    given = vectors(1, 10, DIMS)
    before = model.states(given, *context)
    given[0, 6] = -given[0, 6]
    moved = (model.states(given, *context) - before).abs().amax(dim=2)[0] > 1e-6
    assert moved.tolist() == [False] * 6 + [True] * 4
