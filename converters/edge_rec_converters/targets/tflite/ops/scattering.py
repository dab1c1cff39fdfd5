"""Numbers put in places that indices name."""

from __future__ import annotations

__all__ = ["OPS"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._sizes import Size, broadcast
from edge_rec_converters.targets.tflite.ops.elementwise import binary, scalar
from edge_rec_converters.targets.tflite.ops.gathering import from_front
from edge_rec_converters.targets.tflite.ops.reshaping import broadcast_to, fill, positions, reshape, transpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering


def _scatter_elements(graph: Lowering, call: Call) -> Value:
    """An index names one axis; the place on the others is the index's own."""
    data, given = call[0], call[1]
    axis = call.axis(call.attributes.get("axis", 0), data.rank)
    index = from_front(graph, given, (data.shape[axis],))
    columns = []
    for place, size in enumerate(given.shape):
        column = index
        if place != axis:
            row = reshape(graph, positions(graph, size), tuple(size if at == place else 1 for at in range(given.rank)))
            column = broadcast_to(graph, row, given.shape)
        columns.append(reshape(graph, column, (*given.shape, 1)))
    places = graph.emit("CONCATENATION", columns, (*given.shape, data.rank), axis=given.rank)
    return _scatter(graph, call, data, places, call[2])


def _scatter_nd(graph: Lowering, call: Call) -> Value:
    data, given = call[0], call[1]
    depth = given.shape[-1]
    if isinstance(depth, Size):
        raise call.error("the last axis of its indices has no fixed size; give each index as many numbers as it names axes")
    return _scatter(graph, call, data, from_front(graph, given, data.shape[:depth]), call[2])


def _scatter(graph: Lowering, call: Call, data: Value, places: Value, updates: Value) -> Value:
    """TFLite adds up what meets in one place of a field of zeros.

    Without a reduction, ONNX leaves open what happens where places meet. Dividing by how many met gives the number itself where
    one came or all were equal, as when a history marks its items.
    """
    reduction = call.attributes.get("reduction", "none")
    if reduction not in {"none", "add"} or data.dtype == np.bool_:
        raise call.error(f"reduction={reduction!r} of {data.dtype} has no TFLite form; use 'none' or 'add' on numbers")
    shape = graph.known(np.array(data.shape, object))
    total = graph.emit("SCATTER_ND", [places, updates, shape], data.shape, data.dtype)
    if reduction == "add":
        return binary(graph, "ADD", data, total)
    ones = fill(graph, updates.shape, 1, data.dtype)
    count = graph.emit("SCATTER_ND", [places, ones, shape], data.shape, data.dtype)
    met = graph.emit("GREATER", [count, scalar(graph, 0, count)], count.shape, np.bool_)
    each = binary(graph, "DIV", total, binary(graph, "MAXIMUM", count, scalar(graph, 1, count)))
    return graph.emit("SELECT_V2", [met, each, data], broadcast(met.shape, data.shape), data.dtype)


def _one_hot(graph: Lowering, call: Call) -> Value:
    """Indices below 0 count from the end; others outside of the axis give a row of the off value."""
    rows, depth, values = call[0], int(call.constant(1, "the depth").item()), call.constant(2, "the off and on values")
    axis = call.axis(call.attributes.get("axis", -1), rows.rank + 1)
    if rows.dtype != np.int32:
        rows = graph.emit("CAST", [rows], rows.shape, np.int32)
    below = graph.emit("LESS", [rows, scalar(graph, 0, rows)], rows.shape, np.bool_)
    wrapped = binary(graph, "ADD", rows, scalar(graph, depth, rows))
    index = graph.emit("SELECT_V2", [below, wrapped, rows], rows.shape, np.int32)
    off, on = (graph.known(np.array(number, values.dtype)) for number in values)
    inputs = [index, graph.known(np.array(depth, np.int32)), on, off]
    hot = graph.emit("ONE_HOT", inputs, (*rows.shape, depth), on.dtype, axis=-1)
    order = [*range(rows.rank)]
    order.insert(axis, rows.rank)
    return transpose(graph, hot, order)


OPS: dict[str, Callable[[Lowering, Call], Value]] = {
    "OneHot": _one_hot,
    "ScatterElements": _scatter_elements,
    "ScatterND": _scatter_nd,
}
