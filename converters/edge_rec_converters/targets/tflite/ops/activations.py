"""Activations that TFLite has under another name, or not at all: each said by elementwise operators."""

from __future__ import annotations

__all__ = ["OPS"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite.ops.elementwise import binary, scalar, unary

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering

# The defaults of ONNX, from Klambauer et al., Self-Normalizing Neural Networks, equation 14.
_SELU_ALPHA, _SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


def times(graph: Lowering, x: Value, number: float) -> Value:
    """Multiply by a number, which 1 leaves out."""
    return x if number == 1 else binary(graph, "MUL", x, scalar(graph, number, x))


def _positive(graph: Lowering, x: Value) -> Value:
    return unary(graph, "RELU", x)


def _negative(graph: Lowering, x: Value) -> Value:
    return binary(graph, "MINIMUM", x, scalar(graph, 0, x))


def _bend(graph: Lowering, x: Value, *, height: float, rate: float) -> Value:
    """Return x above 0 and height (exp(rate x) - 1) below, which never overflows."""
    if height == rate == 1:
        return unary(graph, "ELU", x)
    below = unary(graph, "EXP", times(graph, _negative(graph, x), rate))
    fallen = times(graph, binary(graph, "SUB", below, scalar(graph, 1, x)), height)
    return binary(graph, "ADD", _positive(graph, x), fallen)


def _elu(graph: Lowering, call: Call) -> Value:
    return _bend(graph, call[0], height=call.attributes.get("alpha", 1.0), rate=1)


def _celu(graph: Lowering, call: Call) -> Value:
    alpha = call.attributes.get("alpha", 1.0)
    return _bend(graph, call[0], height=alpha, rate=1 / alpha)


def _selu(graph: Lowering, call: Call) -> Value:
    bent = _bend(graph, call[0], height=call.attributes.get("alpha", _SELU_ALPHA), rate=1)
    return times(graph, bent, call.attributes.get("gamma", _SELU_GAMMA))


def _gelu(graph: Lowering, call: Call) -> Value:
    return unary(graph, "GELU", call[0], approximate=call.attributes.get("approximate", "none") == "tanh")


def _hard_sigmoid(graph: Lowering, call: Call) -> Value:
    alpha, beta = call.attributes.get("alpha", 0.2), call.attributes.get("beta", 0.5)
    x = binary(graph, "ADD", times(graph, call[0], alpha), scalar(graph, beta, call[0]))
    return binary(graph, "MINIMUM", _positive(graph, x), scalar(graph, 1, x))


def _parametric(graph: Lowering, call: Call) -> Value:
    """PRelu with any slope that broadcasts; TFLite's own wants one that leaves out the batch."""
    return binary(graph, "ADD", _positive(graph, call[0]), binary(graph, "MUL", _negative(graph, call[0]), call[1]))


def _softplus(graph: Lowering, x: Value) -> Value:
    """log(1 + exp(x)) as max(x, 0) + log(1 + exp(-|x|)), which does not overflow."""
    tail = unary(graph, "EXP", unary(graph, "NEG", unary(graph, "ABS", x)))
    return binary(graph, "ADD", _positive(graph, x), unary(graph, "LOG", binary(graph, "ADD", tail, scalar(graph, 1.0, x))))


def _mish(graph: Lowering, call: Call) -> Value:
    return binary(graph, "MUL", call[0], unary(graph, "TANH", _softplus(graph, call[0])))


def _softsign(graph: Lowering, call: Call) -> Value:
    x = call[0]
    return binary(graph, "DIV", x, binary(graph, "ADD", unary(graph, "ABS", x), scalar(graph, 1, x)))


def _swish(graph: Lowering, call: Call) -> Value:
    x = call[0]
    return binary(graph, "MUL", x, unary(graph, "LOGISTIC", times(graph, x, call.attributes.get("alpha", 1.0))))


def _thresholded(graph: Lowering, call: Call) -> Value:
    x, threshold = call[0], scalar(graph, call.attributes.get("alpha", 1.0), call[0])
    above = graph.emit("GREATER", [x, threshold], x.shape, np.bool_)
    return graph.emit("SELECT_V2", [above, x, scalar(graph, 0, x)], x.shape, x.dtype)


OPS: dict[str, Callable[[Lowering, Call], Value]] = {
    "Celu": _celu,
    "Elu": _elu,
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda graph, call: unary(graph, "HARD_SWISH", call[0]),
    "LeakyRelu": lambda graph, call: unary(graph, "LEAKY_RELU", call[0], alpha=call.attributes.get("alpha", 0.01)),
    "Mish": _mish,
    "PRelu": _parametric,
    "Relu": lambda graph, call: unary(graph, "RELU", call[0]),
    "Selu": _selu,
    "Sigmoid": lambda graph, call: unary(graph, "LOGISTIC", call[0]),
    "Softplus": lambda graph, call: _softplus(graph, call[0]),
    "Softsign": _softsign,
    "Swish": _swish,
    "Tanh": lambda graph, call: unary(graph, "TANH", call[0]),
    "ThresholdedRelu": _thresholded,
}
