"""Dropout from a pool of random numbers: on a CPU, drawing one for every activation costs more than using it."""

from __future__ import annotations

__all__ = ["DropoutPool"]

import torch
from torch import Tensor

_POOL = 1 << 22  # numbers in the pool; each use starts at a random place in it


class DropoutPool:
    """Multiplies activations by slices of a fixed stream of zeros and 1 / (1 - share), started at random places."""

    def __init__(self, share: float, *, generator: torch.Generator) -> None:
        self._share = share
        self._generator = generator
        self._pool = torch.empty(0)

    def __call__(self, values: Tensor) -> Tensor:
        """Return ``values`` with a random ``share`` of them 0 and the others scaled up to keep the mean."""
        if not self._share:
            return values
        count = values.numel()
        if len(self._pool) < 2 * count:
            self._pool = self._drawn(max(_POOL, 2 * count))
        start = int(torch.randint(len(self._pool) - count + 1, (), generator=self._generator))
        return values * self._pool[start : start + count].view(values.shape)

    def _drawn(self, size: int) -> Tensor:
        keep = 1 - self._share
        return (torch.rand(size, generator=self._generator) < keep).float() / keep
