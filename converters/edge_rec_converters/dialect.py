"""The words in which a quantisation decision is written on the graph, before any target expresses it.

Passes decide once, as nodes of the domain ``edge_rec``; each emitter lowers them to what its engine runs. Codes and scales are
constants of the nodes, so both files of one model carry the same ones. `dialect_reference` computes each word in numpy.

``Int8Linear(x, codes, scales, bias)``: ``x`` [..., K] float32, ``codes`` [N, K] int8, ``scales`` [N] float32, ``bias`` [N]
float32 (may be absent) -> [..., N] float32, by the attribute ``activation``:

- ``per-token``: each row of ``x`` is rounded, half to even, to multiples of max(abs(row)) / 127; integer products.
- ``static``: ``x`` is rounded onto one uint8 grid, attributes ``x_scale`` and ``x_zero_point``; integer products.
- ``none``: ``codes`` are decoded, and multiplied in float.

``Int8Rows(codes, scales)``: ``codes`` [R, D] int8, ``scales`` [R] float32 -> [R, D] float32, ``scales[i] * codes[i]``.

``RowLookup(indices, codes, scales, centre)``: ``indices`` [...] int32 or int64 in [0, R), ``scales`` [R] float32 (absent where
all are 1), ``centre`` [D] float32 (may be absent) -> [..., D] float32, ``scales[i] * code[i] + centre``; only the rows that are
asked for are decoded.
The attribute ``width`` is D, and ``layout`` says what ``codes`` are:

- ``int8``: [R, D] int8.
- ``int4``: [R, ceil(D / 2)] uint8, two codes in [-7, 7] a byte, low nibble first, two's complement.
- ``binary``: [R, ceil(D / 8)] uint8; bit j of a row is bit 7 - j % 8 of byte j // 8; 1 is +1 and 0 is -1.

``RowProducts(x, codes, scales)``: ``x`` [B, D] float32 that holds whole numbers in [-127, 127], ``codes`` and ``scales`` as
those of ``RowLookup``, with its attributes -> [B, R] float32, ``scales[i] * (x . code[i])``. The products of whole numbers are
exact; what is rounded is their product with the scale, once. Codes that are looked up as well stand in a file once.

``BinaryLinear(x, bits, scales, bias)``: ``x`` [..., K] float32, ``bits`` [N, ceil(K / 8)] uint8 as above, ``scales`` [N] float32,
``bias`` [N] float32 (may be absent) -> [..., N] float32, ``(x @ signs.T) * scales + bias`` in float; attribute ``width``, K.
An engine that has no product of packed signs with floats may round each row of ``x`` first, as ``per-token`` does.

Half precision has no word: a float16 constant, cast to float32 before its use, says it in standard operators. An input whose
metadata has `STORED_SHAPE` is stored with these sizes where a file keeps some for axes that stay open.
"""

from __future__ import annotations

__all__ = [
    "ACTIVATIONS",
    "BINARY_LINEAR",
    "CODES",
    "DOMAIN",
    "INT8_LINEAR",
    "INT8_ROWS",
    "LAYOUTS",
    "ROW_LOOKUP",
    "ROW_PRODUCTS",
    "STORED_SHAPE",
    "VERSION",
    "binary_linear",
    "constant",
    "declare",
    "floats",
    "int8_linear",
    "int8_rows",
    "is_dialect",
    "real",
    "row_lookup",
    "row_products",
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
STORED_SHAPE = "stored_shape"  # such as "1,200"
INT8_LINEAR = "Int8Linear"
INT8_ROWS = "Int8Rows"
ROW_LOOKUP = "RowLookup"
ROW_PRODUCTS = "RowProducts"
BINARY_LINEAR = "BinaryLinear"

ACTIVATIONS = ("per-token", "static", "none")
# layout of a looked-up table -> codes in a byte
LAYOUTS = {"int8": 1, "int4": 2, "binary": 8}
# word -> position of its codes; the scales follow
CODES = {INT8_LINEAR: 1, INT8_ROWS: 0, ROW_LOOKUP: 1, ROW_PRODUCTS: 1, BINARY_LINEAR: 1}


def int8_linear(x: ir.Value, codes: ir.Value, scales: ir.Value, bias: ir.Value | None = None, *, activation: str) -> ir.Node:
    """Return a dense layer with int8 weights; a ``static`` one gets its grid from the pass that knows it."""
    inputs = [x, codes, scales, *_given(bias)]
    return ir.node(INT8_LINEAR, inputs, attributes={"activation": activation}, domain=DOMAIN)


def int8_rows(codes: ir.Value, scales: ir.Value) -> ir.Node:
    """Return a matrix that is stored as int8."""
    return ir.node(INT8_ROWS, [codes, scales], domain=DOMAIN)


def row_lookup(
    indices: ir.Value, codes: ir.Value, scales: ir.Value | None, centre: ir.Value | None = None, *, layout: str, width: int
) -> ir.Node:
    """Return a look-up of rows that are stored as codes."""
    inputs = [indices, codes, scales, *_given(centre)]
    return ir.node(ROW_LOOKUP, inputs, attributes={"layout": layout, "width": width}, domain=DOMAIN)


def row_products(x: ir.Value, codes: ir.Value, scales: ir.Value | None, *, layout: str, width: int) -> ir.Node:
    """Return the products of whole numbers with every row of codes."""
    return ir.node(ROW_PRODUCTS, [x, codes, scales], attributes={"layout": layout, "width": width}, domain=DOMAIN)


def binary_linear(x: ir.Value, bits: ir.Value, scales: ir.Value, bias: ir.Value | None = None, *, width: int) -> ir.Node:
    """Return a dense layer whose weights are signs."""
    return ir.node(BINARY_LINEAR, [x, bits, scales, *_given(bias)], attributes={"width": width}, domain=DOMAIN)


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


def _given(value: ir.Value | None) -> list[ir.Value]:
    return [] if value is None else [value]
