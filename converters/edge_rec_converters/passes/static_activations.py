"""Fix the rounding of a layer's input to the range it had on real histories.

A range known beforehand spares the device from finding it at every call. What is outside of it is clipped, so the ranges
must come from histories like those the device will see.
"""

from __future__ import annotations

__all__ = ["StaticActivations", "before_transposes", "fix_input", "per_token_inputs", "require_fixed"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import onnx_ir as ir

from edge_rec_converters.dialect import INT8_LINEAR, is_dialect, text
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class StaticActivations:
    """Turn every ``per-token`` layer to ``static``.

    Attributes:
        ranges: Smallest and largest number met, by the name of the layer's input.
    """

    ranges: Mapping[str, tuple[float, float]]

    def requires(self, model: ir.Model) -> None:
        """Every layer's input has a range."""
        missing = [name for name in per_token_inputs(model) if name not in self.ranges]
        if missing:
            raise ConversionError(f"no range was measured for {', '.join(missing)}; calibrate on the graph that is converted")

    def run(self, model: ir.Model) -> ir.Model:
        """Return the graph with fixed input grids."""
        after = model.clone()
        for node in after.graph:
            if is_dialect(node, INT8_LINEAR) and text(node, "activation") == "per-token" and node.inputs[0] is not None:
                fix_input(node, *_grid(*self.ranges[before_transposes(node.inputs[0])]))
        return after

    def ensures(self, before: ir.Model, after: ir.Model) -> None:
        """No layer is left to find its own range."""
        require_fixed(before, after)


def fix_input(node: ir.Node, scale: float, zero_point: int) -> None:
    """Give a layer's input a grid that does not depend on the input."""
    node.attributes["activation"] = ir.AttrString("activation", "static")
    node.attributes["x_scale"] = ir.AttrFloat32("x_scale", scale)
    node.attributes["x_zero_point"] = ir.AttrInt64("x_zero_point", zero_point)


def require_fixed(before: ir.Model, after: ir.Model) -> None:
    """Raise ConversionError if a layer is left to find its own range."""
    if left := per_token_inputs(after):
        raise ConversionError(f"{len(left)} of {len(per_token_inputs(before))} layers kept per-token rounding")


def per_token_inputs(model: ir.Model) -> list[str]:
    """Return the names of the inputs of per-token layers, each once, as they are called before any Transpose."""
    layers = (node for node in model.graph if is_dialect(node, INT8_LINEAR) and text(node, "activation") == "per-token")
    return list(dict.fromkeys(before_transposes(node.inputs[0]) for node in layers if node.inputs[0] is not None))


def before_transposes(value: ir.Value) -> str:
    """Return the name of a layer's input before it was transposed, which a pass may have done and which moves no number."""
    made = value.producer()
    while made is not None and made.op_type == "Transpose" and made.inputs[0] is not None:
        value = made.inputs[0]
        made = value.producer()
    return str(value.name)


def _grid(low: float, high: float) -> tuple[float, int]:
    """Return scale and zero point of the uint8 grid over [low, high], in which 0 is exact."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255 or 1.0
    return scale, round(-low / scale)
