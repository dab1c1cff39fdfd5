"""Values on fixed-point grids: multiples of a power of two in so many bits, or numbers of so many decimals."""

from __future__ import annotations

__all__ = ["FixedPoint"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from edge_rec.compress.options import check_whole, require_one
from edge_rec.compress.quantise.forms import Tuning, require_free_items, require_table, settled
from edge_rec.compress.quantise.grids import FixedGrid
from edge_rec.compress.quantise.weights import rounded_weights
from edge_rec.compress.step import Outcome
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.compress.step import Given
    from edge_rec.models import Network

_NAME = "quantise:to=fixed-point"
_MOST_BITS = 24  # float32 holds whole numbers up to here
_MOST_DECIMALS = 6
_TRIED = 3  # finer steps than the one that clips nothing, of which the one of least squared error is taken


@dataclass(frozen=True, kw_only=True)
class FixedPoint(Tuning):
    """Values that whole-number arithmetic holds exactly. Bundles store them as fp32, so that their size stays as it was.

    Exactly one of ``bits`` and ``decimals`` is given.

    Attributes:
        bits: Of a value, its sign included.
        fraction: Of these, how many stand after the point; for each tensor those of least squared error unless given.
        decimals: Digits after the point; values are as large as they are.
        items: Whether the item table is rounded.
        network: Whether the weights of the network are: those of two axes or more.
    """

    word: ClassVar[str] = "fixed-point"
    form: ClassVar[str] = "quantise:fixed-point"
    bits: int | None = None
    fraction: int | None = None
    decimals: int | None = None
    items: bool = True
    network: bool = True

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        super().__post_init__()
        kind = require_one(_NAME, bits=self.bits, decimals=self.decimals)
        check_whole(_NAME, kind, getattr(self, kind), least=2 if kind == "bits" else 1)
        most = _MOST_BITS if kind == "bits" else _MOST_DECIMALS
        if getattr(self, kind) > most:
            raise CompressionError(f"{_NAME}: {kind}={getattr(self, kind)}; float32 holds at most {most} of them exactly")
        if self.fraction is not None:
            if kind == "decimals":
                raise CompressionError(f"{_NAME}: fraction={self.fraction!r} is of bits; decimals say their own")
            check_whole(_NAME, "fraction", self.fraction, least=-_MOST_BITS)
            if self.fraction > 4 * _MOST_BITS:
                raise CompressionError(f"{_NAME}: fraction={self.fraction}; expected a whole number up to {4 * _MOST_BITS}")
        for name in ("items", "network"):
            if not isinstance(getattr(self, name), bool):
                raise CompressionError(f"{_NAME}: {name}={getattr(self, name)!r}; expected true or false")
        if not self.items and not self.network:
            raise CompressionError(f"{_NAME}: items and network are both false; at least one of them is needed")

    def requires(self, model: Network) -> None:
        """Raise CompressionError if there is nothing to round, or items have codes."""
        if self.items:
            require_free_items(self.word, model)
            require_table(self.word, model)
        if self.network and not rounded_weights(model):
            raise CompressionError(f"{_NAME}: {model.title} has no weights to round; say network=false")

    def run(self, model: Network, given: Given) -> Outcome:
        """Return the model on the grids."""
        weights = model.weights()
        grids = {name: self._grid(weights[name]) for name in self._names(model)}
        found = settled(model, given, self, grids, teacher=model)
        steps = {name: one.step for name, one in grids.items()}
        after = found.model.weights()
        errors = {name: float(np.abs(after[name] - weights[name]).max()) for name in grids}
        return Outcome(model=found.model, record={"steps": steps, "most_moved": errors, **found.record})

    def ensures(self, before: Network, after: Network) -> None:
        """Raise CompressionError if a value is between two steps of the grid that was asked for, or beyond its end."""
        had, found = before.weights(), after.weights()
        for name in self._names(after):
            grid = self._grid(had[name])
            if not np.array_equal(grid(torch.from_numpy(found[name])).numpy(), found[name]):
                raise CompressionError(f"{_NAME}: {name} left its grid, of step {grid.step:g}; report this model")

    def _names(self, model: Network) -> tuple[str, ...]:
        return (*(("table",) if self.items else ()), *(rounded_weights(model) if self.network else ()))

    def _grid(self, values: NDArray[np.float32]) -> FixedGrid:
        if self.decimals is not None:
            return FixedGrid(10.0**-self.decimals, most=(1 << 53) - 1)
        most = (1 << ((self.bits or 2) - 1)) - 1
        if self.fraction is not None:
            return FixedGrid(2.0**-self.fraction, most=most)
        largest = float(np.abs(values).max()) or 1.0
        widest = math.ceil(math.log2(largest / most))
        grids = [FixedGrid(2.0 ** (widest - finer), most=most) for finer in range(_TRIED)]
        return min(grids, key=lambda one: _error(values, one))


def _error(values: NDArray[np.float32], grid: FixedGrid) -> float:
    rounded = np.clip(np.rint(values.astype(np.float64) / grid.step), -grid.most, grid.most) * grid.step
    return float(((rounded - values) ** 2).sum())
