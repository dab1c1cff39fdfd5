"""Products of whole numbers with every row of a table: the dialect's ``RowProducts``.

int8 codes are uint8 with a zero point, and uint8 x uint8 is exact on every CPU; those of int4 and of signs are int8, so small
that no sum of two products saturates. The table stands in the file row by row and packed, as look-ups want it; it is unpacked and
turned when an engine loads, which then holds it twice: as it is in the file, and a byte a code.

The Reshape behind the product is there to be in the way. ONNX Runtime would join MatMulInteger, Cast and Mul to one operator that
takes 1.7 times as long (100,000 rows of 64).
"""

from __future__ import annotations

__all__ = ["row_products"]

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import LAYOUTS, text, whole
from edge_rec_converters.row_codes import unpack_int4, unpack_signs
from edge_rec_converters.targets.onnx._rows import scale_column
from edge_rec_converters.targets.onnx._scope import Scope, given, held, optional
from edge_rec_converters.targets.onnx._shifted import SHIFT, shifted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def row_products(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Lower ``RowProducts``."""
    one, zero = scope.constant("one", np.float32(1)), scope.constant("zero", np.uint8(SHIFT))
    x = tape.op("QuantizeLinear", [given(node, 0), one, zero])
    rows, level = _codes(scope, tape, node)
    products = tape.op("MatMulInteger", [x, tape.op("Transpose", [rows], {"perm": [1, 0]}), zero, *level])
    count = len(held(node, 1))
    apart = tape.op("Reshape", [products, scope.constant(f"apart.{count}", np.array([-1, count, 1]))])
    found = tape.op("Cast", [apart], {"to": ir.DataType.FLOAT})
    scales = optional(node, 2)
    if scales is not None:
        column = scale_column(scope, scales, held(node, 2))
        found = tape.op("Mul", [found, tape.op("Cast", [column], {"to": ir.DataType.FLOAT})])
    return tape.op("Reshape", [found, scope.constant(f"row.{count}", np.array([-1, count]))])


def _codes(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> tuple[ir.Value, list[ir.Value]]:
    """Return the codes [rows, width], and what was added to them where anything was."""
    layout, width = text(node, "layout"), whole(node, "width")
    if layout == "int8":
        return shifted(scope, node), [scope.constant("zero", np.uint8(SHIFT))]
    every = _UNPACKED[layout](np.arange(256, dtype=np.uint8)[:, None], LAYOUTS[layout])
    table = scope.constant(f"codes.{layout}", every)
    count, packed = held(node, 1).shape
    codes = tape.op("Gather", [table, tape.op("Cast", [given(node, 1)], {"to": ir.DataType.INT32})])
    codes = tape.op("Reshape", [codes, scope.constant(f"rows.{count}", np.array([count, packed * LAYOUTS[layout]]))])
    if width < packed * LAYOUTS[layout]:
        bounds = (scope.constant(f"number.{number}", np.array([number])) for number in (0, width, -1))
        codes = tape.op("Slice", [codes, *bounds])
    return codes, []


_UNPACKED: dict[str, Callable[[NDArray[np.uint8], int], NDArray[np.int8]]] = {"int4": unpack_int4, "binary": unpack_signs}
