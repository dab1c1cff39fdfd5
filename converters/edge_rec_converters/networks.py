"""Graphs in the precisions that a target has, each a short chain of passes."""

from __future__ import annotations

__all__ = ["CANDIDATES", "FALLBACK", "NETWORKS", "Ingredients", "candidates", "network_graph", "require_network"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_rec_converters.calibration import RANGES, output_error, ranges
from edge_rec_converters.dialect import floats
from edge_rec_converters.passes import (
    BinaryLinears,
    Fp16Constants,
    Int8Linears,
    Int8RowTables,
    RowWiseLookups,
    StaticActivations,
    apply,
    looked_up_tables,
    per_token_inputs,
)
from edge_rec_converters.plan import TABLE_PRECISIONS, Plan
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import onnx_ir as ir
    from numpy.typing import NDArray

    from edge_rec_converters.passes import Chosen, Pass


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """What a graph in another precision is made from.

    Attributes:
        graph: The graph in fp32.
        plan: Weights that shall have a precision of their own.
        feeds: Requests to calibrate on, each the graph's inputs by name; only ``int8-static`` looks at them.
        tables: Precision of tables whose rows the graph looks up, one of `TABLE_PRECISIONS`; None goes with the network, for
            encoders, whose few tables of their own stay in eight bits where the network is binary.
        calibration: How ``int8-static`` finds its ranges, see `edge_rec_converters.calibration`: ``min-max``, ``percentile``,
            or ``best``, the one of both whose results on the feeds are nearer to fp32's.
    """

    graph: ir.Model
    plan: Plan
    feeds: Sequence[Mapping[str, NDArray[np.generic]]]
    tables: str | None = None
    calibration: str = "best"

    def __post_init__(self) -> None:
        """Refuse words that are not known."""
        if self.tables not in {None, *TABLE_PRECISIONS}:
            raise ConversionError(f"tables cannot be {self.tables!r}; use one of {', '.join(TABLE_PRECISIONS)}")
        if self.calibration not in {"best", *RANGES}:
            raise ConversionError(f"calibration {self.calibration!r} is not known; use one of best, {', '.join(RANGES)}")


def network_graph(target: str, network: str, ingredients: Ingredients) -> ir.Model:
    """Return the graph in a precision.

    Raises:
        ConversionError: The target does not have this precision, a pattern of the plan matches no weight, or nothing in the
            graph can be stored in it.
    """
    require_network(target, network, ingredients.plan)
    before = ingredients.graph
    ingredients.plan.require_known(name for name, value in before.graph.initializers.items() if floats(value) is not None)
    after = _rewritten(network, ingredients)
    if network != "fp32" and after is before:
        raise ConversionError(
            f"network={network}: the graph has no weight to store so, all are small or stay float; use network=fp32"
        )
    return after


def require_network(target: str, network: str, plan: Plan | None = None) -> None:
    """Check that a target has a precision, and those of a plan, before any work is done.

    Raises:
        ConversionError: It does not, or there is no such target.
    """
    if target not in CANDIDATES:
        raise ConversionError(f"target {target!r} is not known; use one of {', '.join(CANDIDATES)}")
    for word in (network, *(precision for _, precision in (plan.rules if plan else ()))):
        if word != "int8" and (target, word) not in NETWORKS:
            known = ", ".join(name for where, name in NETWORKS if where == target)
            raise ConversionError(f"network={word} has no {target} form; use one of int8, {known}")


def candidates(target: str, network: str, ingredients: Ingredients) -> tuple[str, ...]:
    """Return the networks that a word of the precision grammar stands for, in the order in which they are taken.

    A graph without a weight that the word would change, such as matrix factorisation, stays fp32.
    """
    if network not in {"int8", "fp16"}:
        return (network,)
    trial = replace(ingredients, plan=Plan(tuple(rule for rule in ingredients.plan.rules if rule[1] == "fp32")), tables="fp32")
    word = "int8-weights" if network == "int8" else network
    if _rewritten(word, trial) is ingredients.graph:
        return ("fp32",)
    return CANDIDATES[target] if network == "int8" else (network,)


def _rewritten(network: str, ingredients: Ingredients) -> ir.Model:
    """Return the graph with every weight in the precision that is planned for it; the given one if none changes."""
    plan, graph = ingredients.plan, ingredients.graph
    lookups, tables = looked_up_tables(graph), ingredients.tables or _TABLES[network]

    def layer(*precisions: str) -> Chosen:
        return lambda name: name not in lookups and plan.layer(name, network) in precisions

    def table(*precisions: str) -> Chosen:
        return lambda name: name in lookups and plan.table(name, tables) in precisions

    coded = table("int8", "int4", "binary")
    rows = layer("int8-static", "int8-dynamic", "int8-weights", "binary")
    half, in_table = layer("fp16"), table("fp16", "int8", "int4", "binary")
    steps: list[Pass] = [RowWiseLookups(layout=layout, chosen=table(layout)) for layout in ("int8", "int4", "binary")]
    steps += [
        BinaryLinears(chosen=layer("binary")),
        Int8Linears(activation="per-token", chosen=layer("int8-static")),
    ]
    graph = apply(graph, *steps)
    if inputs := per_token_inputs(graph):
        graph = _static(graph, inputs, ingredients)
    return apply(
        graph,
        Int8Linears(activation="per-token", chosen=layer("int8-dynamic")),
        Int8Linears(activation="none", chosen=layer("int8-weights")),
        Int8RowTables(chosen=lambda name: rows(name) or coded(name)),
        Fp16Constants(chosen=lambda name: half(name) or in_table(name)),
    )


def _static(graph: ir.Model, inputs: Sequence[str], ingredients: Ingredients) -> ir.Model:
    """Fix the ranges of all ``per-token`` layers, by the method that is asked for or the better one."""
    methods = tuple(RANGES) if ingredients.calibration == "best" else (ingredients.calibration,)
    made = [
        apply(graph, StaticActivations(ranges=ranges(ingredients.graph, inputs, ingredients.feeds, method=method)))
        for method in methods
    ]
    if len(made) == 1:
        return made[0]
    return min(made, key=lambda one: output_error(ingredients.graph, one, ingredients.feeds))


# What tables are in where only the network's precision is given.
_TABLES = {
    "fp32": "fp32",
    "fp16": "fp16",
    "int8-static": "int8",
    "int8-dynamic": "int8",
    "int8-weights": "int8",
    "binary": "int8",
}

# LiteRT's integer layers need the range of their results as well, which the dialect leaves in float: no static for tflite.
NETWORKS: tuple[tuple[str, str], ...] = (
    ("onnx", "fp32"),
    ("onnx", "fp16"),
    ("onnx", "int8-static"),
    ("onnx", "int8-dynamic"),
    ("onnx", "int8-weights"),
    ("onnx", "binary"),
    ("tflite", "fp32"),
    ("tflite", "fp16"),
    ("tflite", "int8-dynamic"),
    ("tflite", "int8-weights"),
    ("tflite", "binary"),
)

# Which networks ``int8`` may become, in the order in which they are taken when verification finds them alike: the faster
# first, as measured (static needs no pass over its input to find a scale).
CANDIDATES: dict[str, tuple[str, ...]] = {
    "onnx": ("int8-static", "int8-dynamic"),
    "tflite": ("int8-dynamic",),
}

# What ``int8`` becomes where every candidate fails its gate: as small, and slower, but no input is rounded.
FALLBACK = "int8-weights"
