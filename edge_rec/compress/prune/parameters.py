"""Which weights can be pruned: the matrices that go to the device, never biases, normalisations and positions."""

from __future__ import annotations

__all__ = ["prunable", "zero_share"]

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec.models import MatrixFactorisation
from edge_rec.models.network import Network
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec.models import Model


def prunable(model: Model, patterns: str = "*") -> dict[str, NDArray[np.float32]]:
    """Return the matrices of a model that pruning may thin out, by name.

    Of a network these are the item table, where it is stored and not computed by a tower, and what belongs to the encoder.
    Positions are few and each is met at every request: they are taken only where a pattern asks for them.

    Args:
        model: Any model of matrices.
        patterns: One or more patterns of names, separated by spaces.

    Raises:
        CompressionError: No weight fits.
    """
    asked = patterns.split()
    found = {name: values for name, values in model.weights().items() if _is_matrix(values) and _shipped(model, name)}
    chosen = {
        name: values
        for name, values in found.items()
        if any(fnmatchcase(name, one) and ("positions" not in name or "positions" in one) for one in asked)
    }
    if not chosen:
        raise CompressionError(
            f"prune: parameters={patterns!r} fits no matrix of {model.name}; it has {', '.join(found) or 'none'}"
        )
    return chosen


def zero_share(weights: Mapping[str, NDArray[Any]]) -> float:
    """Return the share of zeros over all arrays."""
    size = sum(values.size for values in weights.values())
    return 1 - sum(int(np.count_nonzero(values)) for values in weights.values()) / size


def _is_matrix(values: NDArray[Any]) -> bool:
    return values.ndim >= 2 and values.dtype == np.float32 and values.size > 0


def _shipped(model: Model, name: str) -> bool:
    if isinstance(model, Network):
        return name in {"table", "item_basis"} or name.startswith(("encoder.", "item_decoder."))
    if isinstance(model, MatrixFactorisation):
        return name != "users"
    return not name.startswith("item_values.")  # of rankers: what items are, not what was learnt
