"""The best rows of many queries, found block by block, so that no score of every pair is ever held."""

from __future__ import annotations

__all__ = ["Truth", "truth_of"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_BLOCK = 32_768


@dataclass(frozen=True)
class Truth:
    """Best rows and their scores, both [queries, k], best first, equal scores by row."""

    rows: NDArray[np.int64]
    scores: NDArray[np.floating[Any]]


def truth_of(rows: int, k: int, scores: Callable[[slice], NDArray[np.floating[Any]]]) -> Truth:
    """Return the k best of ``rows`` for each query.

    Args:
        rows: How many there are, at least k.
        k: Results.
        scores: The scores [n, queries] of a part of the rows.
    """
    kept: list[tuple[NDArray[np.int64], NDArray[np.floating[Any]]]] = []
    for start in range(0, rows, _BLOCK):
        found = np.ascontiguousarray(scores(slice(start, min(start + _BLOCK, rows))).T)
        kept = kept or [(np.empty(0, np.int64), np.empty(0, found.dtype))] * len(found)
        kept = [_merged(k, start, held, one) for held, one in zip(kept, found, strict=True)]
    return Truth(np.stack([one for one, _ in kept]), np.stack([one for _, one in kept]))


def _merged(
    k: int, start: int, held: tuple[NDArray[np.int64], NDArray[np.floating[Any]]], found: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.floating[Any]]]:
    """Return the k best of those held and of a block's scores [n]; rows of the block come after all that are held."""
    if len(held[0]) >= k:
        fresh = np.flatnonzero(found > held[1][-1])
    else:
        fresh = np.flatnonzero(found >= np.partition(found, len(found) - k)[len(found) - k])
    rows, scores = np.concatenate([held[0], fresh + start]), np.concatenate([held[1], found[fresh]])
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]
