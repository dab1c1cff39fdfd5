"""Rows of an item table, decoded as they are asked for."""

from __future__ import annotations

__all__ = ["raw_rows", "vectors"]

from typing import TYPE_CHECKING

from edge_rec_converters.dialect import row_lookup
from edge_rec_converters.retriever.stored import as_floats

if TYPE_CHECKING:
    import onnx_ir as ir

    from edge_rec_converters.retriever.events import Events
    from edge_rec_converters.retriever.sketch import Sketch
    from edge_rec_converters.retriever.stored import Stored


def vectors(sketch: Sketch, table: Stored, events: Events) -> ir.Value:
    """Return the vectors [batch, window, dims] float32 of the events that the encoder is given, and zeros behind them."""
    if table.is_float:
        return raw_rows(sketch, table, events.rows)
    if table.projection is None:
        found = sketch.add(row_lookup(events.rows, table.codes, table.scales, layout=table.layout, width=table.width))[0]
        return found if table.scales is not None else _times(sketch, found, events.mask)
    found = sketch.op("MatMul", raw_rows(sketch, table, events.rows), table.projection)
    each = events.mask if table.scales is None else sketch.op("Gather", table.scales, events.rows)
    return _times(sketch, found, each)


def _times(sketch: Sketch, rows: ir.Value, each: ir.Value) -> ir.Value:
    """Return rows [..., width] times one number [...] each; without scales, no row of signs is zero by itself."""
    return sketch.op("Mul", rows, sketch.op("Unsqueeze", each, sketch.number([-1])))


def raw_rows(sketch: Sketch, table: Stored, rows: ir.Value) -> ir.Value:
    """Return the values or the codes [..., width] of rows [...] as float32, without their scales."""
    if not table.is_float:
        return sketch.add(row_lookup(rows, table.codes, None, layout=table.layout, width=table.width))[0]
    return sketch.op("Gather", as_floats(sketch, table.codes), rows)
