"""Maps from a free parameter to the value on a grid that the network sees; the gradient goes straight through.

Bengio, Leonard and Courville, "Estimating or Propagating Gradients Through Stochastic Neurons" (2013). Each grid is computed
by the very code that writes it into bundles, so that what was trained is what is stored.
"""

from __future__ import annotations

__all__ = ["FixedGrid", "Int4Items", "Int8Items", "Int8Weights", "SignWeights", "exact", "straight_through"]

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from edge_rec_converters.row_codes import quantise_int4, round_rows
from edge_rec_runtime import Int4Table, Int8Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PRECISION = 11  # bits of a scale: as many as float16 keeps, and 127 of such a scale is still exact in float32
_LEAST = 2.0**-14  # the smallest normal float16


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, free: Tensor, seen: Tensor) -> Tensor:  # noqa: ANN401, ARG004 - torch's own context
        return seen.clone()

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401, ARG004 - torch's own context
        return upstream, None


def straight_through(free: Tensor, seen: Tensor) -> Tensor:
    """Return ``seen``, to the bit, whose gradient is that of ``free``; both of one shape."""
    found: Tensor = _StraightThrough.apply(free, seen)  # type: ignore[no-untyped-call]  # torch types it so
    return found


def exact(scales: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return scales rounded to 11 bits of precision.

    Their products with int8 codes are exact in float32, so that a converter, which divides a row's largest magnitude by 127,
    finds the same scale again.
    """
    mantissa, exponent = np.frexp(scales.astype(np.float64))
    rounded: NDArray[np.float32] = np.ldexp(np.rint(mantissa * 2**_PRECISION), exponent - _PRECISION).astype(np.float32)
    return rounded


class Int8Items(nn.Module):
    """Item vectors [items, dims] as the layout ``int8`` decodes them."""

    def forward(self, free: Tensor) -> Tensor:
        """Return the decoded vectors."""
        return straight_through(free, torch.from_numpy(self.table(free).decode(np.arange(len(free)))))

    @staticmethod
    def table(free: Tensor) -> Int8Table:
        """Return the codes; where float16 cannot hold the scales, they have its precision all the same."""
        values = free.detach().numpy()
        found = Int8Table.encode(values)
        if found.scales.dtype == np.float16:
            return found
        scales = exact(found.scales)
        return Int8Table(round_rows(values, np.where(scales > 0, scales, np.float32(1))), scales)


class Int4Items(nn.Module):
    """Item vectors [items, dims] as the layout ``int4`` decodes them, with a scale a row that is learnt.

    Esser et al., "Learned Step Size Quantization" (ICLR 2020): the gradient of a scale is the rounding error of the values
    within its range, and the code of those that are clipped.
    """

    start: Tensor

    def __init__(self, values: NDArray[np.float32]) -> None:
        """Start with the scales of least squared error of vectors [items, dims]."""
        super().__init__()
        self.register_buffer("start", torch.from_numpy(quantise_int4(values)[1]), persistent=False)
        self.stretch = nn.Parameter(torch.zeros(len(values)))  # log of the scale over that at the start

    def forward(self, free: Tensor) -> Tensor:
        """Return the decoded vectors."""
        seen = torch.from_numpy(self.table(free).decode(np.arange(len(free))))
        scales = self.scales()[:, None]
        ratio = free.detach() / scales.detach()
        by_scale = torch.where(ratio.abs() <= 7, seen / scales.detach() - ratio, ratio.sign() * 7)
        # The scale's part is 0 in value: what it brings is the gradient.
        moved = free + by_scale * (scales - scales.detach()) / free.shape[1] ** 0.5
        inside = torch.where(ratio.abs() <= 7, moved, moved - free + free.detach())
        return straight_through(inside, seen)

    def scales(self) -> Tensor:
        """Return what the code 1 of each row stands for, [items]."""
        return self.start * self.stretch.exp()

    def table(self, free: Tensor) -> Int4Table:
        """Return the codes."""
        return Int4Table.encode(free.detach().numpy(), scales=exact(self.scales().detach().numpy()))


class Int8Weights(nn.Module):
    """Weights [..., width] as int8 codes with a scale a row, as the passes of the converters write them."""

    def forward(self, free: Tensor) -> Tensor:
        """Return the decoded weights."""
        values = free.detach().reshape(-1, free.shape[-1]).numpy()
        scales = exact(np.abs(values).max(axis=1) / np.float32(127))
        scales = np.where(scales > 0, scales, np.float32(1))
        decoded = round_rows(values, scales) * scales[:, None]
        return straight_through(free, torch.from_numpy(decoded.reshape(free.shape)))


class SignWeights(nn.Module):
    """Weights [rows, width] as signs with a scale a row: the mean magnitude (Rastegari et al., XNOR-Net, ECCV 2016)."""

    def forward(self, free: Tensor) -> Tensor:
        """Return the decoded weights."""
        scales = torch.from_numpy(exact(free.detach().abs().mean(dim=1).clamp_min(_LEAST).numpy()))[:, None]
        return straight_through(free, torch.where(free >= 0, scales, -scales))


class FixedGrid(nn.Module):
    """Values as multiples of one step, within a range of codes."""

    def __init__(self, step: float, *, most: int) -> None:
        """Take the step and the largest magnitude of a code."""
        super().__init__()
        self.step = step
        self.most = most

    def forward(self, free: Tensor) -> Tensor:
        """Return the nearest multiples of the step, half to even."""
        codes = torch.round(free.detach().double() / self.step).clamp(-self.most, self.most)
        return straight_through(free, (codes * self.step).float())
