"""Finished item codes at the door: they fit the catalogue and the encoder, and are the table that the model speaks of."""

from __future__ import annotations

__all__ = ["check_tables"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime import LAYOUTS
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from edge_rec_converters.protocol import RetrieverSource
    from edge_rec_runtime import ItemTable

_TOLERANCE = 1e-5  # of the largest value; products of codes and a projection differ by some 1e-7 of it between machines
_BLOCK = 8192  # rows decoded at a time


def check_tables(source: RetrieverSource) -> None:
    """Check the finished tables of a source, whose item table and bias are already checked.

    Raises:
        ModelError: A table is no table of its layout, has other rows or dims than the item table, or none of them decodes to it.
    """
    differences = {layout: _difference(source, layout, table) for layout, table in source.tables.items()}
    if not differences:
        return
    nearest = min(differences, key=lambda layout: differences[layout])
    if differences[nearest] > _TOLERANCE:
        raise ModelError(
            f"{source.name}: no finished table decodes to the item table and the item bias, {nearest!r} differs by "
            f"{differences[nearest]:.1%} of the largest value; give what it decodes to, so that the encoder sees what it will "
            "see on the device"
        )


def _difference(source: RetrieverSource, layout: str, table: ItemTable) -> float:
    """Return the largest difference of a table from the source's, in units of the source's largest value."""
    values, bias = source.item_table, source.item_bias
    if layout not in LAYOUTS or not isinstance(table, LAYOUTS[layout]):
        raise ModelError(
            f"{source.name}: the finished table {layout!r} is a {type(table).__name__}; "
            f"the layouts are {', '.join(f'{name} ({kind.__name__})' for name, kind in LAYOUTS.items())}"
        )
    if (table.rows, table.dims) != values.shape:
        raise ModelError(
            f"{source.name}: the finished table {layout!r} is [{table.rows}, {table.dims}] and the item table "
            f"{list(values.shape)}; finish the codes of this model's own items"
        )
    largest = float(np.abs(values).max()) or 1.0
    most = 0.0
    for start in range(0, len(values), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(values)))
        most = max(most, float(np.abs(table.decode(rows) - values[rows]).max()) / largest)
    zeros = np.zeros(len(values), np.float32)
    wanted, found = (zeros if one is None else one.astype(np.float32) for one in (bias, table.parts().get("bias")))
    return max(most, float(np.abs(found - wanted).max()) / (float(np.abs(wanted).max()) or largest))
