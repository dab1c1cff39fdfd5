"""Items of the history are left out: their scores become minus infinity, and those of the rows behind the items."""

from __future__ import annotations

__all__ = ["without_seen"]

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx_ir as ir

    from edge_rec_converters.retriever.events import Events
    from edge_rec_converters.retriever.sketch import Sketch


def without_seen(sketch: Sketch, scores: ir.Value, events: Events, *, items: int, rows: int) -> ir.Value:
    """Return scores [batch, rows] with minus infinity for all events of the history, also those beyond the window.

    Args:
        sketch: Takes the nodes.
        scores: All finite.
        events: The history.
        items: Rows of the catalogue.
        rows: Of the scores.
    """
    behind = sketch.number(np.arange(items, rows)[None], np.int32)
    each = sketch.op("Where", events.empty, behind, behind)  # the same for every history, [batch, rows - items]
    places = sketch.op("Concat", events.places, each, axis=1)
    never = sketch.op("Expand", sketch.number(-np.inf, np.float32), sketch.op("Shape", places))
    return sketch.op("ScatterElements", scores, places, never, axis=1, reduction="add")
