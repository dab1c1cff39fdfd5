"""Item codes fitted to a frozen encoder: what the whole table says of its queries, the codes shall say too.

The queries are computed once; a step then costs two products with the catalogue. Labels are the probabilities that the table
gave: the codes cannot know better than the vectors they stand for. They are compared at a temperature, Hinton, Vinyals and Dean,
"Distilling the Knowledge in a Neural Network" (2015), but below 1 and not above: what few bits can say shall be said of the items
at the top. SASRec on MovieLens-1M, 96 bits, validation, temperature 2, 1, .5: of the best ten items .990, .996, .998 are among
a hundred candidates by signs, and .58, .64, .69 among ten.
"""

from __future__ import annotations

__all__ = ["Scorer", "fit_to_queries"]

import math
from typing import TYPE_CHECKING, Protocol

import torch

from edge_rec.training.losses import logit_dtype
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from edge_rec_runtime import Progress

_BATCH = 2048
_FINAL = 0.05  # of the learning rate, at the end of its cosine


class Scorer(Protocol):
    """Item vectors that are made of codes, and what is added to their scores."""

    def vectors(self) -> Tensor:
        """Return [items, dims] with a gradient."""

    def bias(self) -> Tensor | None:
        """Return [items] with a gradient, or None."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield what is fitted."""


def fit_to_queries(
    scorer: Scorer,
    queries: Tensor,
    table: Tensor,
    *,
    steps: int,
    learning_rate: float,
    temperature: float,
    seed: int,
    progress: Progress,
) -> list[float]:
    """Fit a scorer in place; return the mean loss of each tenth of the steps.

    Args:
        scorer: What is fitted.
        queries: [n, dims] float32.
        table: [items, dims] float32, whose probabilities are the soft labels.
        steps: Of 2,048 queries.
        learning_rate: Of Adam, falling along a cosine.
        temperature: What logits are divided by before they become probabilities.
        seed: Decides the order.
        progress: Told about each step.

    Raises:
        CompressionError: The loss, or what is fitted, is no longer finite.
    """
    dtype = logit_dtype()
    narrow, known = table.detach().to(dtype), (queries / temperature).to(dtype)
    optimizer = torch.optim.Adam(scorer.parameters(), lr=learning_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=learning_rate * _FINAL)
    draws, losses = torch.Generator().manual_seed(seed), []
    for step in range(steps):
        drawn = torch.randint(len(queries), (min(_BATCH, len(queries)),), generator=draws)
        batch = known[drawn]
        wanted = torch.softmax(batch @ narrow.T, dim=1)
        found, bias = scorer.vectors(), scorer.bias()
        logits = batch @ found.detach().to(dtype).T
        logits = logits if bias is None else logits + (bias.detach() / temperature).to(dtype)
        log_shares = torch.log_softmax(logits, dim=1)
        losses.append(-float((wanted * log_shares).sum(dtype=torch.float32)) / len(batch))
        pull = log_shares.exp_().sub_(wanted).div_(len(batch))
        optimizer.zero_grad()
        made, gradients = [found], [(pull.T @ batch).float()]
        if bias is not None:
            made, gradients = [*made, bias], [*gradients, pull.sum(dim=0, dtype=torch.float32) / temperature]
        torch.autograd.backward(made, gradients)
        optimizer.step()
        schedule.step()
        if not math.isfinite(losses[-1]) or not all(bool(torch.isfinite(one).all()) for one in scorer.parameters()):
            raise CompressionError(
                f"quantise: the fit of codes diverged in step {step + 1} of {steps}; choose a fit_rate below {learning_rate:g}"
            )
        progress(step + 1, steps, f"loss {losses[-1]:.3f}")
    return [sum(part) / len(part) for part in _tenths(losses)]


def _tenths(values: list[float]) -> list[list[float]]:
    size = max(len(values) // 10, 1)
    return [values[start : start + size] for start in range(0, len(values), size)]
