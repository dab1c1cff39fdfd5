"""Which entries of a history are events, and which of them the encoder is given.

An entry outside of [0, items) is no event, wherever it stands. Positions count from the oldest event that is kept, so the newest
events are moved to the front. The number of events from an entry to the end falls from event to event: sorted by it, the
oldest event that is kept comes first, and what is not kept, with 0, comes last.
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
    first, one, along = sketch.number([0]), sketch.number([1]), sketch.number([1])
    known = sketch.op("And", sketch.op("GreaterOrEqual", history, zero), sketch.op("Less", history, limit))
    places = sketch.op("Where", known, history, limit)
    later = sketch.op("CumSum", sketch.cast(known, ir.DataType.INT32), sketch.number(1), reverse=1)
    kept = sketch.op("And", known, sketch.op("LessOrEqual", later, sketch.number(max_length, np.int32)))
    length = sketch.op("Shape", history, start=1)
    order, where = sketch.outputs("TopK", sketch.op("Where", kept, later, zero), length, count=2, axis=1)
    window = sketch.number([max_length])
    order, where = (sketch.op("Slice", value, first, window, along) for value in (order, where))
    count = sketch.op("Slice", order, first, one, along)
    least = sketch.op("Min", count, sketch.number(1, np.int32))
    return Events(
        rows=sketch.op("GatherElements", places, where, axis=1),
        mask=sketch.cast(sketch.op("GreaterOrEqual", order, least), ir.DataType.FLOAT),
        places=places,
        empty=sketch.op("Equal", count, zero),
    )
