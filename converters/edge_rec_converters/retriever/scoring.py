"""Scores of items for a query, by the runtime's own arithmetic.

The query is rounded row by row, half to even, to whole numbers in [-127, 127]; products of whole numbers are exact. Its scale is
above 0 and changes no order, so it is multiplied with the few scores that are left in the end, unless a bias is added before.
"""

from __future__ import annotations

__all__ = ["Scores", "scores", "scores_of"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.dialect import row_products
from edge_rec_converters.retriever.lookup import raw_rows
from edge_rec_converters.retriever.stored import as_floats

if TYPE_CHECKING:
    import onnx_ir as ir

    from edge_rec_converters.retriever.sketch import Sketch
    from edge_rec_converters.retriever.stored import Stored

_TINY = float(np.finfo(np.float32).tiny)  # the scale of a query of zeros


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores of items.

    Attributes:
        values: [batch, rows] float32.
        factor: [batch, 1] float32 above 0, to multiply them with; None for 1.
    """

    values: ir.Value
    factor: ir.Value | None = None


def scores(sketch: Sketch, table: Stored, query: ir.Value) -> Scores:
    """Score every row of a table for queries [batch, dims]."""
    if table.is_float:
        bias = [] if table.bias is None else [as_floats(sketch, table.bias)]
        return Scores(values=sketch.op("Gemm", query, as_floats(sketch, table.codes), *bias, transB=1))
    whole, scale = _rounded(sketch, table, query)
    products = sketch.add(row_products(whole, table.codes, table.scales, layout=table.layout, width=table.width))[0]
    if table.bias is None:
        return Scores(values=products, factor=scale)
    return Scores(values=sketch.op("Add", sketch.op("Mul", products, scale), as_floats(sketch, table.bias)))


def scores_of(sketch: Sketch, table: Stored, query: ir.Value, rows: ir.Value) -> ir.Value:
    """Score some rows [batch, n] of a table for queries [batch, dims] -> [batch, n].

    Sums of whole numbers are exact in float32 as well, up to a width of 1,040.
    """
    sides, scale = (query, None) if table.is_float else _rounded(sketch, table, query)
    last = sketch.number([-1])
    products = sketch.op("MatMul", raw_rows(sketch, table, rows), sketch.op("Unsqueeze", sides, last))
    found = sketch.op("Squeeze", products, last)
    if table.scales is not None:
        found = sketch.op("Mul", found, sketch.op("Gather", table.scales, rows))
    if scale is not None:
        found = sketch.op("Mul", found, scale)
    return found if table.bias is None else sketch.op("Add", found, sketch.op("Gather", as_floats(sketch, table.bias), rows))


def _rounded(sketch: Sketch, table: Stored, query: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Return queries [batch, dims], projected where the table's codes are, as whole numbers [batch, width] in [-127, 127].

    They are held in float32; their scales [batch, 1] come second.
    """
    if table.projection is not None:
        query = sketch.op("Gemm", query, table.projection, transB=1)
    largest = sketch.op("ReduceMax", sketch.op("Abs", query), sketch.number([-1]), keepdims=1)
    scale = sketch.op("Div", largest, sketch.number(127, np.float32))
    scale = sketch.op("Max", scale, sketch.number(_TINY, np.float32))
    return sketch.op("Round", sketch.op("Div", query, scale)), scale
