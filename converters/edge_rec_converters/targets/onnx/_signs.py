"""Dense layers whose weights are signs: eight to a byte in the file, floats in memory from the moment an engine loads.

The product is a float one, as the dialect says. An integer product would have to round its input first: for one row it takes
1.2 to 1.4 times as long, for 50 rows .9 to 1.3 times (``python benchmarks/onnx_forms.py``, AVX-512 with VNNI).
"""

from __future__ import annotations

__all__ = ["binary_linear"]

from typing import TYPE_CHECKING

from edge_rec_converters.dialect import LAYOUTS, whole
from edge_rec_converters.targets.onnx._bytes import unpacked
from edge_rec_converters.targets.onnx._scope import Scope, given, held, optional

if TYPE_CHECKING:
    import onnx_ir as ir


def binary_linear(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Lower ``BinaryLinear``: bits [N, bytes] to +-scale [K, N], all of constants, and one product."""
    columns = held(node, 1).shape[1] * LAYOUTS["binary"]
    signs = unpacked(scope, tape, given(node, 1), 1, layout="binary", columns=columns, width=whole(node, "width"))
    column = scope.constant(f"{given(node, 2).name}.column", held(node, 2)[:, None])
    weights = tape.op("Transpose", [tape.op("Mul", [signs, column])], {"perm": [1, 0]})
    product = tape.op("MatMul", [given(node, 0), weights])
    bias = optional(node, 3)
    return product if bias is None else tape.op("Add", [product, bias])
