"""Layers and tables of the quantisation dialect (see `edge_rec_converters.dialect`) with one scale a row.

An int8 layer's scales are multiplied outside of FULLY_CONNECTED. Inside, as per-channel parameters of its weight, they would
take 3 to 12 % off the layer for up to 50 rows, but ``tflite_runtime`` 2.14 reads the first of them for all rows and answers
wrongly without a word.

A binary layer is FULLY_CONNECTED with an INT2 weight, the narrowest that the format multiplies, and a scale a row. The engine
rounds its input to eight bits row by row, as it does for int8 layers. LiteRT's fast kernels take INT2 only where the width is a
multiple of 4, so weight and input get zeros behind them. Latency relative to float32 at 1 and at 50 rows, one thread, bits a
weight in the file, and error relative to the largest result:

================================  ==========  ==========  ====  ======
form                              64 -> 256   106 -> 106  bits  error
================================  ==========  ==========  ====  ======
INT2, width a multiple of 8       .89,  .90    .93, 1.4    2.1    7e-3
INT2, any width                   .87,  .89   1.5,  4.4    2.0    9e-3
INT2, scales multiplied outside   1.8,  3.1   1.5,  4.4    2.0    9e-3
INT4                              .75,  .54    .77,  .70   4.0    7e-3
INT2 decoded, float product       1.4,  2.9   1.2,  3.7    2.0    4e-7
int8 decoded, float product       1.0,  1.0   1.0,  1.0    8.0    0
================================  ==========  ==========  ====  ======

LiteRT decodes only int8 and float16 once for all calls, so a float product would cost either speed or four times the bytes.
``python benchmarks/tflite_forms.py --only int8 --only binary`` prints these figures.
"""

from __future__ import annotations

__all__ = ["OPS"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.row_codes import unpack_signs
from edge_rec_converters.targets.tflite._call import Rows, Value
from edge_rec_converters.targets.tflite.ops.elementwise import binary
from edge_rec_converters.targets.tflite.ops.joining import lengthened
from edge_rec_converters.targets.tflite.ops.matmul import dense

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call
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
    return dense(graph, call[0], _decoded(call, 1), call.optional(3))


def _binary(graph: Lowering, call: Call) -> Value:
    """``BinaryLinear(x, bits, scales, bias)``."""
    bits, scales, width = call.constant(1, "the bits"), call.constant(2, "the scales"), call.attributes.get("width", 0)
    if bits.dtype != np.uint8 or bits.shape != (len(scales), -(-width // 8)):
        raise call.error(f"bits {bits.dtype}{list(bits.shape)} do not fit {len(scales)} scales and the width {width}")
    signs = np.pad(unpack_signs(bits, width), ((0, 0), (0, -width % _BLOCK)))
    weight = graph.quantised(graph.known(signs, name=call[1].name), scales, bits=2)
    return dense(graph, lengthened(graph, call[0], _BLOCK), weight, call.optional(3), version=_NARROW)


def _rows(_: Lowering, call: Call) -> Value:
    """``Int8Rows(codes, scales)``."""
    return _decoded(call, 0)


def _decoded(call: Call, position: int) -> Value:
    """Return the matrix of codes and of the scales behind them, which takes its place where it is read."""
    codes, scales = call.constant(position, "the codes"), call.constant(position + 1, "the scales")
    if codes.dtype != np.int8 or codes.ndim != 2 or scales.shape != codes.shape[:1]:
        raise call.error(f"codes {codes.dtype}{list(codes.shape)} and scales {list(scales.shape)} do not fit; see the dialect")
    return Value(codes.shape, np.dtype(np.float32), name=call[position].name, rows=Rows(codes, scales))


_NARROW = 14  # the version of FULLY_CONNECTED that multiplies INT2
_BLOCK = 8  # inputs; of widths between multiples of 4, LiteRT's fast kernels take no INT2

_LINEAR: dict[str, Callable[[Lowering, Call], Value]] = {"per-token": _per_token, "none": _weights_only}

OPS: dict[str, Callable[[Lowering, Call], Value]] = {
    "edge_rec::BinaryLinear": _binary,
    "edge_rec::Int8Linear": _linear,
    "edge_rec::Int8Rows": _rows,
}
