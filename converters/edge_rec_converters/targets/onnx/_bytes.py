"""Codes of four bits and of one, packed in bytes: each byte is looked up in the table of what its codes are.

The table is made from 256 bytes and two shifts when an engine loads. One look-up a byte is faster than shifting every code
out of its byte at every call, and needs no operator that an older opset lacks.
"""

from __future__ import annotations

__all__ = ["unpacked"]

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import LAYOUTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.onnx._scope import Scope


def unpacked(
    scope: Scope, tape: ir.tape.Tape, packed: ir.Value, rows: ir.Value | int, *, layout: str, columns: int, width: int
) -> ir.Value:
    """Return the codes [..., width] float32 of packed rows [..., bytes] uint8.

    Args:
        scope: The graph.
        tape: Takes the nodes.
        packed: The bytes.
        rows: A value of the shape [...], or how many axes that is.
        layout: ``int4`` or ``binary``.
        columns: Codes in all of a row's bytes.
        width: Codes in a row.
    """
    table = _table(scope, tape, layout)
    codes = tape.op("Gather", [table, tape.op("Cast", [packed], {"to": ir.DataType.INT32})])
    codes = tape.op("Reshape", [codes, _shape(scope, tape, rows, columns)])
    if width == columns:
        return codes
    start, end, axis = (scope.constant(f"number.{number}", np.array([number])) for number in (0, width, -1))
    return tape.op("Slice", [codes, start, end, axis])


def _table(scope: Scope, tape: ir.tape.Tape, layout: str) -> ir.Value:
    """Return the codes of every byte, [256, codes in a byte] float32."""
    bits = 8 // LAYOUTS[layout]
    steps = np.arange(0, 8, bits, dtype=np.uint8)
    up = steps[::-1].copy() if layout == "int4" else steps  # the first nibble is the low one, the first bit the high one
    every = scope.constant("bytes", np.arange(256, dtype=np.uint8)[:, None])
    high = tape.op("BitShift", [every, scope.constant(f"up.{layout}", up)], {"direction": "LEFT"})
    low = tape.op("BitShift", [high, scope.constant(f"down.{layout}", np.uint8(8 - bits))], {"direction": "RIGHT"})
    return _VALUES[layout](scope, tape, tape.op("Cast", [low], {"to": ir.DataType.FLOAT}))


def _nibbles(scope: Scope, tape: ir.tape.Tape, codes: ir.Value) -> ir.Value:
    """Two's complement: what is 8 or more stands for 16 less."""
    negative = tape.op("Greater", [codes, scope.constant("seven", np.float32(7))])
    return tape.op("Where", [negative, tape.op("Sub", [codes, scope.constant("sixteen", np.float32(16))]), codes])


def _signs(scope: Scope, tape: ir.tape.Tape, codes: ir.Value) -> ir.Value:
    """1 is +1 and 0 is -1."""
    doubled = tape.op("Mul", [codes, scope.constant("two", np.float32(2))])
    return tape.op("Sub", [doubled, scope.constant("one", np.float32(1))])


def _shape(scope: Scope, tape: ir.tape.Tape, rows: ir.Value | int, columns: int) -> ir.Value:
    """Return the shape [..., columns]; 0 stands for a size that is kept."""
    if isinstance(rows, ir.Value) and rows.shape is None:
        last = scope.constant(f"number.{columns}", np.array([columns]))
        return tape.op("Concat", [tape.op("Shape", [rows]), last], {"axis": 0})
    axes = rows if isinstance(rows, int) else len(rows.shape or ())
    return scope.constant(f"rows.{axes}.{columns}", np.array([0] * axes + [columns]))


_VALUES: dict[str, Callable[[Scope, ir.tape.Tape, ir.Value], ir.Value]] = {"int4": _nibbles, "binary": _signs}
