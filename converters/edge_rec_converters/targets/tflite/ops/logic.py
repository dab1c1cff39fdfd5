"""Truth values, comparisons, choices and changes of type."""

from __future__ import annotations

__all__ = ["OPS"]


from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.targets.tflite._sizes import broadcast
from edge_rec_converters.targets.tflite.ops.elementwise import scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering

_CASTS: dict[ir.DataType, type[np.generic]] = {
    ir.DataType.FLOAT: np.float32,
    ir.DataType.INT32: np.int32,
    ir.DataType.INT64: np.int32,
    ir.DataType.BOOL: np.bool_,
}


def _compare(operator: str) -> Callable[[Lowering, Call], Value]:
    return lambda graph, call: graph.emit(operator, [call[0], call[1]], broadcast(call[0].shape, call[1].shape), np.bool_)


def _cast(graph: Lowering, call: Call) -> Value:
    x, to = call[0], call.attributes["to"]
    if to not in _CASTS:
        raise call.error(f"a cast to {to.name} has no place in the file; use FLOAT, INT64 or BOOL")
    dtype = np.dtype(_CASTS[to])
    if x.dtype == np.float16 and x.constant is not None and dtype == np.float32:
        return graph.known(x.constant.astype(np.float32), name=x.name, half=True)
    return x if dtype == x.dtype else graph.emit("CAST", [x], x.shape, dtype)


def _where(graph: Lowering, call: Call) -> Value:
    condition, a, b = call[0], call[1], call[2]
    return graph.emit("SELECT_V2", [condition, a, b], broadcast(condition.shape, a.shape, b.shape), a.dtype)


def _is_nan(graph: Lowering, call: Call) -> Value:
    return graph.emit("NOT_EQUAL", [call[0], call[0]], call[0].shape, np.bool_)


def _is_inf(graph: Lowering, call: Call) -> Value:
    below, above = (bool(call.attributes.get(f"detect_{sign}", 1)) for sign in ("negative", "positive"))
    size = graph.emit("ABS", [call[0]], call[0].shape) if below == above else call[0]
    wanted = np.inf if above or not below else -np.inf
    found = graph.emit("EQUAL", [size, scalar(graph, wanted, call[0])], call[0].shape, np.bool_)
    if below or above:
        return found
    return graph.emit("NOT_EQUAL", [found, found], found.shape, np.bool_)


OPS: dict[str, Callable[[Lowering, Call], Value]] = {
    "And": _compare("LOGICAL_AND"),
    "Cast": _cast,
    "Equal": _compare("EQUAL"),
    "Greater": _compare("GREATER"),
    "GreaterOrEqual": _compare("GREATER_EQUAL"),
    "IsInf": _is_inf,
    "IsNaN": _is_nan,
    "Less": _compare("LESS"),
    "LessOrEqual": _compare("LESS_EQUAL"),
    "Not": lambda graph, call: graph.emit("LOGICAL_NOT", [call[0]], call[0].shape),
    "Or": _compare("LOGICAL_OR"),
    "Where": _where,
    "Xor": _compare("NOT_EQUAL"),
}
