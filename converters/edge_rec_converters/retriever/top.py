"""The best items, best first; of equal scores the smaller row.

An engine's top-k of a long row takes as long as the scan before it, so it is taken in two steps: the k groups of consecutive
rows with the largest maximum, then the k best of their rows. That is exact. What is among the k best lies in one of these groups,
or k groups would each hold a row that comes before it. The groups are put in the order of their rows, so that equal scores
stay in row order to the end.
"""

from __future__ import annotations

__all__ = ["group_size", "in_order", "padded_rows", "top"]

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx_ir as ir

    from edge_rec_converters.retriever.sketch import Sketch

_LARGEST = 64
_LEAST_GAIN = 8  # rows for each row that one of the two steps looks at; with fewer, one step is faster


def group_size(items: int, k: int) -> int:
    """Return the number of rows in a group that makes both steps alike, a power of 2; 1 for one step."""
    size = 1
    while size < _LARGEST and 2 * size * size * k <= items:
        size *= 2
    return size if size > 1 and items >= _LEAST_GAIN * (k * size + items // size) else 1


def padded_rows(items: int, size: int) -> int:
    """Return the number of rows in whole groups that hold the items and one row more."""
    return -(-(items + 1) // size) * size


def top(sketch: Sketch, scores: ir.Value, *, k: int, size: int, rows: int) -> tuple[ir.Value, ir.Value]:
    """Return the k largest of scores [batch, rows] and where they stand, int64, each [batch, k].

    Args:
        sketch: Takes the nodes.
        scores: In groups of ``size``.
        k: Of both steps.
        size: See `group_size`.
        rows: How many scores there are.
    """
    if size == 1:
        return _largest(sketch, scores, k)
    groups = sketch.op("Reshape", scores, sketch.number([-1, rows // size, size]))
    _, chosen = _largest(sketch, sketch.op("ReduceMax", groups, sketch.number([2]), keepdims=0), k)
    chosen = in_order(sketch, chosen, k)[0]
    chosen = sketch.op("Unsqueeze", chosen, sketch.number([2]))
    flat = sketch.number([-1, k * size])
    values, places = _largest(sketch, sketch.op("Reshape", sketch.op("GatherND", groups, chosen, batch_dims=1), flat), k)
    each = sketch.op("Add", sketch.op("Mul", chosen, sketch.number(size)), sketch.number(np.arange(size)))
    return values, sketch.op("GatherElements", sketch.op("Reshape", each, flat), places, axis=1)


def in_order(sketch: Sketch, rows: ir.Value, k: int) -> tuple[ir.Value, ir.Value]:
    """Return numbers [batch, k] in ascending order, and where each of them stood."""
    ascending, order = sketch.outputs("TopK", rows, sketch.number([k]), count=2, axis=1, largest=0)
    return ascending, order


def _largest(sketch: Sketch, values: ir.Value, k: int) -> tuple[ir.Value, ir.Value]:
    best, places = sketch.outputs("TopK", values, sketch.number([k]), count=2, axis=1)
    return best, places
