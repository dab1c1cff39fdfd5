"""What each word of the dialect computes, in numpy: the yardstick of every emitter."""

from __future__ import annotations

__all__ = ["REFERENCE", "compute"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters.dialect import BINARY_LINEAR, INT8_LINEAR, INT8_ROWS, ROW_LOOKUP, ROW_PRODUCTS, real, text, whole
from edge_rec_converters.row_codes import unpack_int4, unpack_signs

if TYPE_CHECKING:
    from collections.abc import Callable

    import onnx_ir as ir
    from numpy.typing import NDArray

_TINY = np.float32(1e-30)  # stands in for the largest magnitude of a row of zeros


def compute(node: ir.Node, *inputs: NDArray[Any] | None) -> NDArray[np.float32]:
    """Return what a node of the dialect gives for its inputs, absent ones left out or None."""
    return REFERENCE[node.op_type](node, *inputs)


def _int8_linear(
    node: ir.Node,
    x: NDArray[np.float32],
    codes: NDArray[np.int8],
    scales: NDArray[np.float32],
    bias: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Products of whole numbers are exact in float64; one rounding to float32 at the end."""
    activation = text(node, "activation")
    if activation == "none":
        product = x.astype(np.float64) @ (codes * scales[:, None]).T.astype(np.float64)
    elif activation == "static":
        step, zero = np.float32(real(node, "x_scale")), whole(node, "x_zero_point")
        grid = np.clip(np.rint(x / step) + zero, 0, 255) - zero
        product = (grid.astype(np.float64) @ codes.T.astype(np.float64)) * np.float64(step) * scales
    else:
        largest = np.maximum(np.abs(x).max(axis=-1, keepdims=True), _TINY)
        rounded = np.rint((x / largest).astype(np.float32) / np.float32(1 / 127))
        product = (rounded.astype(np.float64) @ codes.T.astype(np.float64)) * (largest.astype(np.float64) / 127) * scales
    return (product if bias is None else product + bias).astype(np.float32)


def _int8_rows(_: ir.Node, codes: NDArray[np.int8], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = codes.astype(np.float32) * scales[:, None]
    return rows


def _row_lookup(
    node: ir.Node,
    indices: NDArray[np.integer[Any]],
    codes: NDArray[Any],
    scales: NDArray[np.float32] | None = None,
    centre: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Two roundings in float32, one of the product and one of the sum: an emitter gives the same bits."""
    rows = _DECODED[text(node, "layout")](codes[indices], whole(node, "width")).astype(np.float32)
    rows = rows if scales is None else rows * scales[indices][..., None]
    return rows if centre is None else rows + centre


def _row_products(
    node: ir.Node, x: NDArray[np.float32], codes: NDArray[Any], scales: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """One rounding in float32, of the product of two numbers that are exact there."""
    decoded = _DECODED[text(node, "layout")](codes, whole(node, "width"))
    products = (x.astype(np.float64) @ decoded.T.astype(np.float64)).astype(np.float32)
    return products if scales is None else products * scales


def _binary_linear(
    node: ir.Node,
    x: NDArray[np.float32],
    bits: NDArray[np.uint8],
    scales: NDArray[np.float32],
    bias: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Sums in float64; emitters sum in float32, so they agree to its precision."""
    product = (x.astype(np.float64) @ unpack_signs(bits, whole(node, "width")).T.astype(np.float64)) * scales
    return (product if bias is None else product + bias).astype(np.float32)


_DECODED: dict[str, Callable[[NDArray[Any], int], NDArray[np.int8]]] = {
    "int8": lambda codes, _: codes,
    "int4": unpack_int4,
    "binary": unpack_signs,
}

REFERENCE: dict[str, Callable[..., NDArray[np.float32]]] = {
    INT8_LINEAR: _int8_linear,
    INT8_ROWS: _int8_rows,
    ROW_LOOKUP: _row_lookup,
    ROW_PRODUCTS: _row_products,
    BINARY_LINEAR: _binary_linear,
}
