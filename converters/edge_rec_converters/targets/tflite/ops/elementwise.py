"""Arithmetic that looks at one element at a time."""

from __future__ import annotations

__all__ = ["OPS", "binary", "unary"]

from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters.targets.tflite._sizes import broadcast

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering

# Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: erf to 1.5e-7.
_ERF_RATE = 0.3275911
_ERF_POLYNOMIAL = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


def binary(graph: Lowering, operator: str, a: Value, b: Value, **options: Any) -> Value:  # noqa: ANN401  # as in Lowering.emit
    """Add an operator that broadcasts two inputs of one type."""
    return graph.emit(operator, [a, b], broadcast(a.shape, b.shape), **options)


def unary(graph: Lowering, operator: str, x: Value, **options: Any) -> Value:  # noqa: ANN401  # as in Lowering.emit
    """Add an operator whose result has its input's shape and type."""
    return graph.emit(operator, [x], x.shape, **options)


def scalar(graph: Lowering, number: float, like: Value) -> Value:
    """Return a constant of the type of another value."""
    return graph.known(np.array(number, like.dtype))


def _binary(operator: str) -> Callable[[Lowering, Call], Value]:
    return lambda graph, call: binary(graph, operator, call[0], call[1])


def _unary(operator: str) -> Callable[[Lowering, Call], Value]:
    return lambda graph, call: unary(graph, operator, call[0])


def _variadic(operator: str) -> Callable[[Lowering, Call], Value]:
    return lambda graph, call: reduce(partial(binary, graph, operator), [call[i] for i in range(len(call.inputs))])


def _clip(graph: Lowering, call: Call) -> Value:
    x = call[0]
    for position, name, operator in ((1, "min", "MAXIMUM"), (2, "max", "MINIMUM")):
        bound = call.optional(position)
        if bound is None and name in call.attributes:
            bound = scalar(graph, call.attributes[name], x)
        if bound is not None:
            x = binary(graph, operator, x, bound)
    return x


def _erf(graph: Lowering, call: Call) -> Value:
    """TFLite has no erf: 1 - polynomial(t) exp(-x^2), t = 1 / (1 + rate |x|), with the sign of x."""
    x = call[0]
    size = unary(graph, "ABS", x)
    one = scalar(graph, 1.0, x)
    t = binary(graph, "DIV", one, binary(graph, "ADD", binary(graph, "MUL", size, scalar(graph, _ERF_RATE, x)), one))
    series = scalar(graph, _ERF_POLYNOMIAL[0], x)
    for coefficient in _ERF_POLYNOMIAL[1:]:
        series = binary(graph, "ADD", binary(graph, "MUL", series, t), scalar(graph, coefficient, x))
    decay = unary(graph, "EXP", unary(graph, "NEG", binary(graph, "MUL", x, x)))
    positive = binary(graph, "SUB", one, binary(graph, "MUL", binary(graph, "MUL", series, t), decay))
    return binary(graph, "MUL", unary(graph, "SIGN", x), positive)


def _pow(graph: Lowering, call: Call) -> Value:
    x, exponent = call[0], call[1]
    number = exponent.constant
    if number is not None and number.size == 1 and exponent.rank <= x.rank:
        if number.item() == 2:
            return binary(graph, "MUL", x, x)
        if number.item() == 0.5:
            return unary(graph, "SQRT", x)
        exponent = scalar(graph, number.item(), x)
    elif exponent.dtype != x.dtype:
        exponent = graph.emit("CAST", [exponent], exponent.shape, x.dtype)
    return binary(graph, "POW", x, exponent)


def _mod(graph: Lowering, call: Call) -> Value:
    if not call.attributes.get("fmod", 0):
        return binary(graph, "FLOOR_MOD", call[0], call[1])
    # The remainder has the sign of what is divided, where TFLite's follows the divisor.
    rest = binary(graph, "FLOOR_MOD", unary(graph, "ABS", call[0]), unary(graph, "ABS", call[1]))
    return binary(graph, "MUL", rest, unary(graph, "SIGN", call[0]))


def _mean(graph: Lowering, call: Call) -> Value:
    total = _variadic("ADD")(graph, call)
    return binary(graph, "MUL", total, scalar(graph, 1 / len(call.inputs), total))


OPS: dict[str, Callable[[Lowering, Call], Value]] = {
    "Abs": _unary("ABS"),
    "Add": _binary("ADD"),
    "Ceil": _unary("CEIL"),
    "Clip": _clip,
    "Cos": _unary("COS"),
    "Div": _binary("DIV"),
    "Erf": _erf,
    "Exp": _unary("EXP"),
    "Floor": _unary("FLOOR"),
    "Log": _unary("LOG"),
    "Max": _variadic("MAXIMUM"),
    "Mean": _mean,
    "Min": _variadic("MINIMUM"),
    "Mod": _mod,
    "Mul": _binary("MUL"),
    "Neg": _unary("NEG"),
    "Pow": _pow,
    "Reciprocal": lambda graph, call: binary(graph, "DIV", scalar(graph, 1.0, call[0]), call[0]),
    "Round": _unary("ROUND"),
    "Sign": _unary("SIGN"),
    "Sin": _unary("SIN"),
    "Sqrt": _unary("SQRT"),
    "Sub": _binary("SUB"),
    "Sum": _variadic("ADD"),
    "Tan": lambda graph, call: binary(graph, "DIV", unary(graph, "SIN", call[0]), unary(graph, "COS", call[0])),
}
