"""A table of neighbours at the door."""

from __future__ import annotations

__all__ = ["check_neighbours"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.checks._parts import check_name, described
from edge_rec_runtime.codes import SparseTable
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from edge_rec_converters.protocol import NeighboursSource


def check_neighbours(source: NeighboursSource) -> SparseTable:
    """Check the compressed rows and the catalogue of a source, and return its weights in fp32.

    Raises:
        ModelError: One of them is not what the protocol asks for.
    """
    check_name(source.name)
    name, count = source.name, len(source.catalogue)
    for what in ("starts", "items", "values"):
        if not isinstance(getattr(source, what), np.ndarray):
            raise ModelError(f"{name}: {what} is {described(getattr(source, what))}; expected an array")
    if source.starts.shape != (count + 1,):
        raise ModelError(
            f"{name}: starts is {described(source.starts)} for {count} item ids; expected integers [{count + 1}], one a row "
            "and the end"
        )
    if source.max_length < 1:
        raise ModelError(f"{name}: max_length is {source.max_length}; a history has at least 1 event")
    try:
        return SparseTable.encode(source.starts, source.items, source.values)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None
