"""Vectors of the history, decoded from the rows of the item table."""

from __future__ import annotations

__all__ = ["vectors"]

from typing import TYPE_CHECKING

import onnx_ir as ir

from edge_rec_converters.dialect import row_lookup

if TYPE_CHECKING:
    from edge_rec_converters.retriever.sketch import Sketch
    from edge_rec_converters.retriever.stored import Stored


def vectors(sketch: Sketch, table: Stored, rows: ir.Value) -> ir.Value:
    """Return the vectors [batch, window, dims] float32 of rows [batch, window], all of which the table has."""
    if table.layout == "fp32":
        return sketch.op("Gather", table.codes, rows)
    if table.layout == "fp16":
        return sketch.cast(sketch.op("Gather", table.codes, rows), ir.DataType.FLOAT)
    return sketch.add(row_lookup(rows, table.codes, table.scales, layout=table.layout, width=table.width))[0]
