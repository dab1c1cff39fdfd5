"""Layout ``binary``: one bit a direction; where the codes want them, a scale and a bias an item and a projection of all.

Plain sign codes lose the norms, and with them the ranking by inner product; the scale and the bias give each item its own back.
Codes that a network was trained with need none of the three: a vector is then the signs themselves. The query keeps eight
bits: only the items are binary.
"""

from __future__ import annotations

__all__ = ["BinaryTable"]

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


@dataclass(frozen=True, eq=False)
class BinaryTable(RowArrays):
    """Bits [rows, ceil(b / 8)] uint8; each optional: scales and bias [rows] float16, a projection [b, dims] float32.

    Any projection will do: a code stands for the vector scale x (signs @ projection). Without a projection dims is b, and without
    scales every scale is 1.

    Bit j of a row is bit 7 - j % 8 of its byte j // 8; 1 is +1 and 0 is -1. With p = projection @ q rounded to p8 by
    pscale = max|p| / 127, score = (pscale x scale) x (p8 . signs) + bias.
    """

    bits: NDArray[np.uint8]
    scales: NDArray[np.float16] | None = None
    bias: NDArray[np.float16] | None = None
    projection: NDArray[np.float32] | None = None
    dims: int = field(kw_only=True)
    layout: ClassVar[str] = "binary"
    shared: ClassVar[frozenset[str]] = frozenset({"projection"})

    @classmethod
    def pack(
        cls,
        signs: NDArray[np.bool_],
        scales: NDArray[Any] | None = None,
        bias: NDArray[Any] | None = None,
        projection: NDArray[Any] | None = None,
    ) -> Self:
        """Pack signs [rows, b] with their scales [rows], bias [rows] and projection [b, dims], where there are any.

        Raises:
            ModelError: The shapes do not fit, or a value is not finite in the precision it is stored in.
        """
        if signs.ndim != 2 or 0 in signs.shape or signs.dtype != np.bool_:
            raise ModelError(f"the signs are {signs.dtype} {list(signs.shape)}; expected bool [items, bits]")
        rows, width = signs.shape
        if projection is not None and (projection.ndim != 2 or projection.shape[0] != width):
            raise ModelError(f"the projection has shape {list(projection.shape)}; expected [{width}, dims] for {width} bits")
        return cls(
            np.packbits(signs, axis=1),
            None if scales is None else arithmetic.one_a_row(scales, rows, "the item scale", np.float16),
            None if bias is None else arithmetic.one_a_row(bias, rows, "the item bias", np.float16),
            None if projection is None else arithmetic.check_values(projection, "the projection"),
            dims=width if projection is None else projection.shape[1],
        )

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], *, dims: int) -> Self:
        """See `ItemTable.from_parts`."""
        expected = {
            "bits": (("uint8",), 2),
            "scales": (("float16",), 1),
            "bias": (("float16",), 1),
            "projection": (("float32",), 2),
        }
        arithmetic.check_parts(cls.layout, parts, expected, optional=("scales", "bias", "projection"))
        arithmetic.check_rows(cls.layout, {name: part for name, part in parts.items() if name not in cls.shared})
        projection = parts.get("projection")
        arithmetic.check_dims(cls.layout, dims if projection is None else projection.shape[1], dims)
        table = cls(parts["bits"], parts.get("scales"), parts.get("bias"), projection, dims=dims)
        if table.bits.shape[1] != -(-table.width // 8):
            raise BundleError(
                f"the binary table has {table.bits.shape[1]} bytes a row; expected {-(-table.width // 8)} for {table.width} bits"
            )
        return table

    @property
    def width(self) -> int:
        """Bits an item."""
        return self.dims if self.projection is None else int(self.projection.shape[0])

    def decode(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the vectors [n, dims] of the rows [n]: scale x (signs @ projection)."""
        if (found := self._gathered(rows, self.dims)) is not None:
            return found
        vectors = self._signs(self.bits[rows])
        if self.projection is not None:
            vectors = vectors @ self.projection
        if self.scales is not None:
            vectors *= self.scales[rows].astype(np.float32)[:, None]
        return vectors

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score [rows] float32 of every item for a query [dims]; the integer part is exact."""
        checked = arithmetic.check_query(query, self.dims)
        projected: NDArray[np.float32] = checked if self.projection is None else self.projection @ checked
        whole, pscale = arithmetic.quantise_query(projected)
        dots = np.empty(self.rows, dtype=np.float32)
        for start in range(0, self.rows, arithmetic.BLOCK):
            part = slice(start, start + arithmetic.BLOCK)
            dots[part] = self._signs(self.bits[part]) @ whole
        factors = pscale if self.scales is None else pscale * self.scales.astype(np.float32)
        scores: NDArray[np.float32] = factors * dots
        return scores if self.bias is None else scores + self.bias.astype(np.float32)

    def _make_kernel(self, module: ModuleType, path: str) -> Kernel:
        kernel: Kernel = module.Signs(self.bits, self.scales, self.bias, width=self.width, level=path)
        return kernel if self.projection is None else _Projected(kernel, self.projection)

    def _signs(self, bits: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return packed bits [n, ceil(b / 8)] as [n, b] float32 of +1 and -1."""
        signs: NDArray[np.float32] = np.unpackbits(bits, axis=1, count=self.width).astype(np.float32)
        signs *= 2
        signs -= 1
        return signs


@dataclass(frozen=True, eq=False)
class _Projected:
    """A kernel whose queries are projected first, by the reference's own product: another order of sums rounds otherwise."""

    kernel: Kernel
    projection: NDArray[np.float32]

    def top_k(  # noqa: PLR0917  # see `Kernel`
        self,
        query: NDArray[np.float32],
        k: int,
        rows: NDArray[np.int64],
        scores: NDArray[np.float32],
        allowed: NDArray[Any] | None = None,
        threads: int = 1,
        /,
    ) -> int:
        """See `Kernel.top_k`."""
        return self.kernel.top_k(self._project(query), k, rows, scores, allowed, threads)

    def rescored(self, exact: Kernel, query: NDArray[np.float32], *others: object) -> int:
        """Ask for the best candidates by another table's scores; the arguments are the kernel's own."""
        found: int = self.kernel.rescored(exact, self._project(query), *others)  # type: ignore[attr-defined]
        return found

    def _project(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        if query.ndim == 1:
            one: NDArray[np.float32] = self.projection @ query
            return one
        return np.stack([self.projection @ one for one in query])
