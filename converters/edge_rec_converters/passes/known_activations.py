"""Fix the rounding of a layer's input to the grid that the same layer has in another graph.

Two graphs of the same weights that are to give the same numbers must round alike: ranges that were measured on one of them are
taken over by the other, layer by layer.
"""

from __future__ import annotations

__all__ = ["KnownActivations", "input_grids"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_rec_converters.dialect import INT8_LINEAR, is_dialect, text
from edge_rec_converters.passes.static_activations import fix_input, require_fixed
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import onnx_ir as ir

_Grid = tuple[float, int]


def input_grids(model: ir.Model) -> dict[str, _Grid]:
    """Return scale and zero point of the input of every ``static`` layer, by the name of its codes.

    Raises:
        ConversionError: Two layers share their weight and round differently.
    """
    found: dict[str, _Grid] = {}
    for node, codes in _layers(model, "static"):
        grid = node.attributes.get_float("x_scale"), node.attributes.get_int("x_zero_point")
        if found.setdefault(codes, grid) != grid:
            raise ConversionError(
                f"the weight of {codes!r} is used twice with different ranges, so another graph cannot take them over; "
                "convert with network=int8-dynamic"
            )
    return found


@dataclass(frozen=True, kw_only=True)
class KnownActivations:
    """Turn every ``per-token`` layer to ``static``, by the grids of another graph.

    Attributes:
        grids: Scale and zero point by the name of a layer's codes.
    """

    grids: Mapping[str, _Grid]

    def requires(self, model: ir.Model) -> None:
        """Every layer has a grid."""
        missing = [codes for _, codes in _layers(model, "per-token") if codes not in self.grids]
        if missing:
            raise ConversionError(f"no range is known for {', '.join(missing)}; convert with network=int8-dynamic")

    def run(self, model: ir.Model) -> ir.Model:
        """Return the graph with fixed input grids."""
        after = model.clone()
        for node, codes in list(_layers(after, "per-token")):
            fix_input(node, *self.grids[codes])
        return after

    def ensures(self, before: ir.Model, after: ir.Model) -> None:
        """No layer is left to find its own range."""
        require_fixed(before, after)


def _layers(model: ir.Model, activation: str) -> Iterator[tuple[ir.Node, str]]:
    """Yield the layers of a kind and the names of their codes."""
    for node in model.graph:
        if is_dialect(node, INT8_LINEAR) and text(node, "activation") == activation and node.inputs[1] is not None:
            yield node, str(node.inputs[1].name)
