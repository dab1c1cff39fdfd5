"""The best items, best first; of equal scores the smaller row."""

from __future__ import annotations

__all__ = ["top"]

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir as ir

    from edge_rec_converters.retriever.sketch import Sketch


def top(sketch: Sketch, scores: ir.Value, *, k: int) -> tuple[ir.Value, ir.Value]:
    """Return the k largest of scores [batch, rows] and where they stand, each [batch, k]."""
    values, rows = sketch.outputs("TopK", scores, sketch.number([k]), count=2, axis=1)
    return values, rows
