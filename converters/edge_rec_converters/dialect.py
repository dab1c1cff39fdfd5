"""The words in which a quantisation decision is written on the graph, before any target expresses it.

Passes decide once, as nodes of the domain ``edge_rec``; each emitter lowers them to what its engine runs. The integer codes
and scales are constants of the nodes, so both files of one model carry the same ones.

``Int8Linear(x, codes, scales, bias)``: ``x`` [..., K] float32, ``codes`` [N, K] int8, ``scales`` [N] float32, ``bias`` [N]
float32 (may be absent) -> [..., N] float32, by the attribute ``activation``:

- ``per-token``: each row of ``x`` is rounded, half to even, to multiples of max(abs(row)) / 127; integer products.
- ``static``: ``x`` is rounded onto one uint8 grid, attributes ``x_scale`` and ``x_zero_point``; integer products.
- ``none``: ``codes`` are decoded, and multiplied in float.

``Int8Rows(codes, scales)``: ``codes`` [R, D] int8, ``scales`` [R] float32 -> [R, D] float32, ``scales[i] * codes[i]``.
"""

from __future__ import annotations

__all__ = [
    "DOMAIN",
    "INT8_LINEAR",
    "INT8_ROWS",
    "VERSION",
    "constant",
    "declare",
    "floats",
    "is_dialect",
    "quantise_rows",
    "real",
    "text",
    "whole",
]

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

DOMAIN = "edge_rec"
VERSION = 1
INT8_LINEAR = "Int8Linear"
INT8_ROWS = "Int8Rows"


def is_dialect(node: ir.Node, op_type: str | None = None) -> bool:
    """Tell whether a node is of the dialect, and of that type if one is given."""
    return node.domain == DOMAIN and op_type in {None, node.op_type}


def declare(model: ir.Model) -> ir.Model:
    """Add the dialect to the opsets that a model imports; returns the model it was given."""
    model.graph.opset_imports[DOMAIN] = VERSION
    return model


def constant(value: ir.Value | None) -> NDArray[np.generic] | None:
    """Return the array of a constant, or None where a value is computed."""
    if value is None or (tensor := ir.convenience.get_const_tensor(value)) is None:
        return None
    return tensor.numpy()


def floats(value: ir.Value | None) -> NDArray[np.float32] | None:
    """Return the array of an fp32 constant, or None where a value is computed or of another type."""
    array = constant(value)
    return array.astype(np.float32, copy=False) if array is not None and array.dtype == np.float32 else None


def text(node: ir.Node, name: str) -> str:
    """Return a string attribute that the dialect requires."""
    return node.attributes[name].as_string()


def real(node: ir.Node, name: str) -> float:
    """Return a float attribute that the dialect requires."""
    return node.attributes[name].as_float()


def whole(node: ir.Node, name: str) -> int:
    """Return an integer attribute that the dialect requires."""
    return node.attributes[name].as_int()


def quantise_rows(values: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round each row symmetrically to int8, half to even.

    Args:
        values: [rows, width] float.

    Returns:
        Codes [rows, width] int8 in [-127, 127] and scales [rows] float32. A row of zeros has scale 1, so that nothing
        divides by zero.
    """
    largest = np.abs(values).max(axis=1).astype(np.float32)
    scales = np.where(largest > 0, largest / np.float32(127), np.float32(1)).astype(np.float32)
    codes = np.clip(np.rint(values / scales[:, None]), -127, 127).astype(np.int8)
    return codes, scales
