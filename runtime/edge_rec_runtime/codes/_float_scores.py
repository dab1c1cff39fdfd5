"""Scores of float tables by their kernel, so that a row's score is the same bits in a search and on its own."""

from __future__ import annotations

__all__ = ["float_scores"]

from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel


class _Scoring(Protocol):
    """A kernel of a layout whose sums depend on their order."""

    def scores(self, query: NDArray[np.float32], out: NDArray[np.float32], /) -> None:
        """Write the score of every row."""


def float_scores(kernel: Kernel | None, query: NDArray[np.float32], rows: int) -> NDArray[np.float32] | None:
    """Return the score [rows] of every row for a finite query [dims], in the kernel's order; None without a kernel."""
    if kernel is None:
        return None
    scores = np.empty(rows, dtype=np.float32)
    cast("_Scoring", kernel).scores(np.ascontiguousarray(query), scores)
    return scores
