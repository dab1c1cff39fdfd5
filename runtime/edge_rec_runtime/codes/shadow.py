"""Layout ``shadow``: 4 bits a value beside an exact table, and bounds that leave most rows of that table unread.

A row x has a step s, codes u in 0..15 and a residual byte r with ``|x - s (u - 7.5)| <= r s sqrt(dims) / 500``, rounding of exact
scores included; ``_native/shadow.h`` says why the answer of a search is then the full scan's, to the bit. Nothing is scored from
a shadow, so without the kernels it has no use and is not read.
"""

from __future__ import annotations

__all__ = ["Shadow", "Shadowed"]

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from edge_rec_runtime.codes import _arithmetic as arithmetic
from edge_rec_runtime.codes._arrays import Arrays, RowArrays
from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from numpy.typing import NDArray

    from edge_rec_runtime.codes.table import ItemTable
    from edge_rec_runtime.kernels import Kernel

_GROUP, _LINE, _CHUNK = 32, 64, 8  # rows, bytes, values
_OCTAVE = 2**20  # from the bits of one step to those of the next: 8 steps an octave
_LEAST_BITS = 0x00800000  # of the smallest normal float32
_TRIES = 9  # steps that are tried for a row, from the one that reaches its largest value down by an octave
_UNITS = 500  # a residual byte counts |e| in sqrt(dims) / 500 steps
_ROUNDING = 2.0**-22
_BLOCK = 2048  # rows encoded at a time; whole groups


@dataclass(frozen=True, eq=False)
class Shadow(Arrays):
    """Groups [ceil(rows / 32), (2 ceil(dims / 8) + 1) x 64] uint8, and grid [2] float32: the least step, the largest |x| / s.

    A group is a line of 64 bytes, 32 codes of steps and 32 residuals, and then for every 8 values two lines, rows 0 to 15 and 16
    to 31, of 4 bytes a row: byte j has value j in its low and value 4 + j in its high half. The step of code b is the float32
    whose bits are those of the least step and b x 2^20. Where rows or values end, bytes mean nothing.
    """

    groups: NDArray[np.uint8]
    grid: NDArray[np.float32]
    layout: ClassVar[str] = "shadow"

    @classmethod
    def encode(cls, table: ItemTable) -> Self:
        """Make the shadow of a table; the same table gives the same bytes."""
        rows, dims = table.rows, table.dims
        steps = _steps(_peak(table))
        groups = np.empty((-(-rows // _GROUP), (2 * -(-dims // _CHUNK) + 1) * _LINE), dtype=np.uint8)
        spread = 0.0
        for start in range(0, rows, _BLOCK):
            vectors = table.decode(np.arange(start, min(start + _BLOCK, rows)))
            picked, codes, residuals, lengths = _encode_rows(vectors, steps)
            spread = max(spread, float((lengths / steps[picked]).max()))
            group = start // _GROUP
            groups[group : group + -(-len(vectors) // _GROUP)] = _pack(picked, codes, residuals)
        return cls(groups, np.array([steps[0], np.nextafter(np.float32(spread), np.float32(np.inf))], dtype=np.float32))

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], *, rows: int, dims: int) -> Self:
        """Rebuild the shadow of a table [rows, dims] from its arrays; mapped arrays are kept as they are, and not read.

        Raises:
            BundleError: An array is missing, too many, or of a wrong shape or dtype.
        """
        arithmetic.check_parts(cls.layout, parts, {"groups": (("uint8",), 2), "grid": (("float32",), 1)}, optional=())
        groups, grid = parts["groups"], parts["grid"]
        expected = (-(-rows // _GROUP), (2 * -(-dims // _CHUNK) + 1) * _LINE)
        if groups.shape != expected or grid.shape != (2,):
            raise BundleError(
                f"the shadow has groups {list(groups.shape)} and grid {list(grid.shape)}; "
                f"expected {list(expected)} and [2] for {rows} rows of {dims} values, the file is damaged"
            )
        return cls(groups, grid)

    def before(self, module: ModuleType, exact: Kernel, *, rows_per_result: int = 0) -> Kernel:
        """Return the kernel that searches a table, given by its own, through its shadow.

        Args:
            module: The extension.
            exact: The kernel of the table.
            rows_per_result: The table itself is read where it has fewer rows than so many times the results, or times 10.
        """
        shadowed: Kernel = module.Shadow(
            exact, self.groups, float(self.grid[0]), float(self.grid[1]), rows_per_result=rows_per_result
        )
        return shadowed


class Shadowed(RowArrays, ABC):
    """What tables share that may have a shadow.

    Attributes:
        shadow: Its shadow, a field that is none of its arrays; searches give the same rows and scores without it.
    """

    shadow: Shadow | None

    def with_shadow(self, shadow: Shadow | None) -> Self:
        """Return the same table with a shadow, or without."""
        return replace(self, shadow=shadow)

    def take(self, rows: NDArray[np.integer[Any]]) -> Self:
        """Return a table of the same layout with copies of the given rows only, without a shadow."""
        return replace(super().take(rows), shadow=None)

    def _make_kernel(self, module: ModuleType, path: str) -> Kernel:
        exact = self._exact_kernel(module, path)
        return exact if self.shadow is None else self.shadow.before(module, exact, rows_per_result=self._rows_per_result())

    def _rows_per_result(self) -> int:
        """Return how many rows a result that is asked for a table must have for its shadow to be faster; measured."""
        return 100

    @abstractmethod
    def _exact_kernel(self, module: ModuleType, path: str) -> Kernel:
        """Return the kernel of this layout."""


def _peak(table: ItemTable) -> float:
    """Return the largest magnitude of a table."""
    return max(
        float(np.abs(table.decode(np.arange(start, min(start + _BLOCK, table.rows)))).max())
        for start in range(0, table.rows, _BLOCK)
    )


def _steps(peak: float) -> NDArray[np.float32]:
    """Return the steps [256] float32 of the codes 0 to 255; the last is enough for the largest magnitude of a table."""
    top = np.nextafter(np.float32(peak / 7.5), np.float32(np.inf)).view(np.uint32)
    last = -(-int(top) // _OCTAVE) * _OCTAVE
    first = max(last - 255 * _OCTAVE, _LEAST_BITS)
    return (first + np.arange(256) * _OCTAVE).astype(np.uint32).view(np.float32)


def _encode_rows(
    vectors: NDArray[np.float32], steps: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float64]]:
    """Return for rows [n, d] the codes [n] of their steps, codes [n, d], residuals [n], and lengths |x| [n].

    Of the steps that are tried for a row the one with the least residual is taken: 16 levels serve most values best where they do
    not reach the largest.
    """
    root = math.sqrt(vectors.shape[1])
    reach = np.abs(vectors).max(axis=1) / np.float32(7.5) * np.float32(1 + 2.0**-20)
    whole = np.searchsorted(steps, reach).clip(0, len(steps) - 1)
    picked, least = whole.copy(), np.full(len(vectors), np.inf, dtype=np.float32)
    for down in range(_TRIES):
        tried = np.maximum(whole - down, 0)
        errors = vectors - (_levels(vectors, steps[tried]) + np.float32(0.5)) * steps[tried][:, None]
        residuals = _lengths(errors)
        better = (residuals < least) & (residuals <= root / 2 * steps[tried])
        picked[better], least[better] = tried[better], residuals[better]
    exact, step = vectors.astype(np.float64), steps[picked].astype(np.float64)
    levels = _levels(vectors, steps[picked])
    lengths, missed = _lengths(exact), _lengths(exact - (levels + 0.5) * step[:, None])
    bounds = (missed + _ROUNDING * (vectors.shape[1] + 16) * lengths) * (1 + 1e-9)
    residuals = np.ceil(bounds / (step * (root / _UNITS)))
    return picked, (levels + 8).astype(np.uint8), residuals.astype(np.uint8), lengths


def _lengths(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return |x| [n] of rows [n, d], in their dtype; summed value by value, so that every machine writes the same bytes."""
    total = np.zeros(len(vectors), dtype=vectors.dtype)
    with np.errstate(over="ignore"):
        for column in np.ascontiguousarray(vectors.T):
            total += column * column
    return np.sqrt(total)


def _levels(vectors: NDArray[np.float32], steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the codes less 8, [n, d] in -8 to 7: a value lies half a step above its level."""
    levels: NDArray[np.float32] = np.clip(np.floor(vectors / steps[:, None]), -8, 7)
    return levels


def _pack(picked: NDArray[np.int64], codes: NDArray[np.uint8], residuals: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the groups [ceil(n / 32), bytes] of rows."""
    rows, dims = codes.shape
    count, chunks = -(-rows // _GROUP), -(-dims // _CHUNK)
    heads = np.zeros((2, count * _GROUP), dtype=np.uint8)
    heads[0, :rows], heads[1, :rows] = picked, residuals
    whole = np.zeros((count * _GROUP, chunks * _CHUNK), dtype=np.uint8)
    whole[:rows, :dims] = codes
    halves = whole.reshape(count, 2, 16, chunks, 2, 4)
    lines = (halves[..., 0, :] | halves[..., 1, :] << 4).transpose(0, 3, 1, 2, 4)
    heads = heads.reshape(2, count, _GROUP).transpose(1, 0, 2)
    return np.concatenate([heads.reshape(count, -1), lines.reshape(count, -1)], axis=1)
