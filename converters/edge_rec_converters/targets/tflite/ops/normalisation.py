"""Softmax and the normalisations of layers, batches, groups and instances."""

from __future__ import annotations

__all__ = ["OPS", "softmax"]


from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._sizes import Size, product
from edge_rec_converters.targets.tflite.ops.elementwise import binary, scalar, unary
from edge_rec_converters.targets.tflite.ops.reductions import reduce
from edge_rec_converters.targets.tflite.ops.reshaping import reshape, transpose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

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
    result = _standardised(graph, call, centred, axes)
    if scale is not None:
        result = binary(graph, "MUL", result, scale)
    return result if bias is None else binary(graph, "ADD", result, bias)


def _rms_norm(graph: Lowering, call: Call) -> Value:
    """The same without a mean: x / sqrt(mean(x^2) + epsilon), scaled."""
    x = call[0]
    axes = range(call.axis(call.attributes.get("axis", -1), x.rank), x.rank)
    return binary(graph, "MUL", _standardised(graph, call, x, axes), call[1])


def _standardised(graph: Lowering, call: Call, x: Value, axes: Sequence[int]) -> Value:
    """Divide by the root of the mean square over some axes."""
    squares = reduce(graph, "MEAN", binary(graph, "MUL", x, x), axes)
    epsilon = scalar(graph, call.attributes.get("epsilon", 1e-5), x)
    return binary(graph, "MUL", x, unary(graph, "RSQRT", binary(graph, "ADD", squares, epsilon)))


def _batch_norm(graph: Lowering, call: Call) -> Value:
    """With the statistics of training: one factor and one offset a channel."""
    if call.attributes.get("training_mode", 0):
        raise call.error("it still trains; call eval() on the module before it is converted")
    scale, bias, mean, variance = (
        call.constant(place, "a statistic of the batch norm").astype(np.float64) for place in range(1, 5)
    )
    factor = scale / np.sqrt(variance + call.attributes.get("epsilon", 1e-5))
    scaled = binary(graph, "MUL", call[0], _channels(graph, factor, call[0].rank))
    return binary(graph, "ADD", scaled, _channels(graph, bias - mean * factor, call[0].rank))


def _channels(graph: Lowering, numbers: NDArray[np.floating], rank: int) -> Value:
    """Return [C] as [C, 1, ...], which broadcasts against axis 1."""
    return graph.known(numbers.reshape(-1, *[1] * max(rank - 2, 0)).astype(np.float32))


def _group_norm(graph: Lowering, call: Call) -> Value:
    """Normalise over groups of channels and all that lies behind them; an instance norm has a group a channel."""
    x, scale, bias = call[0], call.constant(1, "the scale"), call.constant(2, "the offset")
    channels = x.shape[1]
    groups = call.attributes.get("num_groups", channels)
    if isinstance(channels, Size) or isinstance(groups, Size):
        raise call.error("its number of channels is not fixed")
    grouped = reshape(graph, x, (x.shape[0], groups, product([channels // groups, *x.shape[2:]])))
    centred = binary(graph, "SUB", grouped, reduce(graph, "MEAN", grouped, [2]))
    result = reshape(graph, _standardised(graph, call, centred, [2]), x.shape)
    each = channels // len(scale)  # opset 18 has a scale a group, later ones a scale a channel
    scaled = binary(graph, "MUL", result, _channels(graph, np.repeat(scale, each), x.rank))
    return binary(graph, "ADD", scaled, _channels(graph, np.repeat(bias, each), x.rank))


OPS: dict[str, Callable[[Lowering, Call], Value]] = {
    "BatchNormalization": _batch_norm,
    "GroupNormalization": _group_norm,
    "InstanceNormalization": _group_norm,
    "LayerNormalization": _layer_norm,
    "LogSoftmax": _over_axis(lambda graph, x: unary(graph, "LOG_SOFTMAX", x)),
    "RMSNormalization": _rms_norm,
    "Softmax": _over_axis(softmax),
}
