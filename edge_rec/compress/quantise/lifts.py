"""What takes the place of item vectors where only their codes are left: a small network, fitted to the vectors themselves."""

from __future__ import annotations

__all__ = ["fit_lift"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edge_rec.models import ItemLift
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_runtime import Progress

_RATE = 3e-3
_ITEMS = 8192  # a step; of larger catalogues each step draws so many


def fit_lift(
    codes: NDArray[np.float32],
    vectors: NDArray[np.float32],
    *,
    hidden: int,
    counts: NDArray[np.int64],
    steps: int,
    seed: int,
    progress: Progress,
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """Return the weights of a lift from codes to vectors by least squares, and what to say of it.

    Args:
        codes: [items, bits], what is stored.
        vectors: [items, dims], what the encoder was trained to see.
        hidden: Width of the hidden layer.
        counts: [items] how often each was met; an item counts by the root of that, and one that nobody met as if met once.
        steps: Of Adam, each of the whole catalogue, or of some thousands of it; with 0 the lift is the best matrix alone.
        seed: Of the first weights.
        progress: Told about each step.

    Returns:
        The weights by their names in the network, and ``lift_missed``: the shares of the vectors' spread that are missed, by the
        best matrix alone and, with steps, by the lift.

    Raises:
        CompressionError: The fit diverged.
    """
    known, wanted = torch.from_numpy(codes), torch.from_numpy(vectors)
    weights = torch.from_numpy(np.sqrt(np.maximum(counts, 1)).astype(np.float32))[:, None]
    weights = weights / weights.mean()
    spread = float((weights * (wanted - wanted.mean(dim=0)).square()).sum()) / len(wanted) or 1.0
    root = weights.sqrt()
    linear = torch.linalg.lstsq(root * known, root * wanted, driver="gelsd").solution
    lift = ItemLift(codes.shape[1], hidden, vectors.shape[1])
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        lift.linear.weight.copy_(linear.T)
        lift.inner.weight.normal_(0, codes.shape[1] ** -0.5, generator=drawn)
        lift.inner.bias.zero_()
        lift.outer.weight.zero_()  # begins as the best matrix
    optimizer = torch.optim.Adam(lift.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    missed = []
    for step in range(steps + 1):
        rows = slice(None) if len(known) <= _ITEMS else torch.randint(len(known), (_ITEMS,), generator=drawn)
        errors = weights[rows] * (lift(known[rows]) - wanted[rows]).square()
        loss = errors.sum() / (len(errors) * spread)
        missed.append(float(loss.detach()))
        if step == steps:
            break
        if not math.isfinite(missed[-1]):
            raise CompressionError(
                f"quantise: the fit of the decoder diverged in step {step + 1} of {steps}; are the item vectors finite?"
            )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        progress(step + 1, steps, f"what the encoder sees: {missed[-1]:.3f} of the spread missed")
    fitted = {f"item_lift.{name}": value.detach().numpy() for name, value in lift.named_parameters()}
    return fitted, {"lift_missed": [missed[0], *missed[-1:]] if steps else missed}
