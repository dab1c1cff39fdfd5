"""From scores to what stays: over all layers together or layer by layer, exactly as many as were asked for."""

from __future__ import annotations

__all__ = ["SCOPES", "blocks_of_four", "lowest", "row_masks", "unit_masks", "weight_masks"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Scores = Mapping[str, NDArray[np.float32]]
    Masks = dict[str, NDArray[np.bool_]]

SCOPES = ("global", "layer", "lamp")


def weight_masks(scores: Scores, *, sparsity: float, scope: str) -> Masks:
    """Return which weights stay; of equal scores the earlier weight goes first.

    Args:
        scores: By parameter, high for what matters.
        sparsity: Share of all weights that goes.
        scope: ``global`` compares the weights of all layers, ``layer`` takes the same share of each, ``lamp`` compares what each
            would take from its own layer: its squared score over those of the layer's weights that score no less (Lee et al.,
            "Layer-adaptive Sparsity for the Magnitude-based Pruning", ICLR 2021).
    """
    if scope == "layer":
        return {name: ~lowest(values, round(sparsity * values.size)) for name, values in scores.items()}
    count = round(sparsity * sum(values.size for values in scores.values()))
    return _joint({name: _lamp(values) for name, values in scores.items()} if scope == "lamp" else scores, count)


def unit_masks(scores: Scores, *, sparsity: float, scope: str) -> Masks:
    """Return which units stay, at least one of each group.

    Args:
        scores: By group.
        sparsity: Share of the units that goes.
        scope: ``layer`` takes the same share of each group; any other compares groups of one size scale, each by its mean.

    Raises:
        CompressionError: A group that is pruned by itself would have nothing left.
    """
    if scope == "layer":
        for name, values in scores.items():
            if round(sparsity * values.size) >= values.size:
                raise CompressionError(
                    f"prune: sparsity={sparsity:g} of the {values.size} units of {name} leaves none; ask for less"
                )
        return {name: ~lowest(values, round(sparsity * values.size)) for name, values in scores.items()}
    total = sum(values.size for values in scores.values())
    count = round(sparsity * total)
    if count > total - len(scores):
        raise CompressionError(
            f"prune: sparsity={sparsity:g} of {total} units in {len(scores)} groups leaves a group with none; "
            "ask for less, at least one unit of each stays"
        )
    level = {name: values / max(float(np.abs(values).mean()), 1e-30) for name, values in scores.items()}
    best = {name: np.arange(values.size) == int(np.argmax(values)) for name, values in level.items()}
    safe = {name: np.where(best[name], np.inf, values).astype(np.float32) for name, values in level.items()}
    return _joint(safe, count)


def blocks_of_four(scores: Scores) -> Masks:
    """Return the two best of every four weights that stand side by side in a row: what hardware with 2:4 sparsity multiplies.

    Raises:
        CompressionError: The width of a matrix is no multiple of four.
    """
    masks = {}
    for name, values in scores.items():
        width = values.shape[-1]
        if width % 4:
            raise CompressionError(f"prune: unit=2:4 takes blocks of four, and {name} is {width} wide; use unit=weights for it")
        blocks = values.reshape(-1, 4)
        kept = np.ones(blocks.shape, dtype=bool)
        np.put_along_axis(kept, np.argsort(blocks, axis=1, kind="stable")[:, :2], values=False, axis=1)
        masks[name] = kept.reshape(values.shape)
    return masks


def row_masks(scores: Scores, *, sparsity: float) -> Masks:
    """Return masks that keep or drop whole rows, by the mean score of a row."""
    rows = {name: values.reshape(len(values), -1).mean(axis=1) for name, values in scores.items()}
    kept = _joint(rows, round(sparsity * sum(values.size for values in rows.values())))
    return {
        name: np.broadcast_to(kept[name].reshape(-1, *[1] * (values.ndim - 1)), values.shape) for name, values in scores.items()
    }


def lowest(values: NDArray[np.float32], count: int) -> NDArray[np.bool_]:
    """Return a mask of the ``count`` lowest values; of equal ones the earlier."""
    chosen = np.zeros(values.size, dtype=bool)
    if count:
        flat = values.reshape(-1)
        edge = np.partition(flat, count - 1)[count - 1]
        chosen = flat < edge
        ties = np.flatnonzero(flat == edge)
        chosen[ties[: count - int(chosen.sum())]] = True
    return chosen.reshape(values.shape)


def _joint(scores: Scores, count: int) -> Masks:
    flat = np.concatenate([values.reshape(-1) for values in scores.values()])
    dropped, start, masks = lowest(flat, count), 0, {}
    for name, values in scores.items():
        masks[name] = ~dropped[start : start + values.size].reshape(values.shape)
        start += values.size
    return masks


def _lamp(values: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = values.reshape(-1).astype(np.float64)
    dead, squares = np.isneginf(flat), np.square(np.maximum(flat, 0))
    order = np.argsort(squares, kind="stable")
    left = np.cumsum(squares[order][::-1])[::-1]  # of this weight and all that score no less
    shares = np.empty_like(flat)
    shares[order] = squares[order] / np.maximum(left, 1e-300)
    shares[dead] = -np.inf
    return shares.astype(np.float32).reshape(values.shape)
