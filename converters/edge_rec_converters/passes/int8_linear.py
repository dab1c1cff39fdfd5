"""Store the weights of dense layers as int8 codes with one scale an output channel.

One scale for the whole matrix lets a single large channel take the precision of all others. One scale a channel costs four
bytes and comes out of the integer product as a plain multiplication.
"""

from __future__ import annotations

__all__ = ["Int8Linears"]

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import DOMAIN, INT8_LINEAR, constant, declare, floats, is_dialect
from edge_rec_converters.edit import add_constant, drop_unused_constants, replace_nodes
from edge_rec_converters.row_codes import quantise_rows
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True)
class _Site:
    """One dense layer: the nodes that make it, its input, weight [N, K] and bias [N]."""

    nodes: tuple[ir.Node, ...]
    x: ir.Value
    name: str
    weight: NDArray[np.float32]
    bias: ir.Value | None


@dataclass(frozen=True, kw_only=True)
class Int8Linears:
    """Rewrite MatMul (+ Add) and Gemm with a constant weight to ``Int8Linear``.

    Attributes:
        activation: How the input is rounded, see `edge_rec_converters.dialect`: ``per-token`` or ``none``.
        keep: Patterns (fnmatch) of weights that stay fp32.
        min_elements: Smaller weights stay fp32: their scales and extra nodes would cost more than they save.
    """

    activation: str = "per-token"
    keep: tuple[str, ...] = ()
    min_elements: int = 512

    def requires(self, model: ir.Model) -> None:
        """Every weight that is to be rounded is finite."""
        for site in self._sites(model):
            if not np.isfinite(site.weight).all():
                raise ConversionError(
                    f"weight '{site.name}' holds NaN or infinity, and int8 codes need finite numbers; "
                    "convert a checkpoint from before training diverged"
                )

    def run(self, model: ir.Model) -> ir.Model:
        """Return the graph with its dense layers in int8."""
        after = model.clone()
        for site in self._sites(after):
            codes, scales = quantise_rows(site.weight)
            stored = [
                add_constant(after.graph, codes, f"{site.name}.codes"),
                add_constant(after.graph, scales, f"{site.name}.scales"),
            ]
            linear = ir.node(
                INT8_LINEAR,
                [site.x, *stored, *([site.bias] if site.bias is not None else [])],
                attributes={"activation": self.activation},
                domain=DOMAIN,
            )
            replace_nodes(site.nodes, [linear], linear.outputs[0])
        drop_unused_constants(after.graph)
        return declare(after)

    def ensures(self, before: ir.Model, after: ir.Model) -> None:
        """No row that held numbers became zeros, and there are as many int8 layers as there were sites."""
        layers = [node for node in after.graph if is_dialect(node, INT8_LINEAR)]
        if len(layers) - sum(is_dialect(node, INT8_LINEAR) for node in before.graph) != len(list(self._sites(before))):
            raise ConversionError("a dense layer was lost while its weights were rounded to int8; report this model")

    def _sites(self, model: ir.Model) -> Iterator[_Site]:
        for node in list(model.graph):
            site = _matmul(node) if node.op_type == "MatMul" else _gemm(node) if node.op_type == "Gemm" else None
            if site and site.weight.size >= self.min_elements and not any(fnmatchcase(site.name, p) for p in self.keep):
                yield site


def _matmul(node: ir.Node) -> _Site | None:
    x, right = node.inputs
    weight = floats(right)
    if x is None or right is None or weight is None or weight.ndim != 2:
        return None
    site = _Site((node,), x, str(right.name), weight.T, None)
    users = node.outputs[0].consumers()
    if len(users) != 1 or users[0].op_type != "Add" or node.outputs[0].is_graph_output():
        return site
    add = users[0]
    other = next((value for value in add.inputs if value is not node.outputs[0]), None)
    bias = constant(other)
    if bias is None or bias.shape != (weight.shape[1],):
        return site
    return _Site((node, add), x, str(right.name), weight.T, other)


def _gemm(node: ir.Node) -> _Site | None:
    if node.attributes.get_int("transA", 0) or node.attributes.get_float("alpha", 1.0) != 1.0:
        return None
    if node.attributes.get_float("beta", 1.0) != 1.0:
        return None
    x, right = node.inputs[:2]
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    weight = floats(right)
    if x is None or right is None or weight is None:
        return None
    rows = weight if node.attributes.get_int("transB", 0) else weight.T
    if bias is not None and ((held := constant(bias)) is None or held.shape != (rows.shape[0],)):
        return None
    return _Site((node,), x, str(right.name), rows, bias)
