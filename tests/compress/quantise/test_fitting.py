"""The fit of codes to queries: its own gradient is that of the loss it says it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_rec.compress.quantise import fitting

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Free:
    """Vectors and biases that are what they are."""

    def __init__(self, vectors: Tensor, bias: Tensor) -> None:
        self.items, self.offset = nn.Parameter(vectors), nn.Parameter(bias)

    def vectors(self) -> Tensor:
        return self.items * 1

    def bias(self) -> Tensor:
        return self.offset * 1

    def parameters(self) -> Iterator[nn.Parameter]:
        yield from (self.items, self.offset)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_its_gradient_is_that_of_the_cross_entropy(monkeypatch: pytest.MonkeyPatch, temperature: float) -> None:
    """At any temperature, by vectors and by biases, against autograd on the whole of the loss."""
    monkeypatch.setattr(fitting, "logit_dtype", lambda: torch.float32)
    monkeypatch.setattr(fitting, "_BATCH", 64)
    draws = torch.Generator().manual_seed(0)
    table, queries, start, bias = (torch.randn(*shape, generator=draws) for shape in ((9, 4), (1, 4), (9, 4), (9,)))
    scorer, other = _Free(start.clone(), bias.clone()), _Free(start.clone(), bias.clone())
    losses = fitting.fit_to_queries(
        scorer, queries, table, steps=1, learning_rate=1e-6, temperature=temperature, seed=0, progress=lambda *_: None
    )
    logits = (queries @ other.items.T + other.offset) / temperature
    loss = functional.cross_entropy(logits, torch.softmax(queries @ table.T / temperature, dim=1))
    loss.backward()  # type: ignore[no-untyped-call]  # torch types it so
    assert losses == pytest.approx([float(loss.detach())], rel=1e-5)
    for own, wanted in zip(scorer.parameters(), other.parameters(), strict=True):
        assert own.grad is not None
        assert wanted.grad is not None
        torch.testing.assert_close(own.grad, wanted.grad, rtol=1e-4, atol=1e-6)
