"""From bytes to a share of zeros: what a bundle stores of weights that are left out."""

from __future__ import annotations

__all__ = ["share_for_bytes", "stored_bytes"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from edge_rec.models import Model


def stored_bytes(weights: Mapping[str, NDArray[Any]], sparse: Collection[str]) -> int:
    """Return the bytes of all weights in float32: of the sparse ones a bit each, and those that are not 0."""
    return sum(
        values.size // 8 + 4 * int(np.count_nonzero(values)) if name in sparse else 4 * values.size
        for name, values in weights.items()
    )


def share_for_bytes(model: Model, sparse: tuple[str, ...], limit: int, *, loose: int = 0) -> float:
    """Return the least share of zeros in the matrices ``sparse`` with which all weights fit into ``limit`` bytes.

    Args:
        model: Left as it is.
        sparse: Names of the matrices.
        limit: Bytes.
        loose: Values that may be left beside the share, since it is rounded to whole rows, or layer by layer.

    Raises:
        CompressionError: What is never pruned takes more already, or everything fits as it is.
    """
    weights = model.weights()
    whole = stored_bytes(weights, ())
    if whole <= limit:
        raise CompressionError(f"prune: until=bytes={limit}: the weights take {whole} bytes as they are; ask for fewer")
    size = sum(weights[name].size for name in sparse)
    rest = sum(values.size // 8 if name in sparse else 4 * values.size for name, values in weights.items())
    left = (limit - rest) // 4 - loose
    if left < len(sparse) + loose:
        raise CompressionError(
            f"prune: until=bytes={limit} is less than the {rest} bytes of what is never pruned and of the places of zeros; "
            "ask for more"
        )
    return min(1 - left / size, 1.0)
