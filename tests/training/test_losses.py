"""The losses against PyTorch's own cross-entropy, values and gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from edge_rec.training import TrainingOptions, full_cross_entropy, sampled_cross_entropy
from edge_rec.training.losses import Loss


def _drawn(count: int, items: int = 50, dims: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(count)
    states = torch.randn(count, dims, generator=generator, requires_grad=True)
    table = torch.randn(items, dims, generator=generator, requires_grad=True)
    return states, table, torch.randint(0, items, (count,), generator=generator)


@pytest.mark.parametrize("count", [1, 511, 512, 513, 1100])
def test_full_cross_entropy_is_exact(count: int) -> None:
    """Value and gradients are those of the plain formula, on either side of a chunk's end, scaled by what comes after."""
    states, table, targets = _drawn(count)
    wanted = functional.cross_entropy(states @ table.T, targets, reduction="sum")
    expected = torch.autograd.grad(wanted / 7, (states, table))
    found = full_cross_entropy(states, table, targets)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-4)
    for ours, theirs in zip(torch.autograd.grad(found / 7, (states, table)), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_half_precision_stays_close() -> None:
    """bfloat16 logits move the loss by less than 1 % and turn the gradient by next to nothing."""
    states, table, targets = _drawn(600)
    exact = full_cross_entropy(states, table, targets)
    rough = full_cross_entropy(states, table, targets, dtype=torch.bfloat16)
    assert abs(float((rough / exact).detach()) - 1) < 0.01
    for ours, theirs in zip(*(torch.autograd.grad(loss, (states, table)) for loss in (rough, exact)), strict=True):
        assert functional.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.999


def test_a_hopeless_target_gives_a_finite_loss() -> None:
    """A target whose probability underflows still gives a number."""
    states, table = torch.tensor([[1000.0]], requires_grad=True), torch.tensor([[1.0], [-1.0]], requires_grad=True)
    assert torch.isfinite(full_cross_entropy(states, table, torch.tensor([1])))


def test_all_items_as_negatives_are_the_full_loss() -> None:
    """Sampled cross-entropy over every item once, each expected once, is the full cross-entropy."""
    states, table, targets = _drawn(40)
    sampled = sampled_cross_entropy(states, table, targets, negatives=torch.arange(50), log_expected=torch.zeros(50))
    torch.testing.assert_close(sampled, full_cross_entropy(states, table, targets))


def test_the_correction_aims_at_the_full_loss() -> None:
    """With half the items drawn, the corrected loss is on average near the full one; without correction it is far below."""
    states, table, targets = _drawn(40)
    full = float(full_cross_entropy(states, table, targets).detach())
    generator = torch.Generator().manual_seed(0)
    found: dict[float, list[float]] = {math.log(25 / 50): [], 0.0: []}
    for log_expected, losses in found.items():
        for _ in range(200):
            negatives = torch.randperm(50, generator=generator)[:25]
            loss = sampled_cross_entropy(
                states, table, targets, negatives=negatives, log_expected=torch.full((25,), log_expected)
            )
            losses.append(float(loss.detach()))
    corrected, plain = (sum(losses) / len(losses) for losses in found.values())
    assert abs(corrected / full - 1) < 0.05
    assert plain / full < 0.9


def test_negatives_in_the_batch_are_its_targets() -> None:
    """Rows of other events, no more than asked for, each with the log of how often its popularity lets expect it."""
    popularity = np.array([1, 2, 4, 8, 0])
    loss = Loss(TrainingOptions(loss="in-batch", negatives=6), popularity=popularity)
    drawn = loss.negatives([torch.tensor([0, 1, 2]), torch.tensor([3, 3, 2, 3])], np.random.default_rng(0))
    assert drawn is not None
    rows, log_expected = drawn
    assert len(rows) == 6
    assert all(count <= 3 for count in np.bincount(rows))
    torch.testing.assert_close(log_expected, torch.log(6 * torch.tensor([1, 2, 4, 8, 1])[rows] / 15))


def test_the_batch_aims_at_the_full_loss() -> None:
    """Negatives met as often as they are popular give, corrected, the full loss on average; without correction they do not."""
    states, table, targets = _drawn(40)
    popularity = np.random.default_rng(1).integers(20, 200, size=50)
    loss = Loss(TrainingOptions(loss="in-batch", negatives=1000), popularity=popularity)
    rng, share = np.random.default_rng(2), popularity / popularity.sum()
    corrected, plain = [], []
    with torch.no_grad():
        states *= 0.3
        states[:, 0], table[:, 0] = 1, torch.from_numpy(np.log(popularity))  # what is popular scores high, as it does
        full = float(full_cross_entropy(states, table, targets))
        for _ in range(20):
            drawn = loss.negatives([torch.from_numpy(rng.choice(50, size=4000, p=share))], rng)
            assert drawn is not None
            corrected.append(float(loss(states, table, targets, drawn)))
            even = torch.full((1000,), math.log(1000 / 50))
            plain.append(float(sampled_cross_entropy(states, table, targets, negatives=drawn[0], log_expected=even)))
    assert abs(np.mean(corrected) / full - 1) < 0.02
    assert abs(np.mean(plain) / full - 1) > 0.04
