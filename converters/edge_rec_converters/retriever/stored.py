"""An item table as constants of a graph, each once: the look-up and the scores read the same ones."""

from __future__ import annotations

__all__ = ["Stored", "stored"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime import Fp16Table, Fp32Table, Int8Table
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    import onnx_ir as ir

    from edge_rec_converters.retriever.sketch import Sketch
    from edge_rec_runtime import ItemTable


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The constants of a table.

    Attributes:
        layout: Of the runtime: ``fp32``, ``fp16``, ``int8``, ``int4`` or ``binary``.
        width: Codes in a row.
        codes: Values [rows, width] or codes, as the layout has them.
        scales: [rows] float32; None for values.
        bias: [rows] float32, if there is one.
    """

    layout: str
    width: int
    codes: ir.Value
    scales: ir.Value | None = None
    bias: ir.Value | None = None


def stored(sketch: Sketch, table: ItemTable, role: str) -> Stored:
    """Add a table to a graph.

    Raises:
        ConversionError: Its layout has no form in a graph.
    """
    bias = getattr(table, "bias", None)
    held = None if bias is None else sketch.constant(f"{role}.bias", bias.astype(np.float32))
    if isinstance(table, Fp32Table | Fp16Table):
        return Stored(layout=table.layout, width=table.dims, codes=sketch.constant(f"{role}.values", table.values), bias=held)
    if isinstance(table, Int8Table):
        scales = sketch.constant(f"{role}.scales", table.scales.astype(np.float32))
        codes = sketch.constant(f"{role}.codes", table.codes)
        return Stored(layout="int8", width=table.dims, codes=codes, scales=scales, bias=held)
    raise ConversionError(f"an item table in {table.layout} has no form in a retriever graph; use items=int8, int4 or binary")
