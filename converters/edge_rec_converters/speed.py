"""Which int8 form of a network answers first, told from its dense layers and not from a clock.

A conversion gives the same bytes on every machine, so its choices cannot hang on how long something took on this one. Integer
products save a part of every multiply-add, and cost the rounding of each row that comes in and the scaling of each that goes
out: they pay where layers are wide or rows are many, and are slower than float where both are small. Weights that are decoded
when the engine loads take as long as fp32's, and as much memory.
"""

from __future__ import annotations

__all__ = ["COSTS", "Cost", "DenseLayer", "dense_layers", "fastest_first"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_rec_converters.calibration import sizes
from edge_rec_converters.dialect import INT8_LINEAR, constant, is_dialect
from edge_rec_converters.passes import before_transposes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    import onnx_ir as ir
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class DenseLayer:
    """One dense layer of a network as one request sees it.

    Attributes:
        rows: How many rows it multiplies, such as events of a history or candidates to rank.
        wide: Numbers in a row that comes in.
        out: Numbers in a row that goes out.
    """

    rows: float
    wide: int
    out: int


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What integer products take beyond float ones, in nanoseconds; less than 0 is time that is saved.

    Attributes:
        layer: For a layer, whatever its size: the nodes around the product.
        number: For each number of a row that is rounded on its way in or scaled on its way out.
        weight: For each weight, once a request: a quarter of the bytes is read.
        product: For each multiply-add.
    """

    layer: float
    number: float
    weight: float
    product: float

    def of(self, layer: DenseLayer) -> float:
        """Return the nanoseconds that a layer takes beyond fp32."""
        weights = layer.wide * layer.out
        return self.layer + self.weight * weights + layer.rows * (self.number * (layer.wide + layer.out) + self.product * weights)


# Network of ONNX Runtime -> its cost beside fp32; of these numbers only the proportions count. Fitted to layers of 32 to 512
# numbers and 1 to 200 rows on a processor with AVX-512 VNNI, see ``python benchmarks/onnx_forms.py``: static layers break even
# at some 256 numbers for 1 row, 192 for 16 and 128 for 100. Without such instructions float stays ahead for longer.
COSTS: dict[str, Cost] = {
    "int8-static": Cost(layer=2000, number=0.65, weight=-0.025, product=-0.011),
    "int8-dynamic": Cost(layer=5200, number=1.5, weight=-0.025, product=-0.011),
    "int8-weights": Cost(layer=0, number=0, weight=0, product=0),
}


def dense_layers(
    graph: ir.Model, decided: ir.Model, feeds: Sequence[Mapping[str, NDArray[np.generic]]], *, batch: int
) -> list[DenseLayer]:
    """Return the dense layers whose weights become int8, with as many rows as requests have in the mean.

    Args:
        graph: The graph in fp32.
        decided: The same graph, where these layers are words of the dialect.
        feeds: Requests, each the graph's inputs by name.
        batch: How many such requests an app answers at once.
    """
    found = [
        (before_transposes(node.inputs[0]), codes.shape)
        for node in decided.graph
        if is_dialect(node, INT8_LINEAR) and node.inputs[0] is not None and (codes := constant(node.inputs[1])) is not None
    ]
    numbers = sizes(graph, list(dict.fromkeys(name for name, _ in found)), feeds)
    return [DenseLayer(rows=batch * numbers[name] / wide, wide=wide, out=out) for name, (out, wide) in found]


def fastest_first(networks: Iterable[str], layers: Sequence[DenseLayer]) -> tuple[str, ...]:
    """Return networks in the order of what they cost over all layers; those that cost the same keep theirs."""
    return tuple(sorted(networks, key=lambda network: sum(COSTS[network].of(layer) for layer in layers)))
