"""ONNX: the dialect lowered to standard operators, the same bytes each time."""

from __future__ import annotations

__all__ = ["LOWERINGS", "OPERATORS", "check", "emit", "emit_with_step", "lower"]

from edge_rec_converters.targets.onnx._emit import LOWERINGS, emit, lower
from edge_rec_converters.targets.onnx._operators import OPERATORS, check
from edge_rec_converters.targets.onnx._step import emit_with_step
