"""Sums, means, extremes and running sums along axes."""

from __future__ import annotations

__all__ = ["OPS", "reduce"]


from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._writer import INT32
from edge_rec_converters.targets.tflite.ops.reshaping import reshape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering


def reduce(graph: Lowering, operator: str, x: Value, axes: Sequence[int], *, keep: bool = True) -> Value:
    """Add a reduction over ``axes``, counted from the front."""
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape) if keep or axis not in axes)
    return graph.emit(operator, [x, graph.known(np.array(axes, np.int32))], shape, keepDims=keep)


def _reduction(operator: str, *, of_squares: bool = False, root: bool = False) -> Callable[[Lowering, Call], Value]:
    def handler(graph: Lowering, call: Call) -> Value:
        x = call[0]
        given = call.attributes.get("axes") if call.optional(1) is None else call.constant(1, "the list of axes")
        if (given is None or len(given) == 0) and call.attributes.get("noop_with_empty_axes", 0):
            return x
        axes = range(x.rank) if given is None or len(given) == 0 else given
        if of_squares:
            x = graph.emit("MUL", [x, x], x.shape)
        numbers = sorted(call.axis(int(axis), x.rank) for axis in axes)
        result = reduce(graph, operator, x, numbers, keep=bool(call.attributes.get("keepdims", 1)))
        return graph.emit("SQRT", [result], result.shape) if root else result

    return handler


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


OPS: dict[str, Callable[[Lowering, Call], Value]] = {
    "ArgMax": _arg("ARG_MAX"),
    "ArgMin": _arg("ARG_MIN"),
    "CumSum": _cumulative_sum,
    "ReduceL2": _reduction("SUM", of_squares=True, root=True),
    "ReduceMax": _reduction("REDUCE_MAX"),
    "ReduceMean": _reduction("MEAN"),
    "ReduceMin": _reduction("REDUCE_MIN"),
    "ReduceProd": _reduction("REDUCE_PROD"),
    "ReduceSum": _reduction("SUM"),
    "ReduceSumSquare": _reduction("SUM", of_squares=True),
}
