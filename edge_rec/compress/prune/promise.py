"""What a pruning step promises of its result, and how that is held against it."""

from __future__ import annotations

__all__ = ["require_pruned"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec.compress.prune.budget import stored_bytes
from edge_rec.compress.prune.groups import groups_of
from edge_rec.compress.prune.parameters import prunable, zero_share
from edge_rec.models import EASE, ItemItem, MatrixFactorisation
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from edge_rec.compress.prune.options import PruneOptions
    from edge_rec.models import Model


def require_pruned(options: PruneOptions, before: Model, after: Model) -> None:
    """Hold a result against the share of weights or of units, the blocks of four, or the bytes that were asked for.

    A threshold, and a bound of NDCG, say nothing of how much is gone.

    Raises:
        CompressionError: It is something else.
    """
    condition = options.condition
    if condition is not None:
        if condition.name == "bytes":
            found = stored_bytes(after.weights(), tuple(prunable(before, options.patterns)))
            if found > condition.limit:
                raise CompressionError(f"prune: the weights take {found} bytes after until={options.until}; report this model")
    elif options.unit == "2:4":
        _require_blocks(before, after, options.patterns)
    elif options.sparsity is None:
        return
    elif options.unit in {"weights", "rows"}:
        _require_zeros(options, before, after, options.sparsity)
    else:
        _require_units(options, before, after, options.sparsity)


def _require_blocks(before: Model, after: Model, patterns: str) -> None:
    found = after.weights()
    for name in prunable(before, patterns):
        if (np.count_nonzero(found[name].reshape(-1, 4), axis=1) > 2).any():
            raise CompressionError(f"prune: {name} has a block of four with more than two weights left; report this model")


def _require_zeros(options: PruneOptions, before: Model, after: Model, asked: float) -> None:
    had, weights = prunable(before, options.patterns), after.weights()
    share, already = zero_share({name: weights[name] for name in had}), zero_share(had)
    parts = sum(len(values) if options.unit == "rows" else values.size for values in had.values())
    rounding = (len(had) if options.scope == "layer" else 1) / parts
    if not asked - rounding <= share <= asked + rounding + already:
        raise CompressionError(
            f"prune: {share:.4f} of the weights are 0 after pruning, and {asked:g} were asked for; report this model"
        )


def _require_units(options: PruneOptions, before: Model, after: Model, asked: float) -> None:
    left = _sizes(options, after)
    for kind, sizes in _sizes(options, before).items():
        gone = sum(sizes) - sum(left[kind])
        wanted = sum(round(asked * size) for size in sizes) if options.scope == "layer" else round(asked * sum(sizes))
        if gone < wanted:
            raise CompressionError(f"prune: {gone} of {sum(sizes)} {kind} are gone, and it should be {wanted}; report this model")


def _sizes(options: PruneOptions, model: Model) -> dict[str, list[int]]:
    """Return by kind of unit how many of them each layer, or item, has."""
    if isinstance(model, EASE | ItemItem):
        return {"neighbours": np.diff(model.starts).tolist()}
    if isinstance(model, MatrixFactorisation):
        return {"factors": [model.options.dims]}
    groups = groups_of(model, options.units)
    return {kind: [group.units for group in groups if group.kind == kind] for kind in options.units}
