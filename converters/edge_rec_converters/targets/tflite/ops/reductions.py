"""Sums, means, extremes and running sums along axes."""

from __future__ import annotations

__all__ = ["OPS", "reduce"]


from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._writer import INT32
from edge_rec_converters.targets.tflite.ops.elementwise import binary, scalar
from edge_rec_converters.targets.tflite.ops.reshaping import reshape, transpose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering


def reduce(graph: Lowering, operator: str, x: Value, axes: Sequence[int], *, keep: bool = True) -> Value:
    """Add a reduction over ``axes``, counted from the front."""
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape) if keep or axis not in axes)
    return graph.emit(operator, [x, graph.known(np.array(axes, np.int32))], shape, keepDims=keep)


def _axes(call: Call) -> list[int]:
    """Return the axes that a reduction goes over, counted from the front."""
    x = call[0]
    given = call.attributes.get("axes") if call.optional(1) is None else call.constant(1, "the list of axes")
    if given is None or len(given) == 0:
        return [] if call.attributes.get("noop_with_empty_axes", 0) else list(range(x.rank))
    return sorted(call.axis(int(axis), x.rank) for axis in given)


def _reduction(operator: str, *, before: Sequence[str] = (), after: str | None = None) -> Callable[[Lowering, Call], Value]:
    def handler(graph: Lowering, call: Call) -> Value:
        x, axes = call[0], _axes(call)
        for operator_before in before:
            x = graph.emit(operator_before, [x, x] if operator_before == "MUL" else [x], x.shape)
        result = reduce(graph, operator, x, axes, keep=bool(call.attributes.get("keepdims", 1))) if axes else x
        return result if after is None else graph.emit(after, [result], result.shape)

    return handler


def _log_sum_exp(graph: Lowering, call: Call) -> Value:
    """log(sum(exp(x))) by way of the largest element, so that nothing overflows."""
    x, axes = call[0], _axes(call)
    largest = binary(graph, "MAXIMUM", reduce(graph, "REDUCE_MAX", x, axes), scalar(graph, float(np.finfo(np.float32).min), x))
    powers = graph.emit("EXP", [binary(graph, "SUB", x, largest)], x.shape)
    total = reduce(graph, "SUM", powers, axes)
    result = binary(graph, "ADD", graph.emit("LOG", [total], total.shape), largest)
    if call.attributes.get("keepdims", 1):
        return result
    return reshape(graph, result, tuple(size for axis, size in enumerate(x.shape) if axis not in axes))


def _top_k(graph: Lowering, call: Call) -> tuple[Value, Value]:
    """TFLite takes the largest of the last axis, ties in their order, as ONNX does."""
    x, count = call[0], call[1].known
    if count is None:
        raise call.error("k is computed while the model runs; TFLite needs it fixed, make it a constant")
    axis = call.axis(call.attributes.get("axis", -1), x.rank)
    order = list(range(x.rank))
    order[axis], order[-1] = order[-1], order[axis]
    turned = transpose(graph, x, order)
    smallest = not call.attributes.get("largest", 1)
    turned = graph.emit("NEG", [turned], turned.shape) if smallest else turned
    shape = (*turned.shape[:-1], count.item())
    k = graph.known(np.array(count.item(), object))
    values, places = graph.emit_all("TOPK_V2", [turned, k], [shape, shape], [x.dtype, np.int32])
    values = graph.emit("NEG", [values], values.shape) if smallest else values
    return transpose(graph, values, order), transpose(graph, places, order)


def _arg(operator: str) -> Callable[[Lowering, Call], Value]:
    def handler(graph: Lowering, call: Call) -> Value:
        x = call[0]
        if call.attributes.get("select_last_index", 0):
            raise call.error("of equal elements TFLite takes the first; flip the axis to take the last")
        axis = call.axis(call.attributes.get("axis", 0), x.rank)
        keep = bool(call.attributes.get("keepdims", 1))
        place = graph.known(np.array(axis, np.int32))
        found = graph.emit(operator, [x, place], x.shape[:axis] + x.shape[axis + 1 :], np.int32, outputType=INT32)
        return reshape(graph, found, (*x.shape[:axis], 1, *x.shape[axis + 1 :])) if keep else found

    return handler


def _cumulative_sum(graph: Lowering, call: Call) -> Value:
    axis = call.axis(int(call.constant(1, "the axis").item()), call[0].rank)
    return graph.emit(
        "CUMSUM",
        [call[0], graph.known(np.array(axis, np.int32))],
        call[0].shape,
        exclusive=bool(call.attributes.get("exclusive", 0)),
        reverse=bool(call.attributes.get("reverse", 0)),
    )


OPS: dict[str, Callable[[Lowering, Call], Value | tuple[Value, ...]]] = {
    "ArgMax": _arg("ARG_MAX"),
    "ArgMin": _arg("ARG_MIN"),
    "CumSum": _cumulative_sum,
    "ReduceL1": _reduction("SUM", before=["ABS"]),
    "ReduceL2": _reduction("SUM", before=["MUL"], after="SQRT"),
    "ReduceLogSum": _reduction("SUM", after="LOG"),
    "ReduceLogSumExp": _log_sum_exp,
    "ReduceMax": _reduction("REDUCE_MAX"),
    "ReduceMean": _reduction("MEAN"),
    "ReduceMin": _reduction("REDUCE_MIN"),
    "ReduceProd": _reduction("REDUCE_PROD"),
    "ReduceSum": _reduction("SUM"),
    "ReduceSumSquare": _reduction("SUM", before=["MUL"]),
    "TopK": _top_k,
}
