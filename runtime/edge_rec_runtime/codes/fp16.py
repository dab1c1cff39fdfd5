"""Layout ``fp16``: half the bytes of fp32, three decimal digits a value."""

from __future__ import annotations

__all__ = ["Fp16Table"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from edge_rec_runtime.codes import _arithmetic as arithmetic
from edge_rec_runtime.codes._float_scores import float_scores
from edge_rec_runtime.codes.shadow import Shadow, Shadowed
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel


@dataclass(frozen=True, eq=False)
class Fp16Table(Shadowed):
    """Vectors [rows, dims] float16 and an optional bias [rows] float32; score = q . float32(v) + bias."""

    values: NDArray[np.float16]
    bias: NDArray[np.float32] | None = None
    shadow: Shadow | None = None
    layout: ClassVar[str] = "fp16"

    @classmethod
    def encode(cls, values: NDArray[Any], bias: NDArray[Any] | None = None) -> Self:
        """Round a table [rows, dims] to float16, half to even.

        Raises:
            ModelError: Not two axes, no rows, or a value that is not finite, also in float16, which ends at 65504.
        """
        arithmetic.check_axes(values)
        halves = np.empty(values.shape, dtype=np.float16)
        for start in range(0, len(values), arithmetic.BLOCK):
            where = f"the item table from row {start} on"
            block = arithmetic.check_values(values[start : start + arithmetic.BLOCK], where)
            with np.errstate(over="ignore"):
                halves[start : start + arithmetic.BLOCK] = block
            if not np.isfinite(halves[start : start + arithmetic.BLOCK]).all():
                raise ModelError(f"{where} holds {np.abs(block).max():.4g}, and float16 ends at 65504; use int8 or fp32 items")
        return cls(halves, None if bias is None else arithmetic.one_a_row(bias, len(values), "the item bias"))

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], *, dims: int) -> Self:
        """See `ItemTable.from_parts`."""
        arithmetic.check_parts(cls.layout, parts, {"values": (("float16",), 2), "bias": (("float32",), 1)})
        arithmetic.check_rows(cls.layout, parts)
        arithmetic.check_dims(cls.layout, parts["values"].shape[1], dims)
        return cls(parts["values"], parts.get("bias"))

    @property
    def dims(self) -> int:
        """Width of a vector."""
        return int(self.values.shape[1])

    def decode(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the vectors [n, dims] of the rows [n]."""
        if (found := self._gathered(rows, self.dims)) is not None:
            return found
        vectors: NDArray[np.float32] = self.values[rows].astype(np.float32)
        return vectors

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score [rows] float32 of every item for a query [dims]; the sums are in the kernel's order, or in BLAS's."""
        floats = arithmetic.check_query(query, self.dims)
        scored = float_scores(self.kernel, floats, self.rows)
        if scored is not None:
            return scored
        scores = np.empty(self.rows, dtype=np.float32)
        for start in range(0, self.rows, arithmetic.BLOCK):
            part = slice(start, start + arithmetic.BLOCK)
            scores[part] = self.values[part].astype(np.float32) @ floats
        return scores if self.bias is None else scores + self.bias

    def _exact_kernel(self, module: ModuleType, path: str) -> Kernel:
        kernel: Kernel = module.Fp16(self.values, self.bias, path)
        return kernel
