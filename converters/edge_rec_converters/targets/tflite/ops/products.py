"""Products of whole numbers with every row of a table: the dialect's ``RowProducts``.

FULLY_CONNECTED with a float input and int8 weights rounds each row of the input onto 255 steps between the row's least and
largest number. Two more columns, of -128 and of 127, make that step 1 and its zero 0, so that whole numbers stay what they are;
their codes are 0.
"""

from __future__ import annotations

__all__ = ["OPS"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite.ops.elementwise import binary
from edge_rec_converters.targets.tflite.ops.matmul import dense

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering

_LEAST, _MOST = -128.0, 127.0


def _products(graph: Lowering, call: Call) -> Value:
    """``RowProducts(x, codes, scales)``."""
    codes, scales = call.constant(1, "the codes"), call.constant(2, "the scales")
    wide = np.pad(codes, ((0, 0), (0, 2)))
    x = _behind(graph, _behind(graph, call[0], 1, _MOST), 1, _LEAST)
    weight = graph.quantised(graph.known(wide, name=call[1].name), np.ones(1, np.float32))
    return binary(graph, "MUL", dense(graph, x, weight, None), graph.known(scales, name=call[2].name))


def _behind(graph: Lowering, x: Value, count: int, number: float) -> Value:
    """Return ``x`` [..., n] with copies of a number behind its last axis."""
    amounts = np.zeros((x.rank, 2), np.int32)
    amounts[-1, 1] = count
    shape = (*x.shape[:-1], x.shape[-1] + count)
    return graph.emit("PADV2", [x, graph.known(amounts), graph.known(np.array(number, np.float32))], shape)


OPS: dict[str, Callable[[Lowering, Call], Value]] = {"edge_rec::RowProducts": _products}
