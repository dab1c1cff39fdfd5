"""Dropout from the pool is dropout."""

from __future__ import annotations

import torch

from edge_rec.training.dropout import DropoutPool


def test_share_and_mean_are_kept() -> None:
    """The asked share is dropped, the mean stays, and the next call drops others."""
    drop = DropoutPool(0.3, generator=torch.Generator().manual_seed(0))
    values = torch.ones(200, 500)
    first, second = drop(values), drop(values)
    assert abs(float((first == 0).float().mean()) - 0.3) < 0.01
    assert abs(float(first.mean()) - 1) < 0.01
    assert abs(float(((first == 0) & (second == 0)).float().mean()) - 0.09) < 0.01, "two calls are independent"


def test_the_generator_decides() -> None:
    """The same generator's state drops the same activations."""
    first, second = (DropoutPool(0.5, generator=torch.Generator().manual_seed(3))(torch.ones(1000)) for _ in range(2))
    assert torch.equal(first, second)


def test_nothing_dropped_is_nothing_changed() -> None:
    """A share of 0 returns what it was given."""
    values = torch.ones(3)
    assert DropoutPool(0.0, generator=torch.Generator())(values) is values
