"""Store the weights of dense layers as their signs, with one scale an output channel.

A bit a weight is a thirty-second of fp32. What is lost is large, so it suits wide layers and models that were trained for it;
the scale that brings a row of signs nearest to the row of weights is the mean of their magnitudes (Rastegari et al., XNOR-Net,
ECCV 2016). Inputs stay float.
"""

from __future__ import annotations

__all__ = ["BinaryLinears"]

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge_rec_converters.dialect import BINARY_LINEAR, binary_linear, declare, is_dialect
from edge_rec_converters.edit import add_constant, drop_unused_constants
from edge_rec_converters.passes._contract import Chosen, everything
from edge_rec_converters.passes._sites import Site, dense_layers, put_layer, require_finite
from edge_rec_converters.row_codes import quantise_binary
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import onnx_ir as ir


@dataclass(frozen=True, kw_only=True)
class BinaryLinears:
    """Rewrite MatMul, Gemm and Einsum with a constant weight, and the bias that follows, to ``BinaryLinear``.

    Attributes:
        chosen: Tells by a weight's name whether it is rewritten.
        min_elements: Smaller weights are left alone: their scales would cost more than they save.
    """

    chosen: Chosen = everything
    min_elements: int = 512

    def requires(self, model: ir.Model) -> None:
        """Every weight that is to be rounded is finite."""
        for site in self._sites(model):
            require_finite(site.name, site.weight, what="a binary code")

    def run(self, model: ir.Model) -> ir.Model:
        """Return the graph with its dense layers in one bit a weight."""
        if not any(self._sites(model)):
            return model
        after = model.clone()
        for site in self._sites(after):  # one by one: a layer's input may be the layer before
            bits, scales, _ = quantise_binary(site.weight, centred=False)
            held = add_constant(after.graph, bits, f"{site.name}.bits")
            factors = add_constant(after.graph, scales, f"{site.name}.scales")
            put_layer(after.graph, site, partial(binary_linear, bits=held, scales=factors, width=site.weight.shape[1]))
        drop_unused_constants(after.graph)
        return declare(after)

    def ensures(self, before: ir.Model, after: ir.Model) -> None:
        """There are as many new binary layers as there were sites."""
        layers = [node for node in after.graph if is_dialect(node, BINARY_LINEAR)]
        if len(layers) - sum(is_dialect(node, BINARY_LINEAR) for node in before.graph) != len(list(self._sites(before))):
            raise ConversionError("a dense layer was lost while its weights were rounded to signs; report this model")

    def _sites(self, model: ir.Model) -> Iterator[Site]:
        for site in dense_layers(model.graph):
            if site.weight.size >= self.min_elements and self.chosen(site.name):
                yield site
