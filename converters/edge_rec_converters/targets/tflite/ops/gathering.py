"""Elements picked by computed or fixed indices."""

from __future__ import annotations

__all__ = ["OPS", "from_front", "gather"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._sizes import Shape, Size
from edge_rec_converters.targets.tflite.ops.reshaping import reshape, transpose
from edge_rec_converters.targets.tflite.ops.slicing import take_front, take_one

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering


def gather(graph: Lowering, x: Value, rows: Value, axis: int = 0) -> Value:
    """Pick slices of ``x`` by indices that count from the front; of half floats, only those picked are decoded."""
    if x.half:
        picked = gather(graph, graph.halves(x), rows, axis)
        return graph.emit("DEQUANTIZE", [picked], picked.shape, np.float32, version=3)
    return graph.emit("GATHER", [x, rows], (*x.shape[:axis], *rows.shape, *x.shape[axis + 1 :]), axis=axis)


def from_front(graph: Lowering, rows: Value, sizes: Shape) -> Value:
    """Count indices from the front: TFLite refuses the negative ones that ONNX allows."""
    if rows.constant is not None and not any(isinstance(size, Size) for size in sizes):
        return graph.known(np.mod(rows.constant, np.array(sizes)).reshape(rows.shape).astype(np.int32))
    limits = graph.known(np.array(sizes if len(sizes) > 1 else sizes[0], object))
    return graph.emit("FLOOR_MOD", [rows, limits], rows.shape)


def _gather(graph: Lowering, call: Call) -> Value:
    x, rows = call[0], call[1]
    axis = call.axis(call.attributes.get("axis", 0), x.rank)
    if rows.constant is not None and rows.rank == 0:
        return take_one(graph, x, axis, int(rows.constant))
    return gather(graph, x, from_front(graph, rows, (x.shape[axis],)), axis)


def _gather_elements(graph: Lowering, call: Call) -> Value:
    """With the gathered axis last, each row of the data is indexed by its own row of indices: a batched GATHER."""
    x, rows = call[0], call[1]
    axis = call.axis(call.attributes.get("axis", 0), x.rank)
    cover = (*rows.shape[:axis], x.shape[axis], *rows.shape[axis + 1 :])
    x = take_front(graph, x, cover)
    order = [place for place in range(x.rank) if place != axis] + [axis]
    index = transpose(graph, from_front(graph, rows, (x.shape[axis],)), order)
    batch = x.rank - 1
    picked = graph.emit("GATHER", [transpose(graph, x, order), index], index.shape, axis=batch, batchDims=batch, version=_BATCHED)
    return transpose(graph, picked, list(np.argsort(order)))


def _gather_nd(graph: Lowering, call: Call) -> Value:
    x, rows = call[0], call[1]
    depth, shared = rows.shape[-1], call.attributes.get("batch_dims", 0)
    if isinstance(depth, Size):
        raise call.error("the last axis of its indices has no fixed size; give each index as many numbers as it names axes")
    if shared:
        if depth != 1:
            raise call.error("batch_dims with indices of more than one axis have no TFLite operator; gather one axis at a time")
        index = reshape(graph, from_front(graph, rows, (x.shape[shared],)), rows.shape[:-1])
        shape = (*index.shape, *x.shape[shared + 1 :])
        return graph.emit("GATHER", [x, index], shape, axis=shared, batchDims=shared, version=_BATCHED)
    index = from_front(graph, rows, x.shape[:depth])
    return graph.emit("GATHER_ND", [x, index], (*rows.shape[:-1], *x.shape[depth:]))


_BATCHED = 5  # the version of GATHER that has batch_dims

OPS: dict[str, Callable[[Lowering, Call], Value]] = {
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
}
