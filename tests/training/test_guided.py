"""A teacher's term beside the cross-entropy, against PyTorch's own formulas: values and gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from edge_rec.training import full_cross_entropy
from edge_rec.training.guided import LogitTerm, ShareTerm, guided_cross_entropy

if TYPE_CHECKING:
    from collections.abc import Callable

ITEMS, DIMS = 40, 8


def _drawn(count: int, named: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return states, table, targets, the rows that a teacher names, and its logits of all items."""
    generator = torch.Generator().manual_seed(count + named)
    states = torch.randn(count, DIMS, generator=generator, requires_grad=True)
    table = torch.randn(ITEMS, DIMS, generator=generator, requires_grad=True)
    logits = torch.randn(count, ITEMS, generator=generator) * 2
    return states, table, torch.randint(0, ITEMS, (count,), generator=generator), logits.topk(named, dim=1).indices, logits


def _agree(found: Tensor, wanted: Tensor, inputs: tuple[Tensor, Tensor]) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-4)
    expected = torch.autograd.grad(wanted / 7, inputs)
    for ours, theirs in zip(torch.autograd.grad(found / 7, inputs), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", [1, 511, 513])
def test_soft_labels_of_all_items_are_the_divergence_from_the_teacher(count: int) -> None:
    """With every item named, value and gradient are torch's KL divergence, but for the teacher's own entropy."""
    states, table, targets, rows, logits = _drawn(count, ITEMS)
    soft = torch.softmax(logits, dim=1)
    divergence = functional.kl_div(torch.log_softmax(states @ table.T, dim=1), soft, reduction="sum")
    entropy = -(soft * soft.log()).sum()
    wanted = 0.4 * functional.cross_entropy(states @ table.T, targets, reduction="sum") + 0.6 * (divergence + entropy)
    term = ShareTerm(rows=rows, wanted=soft.gather(1, rows))
    _agree(guided_cross_entropy(states, table, targets, term, weight=0.6), wanted, (states, table))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(1, ITEMS - 1), st.floats(0.01, 1))
def test_items_that_are_not_named_are_one(count: int, named: int, weight: float) -> None:
    """What the teacher leaves over is the share of all other items together, whatever the student makes of each of them."""
    states, table, targets, rows, logits = _drawn(count, named)
    soft = torch.softmax(logits, dim=1).gather(1, rows)
    own = torch.softmax(states @ table.T, dim=1).gather(1, rows)
    rest, own_rest = 1 - soft.sum(dim=1), 1 - own.sum(dim=1)
    loss = -(soft * own.log()).sum() - (rest * own_rest.log()).sum()
    wanted = (1 - weight) * functional.cross_entropy(states @ table.T, targets, reduction="sum") + weight * loss
    found = guided_cross_entropy(states, table, targets, ShareTerm(rows=rows, wanted=soft), weight=weight)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3)
    expected = torch.autograd.grad(wanted, (states, table))
    for ours, theirs in zip(torch.autograd.grad(found, (states, table)), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-3)


def _hot(own: Tensor, wanted: Tensor) -> Tensor:
    divergence = functional.kl_div(torch.log_softmax(own / 3, dim=1), torch.softmax(wanted / 3, dim=1), reduction="sum")
    likely = torch.softmax(wanted / 3, dim=1)
    return 9 * (divergence - (likely * likely.log()).sum())


def _level(own: Tensor, wanted: Tensor) -> Tensor:
    off = own - own.mean(dim=1, keepdim=True) - wanted + wanted.mean(dim=1, keepdim=True)
    return off.square().mean(dim=1).sum()


@pytest.mark.parametrize("named", [1, 5, ITEMS])
@pytest.mark.parametrize(("temperature", "formula"), [(3.0, _hot), (None, _level)])
def test_logits_are_compared_where_they_are_named(
    named: int, temperature: float | None, formula: Callable[[Tensor, Tensor], Tensor]
) -> None:
    """Soft labels of another temperature, and regression: the plain formulas on the named items, times their weight."""
    states, table, targets, rows, logits = _drawn(600, named)
    own, wanted = (states @ table.T).gather(1, rows), logits.gather(1, rows)
    expected = 0.7 * functional.cross_entropy(states @ table.T, targets, reduction="sum") + 0.3 * formula(own, wanted)
    term = LogitTerm(rows=rows, wanted=wanted, temperature=temperature)
    _agree(guided_cross_entropy(states, table, targets, term, weight=0.3), expected, (states, table))


def test_a_constant_of_the_teacher_changes_nothing() -> None:
    """Logits of which all are higher by a constant give the same loss."""
    states, table, targets, rows, logits = _drawn(20, 6)
    for temperature in (None, 2.0):
        found = [
            guided_cross_entropy(states, table, targets, LogitTerm(rows=rows, wanted=one, temperature=temperature), weight=0.5)
            for one in (logits.gather(1, rows), logits.gather(1, rows) + 5)
        ]
        torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-4)


def test_half_precision_stays_close() -> None:
    """bfloat16 logits move the loss by less than 1 % and turn the gradient by next to nothing; weight 0 is the plain loss."""
    states, table, targets, rows, logits = _drawn(600, 8)
    term = ShareTerm(rows=rows, wanted=torch.softmax(logits, dim=1).gather(1, rows))
    exact, rough = (
        guided_cross_entropy(states, table, targets, term, weight=0.5, dtype=dtype) for dtype in (torch.float32, torch.bfloat16)
    )
    assert abs(float((rough / exact).detach()) - 1) < 0.01
    for ours, theirs in zip(*(torch.autograd.grad(loss, (states, table)) for loss in (rough, exact)), strict=True):
        assert functional.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.999
    plain = guided_cross_entropy(states, table, targets, term, weight=0.0)
    torch.testing.assert_close(plain, full_cross_entropy(states, table, targets), rtol=1e-6, atol=1e-4)


def test_hopeless_items_give_finite_gradients() -> None:
    """A student that is sure of something else, and a teacher that leaves nothing over, still give numbers."""
    states, table = torch.tensor([[1000.0]], requires_grad=True), torch.tensor([[1.0], [-1.0], [-2.0]], requires_grad=True)
    for wanted in (torch.tensor([[0.5]]), torch.tensor([[1.0]])):
        term = ShareTerm(rows=torch.tensor([[1]]), wanted=wanted)
        loss = guided_cross_entropy(states, table, torch.tensor([2]), term, weight=0.5)
        assert torch.isfinite(loss)
        assert all(bool(torch.isfinite(one).all()) for one in torch.autograd.grad(loss, (states, table)))
