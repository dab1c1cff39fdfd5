"""What takes the place of item vectors where only their codes are left: a small network, fitted to the vectors themselves."""

from __future__ import annotations

__all__ = ["fit_decoder"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edge_rec.models import ItemDecoder
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from edge_rec_runtime import Progress

_RATE = 3e-3
_ITEMS = 8192  # a step; of larger catalogues each step draws so many


def fit_decoder(
    codes: NDArray[np.float32],
    vectors: NDArray[np.float32],
    *,
    hidden: int,
    counts: NDArray[np.int64],
    steps: int,
    seed: int,
    progress: Progress,
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """Return the weights of a decoder from codes to vectors by least squares, and what to say of it.

    Args:
        codes: [items, bits], what is stored.
        vectors: [items, dims], what the encoder was trained to see.
        hidden: Width of the hidden layer.
        counts: [items] how often each was met; an item counts by the root of that, and one that nobody met as if met once.
        steps: Of Adam, each of the whole catalogue, or of some thousands of it.
        seed: Of the first weights.
        progress: Told about each step.

    Returns:
        The weights by their names in the network, and ``decoder_missed``: the shares of the vectors' spread that the best matrix
        misses, with which it begins, and the decoder.

    Raises:
        CompressionError: The vectors are not finite, or the fit diverged.
    """
    if not np.isfinite(vectors).all():
        raise CompressionError("quantise: decoder: the item vectors hold values that are not finite; train the model again")
    known, wanted = torch.from_numpy(codes), torch.from_numpy(vectors)
    weights = torch.from_numpy(np.sqrt(np.maximum(counts, 1)).astype(np.float32))[:, None]
    weights = weights / weights.mean()
    spread = float((weights * (wanted - (weights * wanted).mean(dim=0)).square()).sum()) / len(wanted) or 1.0
    decoder, drawn = _straight(known, wanted, weights, hidden=hidden, seed=seed)
    first = _missed(decoder, known, wanted, weights) / spread
    optimizer = torch.optim.Adam(decoder.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        rows = slice(None) if len(known) <= _ITEMS else torch.randint(len(known), (_ITEMS,), generator=drawn)
        errors = weights[rows] * (decoder(known[rows]) - wanted[rows]).square()
        loss = errors.sum() / (len(errors) * spread)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        progress(step + 1, steps, f"what the encoder sees: {float(loss.detach()):.3f} of the spread missed")
    last = _missed(decoder, known, wanted, weights) / spread
    if not math.isfinite(last):
        raise CompressionError(f"quantise: decoder: its fit diverged in {steps} steps; report this model")
    fitted = {f"item_decoder.{name}": value.detach().numpy() for name, value in decoder.named_parameters()}
    return fitted, {"decoder_missed": [first, last]}


def _straight(known: Tensor, wanted: Tensor, weights: Tensor, *, hidden: int, seed: int) -> tuple[ItemDecoder, torch.Generator]:
    """Return a decoder that is the best matrix, its hidden layer not heard yet, and the generator that it was drawn with."""
    root, drawn = weights.sqrt(), torch.Generator().manual_seed(seed)
    linear = torch.linalg.lstsq(root * known, root * wanted, driver="gelsd").solution
    with torch.random.fork_rng(devices=[]):
        decoder = ItemDecoder(known.shape[1], hidden, wanted.shape[1])
    with torch.no_grad():
        decoder.linear.weight.copy_(linear.T)
        decoder.inner.weight.normal_(0, known.shape[1] ** -0.5, generator=drawn)
        decoder.inner.bias.zero_()
        decoder.outer.weight.zero_()
    return decoder, drawn


@torch.no_grad()
def _missed(decoder: ItemDecoder, known: Tensor, wanted: Tensor, weights: Tensor) -> float:
    """Return the mean weighted squared error of an item."""
    parts = zip(*(torch.split(one, _ITEMS) for one in (known, wanted, weights)), strict=True)
    return sum(float((weight * (decoder(codes) - vectors).square()).sum()) for codes, vectors, weight in parts) / len(known)
