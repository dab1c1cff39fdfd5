"""Tables in codes: decoded as a whole when an engine loads, or row by row where rows are looked up."""

from __future__ import annotations

__all__ = ["decoded", "int8_rows", "row_lookup", "scale_column"]

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import LAYOUTS, text, whole
from edge_rec_converters.targets.onnx._bytes import unpacked
from edge_rec_converters.targets.onnx._scope import Scope, given, held, optional
from edge_rec_converters.targets.onnx._shifted import SHIFT, is_multiplied, shifted

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
    if layout == "int8":
        rows = _int8_codes(scope, tape, node)
    else:
        columns = held(node, 1).shape[1] * LAYOUTS[layout]
        codes = tape.op("Gather", [given(node, 1), indices])
        rows = unpacked(scope, tape, codes, indices, layout=layout, columns=columns, width=whole(node, "width"))
    if optional(node, 2) is not None:
        rows = tape.op("Mul", [rows, _scales(scope, tape, node)])
    centre = optional(node, 3)
    return rows if centre is None else tape.op("Add", [rows, centre])


def _int8_codes(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Return the codes of the rows that are looked up; those of a table that is multiplied as well stand in the file shifted."""
    if not is_multiplied(scope, given(node, 1)):
        return tape.op("Cast", [tape.op("Gather", [given(node, 1), given(node, 0)])], {"to": ir.DataType.FLOAT})
    codes = tape.op("Cast", [tape.op("Gather", [shifted(scope, node), given(node, 0)])], {"to": ir.DataType.FLOAT})
    return tape.op("Sub", [codes, scope.constant("shift", np.float32(SHIFT))])


def _scales(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Return the scale of each row that is looked up, [..., 1]."""
    column = scale_column(scope, given(node, 2), held(node, 2))
    looked_up = tape.op("Gather", [column, given(node, 0)])
    return tape.op("Cast", [looked_up], {"to": ir.DataType.FLOAT}) if column.dtype == ir.DataType.FLOAT16 else looked_up


def scale_column(scope: Scope, scales: ir.Value, factors: NDArray[np.float32]) -> ir.Value:
    """Return the scales of a table as [rows, 1], in half precision where that loses nothing."""
    with np.errstate(over="ignore"):  # what becomes infinite is not exact
        half = factors.astype(np.float16)
    exact = np.array_equal(half.astype(np.float32), factors)
    return scope.constant(f"{scales.name}.{'half' if exact else 'column'}", (half if exact else factors)[:, None])
