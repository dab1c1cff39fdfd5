"""Which entries of a history are events, and which of them the encoder is given.

An entry outside of [0, items) is no event, wherever it stands. Positions count from the oldest event that is kept, so the newest
events are moved to the front: each is added to a field of zeros, at the place that follows from the number of events behind it;
what is not kept adds 0 to the first. An engine that plans ahead knows all these shapes before it sees the numbers.
"""

from __future__ import annotations

__all__ = ["Events", "events"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

if TYPE_CHECKING:
    from edge_rec_converters.retriever.sketch import Sketch


@dataclass(frozen=True, kw_only=True)
class Events:
    """What a history [batch, length] says.

    Attributes:
        rows: [batch, window] int32, the rows that the encoder is given, padded with row ``items``; the window is the length of
            the history, at most that of the model.
        mask: [batch, window] float32, 1 for events. Where a history has none it is 1 throughout, so that no encoder divides by 0.
        places: [batch, length] int32, the row of each entry, ``items`` for what is no event.
        empty: [batch, 1] bool, whether a history has no event.
    """

    rows: ir.Value
    mask: ir.Value
    places: ir.Value
    empty: ir.Value


def events(sketch: Sketch, history: ir.Value, *, items: int, max_length: int) -> Events:
    """Read a history [batch, length] int32 of rows, oldest first.

    Args:
        sketch: Takes the nodes.
        history: Any numbers.
        items: Rows of the catalogue.
        max_length: Most events that the encoder takes, of which the newest count.
    """
    zero, limit = sketch.number(0, np.int32), sketch.number(items, np.int32)
    known = sketch.op("And", sketch.op("GreaterOrEqual", history, zero), sketch.op("Less", history, limit))
    places = sketch.op("Where", known, history, limit)
    later = sketch.op("CumSum", sketch.cast(known, ir.DataType.INT32), sketch.number(1), reverse=1)
    count = sketch.op("Slice", later, sketch.number([0]), sketch.number([1]), sketch.number([1]))
    most = sketch.number(max_length, np.int32)
    kept = sketch.op("And", known, sketch.op("LessOrEqual", later, most))
    place = sketch.op("Where", kept, sketch.op("Sub", sketch.op("Min", count, most), later), zero)
    number = sketch.op("Where", kept, sketch.op("Add", places, sketch.number(1, np.int32)), zero)
    field = sketch.op("Expand", zero, sketch.op("Shape", history))
    field = sketch.op("ScatterElements", field, place, number, axis=1, reduction="add")
    field = sketch.op("Slice", field, sketch.number([0]), sketch.number([max_length]), sketch.number([1]))
    empty = sketch.op("Equal", count, zero)
    filled = sketch.op("Greater", field, zero)
    return Events(
        rows=sketch.op("Where", filled, sketch.op("Sub", field, sketch.number(1, np.int32)), limit),
        mask=sketch.cast(sketch.op("Or", filled, empty), ir.DataType.FLOAT),
        places=places,
        empty=empty,
    )
