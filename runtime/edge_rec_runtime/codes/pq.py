"""Layout ``pq``: product quantisation (Jegou, Douze and Schmid, PAMI 2011), one byte for each piece of a vector.

A vector is cut into m pieces, and each piece stands in the catalogue as the number of the nearest of at most 256 pieces of a
codebook. A query is multiplied with the codebooks once; an item's score is then the sum of m numbers looked up.
"""

from __future__ import annotations

__all__ = ["PqTable"]

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

_MOST = 256  # pieces in a codebook: what a byte can number


@dataclass(frozen=True, eq=False)
class PqTable(RowArrays):
    """Codes [rows, m] uint8, codebooks [m, k, w] float16 or float32 with k <= 256, an optional bias [rows], and dims <= m x w.

    What the pieces have beyond dims is no part of the vector. With t_jc = q_j . codebooks_jc, summed in float64 and rounded once
    to float32, score = ((t_0 + t_1) + t_2) + ... + bias in float32, each at the item's code.
    """

    codes: NDArray[np.uint8]
    codebooks: NDArray[Any]
    bias: NDArray[Any] | None = None
    dims: int = field(kw_only=True)
    layout: ClassVar[str] = "pq"
    shared: ClassVar[frozenset[str]] = frozenset({"codebooks"})

    @classmethod
    def pack(
        cls,
        codes: NDArray[np.integer[Any]],
        codebooks: NDArray[Any],
        bias: NDArray[Any] | None = None,
        *,
        dims: int | None = None,
    ) -> Self:
        """Store codes [rows, m], each the place of a piece in its codebook, with codebooks [m, k, w] and a bias [rows].

        Codebooks are stored as float16 unless their largest value would be infinite there, or as blurred as its smallest are.

        Args:
            codes: Whole numbers from 0 to k - 1.
            codebooks: The pieces.
            bias: Added to the scores.
            dims: Width of a vector; m x w unless given.

        Raises:
            ModelError: The shapes do not fit, a code has no piece, or a value is not finite.
        """
        if codes.ndim != 2 or 0 in codes.shape or codes.dtype.kind not in "iu":
            raise ModelError(f"the codes are {codes.dtype} {list(codes.shape)}; expected whole numbers [items, pieces]")
        rows, pieces = codes.shape
        if codebooks.ndim != 3 or 0 in codebooks.shape or len(codebooks) != pieces or codebooks.shape[1] > _MOST:
            raise ModelError(
                f"the codebooks have shape {list(codebooks.shape)}; expected [{pieces}, at most {_MOST}, width of a piece]"
            )
        if codes.min() < 0 or codes.max() >= codebooks.shape[1]:
            raise ModelError(f"the codes go from {codes.min()} to {codes.max()}; the codebooks have {codebooks.shape[1]} pieces")
        width = pieces * codebooks.shape[2] if dims is None else dims
        if fault := _misfit(codebooks.shape, width):
            raise ModelError(fault)
        return cls(
            codes.astype(np.uint8),
            _half_where_kept(arithmetic.check_values(codebooks, "the codebook")),
            None if bias is None else arithmetic.one_a_row(bias, rows, "the item bias"),
            dims=width,
        )

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], *, dims: int) -> Self:
        """See `ItemTable.from_parts`."""
        half_or_single = ("float16", "float32")
        arithmetic.check_parts(
            cls.layout, parts, {"codes": (("uint8",), 2), "codebooks": (half_or_single, 3), "bias": (half_or_single, 1)}
        )
        arithmetic.check_rows(cls.layout, {name: part for name, part in parts.items() if name not in cls.shared})
        codes, codebooks = parts["codes"], parts["codebooks"]
        if codes.shape[1] != len(codebooks) or codebooks.shape[1] > _MOST:
            raise BundleError(
                f"the pq table has {codes.shape[1]} codes a row and codebooks {list(codebooks.shape)}; "
                f"expected as many codebooks, each of at most {_MOST} pieces"
            )
        if fault := _misfit(codebooks.shape, dims):
            raise BundleError(fault)
        if codebooks.shape[1] < _MOST and codes.max() >= codebooks.shape[1]:  # of a full codebook every byte is a piece
            raise BundleError(
                f"the pq table has the code {codes.max()} and codebooks of {codebooks.shape[1]} pieces; the file is damaged"
            )
        return cls(codes, codebooks, parts.get("bias"), dims=dims)

    def decode(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the vectors [n, dims] of the rows [n]."""
        if (found := self._gathered(rows, self.dims)) is not None:
            return found
        codes = self.codes[rows]
        pieces = self.codebooks[np.arange(codes.shape[1]), codes]
        vectors: NDArray[np.float32] = pieces.reshape(len(codes), -1)[:, : self.dims].astype(np.float32)
        return vectors

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score [rows] float32 of every item for a query [dims]."""
        count, _, width = self.codebooks.shape
        pieces = np.zeros((count, 1, width))
        pieces.reshape(-1)[: self.dims] = arithmetic.check_query(query, self.dims)
        looked_up = (self.codebooks * pieces).sum(axis=2).astype(np.float32)
        scores = np.zeros(self.rows, np.float32)
        for codes, values in zip(self.codes.T, looked_up, strict=True):
            scores += values[codes]
        return scores if self.bias is None else scores + self.bias.astype(np.float32)

    def _make_kernel(self, module: ModuleType, path: str) -> Kernel:
        kernel: Kernel = module.Pq(self.codes, self.codebooks, self.bias, dims=self.dims, level=path)
        return kernel


def _misfit(shape: tuple[int, ...], dims: int) -> str:
    """Return in a sentence why codebooks [m, k, w] cannot hold vectors of a width, or an empty text."""
    count, _, width = shape
    if (count - 1) * width < dims <= count * width:
        return ""
    return f"{count} codebooks of pieces {width} wide cannot hold vectors of {dims} values, which must end in the last piece"


def _half_where_kept(values: NDArray[np.float32]) -> NDArray[Any]:
    """Return values as float16 unless their largest would be infinite there, or blurred as it is among the smallest."""
    largest = float(np.abs(values).max())
    return values.astype(np.float16) if largest == 0 or 2.0**-7 <= largest <= float(np.finfo(np.float16).max) else values
