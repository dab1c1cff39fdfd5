"""Products of whole numbers with every row of a table: the dialect's ``RowProducts``.

Both sides are uint8 with a zero point, which is exact on every CPU. The table stands in the file row by row, as look-ups want
it, and is turned when an engine loads; the engine then holds both.
"""

from __future__ import annotations

__all__ = ["SHIFT", "multiplied", "row_products", "shifted"]

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import ROW_PRODUCTS, is_dialect, text
from edge_rec_converters.targets.onnx._scope import Scope, given, held

SHIFT = 128


def row_products(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Lower ``RowProducts``."""
    if text(node, "layout") != "int8":
        raise AssertionError(text(node, "layout"))
    one, zero = scope.constant("one", np.float32(1)), scope.constant("zero", np.uint8(SHIFT))
    whole = tape.op("QuantizeLinear", [given(node, 0), one, zero])
    turned = tape.op("Transpose", [shifted(scope, node)], {"perm": [1, 0]})
    products = tape.op("MatMulInteger", [whole, turned, zero, zero])
    return tape.op("Mul", [tape.op("Cast", [products], {"to": ir.DataType.FLOAT}), given(node, 2)])


def shifted(scope: Scope, node: ir.Node) -> ir.Value:
    """Return the codes of a table as uint8 with `SHIFT` added."""
    codes = given(node, 1)
    name = f"{codes.name}.u8"
    there = scope.graph.initializers.get(name)
    if there is not None:
        return there
    return scope.constant(name, (held(node, 1).view(np.uint8) ^ np.uint8(SHIFT)))


def multiplied(codes: ir.Value) -> bool:
    """Tell whether codes that are looked up are multiplied as well, and so stand in the file shifted."""
    return any(is_dialect(user, ROW_PRODUCTS) for user, _ in codes.uses())
