"""Signs of items against the signs of a query: the cheapest scan that there is, for codes that were made to be compared so.

No bundle names it: it is another way to ask the bits of the layout ``binary``, whose own queries keep eight bits.
"""

from __future__ import annotations

__all__ = ["HammingTable"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from edge_rec_runtime.codes import _arithmetic as arithmetic
from edge_rec_runtime.codes._arrays import RowArrays
from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel


@dataclass(frozen=True, eq=False)
class HammingTable(RowArrays):
    """Bits [rows, ceil(dims / 8)] uint8 in the order of the layout ``binary``; 1 is +1 and 0 is -1.

    score = dims - 2 x (bits in which the row differs from q > 0): the inner product of the two rows of +1 and -1.
    """

    bits: NDArray[np.uint8]
    dims: int = field(kw_only=True)
    layout: ClassVar[str] = "hamming"

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], *, dims: int) -> Self:
        """See `ItemTable.from_parts`."""
        arithmetic.check_parts(cls.layout, parts, {"bits": (("uint8",), 2)})
        if parts["bits"].shape[1] != -(-dims // 8):
            raise BundleError(
                f"the hamming table has {parts['bits'].shape[1]} bytes a row; expected {-(-dims // 8)} for {dims} bits"
            )
        return cls(parts["bits"], dims=dims)

    def decode(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the signs [n, dims] of the rows [n] as +1 and -1."""
        return self._signs(self.bits[rows])

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score [rows] float32 of every item for a query [dims], whole numbers."""
        signs = np.where(arithmetic.check_query(query, self.dims) > 0, np.float32(1), np.float32(-1))
        scores = np.empty(self.rows, dtype=np.float32)
        for start in range(0, self.rows, arithmetic.BLOCK):
            part = slice(start, start + arithmetic.BLOCK)
            scores[part] = self._signs(self.bits[part]) @ signs
        return scores

    def _make_kernel(self, module: ModuleType, path: str) -> Kernel:
        kernel: Kernel = module.Hamming(self.bits, width=self.dims, level=path)
        return kernel

    def _signs(self, bits: NDArray[np.uint8]) -> NDArray[np.float32]:
        signs: NDArray[np.float32] = np.unpackbits(bits, axis=1, count=self.dims).astype(np.float32)
        signs *= 2
        signs -= 1
        return signs
