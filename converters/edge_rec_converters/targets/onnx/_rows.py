"""Tables in codes: decoded as a whole when an engine loads, or row by row where rows are looked up."""

from __future__ import annotations

__all__ = ["decoded", "int8_rows", "row_lookup"]

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import LAYOUTS, text, whole
from edge_rec_converters.targets.onnx._bytes import unpacked
from edge_rec_converters.targets.onnx._products import SHIFT, multiplied, shifted
from edge_rec_converters.targets.onnx._scope import Scope, given, held, optional

if TYPE_CHECKING:
    from numpy.typing import NDArray


def int8_rows(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Lower ``Int8Rows``."""
    return decoded(scope, tape, given(node, 0), given(node, 1), held(node, 1))


def decoded(scope: Scope, tape: ir.tape.Tape, codes: ir.Value, scales: ir.Value, factors: NDArray[np.float32]) -> ir.Value:
    """Decode rows by Cast and Mul, which engines fold when they load; DequantizeLinear would run at every call."""
    column = scope.constant(f"{scales.name}.column", factors[:, None])
    return tape.op("Mul", [tape.op("Cast", [codes], {"to": ir.DataType.FLOAT}), column])


def row_lookup(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Lower ``RowLookup``: gather codes and scale of each row, and decode what was gathered."""
    indices, layout = given(node, 0), text(node, "layout")
    lifted = layout == "int8" and multiplied(given(node, 1))
    codes = tape.op("Gather", [shifted(scope, node) if lifted else given(node, 1), indices])
    if layout == "int8":
        values = tape.op("Cast", [codes], {"to": ir.DataType.FLOAT})
        values = tape.op("Sub", [values, scope.constant("shift", np.float32(SHIFT))]) if lifted else values
    else:
        columns = held(node, 1).shape[1] * LAYOUTS[layout]
        values = unpacked(scope, tape, codes, indices, layout=layout, columns=columns, width=whole(node, "width"))
    rows = tape.op("Mul", [values, _scales(scope, tape, node)])
    centre = optional(node, 3)
    return rows if centre is None else tape.op("Add", [rows, centre])


def _scales(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Return the scale of each row that is looked up, [..., 1]; stored in half precision where that loses nothing."""
    factors = held(node, 2)
    with np.errstate(over="ignore"):  # what becomes infinite is not exact
        half = factors.astype(np.float16)
    exact = np.array_equal(half.astype(np.float32), factors)
    name = f"{given(node, 2).name}.{'half' if exact else 'column'}"
    column = scope.constant(name, (half if exact else factors)[:, None])
    looked_up = tape.op("Gather", [column, given(node, 0)])
    return tape.op("Cast", [looked_up], {"to": ir.DataType.FLOAT}) if exact else looked_up
