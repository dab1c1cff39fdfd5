"""Rows of an item table, decoded as they are asked for."""

from __future__ import annotations

__all__ = ["raw_rows", "vectors"]

from typing import TYPE_CHECKING

from edge_rec_converters.dialect import row_lookup
from edge_rec_converters.retriever.stored import as_floats

if TYPE_CHECKING:
    import onnx_ir as ir

    from edge_rec_converters.retriever.sketch import Sketch
    from edge_rec_converters.retriever.stored import Stored


def vectors(sketch: Sketch, table: Stored, rows: ir.Value) -> ir.Value:
    """Return the vectors [..., dims] float32 of rows [...], all of which the table has."""
    if table.is_float:
        return raw_rows(sketch, table, rows)
    if table.projection is None:
        return sketch.add(row_lookup(rows, table.codes, table.scales, layout=table.layout, width=table.width))[0]
    found = sketch.op("MatMul", raw_rows(sketch, table, rows), table.projection)
    if table.scales is None:
        return found
    return sketch.op("Mul", found, sketch.op("Unsqueeze", sketch.op("Gather", table.scales, rows), sketch.number([-1])))


def raw_rows(sketch: Sketch, table: Stored, rows: ir.Value) -> ir.Value:
    """Return the values or the codes [..., width] of rows [...] as float32, without their scales."""
    if not table.is_float:
        return sketch.add(row_lookup(rows, table.codes, None, layout=table.layout, width=table.width))[0]
    return sketch.op("Gather", as_floats(sketch, table.codes), rows)
