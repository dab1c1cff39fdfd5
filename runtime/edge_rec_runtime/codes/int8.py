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
from edge_rec_runtime.errors import BundleError, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_EXACT_DIMS = 1040  # 1040 x 127 x 127 < 2**24: up to here float32 sums of the products are exact integers


@dataclass(frozen=True, eq=False)
class Int8Table:
    """Codes [rows, dims] int8, scales [rows] float16 or float32, an optional bias [rows] float16 or float32.

    score = (qscale x scale) x (q8 . codes) + bias, with q8 the query rounded to [-127, 127] by qscale = max|q| / 127.
    """

    codes: NDArray[np.int8]
    scales: NDArray[Any]
    bias: NDArray[Any] | None = None
    layout: ClassVar[str] = "int8"

    @classmethod
    def encode(cls, values: NDArray[Any], bias: NDArray[Any] | None = None) -> Self:
        """Quantise a table [rows, dims] by row; a row of zeros gets scale 0 and codes 0.

        Scales are stored as float16 unless one of them would lose precision there; codes are rounded by the stored scale.

        Raises:
            ModelError: Not two axes, no rows, or a value that is not finite.
        """
        if values.ndim != 2 or 0 in values.shape:
            raise ModelError(f"the item table has shape {list(values.shape)}; expected [items, dims]")
        rows = len(values)
        codes = np.empty(values.shape, dtype=np.int8)
        peaks = np.empty(rows, dtype=np.float32)
        for start in range(0, rows, arithmetic.BLOCK):
            block = arithmetic.check_values(values[start : start + arithmetic.BLOCK], f"the item table from row {start} on")
            peaks[start : start + arithmetic.BLOCK] = np.abs(block).max(axis=1)
        scales = arithmetic.half_scales(peaks / np.float32(127))
        steps = scales.astype(np.float32)
        for start in range(0, rows, arithmetic.BLOCK):
            part = slice(start, start + arithmetic.BLOCK)
            codes[part] = arithmetic.quantise(np.asarray(values[part], dtype=np.float32), steps[part])
        return cls(codes, scales, None if bias is None else arithmetic.one_a_row(bias, rows, "the item bias"))

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]]) -> Self:
        """See `ItemTable.from_parts`."""
        half_or_single = ("float16", "float32")
        arithmetic.check_parts(
            cls.layout, parts, {"codes": (("int8",), 2), "scales": (half_or_single, 1), "bias": (half_or_single, 1)}
        )
        table = cls(parts["codes"], parts["scales"], parts.get("bias"))
        if any(len(part) != table.rows for part in parts.values()):
            raise BundleError(f"the int8 table's arrays differ in rows: { {name: len(part) for name, part in parts.items()} }")
        return table

    @property
    def rows(self) -> int:
        """Number of items."""
        return int(self.codes.shape[0])

    @property
    def dims(self) -> int:
        """Width of a vector."""
        return int(self.codes.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(part.nbytes for part in self.parts().values())

    def parts(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {"codes": self.codes, "scales": self.scales} | ({} if self.bias is None else {"bias": self.bias})

    def decode(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the vectors [n, dims] of the rows [n]."""
        vectors: NDArray[np.float32] = self.codes[rows] * self.scales[rows].astype(np.float32)[:, None]
        return vectors

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score [rows] float32 of every item for a query [dims]; the integer part is exact."""
        whole, qscale = arithmetic.quantise_query(arithmetic.check_query(query, self.dims))
        dots = np.empty(self.rows, dtype=np.float32)
        wide = np.dtype(np.float32 if self.dims <= _EXACT_DIMS else np.float64)
        factors: NDArray[Any] = whole.astype(wide)
        for start in range(0, self.rows, arithmetic.BLOCK):
            part = slice(start, start + arithmetic.BLOCK)
            dots[part] = self.codes[part].astype(wide) @ factors
        scores: NDArray[np.float32] = (qscale * self.scales.astype(np.float32)) * dots
        return scores if self.bias is None else scores + self.bias.astype(np.float32)

    def take(self, rows: NDArray[np.integer[Any]]) -> Self:
        """Return a table with copies of the given rows only."""
        return type(self)(self.codes[rows], self.scales[rows], None if self.bias is None else self.bias[rows])
