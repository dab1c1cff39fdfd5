"""Items as signs of any number of bits: which signs, and of which directions, to start from; and how they are trained."""

from __future__ import annotations

__all__ = ["SignItems", "SignScorer", "SignStart", "start_of_signs"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from edge_rec.compress.quantise.grids import straight_through

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 40


@dataclass(frozen=True, kw_only=True)
class SignStart:
    """Latents [items, bits] whose signs times ``basis`` [bits, dims] come near the item vectors."""

    latents: NDArray[np.float32]
    basis: NDArray[np.float32]


def start_of_signs(vectors: NDArray[np.float32], bits: int, *, seed: int) -> SignStart:
    """Return signs and directions whose products lie near vectors [items, dims], after iterative quantisation.

    With as many bits as dimensions or fewer, they begin as the main directions, turned at random; with more, the rest are
    the main directions of what the first left.

    Args:
        vectors: The items.
        bits: How many signs.
        seed: Decides the first turn.
    """
    rng = np.random.default_rng([seed, 1])
    left = vectors.astype(np.float64)
    latents: list[NDArray[np.float64]] = []
    while (todo := bits - sum(one.shape[1] for one in latents)) > 0:
        width = min(todo, vectors.shape[1])
        main = np.linalg.svd(left, full_matrices=False)[2][:width]
        basis = np.linalg.qr(rng.standard_normal((width, width)))[0] @ main
        for _ in range(_ROUNDS):
            signs = np.where(left @ basis.T >= 0, 1.0, -1.0)
            turn, _, back = np.linalg.svd(signs.T @ left @ main.T)
            basis = turn @ back @ main
        found = left @ basis.T
        signs = np.where(found >= 0, 1.0, -1.0)
        basis = np.linalg.lstsq(signs, left, rcond=None)[0]
        latents.append(found / np.abs(found).mean())
        left -= signs @ basis
    joined = np.concatenate(latents, axis=1)
    signs = np.where(joined >= 0, 1.0, -1.0)
    basis = np.linalg.lstsq(signs, vectors.astype(np.float64), rcond=None)[0]
    return SignStart(latents=joined.astype(np.float32), basis=basis.astype(np.float32))


class SignItems(nn.Module):
    """Latents [items, bits] as signs, or as signs times a scale an item, which is learnt."""

    start: Tensor

    def __init__(self, scales: NDArray[np.float32] | None = None) -> None:
        """Take the scales [items] to start from, if there shall be some."""
        super().__init__()
        self.stretch = None
        if scales is not None:
            self.register_buffer("start", torch.from_numpy(scales), persistent=False)
            self.stretch = nn.Parameter(torch.zeros(len(scales)))

    def forward(self, free: Tensor) -> Tensor:
        """Return +1 and -1, times the scales as float16 holds them."""
        signs = straight_through(free, torch.where(free >= 0, 1.0, -1.0))
        if self.stretch is None:
            return signs
        scales = self.start * self.stretch.exp()
        return signs * straight_through(scales, scales.detach().half().float())[:, None]


class SignScorer(nn.Module):
    """Signs times a basis; where they are corrected, times a scale an item, with a bias added to the score."""

    def __init__(self, start: SignStart, *, scale: bool, bias: bool) -> None:
        super().__init__()
        items = len(start.latents)
        self.latents = nn.Parameter(torch.from_numpy(start.latents.copy()))
        self._unit = float(np.abs(start.basis).mean()) or 1.0  # so that one learning rate suits all parameters
        self._basis = nn.Parameter(torch.from_numpy(start.basis / np.float32(self._unit)))
        self._log_scale = nn.Parameter(torch.zeros(items)) if scale else None
        self._offset = nn.Parameter(torch.zeros(items)) if bias else None

    def basis(self) -> Tensor:
        """Return [bits, dims]."""
        return self._basis * self._unit

    def vectors(self) -> Tensor:
        """Return [items, dims]."""
        signs = straight_through(self.latents, torch.where(self.latents >= 0, 1.0, -1.0))
        found = signs @ self.basis()
        return found if self._log_scale is None else found * self._log_scale.exp()[:, None]

    def bias(self) -> Tensor | None:
        """Return [items], or None."""
        return self._offset

    def signs(self) -> NDArray[np.bool_]:
        """Return the codes [items, bits]."""
        found: NDArray[np.bool_] = self.latents.detach().numpy() >= 0
        return found

    def projection(self) -> NDArray[np.float32]:
        """Return [bits, dims]."""
        found: NDArray[np.float32] = self.basis().detach().numpy()
        return found

    def scales(self) -> NDArray[np.float32] | None:
        """Return [items], or None."""
        return None if self._log_scale is None else self._log_scale.detach().exp().numpy()

    def biases(self) -> NDArray[np.float32] | None:
        """Return [items], or None."""
        return None if self._offset is None else self._offset.detach().numpy()
