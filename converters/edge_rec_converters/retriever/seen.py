"""Items of the history are left out: their scores become minus infinity."""

from __future__ import annotations

__all__ = ["without_seen"]

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx_ir as ir

    from edge_rec_converters.retriever.events import Events
    from edge_rec_converters.retriever.sketch import Sketch


def without_seen(sketch: Sketch, scores: ir.Value, events: Events) -> ir.Value:
    """Return scores [batch, items] with minus infinity for all events of the history, also those beyond the window.

    What is no event adds 0 to item 0.
    """
    nothing, never = sketch.number(0, np.float32), sketch.number(-np.inf, np.float32)
    updates = sketch.op("Where", events.known, never, nothing)
    return sketch.op("ScatterElements", scores, events.places, updates, axis=1, reduction="add")
