"""Pruning of models that are computed, not trained: neighbours of EASE and item-item, factors of MF."""

from __future__ import annotations

__all__ = ["fewer_factors", "fewer_neighbours"]

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from edge_rec.compress.prune.criteria.chance import drawn
from edge_rec.compress.prune.selection import lowest
from edge_rec.models import EASE, ItemItem, MatrixFactorisation
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.compress.prune.options import PruneOptions

_T = TypeVar("_T", bound=EASE | ItemItem)


def fewer_neighbours(model: _T, options: PruneOptions, *, seed: int) -> _T:
    """Return the table of neighbours with fewer weights.

    Args:
        model: Left as it is.
        options: With ``scope=layer`` each item loses the same share of its own neighbours, else the weakest of all go.
        seed: Of random scores.

    Raises:
        CompressionError: Nothing would be left.
    """
    scores = _scores(np.abs(model.values), "neighbours", options, seed)
    counts = np.diff(model.starts)
    if options.threshold is not None:
        kept = scores >= options.threshold
    elif options.scope == "layer":
        kept = np.zeros(len(scores), dtype=bool)
        for start, count in zip(model.starts[:-1], counts, strict=True):
            part = slice(start, start + count)
            kept[part] = ~lowest(scores[part], round((options.sparsity or 0) * count))
    else:
        kept = ~lowest(scores, round((options.sparsity or 0) * len(scores)))
    if not kept.any():
        raise CompressionError("prune: nothing would be left of the neighbours; ask for less")
    rows = np.repeat(np.arange(len(counts)), counts)[kept]
    left = np.bincount(rows, minlength=len(counts))
    return type(model)(
        replace(model.options, neighbours=int(left.max())),
        model.catalogue,
        starts=np.concatenate([[0], np.cumsum(left)]).astype(np.int64),
        items=model.items[kept],
        values=model.values[kept],
    )


def fewer_factors(model: MatrixFactorisation, options: PruneOptions, *, seed: int) -> MatrixFactorisation:
    """Return the factorisation with fewer factors.

    The axes of the vectors are arbitrary: turned together they give the same scores. They are turned so that the first axis
    has as much as one can have, the second as much of the rest, and so on, before any goes.

    Raises:
        CompressionError: No factor would be left.
    """
    _, _, axes = np.linalg.svd(model.item_vectors.astype(np.float64), full_matrices=False)
    items, users = (values.astype(np.float64) @ axes.T for values in (model.item_vectors, model.user_vectors))
    scores = _scores(np.linalg.norm(items, axis=0).astype(np.float32), "factors", options, seed)
    if options.threshold is not None:
        kept = scores >= options.threshold
    else:
        kept = ~lowest(scores, round((options.sparsity or 0) * len(scores)))
    if not kept.any():
        raise CompressionError(f"prune: nothing would be left of the {len(scores)} factors; ask for less, at least one stays")
    narrow = replace(model.options, dims=int(kept.sum()))
    return MatrixFactorisation(narrow, model.catalogue, items[:, kept].astype(np.float32), users[:, kept].astype(np.float32))


def _scores(magnitude: NDArray[np.float32], name: str, options: PruneOptions, seed: int) -> NDArray[np.float32]:
    return magnitude if options.criterion == "magnitude" else drawn(seed, name, magnitude.shape)
