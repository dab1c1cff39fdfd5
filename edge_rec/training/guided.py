"""Cross-entropy over the whole catalogue, mixed with what a teacher says of a few items, in one pass over the logits.

As in `edge_rec.training.losses`, the logits never exist all at once, and each chunk's gradient is made right after its softmax.
A teacher's term changes that gradient at its own items, and scales it at all others: next to nothing beside the products.
"""

from __future__ import annotations

__all__ = ["LogitTerm", "ShareTerm", "guided_cross_entropy"]

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from edge_rec.training.losses import CHUNK

_TINY = torch.finfo(torch.float32).tiny
_LEAST = 1e-6  # share of the items that the teacher does not name, below which float32 cannot tell it from 0

_Pull = tuple[Tensor, Tensor, Tensor | None]


@dataclass(frozen=True, kw_only=True)
class ShareTerm:
    """Cross-entropy against shares of some items, all other items taken together as one.

    Attributes:
        rows: [n, k] int64, the items named; no item twice in a row.
        wanted: [n, k] float32, the share of each; what a row lacks to 1 is the share of all other items together.
    """

    rows: Tensor
    wanted: Tensor

    def pull(self, part: slice, logits: Tensor, shares: Tensor) -> _Pull:  # noqa: ARG002 - as the other term has it
        """Return the summed loss, its gradient by logits of ``rows`` [chunk, k], and [chunk, 1] the others' over their shares."""
        wanted = self.wanted[part]
        own = shares.gather(1, self.rows[part]).float()
        rest = (1 - wanted.sum(dim=1, keepdim=True)).clamp_min(0)
        own_rest = (1 - own.sum(dim=1, keepdim=True)).clamp_min(_LEAST)
        whole = wanted.sum(dim=1, keepdim=True) + rest
        loss = -(wanted * own.clamp_min(_TINY).log()).sum() - (rest * own_rest.log()).sum()
        return loss, whole * own - wanted, whole - rest / own_rest


@dataclass(frozen=True, kw_only=True)
class LogitTerm:
    """A comparison of logits with those of a teacher, on some items alone and but for a constant.

    Attributes:
        rows: [n, k] int64, the items named; no item twice in a row.
        wanted: [n, k] float32, the teacher's logits.
        temperature: Of the two softmaxes over ``rows`` whose cross-entropy is the loss, times its square; where there is none,
            the loss is the mean squared difference.
    """

    rows: Tensor
    wanted: Tensor
    temperature: float | None = None

    def pull(self, part: slice, logits: Tensor, shares: Tensor) -> _Pull:  # noqa: ARG002 - as the other term has it
        """Return the summed loss and its gradient by the logits of ``rows`` [chunk, k]; no other logit has one."""
        own, wanted = logits.gather(1, self.rows[part]).float(), self.wanted[part]
        if self.temperature is None:
            off = (own - own.mean(dim=1, keepdim=True)) - (wanted - wanted.mean(dim=1, keepdim=True))
            return off.square().mean(dim=1).sum(), off * (2 / off.shape[1]), None
        heat = self.temperature
        likely, log_share = torch.softmax(wanted / heat, dim=1), torch.log_softmax(own / heat, dim=1)
        return -(likely * log_share).sum() * heat**2, (log_share.exp() - likely) * heat, None


class _Guided(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 - torch passes them so
        ctx: Any,  # noqa: ANN401 - torch's own context
        states: Tensor,
        table: Tensor,
        targets: Tensor,
        term: ShareTerm | LogitTerm,
        weight: float,
        dtype: torch.dtype,
    ) -> Tensor:
        narrow_table, hard = table.to(dtype), 1 - weight
        state_grad, table_grad = torch.empty_like(states), torch.zeros_like(table)
        total = torch.zeros((), dtype=torch.float64)
        for start in range(0, len(states), CHUNK):
            part = slice(start, start + CHUNK)
            chunk, found, rows = states[part].to(dtype), targets[part, None], term.rows[part]
            logits = chunk @ narrow_table.T
            grad = torch.softmax(logits, dim=-1)
            soft, pull, others = term.pull(part, logits, grad)
            total += weight * soft - hard * grad.gather(1, found).float().clamp_min(_TINY).log().sum()
            named = hard * grad.gather(1, rows).float() + weight * pull
            grad *= hard if others is None else (hard + weight * others).to(dtype)
            grad.scatter_(1, rows, named.to(dtype))
            grad.scatter_add_(1, found, torch.full_like(found, -hard, dtype=dtype))
            state_grad[part] = grad @ narrow_table
            table_grad += grad.T @ chunk
        ctx.save_for_backward(state_grad, table_grad)
        return total.float()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - torch's own context
        state_grad, table_grad = ctx.saved_tensors
        return state_grad * upstream, table_grad * upstream, None, None, None, None


def guided_cross_entropy(
    states: Tensor,
    table: Tensor,
    targets: Tensor,
    term: ShareTerm | LogitTerm,
    *,
    weight: float,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return the summed cross-entropy of the targets times ``1 - weight``, and the summed loss of ``term`` times ``weight``.

    Args:
        states: [n, dims] float32 queries.
        table: [items, dims] float32.
        targets: [n] int64 rows of ``table``.
        term: What a teacher says of each query's items.
        weight: From 0 to 1.
        dtype: Of the logits, as in `full_cross_entropy`.
    """
    total: Tensor = _Guided.apply(states, table, targets, term, weight, dtype)  # type: ignore[no-untyped-call]  # torch types it so
    return total
