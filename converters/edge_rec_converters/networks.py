"""Encoders in the precisions that a target has, each a short chain of passes."""

from __future__ import annotations

__all__ = ["CANDIDATES", "NETWORKS", "Ingredients", "candidates", "network_graph", "require_network"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_rec_converters.calibration import ranges
from edge_rec_converters.dialect import is_dialect
from edge_rec_converters.passes import Int8Linears, Int8RowTables, StaticActivations, apply
from edge_rec_converters.passes.static_activations import per_token_inputs
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import onnx_ir as ir
    from numpy.typing import NDArray

    from edge_rec_converters.windows import Windows


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """What an encoder in another precision is made from.

    Attributes:
        graph: The encoder in fp32.
        keep: Patterns of weights that stay fp32.
        users: Histories to calibrate on.
        vectors: [items, dims] the vectors that the device will feed.
    """

    graph: ir.Model
    keep: tuple[str, ...]
    users: Windows
    vectors: NDArray[np.float32]


def network_graph(target: str, network: str, ingredients: Ingredients) -> ir.Model:
    """Return the encoder in a precision.

    Raises:
        ConversionError: The target does not have this precision.
    """
    require_network(target, network)
    graph = NETWORKS[target, network](ingredients)
    if network != "fp32" and not has_int8(graph):
        raise ConversionError(
            f"network={network}: the encoder has no weight to store as int8, all are small or stay float; use network=fp32"
        )
    return graph


def require_network(target: str, network: str) -> None:
    """Check that a target has a precision, before any work is done.

    Raises:
        ConversionError: It does not, or there is no such target.
    """
    if target not in CANDIDATES:
        raise ConversionError(f"target {target!r} is not known; use one of {', '.join(CANDIDATES)}")
    if network != "int8" and (target, network) not in NETWORKS:
        known = ", ".join(name for where, name in NETWORKS if where == target)
        raise ConversionError(f"network={network} has no {target} form; use one of int8, {known}")


def candidates(target: str, network: str, ingredients: Ingredients) -> tuple[str, ...]:
    """Return the networks that a word of the precision grammar stands for, in the order in which they are taken."""
    if network != "int8":
        return (network,)
    return CANDIDATES[target] if has_int8(_weights(ingredients)) else ("fp32",)


def has_int8(graph: ir.Model) -> bool:
    """Tell whether any part of a graph is int8."""
    return any(is_dialect(node) for node in graph.graph)


def _fp32(ingredients: Ingredients) -> ir.Model:
    return ingredients.graph


def _dynamic(ingredients: Ingredients) -> ir.Model:
    keep = ingredients.keep
    return apply(ingredients.graph, Int8Linears(keep=keep), Int8RowTables(keep=keep))


def _static(ingredients: Ingredients) -> ir.Model:
    dynamic = _dynamic(ingredients)
    measured = ranges(ingredients.graph, per_token_inputs(dynamic), ingredients.users, ingredients.vectors)
    return apply(dynamic, StaticActivations(ranges=measured))


def _weights(ingredients: Ingredients) -> ir.Model:
    keep = ingredients.keep
    return apply(ingredients.graph, Int8Linears(activation="none", keep=keep), Int8RowTables(keep=keep))


# LiteRT's integer layers need the range of their results as well, which the dialect leaves in float: no static for tflite.
NETWORKS: dict[tuple[str, str], Callable[[Ingredients], ir.Model]] = {
    ("onnx", "fp32"): _fp32,
    ("onnx", "int8-dynamic"): _dynamic,
    ("onnx", "int8-static"): _static,
    ("onnx", "int8-weights"): _weights,
    ("tflite", "fp32"): _fp32,
    ("tflite", "int8-dynamic"): _dynamic,
    ("tflite", "int8-weights"): _weights,
}

# Which networks ``int8`` may become, in the order in which they are taken when verification finds them alike: the faster
# first, as measured (static needs no pass over its input to find a scale).
CANDIDATES: dict[str, tuple[str, ...]] = {
    "onnx": ("int8-static", "int8-dynamic"),
    "tflite": ("int8-dynamic",),
}
