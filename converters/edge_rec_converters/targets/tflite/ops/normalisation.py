"""Softmax and layer normalisation."""

from __future__ import annotations

__all__ = ["OPS", "softmax"]


from typing import TYPE_CHECKING

from edge_rec_converters.targets.tflite.ops.elementwise import binary, scalar, unary
from edge_rec_converters.targets.tflite.ops.reductions import reduce
from edge_rec_converters.targets.tflite.ops.reshaping import transpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering


def softmax(graph: Lowering, x: Value) -> Value:
    """Normalise over the last axis."""
    return unary(graph, "SOFTMAX", x, beta=1.0)


def _over_axis(normalise: Callable[[Lowering, Value], Value]) -> Callable[[Lowering, Call], Value]:
    """TFLite normalises over the last axis only: bring another one there and back."""

    def handler(graph: Lowering, call: Call) -> Value:
        x = call[0]
        axis = call.axis(call.attributes.get("axis", -1), x.rank)
        order = list(range(x.rank))
        order[axis], order[-1] = order[-1], order[axis]
        return transpose(graph, normalise(graph, transpose(graph, x, order)), order)

    return handler


def _layer_norm(graph: Lowering, call: Call) -> Value:
    """(x - mean) / sqrt(variance + epsilon), scaled and shifted."""
    x, scale, bias = call[0], call.optional(1), call.optional(2)
    axes = range(call.axis(call.attributes.get("axis", -1), x.rank), x.rank)
    centred = binary(graph, "SUB", x, reduce(graph, "MEAN", x, axes))
    variance = reduce(graph, "MEAN", binary(graph, "MUL", centred, centred), axes)
    epsilon = scalar(graph, call.attributes.get("epsilon", 1e-5), x)
    result = binary(graph, "MUL", centred, unary(graph, "RSQRT", binary(graph, "ADD", variance, epsilon)))
    if scale is not None:
        result = binary(graph, "MUL", result, scale)
    return result if bias is None else binary(graph, "ADD", result, bias)


OPS: dict[str, Callable[[Lowering, Call], Value]] = {
    "LayerNormalization": _layer_norm,
    "LogSoftmax": _over_axis(lambda graph, x: unary(graph, "LOG_SOFTMAX", x)),
    "Softmax": _over_axis(softmax),
}
