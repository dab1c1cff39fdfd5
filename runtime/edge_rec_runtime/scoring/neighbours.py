"""Scores of a table of neighbours: sums of its rows, by numpy alone."""

from __future__ import annotations

__all__ = ["NeighbourScoring"]

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from edge_rec_runtime._requests import encode_context
from edge_rec_runtime.backends import check_threads
from edge_rec_runtime.errors import BackendError
from edge_rec_runtime.search import best, top_k

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec_runtime.bundle import Bundle
    from edge_rec_runtime.codes import NeighbourTable
    from edge_rec_runtime.scoring.protocol import Found


class NeighbourScoring:
    """See `Scoring`. A query is the distinct rows [n] int64 of the window, ascending; likeness is a weight above 0."""

    backend = "numpy"

    def __init__(self, bundle: Bundle) -> None:
        self.exact: NeighbourTable = bundle.neighbours()
        self._max_length = bundle.manifest.max_length

    @classmethod
    def open(cls, bundle: Bundle, *, backend: str, threads: int) -> Self:
        """See `Scoring.open`."""
        check_threads(threads)
        if backend not in {"auto", cls.backend}:
            raise BackendError(
                f"{bundle.path}: a table of neighbours is run by numpy and not by {backend!r}; use the backend auto"
            )
        return cls(bundle)

    def gather(self, rows: NDArray[np.int64], context: Mapping[str, object] | None) -> tuple[NDArray[Any], ...]:
        """Return the distinct rows [1, n] of the newest events."""
        encode_context((), context)
        return (np.unique(rows[-self._max_length :])[None, :],)

    def encode(self, *inputs: NDArray[Any]) -> NDArray[np.int64]:
        """Return the rows as they are."""
        return inputs[0]

    def search(self, query: NDArray[Any], k: int, allowed: NDArray[np.bool_] | None) -> Found:
        """See `Scoring.search`."""
        return top_k(self.exact, query, k, allowed=allowed)

    def similar(self, row: int, k: int) -> Found:
        """Return the items with the largest weights of a row."""
        items, weights = self.exact.row(row)
        order = np.argsort(items, kind="stable")
        return _positive(items[order], weights[order], k, without=row)

    def explain(self, row: int, k: int, among: NDArray[np.int64]) -> Found:
        """Return the rows with the largest weights for an item."""
        weights = np.zeros(len(among), dtype=np.float32)
        for place, one in enumerate(among.tolist()):
            items, found = self.exact.row(one)
            weights[place] = found[items == row].sum()
        return _positive(among, weights, k, without=row)

    def stepper(self) -> None:
        """Return nothing: a history is not encoded."""

    def close(self) -> None:
        """Keep nothing: there is no engine."""


def _positive(rows: NDArray[np.int64], weights: NDArray[np.float32], k: int, *, without: int) -> Found:
    kept = (weights > 0) & (rows != without)
    return best(rows[kept], weights[kept], k)
