"""Layout ``int4``: two values a byte and one scale a row.

The scan is that of int8: the query is rounded to [-127, 127], and the products of whole numbers are exact. Only the codes are
coarser, in [-7, 7].
"""

from __future__ import annotations

__all__ = ["Int4Table", "pack_nibbles", "unpack_nibbles"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from edge_rec_runtime.codes import _arithmetic as arithmetic
from edge_rec_runtime.codes._arrays import RowArrays
from edge_rec_runtime.errors import BundleError, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel


def pack_nibbles(codes: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Pack codes [n, d] int8 in [-8, 7] two a byte [n, ceil(d / 2)], two's complement, the first low; 0 fills the last byte."""
    nibbles = np.zeros((len(codes), codes.shape[1] + codes.shape[1] % 2), dtype=np.uint8)
    nibbles[:, : codes.shape[1]] = codes.view(np.uint8) & np.uint8(0x0F)
    packed: NDArray[np.uint8] = nibbles[:, ::2] | (nibbles[:, 1::2] << np.uint8(4))
    return packed


def unpack_nibbles(packed: NDArray[np.uint8], width: int) -> NDArray[np.int8]:
    """Return the codes [n, width] int8 that `pack_nibbles` packed."""
    codes = np.empty((len(packed), packed.shape[1] * 2), dtype=np.int8)
    signed = packed.view(np.int8)
    codes[:, ::2] = (signed << 4) >> 4  # int8 shifts keep the sign
    codes[:, 1::2] = signed >> 4
    return codes[:, :width]


@dataclass(frozen=True, eq=False)
class Int4Table(RowArrays):
    """Codes [rows, ceil(dims / 2)] uint8, scales [rows] float16 or float32, an optional bias [rows], and the width of a vector.

    score = (qscale x scale) x (q8 . codes) + bias, with q8 the query rounded to [-127, 127] by qscale = max|q| / 127.
    """

    codes: NDArray[np.uint8]
    scales: NDArray[Any]
    bias: NDArray[Any] | None = None
    dims: int = field(kw_only=True)
    layout: ClassVar[str] = "int4"

    @classmethod
    def encode(
        cls, values: NDArray[Any], bias: NDArray[Any] | None = None, *, scales: NDArray[np.floating[Any]] | None = None
    ) -> Self:
        """Quantise a table [rows, dims] by row; a row of zeros gets scale 0 and codes 0.

        Scales are stored as float16 unless one of them would lose precision there; codes are rounded by the stored scale.

        Args:
            values: [rows, dims].
            bias: [rows].
            scales: [rows], what the code 1 of each row shall stand for; what lies beyond 7 of it is clipped. A seventh of the
                row's largest magnitude unless given.

        Raises:
            ModelError: Not two axes, no rows, a value that is not finite, or a scale that is not above 0.
        """
        arithmetic.check_axes(values)
        rows, dims = values.shape
        peaks = arithmetic.peaks(values, "the item table")
        wanted = peaks / np.float32(7) if scales is None else arithmetic.one_a_row(scales, rows, "the scales")
        if (low := np.flatnonzero((peaks > 0) & (wanted <= 0))).size:
            raise ModelError(f"the scale of row {low[0]} is {wanted[low[0]]}; every row that is not zero needs one above 0")
        scales = arithmetic.half_scales(np.where(peaks > 0, wanted, np.float32(0)))
        steps = scales.astype(np.float32)
        codes = np.empty((rows, -(-dims // 2)), dtype=np.uint8)
        for start in range(0, rows, arithmetic.BLOCK):
            part = slice(start, start + arithmetic.BLOCK)
            whole = arithmetic.quantise(np.asarray(values[part], dtype=np.float32), steps[part], most=7)
            codes[part] = pack_nibbles(whole)
        return cls(codes, scales, None if bias is None else arithmetic.one_a_row(bias, rows, "the item bias"), dims=dims)

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], *, dims: int) -> Self:
        """See `ItemTable.from_parts`."""
        half_or_single = ("float16", "float32")
        arithmetic.check_parts(
            cls.layout, parts, {"codes": (("uint8",), 2), "scales": (half_or_single, 1), "bias": (half_or_single, 1)}
        )
        arithmetic.check_rows(cls.layout, parts)
        found, needed = parts["codes"].shape[1], -(-dims // 2)
        if found != needed:
            raise BundleError(f"the int4 table has {found} bytes a row; expected {needed} for {dims} codes")
        return cls(parts["codes"], parts["scales"], parts.get("bias"), dims=dims)

    def decode(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the vectors [n, dims] of the rows [n]."""
        if (found := self._gathered(rows, self.dims)) is not None:
            return found
        vectors: NDArray[np.float32] = unpack_nibbles(self.codes[rows], self.dims) * self.scales[rows].astype(np.float32)[:, None]
        return vectors

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score [rows] float32 of every item for a query [dims]; the integer part is exact."""
        dots, qscale = arithmetic.scan(
            arithmetic.check_query(query, self.dims), self.rows, lambda part: unpack_nibbles(self.codes[part], self.dims), most=8
        )
        scores: NDArray[np.float32] = (qscale * self.scales.astype(np.float32)) * dots
        return scores if self.bias is None else scores + self.bias.astype(np.float32)

    def _make_kernel(self, module: ModuleType, path: str) -> Kernel:
        kernel: Kernel = module.Int4(self.codes, self.scales, self.bias, dims=self.dims, level=path)
        return kernel
