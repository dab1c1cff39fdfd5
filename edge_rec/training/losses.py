"""Cross-entropy of the next item: over the whole catalogue, or over sampled negatives where the catalogue is large."""

from __future__ import annotations

__all__ = ["CHUNK", "FullCrossEntropy", "Loss", "cpu_has_bfloat16", "full_cross_entropy", "logit_dtype", "sampled_cross_entropy"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_rec.training.objective import Part
    from edge_rec.training.options import TrainingOptions

CHUNK = 512  # rows of logits alive at a time: 512 x 3,416 bfloat16 are 3.5 MB and stay in the cache


def cpu_has_bfloat16() -> bool:
    """Tell whether this CPU multiplies bfloat16 matrices in hardware; emulated they are slower than float32."""
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))


def logit_dtype() -> torch.dtype:
    """Return the type in which logits over the catalogue are fastest."""
    return torch.bfloat16 if cpu_has_bfloat16() else torch.float32


class FullCrossEntropy(torch.autograd.Function):
    """Summed cross-entropy of ``states @ table.T``, whose logits never exist all at once.

    For 6,000 states and 3,416 items the logits are 82 MB, and autograd would keep them twice. Here each chunk's gradient is
    made right after its softmax and the chunk is forgotten.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, table: Tensor, targets: Tensor, dtype: torch.dtype) -> Tensor:  # noqa: ANN401 - torch's own context
        """Return the sum over states [n, dims] of -log p(target); ``dtype`` is that of the logits."""
        narrow_table = table.to(dtype)
        state_grad, table_grad = torch.empty_like(states), torch.zeros_like(table)
        total = torch.zeros((), dtype=torch.float64)
        for start in range(0, len(states), CHUNK):
            chunk, wanted = states[start : start + CHUNK].to(dtype), targets[start : start + CHUNK, None]
            share = torch.softmax(chunk @ narrow_table.T, dim=-1)
            hit = share.gather(1, wanted)
            total -= hit.float().clamp_min(torch.finfo(torch.float32).tiny).log().sum()
            share.scatter_(1, wanted, hit - 1)  # d loss / d logits = softmax - one-hot
            state_grad[start : start + CHUNK] = share @ narrow_table
            table_grad += share.T @ chunk
        ctx.save_for_backward(state_grad, table_grad)
        return total.float()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor, None, None]:  # noqa: ANN401 - torch's own context
        """Scale the gradients that the forward pass made."""
        state_grad, table_grad = ctx.saved_tensors
        return state_grad * upstream, table_grad * upstream, None, None


def full_cross_entropy(states: Tensor, table: Tensor, targets: Tensor, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return the summed cross-entropy over every item of the catalogue.

    Args:
        states: [n, dims] float32 queries.
        table: [items, dims] float32.
        targets: [n] int64 rows of ``table``.
        dtype: Of the logits; bfloat16 is about twice as fast where `cpu_has_bfloat16`.
    """
    total: Tensor = FullCrossEntropy.apply(states, table, targets, dtype)  # type: ignore[no-untyped-call]  # torch types it so
    return total


def sampled_cross_entropy(states: Tensor, table: Tensor, targets: Tensor, *, negatives: Tensor, log_expected: Tensor) -> Tensor:
    """Return the summed cross-entropy of each target against shared negatives.

    A negative drawn often stands for fewer of its kind: its logit is lowered by the log of how often it was to be expected
    (logQ correction), so that the sampled softmax aims at the full one. A negative that is the target is left out.

    Args:
        states: [n, dims] float32 queries.
        table: [items, dims] float32.
        targets: [n] int64 rows of ``table``.
        negatives: [m] int64 rows of ``table``.
        log_expected: [m] float32, log of the expected number of draws of each negative.
    """
    others = states @ table[negatives].T - log_expected
    others = others.masked_fill(negatives[None, :] == targets[:, None], float("-inf"))
    own = (states * table[targets]).sum(dim=1, keepdim=True)
    logits = torch.cat([own, others], dim=1)
    return functional.cross_entropy(logits, torch.zeros(len(targets), dtype=torch.int64), reduction="sum")


class Loss:
    """The loss that the options name, over the catalogue or against negatives that a step's targets share.

    ``sampled`` draws distinct items uniformly. ``in-batch`` takes other targets of the step, which costs no look-up but meets
    popular items more often; the correction for that follows Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large
    Corpus Item Recommendations" (RecSys 2019), with counts of the log for their streaming estimate. The target itself is
    always there, so its logit is not lowered, and both losses aim at the same full softmax.
    """

    def __init__(self, options: TrainingOptions, *, popularity: NDArray[np.int64]) -> None:
        """Take the loss, its number of negatives, and how often [items] each item is met in training."""
        self._kind = options.loss
        self._items = len(popularity)
        self._count = options.negatives
        self._log_share = torch.from_numpy(np.log(np.maximum(popularity, 1) / max(popularity.sum(), 1)).astype(np.float32))
        self._dtype = logit_dtype()

    def negatives(self, targets: Sequence[Tensor], rng: np.random.Generator) -> tuple[Tensor, Tensor] | None:
        """Draw a step's negatives: their rows, and the log of how many of each were to be expected; None for the full loss.

        Args:
            targets: The target rows of each part of the step.
            rng: Decides them.
        """
        if self._kind == "full":
            return None
        if self._kind == "sampled":
            count = min(self._count, self._items)
            rows = torch.from_numpy(rng.choice(self._items, size=count, replace=False))
            return rows, torch.full((count,), math.log(count / self._items))
        pool = torch.cat(list(targets))
        rows = pool[torch.from_numpy(rng.choice(len(pool), size=min(self._count, len(pool)), replace=False))]
        return rows, self._log_share[rows] + math.log(len(rows))

    def __call__(self, states: Tensor, table: Tensor, targets: Tensor, negatives: tuple[Tensor, Tensor] | None) -> Tensor:
        """Return the summed loss of queries [n, dims] and their targets [n] in ``table`` [items, dims]."""
        if negatives is None:
            return full_cross_entropy(states, table, targets, dtype=self._dtype)
        return sampled_cross_entropy(states, table, targets, negatives=negatives[0], log_expected=negatives[1])

    def of(self, states: Tensor, table: Tensor, part: Part, negatives: tuple[Tensor, Tensor] | None) -> Tensor:
        """Return the summed loss of the queries [n, dims] of a part."""
        return self(states, table, part.targets, negatives)

    def whole_step(self, table: Tensor, rng: np.random.Generator) -> Tensor | None:  # noqa: ARG002 - as the protocol has it
        """Return nothing: every part of the loss is of some queries."""
        return None
