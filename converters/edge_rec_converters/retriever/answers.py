"""What the graph gives back: items and scores, popularity where nothing is known, -1 where nothing is left."""

from __future__ import annotations

__all__ = ["answers"]

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir

from edge_rec_converters.retriever.search import LOWEST
from edge_rec_runtime.search import best

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_converters.retriever.sketch import Sketch


def answers(
    sketch: Sketch, values: ir.Value, rows: ir.Value, *, empty: ir.Value, popularity: NDArray[Any] | None, items: int, k: int
) -> tuple[ir.Value, ir.Value]:
    """Return items [batch, k] int32 and scores [batch, k] float32.

    Args:
        sketch: Takes the nodes.
        values: [batch, k] float32, the best scores; minus infinity for what may not be answered.
        rows: [batch, k], where they stand.
        empty: [batch, 1] bool; popularity answers there, as the runtime does.
        popularity: [items], how often each was met; the order of the catalogue without it.
        items: Rows of the catalogue.
        k: At most so many as there are rows.
    """
    counts = np.zeros(items, np.float32) if popularity is None else popularity.astype(np.float32)
    popular, met = best(np.arange(items), counts, k)
    gone = sketch.op("Less", values, sketch.number(LOWEST, np.float32))
    found = sketch.op("Where", gone, sketch.number(-1, np.int32), sketch.cast(rows, ir.DataType.INT32))
    return (
        sketch.op("Where", empty, sketch.constant("popular.items", popular[None].astype(np.int32)), found),
        sketch.op("Where", empty, sketch.constant("popular.scores", met[None]), values),
    )
