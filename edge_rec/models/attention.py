"""Attention as the zoo's networks use it, with operations that every target has."""

from __future__ import annotations

__all__ = ["FORBIDDEN", "AdditivePool", "attend"]

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

FORBIDDEN = -1e4  # added to the score of what must not be attended to: exp() of it is 0 in float32, and fits float16


def attend(query: Tensor, key: Tensor, value: Tensor, *, biases: Sequence[Tensor]) -> Tensor:
    """Return what each query found, [batch, asked, dims].

    Heads are slices of the channels, so that no 4-D tensor and no transpose but that of the keys is exported.

    Args:
        query: [batch, asked, dims].
        key: [batch, length, dims].
        value: [batch, length, dims].
        biases: One a head, added to its attention scores; each broadcasts to [batch, asked, length]. Heads divide dims.
    """
    width = query.shape[-1] // len(biases)
    found = []
    for head, bias in enumerate(biases):
        part = slice(head * width, (head + 1) * width)
        scores = query[..., part] @ key[..., part].transpose(1, 2) * width**-0.5 + bias
        found.append(torch.softmax(scores, dim=-1) @ value[..., part])
    return torch.cat(found, dim=-1)


class AdditivePool(nn.Module):
    """Many vectors become one: a weighted mean, the weights a softmax of ``asks . tanh(W vector)``."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(dims, dims)
        self.asks = nn.Linear(dims, 1, bias=False)

    def forward(self, vectors: Tensor, bias: Tensor) -> Tensor:
        """Return [batch, dims].

        Args:
            vectors: [batch, length, dims], anything finite where nothing is to be looked at.
            bias: Added to the scores, `FORBIDDEN` where nothing is to be looked at; broadcasts to [batch, length].
        """
        weights = torch.softmax(self._scores(vectors) + bias[:, :, None], dim=1)
        return (vectors * weights).sum(dim=1)

    def prefixes(self, vectors: Tensor, bias: Tensor) -> Tensor:
        """Return [batch, length, dims], at each place what `forward` makes of the vectors up to it.

        Args:
            vectors: [batch, length, dims].
            bias: [length, length], for each place what is added to the scores, `FORBIDDEN` on those after it.
        """
        return torch.softmax(self._scores(vectors).transpose(1, 2) + bias, dim=-1) @ vectors

    def _scores(self, vectors: Tensor) -> Tensor:
        scores: Tensor = self.asks(torch.tanh(self.hidden(vectors)))
        return scores
