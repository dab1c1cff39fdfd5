"""Dense layers with int8 weights.

Integer products are uint8 x uint8. On x86 without VNNI the usual uint8 x int8 kernels add pairs in 16 bits and saturate, and
a machine with VNNI hides it; codes are therefore stored with 128 added, and 128 as their zero point. The products are written
as QuantizeLinear -> DequantizeLinear -> MatMul, which ONNX Runtime fuses to one integer product; it takes .97 to 1.08 times as
long as MatMulInteger -> Cast -> Mul (``python benchmarks/onnx_forms.py``), and serves fixed grids as well.

ONNX Runtime joins a MatMul and the Add of a bias to one Gemm before it looks for integer products, and a Gemm whose result is
not rounded at once stays a float product: its weights are decoded at every call, which takes two to six times as long. The bias
of a static layer is therefore subtracted with its sign turned, which gives the same bits and leaves the MatMul alone.
"""

from __future__ import annotations

__all__ = ["int8_linear"]

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import real, text, whole
from edge_rec_converters.targets.onnx._scope import Scope, given, held, optional

if TYPE_CHECKING:
    from collections.abc import Callable

_ZERO = 128
_TINY = 1e-30  # stands in for the largest magnitude of a row of zeros
_AXES_ARE_INPUTS = 18  # the opset from which ReduceMax takes its axes as an input


def int8_linear(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Lower ``Int8Linear``."""
    product = _PRODUCTS[text(node, "activation")](scope, tape, node)
    bias = optional(node, 3)
    if bias is None:
        return product
    if text(node, "activation") == "static":
        return tape.op("Sub", [product, scope.constant(f"{bias.name}.turned", -held(node, 3))])
    return tape.op("Add", [product, bias])


def _per_token(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Divide each row by its largest magnitude, round to multiples of 1/127, multiply the products back."""
    x = given(node, 0)
    if (x, "per-token") not in scope.rounded:
        magnitudes = tape.op("Abs", [x])
        if (scope.graph.opset_imports.get("") or _AXES_ARE_INPUTS) >= _AXES_ARE_INPUTS:
            largest = tape.op("ReduceMax", [magnitudes, scope.constant("last_axis", np.array([-1]))], {"keepdims": 1})
        else:
            largest = tape.op("ReduceMax", [magnitudes], {"axes": [-1], "keepdims": 1})
        largest = tape.op("Max", [largest, scope.constant("tiny", np.float32(_TINY))])
        unit, zero = scope.constant("unit", np.float32(1 / 127)), scope.constant("zero", np.uint8(_ZERO))
        codes = tape.op("QuantizeLinear", [tape.op("Div", [x, largest]), unit, zero])
        scope.rounded[x, "per-token"] = (tape.op("DequantizeLinear", [codes, unit, zero]), largest)
    rounded, largest_of_row = scope.rounded[x, "per-token"]
    return tape.op("Mul", [tape.op("MatMul", [rounded, _weight(scope, tape, node)]), largest_of_row])


def _static(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Round the input onto its fixed grid."""
    x = given(node, 0)
    if (x, "static") not in scope.rounded:
        scale = scope.constant(f"{x.name}.scale", np.float32(real(node, "x_scale")))
        zero = scope.constant(f"{x.name}.zero", np.uint8(whole(node, "x_zero_point")))
        codes = tape.op("QuantizeLinear", [x, scale, zero])
        scope.rounded[x, "static"] = (tape.op("DequantizeLinear", [codes, scale, zero]), None)
    return tape.op("MatMul", [scope.rounded[x, "static"][0], _weight(scope, tape, node)])


def _weights_only(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Multiply in float by weights [K, N] that are decoded when an engine loads; stored turned, which spares it a copy of all."""
    turned = scope.constant(f"{given(node, 1).name}.turned", np.ascontiguousarray(held(node, 1).T))
    weight = tape.op("Mul", [tape.op("Cast", [turned], {"to": ir.DataType.FLOAT}), given(node, 2)])
    return tape.op("MatMul", [given(node, 0), weight])


def _weight(scope: Scope, tape: ir.tape.Tape, node: ir.Node) -> ir.Value:
    """Decode the codes of a layer to [K, N], from uint8 with the zero point 128 a channel."""
    codes = held(node, 1)
    shifted = np.ascontiguousarray((codes.astype(np.int16) + _ZERO).astype(np.uint8).T)
    zeros = np.full(len(codes), _ZERO, np.uint8)
    parts = [
        scope.constant(f"{given(node, 1).name}.u8", shifted),
        given(node, 2),
        scope.constant(f"zeros.{len(zeros)}", zeros),
    ]
    return tape.op("DequantizeLinear", parts, {"axis": 1})


_PRODUCTS: dict[str, Callable[[Scope, ir.tape.Tape, ir.Node], ir.Value]] = {
    "per-token": _per_token,
    "static": _static,
    "none": _weights_only,
}
