"""Names of weights: precisions are assigned by them, and an optimiser that folds a node forgets them."""

from __future__ import annotations

__all__ = ["known_weights", "restore_names"]

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.dialect import floats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import onnx_ir as ir
    from numpy.typing import NDArray

_LARGEST = 1 << 24  # elements; sorting more takes longer than a second, and tables of that size are not reordered


def known_weights(weights: Iterable[tuple[str, NDArray[np.float32]]]) -> dict[bytes, str]:
    """Return the name of each weight by its values, whatever their order: the first of those that are equal."""
    known: dict[bytes, str] = {}
    for name, values in weights:
        if _may_be_reordered(values):
            known.setdefault(_fingerprint(values), name)
    return known


def restore_names(model: ir.Model, known: Mapping[bytes, str]) -> None:
    """Give constants the name of the weight whose values they hold, transposed or with gates in another order."""
    taken = {str(value.name) for value in (*model.graph.inputs, *model.graph.outputs, *model.graph.initializers.values())}
    for value in list(model.graph.initializers.values()):
        values = floats(value)
        if values is None or not _may_be_reordered(values):
            continue
        original = known.get(_fingerprint(values))
        if original is not None and original not in taken:
            value.name = original
            taken.add(original)


def _may_be_reordered(values: NDArray[np.float32]) -> bool:
    return values.ndim > 1 and 1 < values.size <= _LARGEST


def _fingerprint(values: NDArray[np.float32]) -> bytes:
    return hashlib.sha256(np.sort(values, axis=None).tobytes()).digest()
