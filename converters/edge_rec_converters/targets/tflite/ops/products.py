"""Products of whole numbers with every row of a table: the dialect's ``RowProducts``.

FULLY_CONNECTED with a float input and integer weights rounds each row of the input onto 255 steps between its least and its
largest number. Further columns, of which one is 127 and the others are -128, make that step 1 and its zero 0, so that whole
numbers stay what they are; their codes are 0. That is how XNNPACK rounds, which every current engine uses; the plain kernels,
which stand in for it where it is switched off, round by the largest magnitude, and are then off by less than one step.

100,000 rows of 64, one thread, with the two-level top-k behind: relative to a float MatMul and TopK of ONNX Runtime, and bytes
of a row in the file:

==================================================  =====  =====
int8, scales inside, 8 bytes of zero points          .079     84
int8, scales multiplied outside                      .088     76
int4 codes as INT4, scales outside                   .084     40
signs as INT4, scales outside                        .084     40
signs as INT2, scales inside                         .10      34
signs as INT2, scales outside: no kernel of XNNPACK  .43      22
==================================================  =====  =====

The scales of int8 rows are inside: that takes 6 to 10 % off a whole answer, the more the busier the memory is. The version of the
operator is one that engines refuse which would read the first scale for all rows. Scales of narrow codes are outside: 12 bytes
a row are much beside 40.

In a browser INT2 takes seven times as long as float32. Signs are therefore INT4.
"""

from __future__ import annotations

__all__ = ["OPS"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite.ops._wide import BITS, widened
from edge_rec_converters.targets.tflite.ops.elementwise import binary
from edge_rec_converters.targets.tflite.ops.matmul import dense

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering

_LEAST, _MOST = -128.0, 127.0
_VERSIONS = {8: 5, 4: 14}  # of FULLY_CONNECTED, by the bits of a weight
_A_SCALE_A_ROW = 12  # the version that knows an int8 weight with a scale a row
_INSIDE = 8  # bits of codes whose scales are those of the weight
_TINY = np.float32(np.finfo(np.float32).tiny)  # a scale has to be above 0; the products of such a row are 0


def _products(graph: Lowering, call: Call) -> Value:
    """``RowProducts(x, codes, scales)``."""
    codes = widened(call)
    missing = codes.shape[1] - call.attributes["width"]
    x = _behind(graph, _behind(graph, call[0], 1, _MOST), missing - 1, _LEAST)
    bits, scales = BITS[call.attributes["layout"]], call.optional(2)
    stored = graph.known(codes, name=call[1].name)
    if scales is not None and bits == _INSIDE:
        each = np.maximum(call.constant(2, "the scales").reshape(-1), _TINY)
        return dense(graph, x, graph.quantised(stored, each, bits=bits), None, version=_A_SCALE_A_ROW)
    products = dense(graph, x, graph.quantised(stored, np.ones(1, np.float32), bits=bits), None, version=_VERSIONS[bits])
    return products if scales is None else binary(graph, "MUL", products, scales)


def _behind(graph: Lowering, x: Value, count: int, number: float) -> Value:
    """Return ``x`` [..., n] with copies of a number behind its last axis."""
    amounts = np.zeros((x.rank, 2), np.int32)
    amounts[-1, 1] = count
    shape = (*x.shape[:-1], x.shape[-1] + count)
    return graph.emit("PADV2", [x, graph.known(amounts), graph.known(np.array(number, np.float32))], shape)


OPS: dict[str, Callable[[Lowering, Call], Value]] = {"edge_rec::RowProducts": _products}
