"""Tables of neighbours: for each item the weights with which it speaks for others, row after row, what is zero left out.

Row i, in parts shared by the layouts, is ``items[starts[i] : starts[i + 1]]`` with a weight for each. A history's score for item
j is the sum of W[i, j] over the distinct items i of its window.
"""

from __future__ import annotations

__all__ = ["SPARSE_LAYOUTS", "NeighbourTable", "SparseInt8Table", "SparseTable"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

from edge_rec_runtime.codes import _arithmetic as arithmetic
from edge_rec_runtime.codes._arrays import Arrays
from edge_rec_runtime.errors import BundleError, ModelError, RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel

_STARTS, _ITEMS = (("uint32",), 1), (("uint16", "uint32"), 1)


class NeighbourTable(Protocol):
    """Weights [items, items], mostly zero, in some layout.

    Attributes:
        layout: Key of the layout in `SPARSE_LAYOUTS`.
    """

    layout: ClassVar[str]

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild a table from the arrays that `parts` gave; mapped arrays are kept as they are, and not read.

        Raises:
            BundleError: An array is missing, too many, or of a wrong shape or dtype.
        """

    @property
    def rows(self) -> int:
        """Number of items."""

    @property
    def weights(self) -> int:
        """Number of weights that are stored."""

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""

    @property
    def kernel(self) -> Kernel | None:
        """See `ItemTable.kernel`."""

    def parts(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as a bundle stores them."""

    def row(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the items [n] int64 that a row has weights for, and the weights [n] float32.

        Raises:
            BundleError: The row names what is not there.
        """

    def scores(self, query: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the score [rows] float32 of every item, summed in float64 in the order of the query.

        Args:
            query: [n] distinct rows.

        Raises:
            RequestError: The query holds what is no row.
            BundleError: A row names what is not there.
        """


@dataclass(frozen=True, eq=False)
class _Rows(Arrays):
    """What the layouts share: where each row's weights stand, and for which items."""

    starts: NDArray[np.uint32]
    items: NDArray[Any]

    @property
    def rows(self) -> int:
        """Number of items."""
        return len(self.starts) - 1

    @property
    def weights(self) -> int:
        """Number of weights that are stored."""
        return len(self.items)

    def _row(self, row: int) -> tuple[slice, NDArray[np.int64]]:
        """Return where a row's weights stand, and for which items [n]."""
        start, stop = int(self.starts[row]), int(self.starts[row + 1])
        items = self.items[start:stop].astype(np.int64)
        if not start <= stop <= self.weights or (len(items) and items.max() >= self.rows):
            raise BundleError(
                f"the table of neighbours is damaged: row {row} runs from {start} to {stop} of {self.weights} weights "
                f"and names items up to {items.max(initial=0)} of {self.rows}; copy or convert the bundle again"
            )
        return slice(start, stop), items


def _scores(table: NeighbourTable, query: NDArray[np.int64]) -> NDArray[np.float32]:
    """See `NeighbourTable.scores`."""
    if query.ndim != 1 or query.dtype != np.int64 or (len(query) and not 0 <= query.min() <= query.max() < table.rows):
        raise RequestError(f"the query is {query.dtype} {list(query.shape)}; expected int64 rows below {table.rows}")
    if not len(query):
        return np.zeros(table.rows, dtype=np.float32)
    items, weights = (np.concatenate(parts) for parts in zip(*map(table.row, query.tolist()), strict=True))
    return np.bincount(items, weights=weights, minlength=table.rows).astype(np.float32)


@dataclass(frozen=True, eq=False)
class SparseTable(_Rows):
    """Layout ``sparse-fp32``: starts [items + 1] uint32, items [n] uint16 or uint32, values [n] float32."""

    values: NDArray[np.float32]
    layout: ClassVar[str] = "sparse-fp32"

    @classmethod
    def encode(cls, starts: NDArray[Any], items: NDArray[Any], values: NDArray[Any]) -> Self:
        """Check and keep weights; the items of each row are put in order.

        Args:
            starts: [items + 1] whole numbers, ascending from 0 to n: where each row starts.
            items: [n] whole numbers, each at most once in a row.
            values: [n] float.

        Raises:
            ModelError: The arrays do not fit together, name an item twice in a row, or a weight is not finite.
        """
        rows = len(starts) - 1
        whole = all(part.ndim == 1 and part.dtype.kind in "iu" for part in (starts, items))
        if not whole or values.shape != items.shape or rows < 1 or not len(items):
            shapes = {name: f"{part.dtype} {list(part.shape)}" for name, part in _named(starts, items, values)}
            raise ModelError(f"the neighbours are {shapes}; expected whole numbers [items + 1], whole numbers [n] and floats [n]")
        if starts[0] != 0 or starts[-1] != len(items) or (starts[1:] < starts[:-1]).any():
            raise ModelError(f"the neighbours' starts must ascend from 0 to {len(items)}; give the row pointers of a CSR matrix")
        if items.min() < 0 or items.max() >= rows:
            raise ModelError(f"the neighbours name items from {items.min()} to {items.max()}; expected 0 to {rows - 1}")
        weights = arithmetic.check_values(values, "the neighbours' weights")
        owners = np.repeat(np.arange(rows), _counts(starts))
        places = owners * rows + items.astype(np.int64)
        if (places[1:] <= places[:-1]).any():
            order = np.argsort(places, kind="stable")
            places, items, weights = places[order], items[order], weights[order]
            twice = np.flatnonzero(places[1:] == places[:-1])
            if len(twice):
                raise ModelError(
                    f"item {items[twice[0]]} stands twice in row {places[twice[0]] // rows} of the neighbours; add the two"
                )
        narrow = np.uint16 if rows <= 2**16 else np.uint32
        return cls(starts.astype(np.uint32), items.astype(narrow), weights)

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]]) -> Self:
        """See `NeighbourTable.from_parts`."""
        expected = {"starts": _STARTS, "items": _ITEMS, "values": (("float32",), 1)}
        arithmetic.check_parts(cls.layout, parts, expected, optional=())
        arithmetic.check_rows(cls.layout, {name: parts[name] for name in ("items", "values")})
        return cls(parts["starts"], parts["items"], parts["values"])

    def row(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See `NeighbourTable.row`."""
        part, items = self._row(row)
        return items, self.values[part]

    def scores(self, query: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `NeighbourTable.scores`."""
        return _scores(self, query)


@dataclass(frozen=True, eq=False)
class SparseInt8Table(_Rows):
    """Layout ``sparse-int8``: as `SparseTable`, with codes [n] int8 and scales [items] float16 or float32, one a row.

    W[i, j] = scales_i x code.
    """

    codes: NDArray[np.int8]
    scales: NDArray[Any]
    layout: ClassVar[str] = "sparse-int8"

    @classmethod
    def encode(cls, table: SparseTable) -> Self:
        """Quantise a table by row, symmetrically to [-127, 127], as item tables are."""
        counts = _counts(table.starts)
        peaks = np.zeros(table.rows, dtype=np.float32)
        used = np.flatnonzero(counts)
        peaks[used] = np.maximum.reduceat(np.abs(table.values), table.starts[used].astype(np.int64))
        scales = arithmetic.half_scales(peaks / np.float32(127))
        steps = np.repeat(scales.astype(np.float32), counts)
        codes = arithmetic.quantise(table.values[:, None], steps)[:, 0]
        return cls(table.starts, table.items, codes, scales)

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]]) -> Self:
        """See `NeighbourTable.from_parts`."""
        expected = {
            "starts": _STARTS,
            "items": _ITEMS,
            "codes": (("int8",), 1),
            "scales": (("float16", "float32"), 1),
        }
        arithmetic.check_parts(cls.layout, parts, expected, optional=())
        arithmetic.check_rows(cls.layout, {name: parts[name] for name in ("items", "codes")})
        if len(parts["starts"]) != len(parts["scales"]) + 1:
            raise BundleError(f"the {cls.layout} table has {len(parts['scales'])} scales and {len(parts['starts'])} starts")
        return cls(parts["starts"], parts["items"], parts["codes"], parts["scales"])

    def row(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See `NeighbourTable.row`."""
        part, items = self._row(row)
        return items, self.codes[part] * np.float32(self.scales[row])

    def scores(self, query: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `NeighbourTable.scores`."""
        return _scores(self, query)


def _counts(starts: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many weights each row has."""
    wide = starts.astype(np.int64)
    counts: NDArray[np.int64] = wide[1:] - wide[:-1]
    return counts


def _named(*arrays: NDArray[Any]) -> zip[tuple[str, NDArray[Any]]]:
    return zip(("starts", "items", "values"), arrays, strict=True)


SPARSE_LAYOUTS: dict[str, type[NeighbourTable]] = {
    "sparse-fp32": SparseTable,
    "sparse-int8": SparseInt8Table,
}
