"""Store the weights of dense layers as int8 codes with one scale an output channel.

One scale for the whole matrix lets a single large channel take the precision of all others. One scale a channel costs four
bytes and comes out of the integer product as a plain multiplication.
"""

from __future__ import annotations

__all__ = ["Int8Linears"]

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge_rec_converters.dialect import INT8_LINEAR, declare, int8_linear, is_dialect
from edge_rec_converters.edit import add_constant, drop_unused_constants
from edge_rec_converters.passes._contract import Chosen, everything
from edge_rec_converters.passes._sites import Site, dense_layers, put_layer, require_finite
from edge_rec_converters.row_codes import quantise_rows
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import onnx_ir as ir


@dataclass(frozen=True, kw_only=True)
class Int8Linears:
    """Rewrite MatMul, Gemm and Einsum with a constant weight, and the bias that follows, to ``Int8Linear``.

    Attributes:
        activation: How the input is rounded, see `edge_rec_converters.dialect`: ``per-token`` or ``none``.
        chosen: Tells by a weight's name whether it is rewritten.
        min_elements: Smaller weights stay fp32: their scales and extra nodes would cost more than they save.
    """

    activation: str = "per-token"
    chosen: Chosen = everything
    min_elements: int = 512

    def requires(self, model: ir.Model) -> None:
        """Every weight that is to be rounded is finite."""
        for site in self._sites(model):
            require_finite(site.name, site.weight, what="int8")

    def run(self, model: ir.Model) -> ir.Model:
        """Return the graph with its dense layers in int8."""
        if not any(self._sites(model)):
            return model
        after = model.clone()
        for site in self._sites(after):  # one by one: a layer's input may be the layer before
            codes, scales = quantise_rows(site.weight)
            held = add_constant(after.graph, codes, f"{site.name}.codes")
            factors = add_constant(after.graph, scales, f"{site.name}.scales")
            put_layer(after.graph, site, partial(int8_linear, codes=held, scales=factors, activation=self.activation))
        drop_unused_constants(after.graph)
        return declare(after)

    def ensures(self, before: ir.Model, after: ir.Model) -> None:
        """There are as many new int8 layers as there were sites."""
        layers = [node for node in after.graph if is_dialect(node, INT8_LINEAR)]
        if len(layers) - sum(is_dialect(node, INT8_LINEAR) for node in before.graph) != len(list(self._sites(before))):
            raise ConversionError("a dense layer was lost while its weights were rounded to int8; report this model")

    def _sites(self, model: ir.Model) -> Iterator[Site]:
        for site in dense_layers(model.graph):
            if site.weight.size >= self.min_elements and self.chosen(site.name):
                yield site
