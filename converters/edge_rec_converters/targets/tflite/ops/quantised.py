"""The quantisation dialect (see `edge_rec_converters.dialect`): int8 codes with one scale a row.

A layer's scales are multiplied outside of FULLY_CONNECTED. Inside, as per-channel parameters of its weight, they would be 2 to
4 % faster in LiteRT, but ``tflite_runtime`` 2.14 reads the first of them for all rows and answers wrongly without a word.
"""

from __future__ import annotations

__all__ = ["OPS"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite.ops.elementwise import binary
from edge_rec_converters.targets.tflite.ops.matmul import dense

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering


def _linear(graph: Lowering, call: Call) -> Value:
    """``Int8Linear(x, codes, scales, bias)``."""
    activation = call.attributes.get("activation")
    codes, scales = call.constant(1, "the codes"), call.constant(2, "the scales")
    if codes.dtype != np.int8 or codes.ndim != 2 or scales.shape != codes.shape[:1]:
        raise call.error(f"codes {codes.dtype}{list(codes.shape)} and scales {list(scales.shape)} do not fit; see the dialect")
    if activation not in _LINEAR:
        raise call.error(
            f"activation={activation!r} has no TFLite form: its integer layers want the grid of their results fixed as well, "
            "which the dialect leaves in float; use network=int8-dynamic (per-token) or int8-weights (none)"
        )
    return _LINEAR[activation](graph, call)


def _per_token(graph: Lowering, call: Call) -> Value:
    """A float input and an int8 weight: the engine rounds the input row by row and multiplies integers."""
    x, codes, scales, bias = call[0], call[1], call.constant(2, "the scales"), call.optional(3)
    if bias is not None:
        bias = graph.known(call.constant(3, "the bias") / scales)
    products = dense(graph, x, graph.quantised(codes, np.ones(1, np.float32)), bias)
    return binary(graph, "MUL", products, call[2])


def _weights_only(graph: Lowering, call: Call) -> Value:
    """Decoded once, when the engine plans the graph; multiplied in float."""
    return dense(graph, call[0], _decoded(graph, call[1], call.constant(2, "the scales")), call.optional(3))


def _rows(graph: Lowering, call: Call) -> Value:
    """``Int8Rows(codes, scales)``."""
    return _decoded(graph, call[0], call.constant(1, "the scales"))


def _decoded(graph: Lowering, codes: Value, scales: NDArray[np.float32]) -> Value:
    return graph.emit("DEQUANTIZE", [graph.quantised(codes, scales)], codes.shape, np.float32, version=5)


_LINEAR: dict[str, Callable[[Lowering, Call], Value]] = {"per-token": _per_token, "none": _weights_only}

OPS: dict[str, Callable[[Lowering, Call], Value]] = {"edge_rec::Int8Linear": _linear, "edge_rec::Int8Rows": _rows}
