"""Layout ``int8``: one byte a value and one scale a row.

One scale for a whole table would zero rows of small norm; a scale a row keeps each row's own precision. Codes are symmetric in
[-127, 127], so that a query quantised in the same way gives exact int32 dot products on every CPU.
"""

from __future__ import annotations

__all__ = ["Int8Table"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from edge_rec_runtime.codes import _arithmetic as arithmetic
from edge_rec_runtime.codes.shadow import Shadow, Shadowed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel

_SHORT = 64  # dims up to which a shadow's bounds are tight
_CACHE = 32 * 2**20  # bytes that a cache may hold


@dataclass(frozen=True, eq=False)
class Int8Table(Shadowed):
    """Codes [rows, dims] int8, scales [rows] float16 or float32, an optional bias [rows] float16 or float32.

    score = (qscale x scale) x (q8 . codes) + bias, with q8 the query rounded to [-127, 127] by qscale = max|q| / 127.
    """

    codes: NDArray[np.int8]
    scales: NDArray[Any]
    bias: NDArray[Any] | None = None
    shadow: Shadow | None = None
    layout: ClassVar[str] = "int8"

    @classmethod
    def encode(cls, values: NDArray[Any], bias: NDArray[Any] | None = None) -> Self:
        """Quantise a table [rows, dims] by row; a row of zeros gets scale 0 and codes 0.

        Scales are stored as float16 unless one of them would lose precision there; codes are rounded by the stored scale.

        Raises:
            ModelError: Not two axes, no rows, or a value that is not finite.
        """
        arithmetic.check_axes(values)
        rows = len(values)
        codes = np.empty(values.shape, dtype=np.int8)
        scales = arithmetic.half_scales(arithmetic.peaks(values, "the item table") / np.float32(127))
        steps = scales.astype(np.float32)
        for start in range(0, rows, arithmetic.BLOCK):
            part = slice(start, start + arithmetic.BLOCK)
            codes[part] = arithmetic.quantise(np.asarray(values[part], dtype=np.float32), steps[part])
        return cls(codes, scales, None if bias is None else arithmetic.one_a_row(bias, rows, "the item bias"))

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], *, dims: int) -> Self:
        """See `ItemTable.from_parts`."""
        half_or_single = ("float16", "float32")
        arithmetic.check_parts(
            cls.layout, parts, {"codes": (("int8",), 2), "scales": (half_or_single, 1), "bias": (half_or_single, 1)}
        )
        arithmetic.check_rows(cls.layout, parts)
        arithmetic.check_dims(cls.layout, parts["codes"].shape[1], dims)
        return cls(parts["codes"], parts["scales"], parts.get("bias"))

    @property
    def dims(self) -> int:
        """Width of a vector."""
        return int(self.codes.shape[1])

    def decode(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the vectors [n, dims] of the rows [n]."""
        if (found := self._gathered(rows, self.dims)) is not None:
            return found
        vectors: NDArray[np.float32] = self.codes[rows] * self.scales[rows].astype(np.float32)[:, None]
        return vectors

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score [rows] float32 of every item for a query [dims]; the integer part is exact."""
        dots, qscale = arithmetic.scan(arithmetic.check_query(query, self.dims), self.rows, self.codes.__getitem__, most=127)
        scores: NDArray[np.float32] = (qscale * self.scales.astype(np.float32)) * dots
        return scores if self.bias is None else scores + self.bias.astype(np.float32)

    def _rows_per_result(self) -> int:
        # A cache gives whole rows about as fast as their shadows, and the bounds of long rows are loose.
        return 4096 if self.dims <= _SHORT or self.codes.nbytes >= _CACHE else self.rows

    def _exact_kernel(self, module: ModuleType, path: str) -> Kernel:
        kernel: Kernel = module.Int8(self.codes, self.scales, self.bias, path)
        return kernel
