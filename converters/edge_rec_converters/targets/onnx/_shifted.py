"""int8 codes that are looked up and multiplied: in the file once, as the uint8 that exact products want."""

from __future__ import annotations

__all__ = ["SHIFT", "is_multiplied", "shifted"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.dialect import ROW_PRODUCTS, is_dialect
from edge_rec_converters.targets.onnx._scope import Scope, given, held

if TYPE_CHECKING:
    import onnx_ir as ir

SHIFT = 128


def is_multiplied(scope: Scope, codes: ir.Value) -> bool:
    """Tell whether codes are multiplied, by a node that is still to be lowered or was before."""
    return _name(codes) in scope.graph.initializers or any(is_dialect(user, ROW_PRODUCTS) for user, _ in codes.uses())


def shifted(scope: Scope, node: ir.Node) -> ir.Value:
    """Return the codes that a node reads as uint8 with `SHIFT` added."""
    name = _name(given(node, 1))
    if name in scope.graph.initializers:
        return scope.graph.initializers[name]
    return scope.constant(name, held(node, 1).view(np.uint8) ^ np.uint8(SHIFT))


def _name(codes: ir.Value) -> str:
    return f"{codes.name}.shifted"
