"""Items like an item: cosine between the decoded vectors of a table."""

from __future__ import annotations

__all__ = ["Cosines"]

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime.search import best

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_runtime.codes import ItemTable

_BLOCK = 8192  # rows decoded at a time


class Cosines:
    """Nearest rows by cosine. Inner products would favour popular items, whose vectors are long."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def nearest(
        self, row: int, k: int, *, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the k rows nearest to a row, best first, and their cosines; the row itself is left out.

        Args:
            row: The row that is compared.
            k: At most so many.
            among: Ascending rows to choose from; all unless given.

        Returns:
            rows [found] int64, cosines [found] float32 in [-1, 1]; 0 where a vector is zero.
        """
        rows = np.arange(self._table.rows) if among is None else among
        rows = rows[rows != row]
        wanted = self._table.decode(np.array([row]))[0] * self._reciprocals[row]
        cosines = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), _BLOCK):
            part = rows[start : start + _BLOCK]
            cosines[start : start + _BLOCK] = (self._table.decode(part) @ wanted) * self._reciprocals[part]
        return best(rows, np.clip(cosines, -1, 1), k)

    @cached_property
    def _reciprocals(self) -> NDArray[np.float32]:
        """One over the norm of each row [rows], 0 for a zero row; computed when it is first asked for."""
        norms = np.empty(self._table.rows, dtype=np.float32)
        for start in range(0, len(norms), _BLOCK):
            stop = min(start + _BLOCK, len(norms))
            norms[start:stop] = np.linalg.norm(self._table.decode(np.arange(start, stop)), axis=1)
        return np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
