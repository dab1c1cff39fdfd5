"""Graphs in the precisions that a target has, each a short chain of passes."""

from __future__ import annotations

__all__ = ["CANDIDATES", "FALLBACK", "NETWORKS", "Ingredients", "candidates", "network_graph", "require_network", "step_network"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.calibration import RANGES, output_error, ranges
from edge_rec_converters.dialect import LAYOUTS, floats
from edge_rec_converters.passes import (
    BinaryLinears,
    Fp16Constants,
    Int8Linears,
    Int8RowTables,
    KnownActivations,
    RowWiseLookups,
    StaticActivations,
    apply,
    input_grids,
    looked_up_tables,
    per_token_inputs,
)
from edge_rec_converters.plan import TABLE_PRECISIONS, Plan
from edge_rec_converters.speed import dense_layers, fastest_first
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import onnx_ir as ir
    from numpy.typing import NDArray

    from edge_rec_converters.passes import Chosen


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """What a graph in another precision is made from.

    Attributes:
        graph: The graph in fp32.
        plan: Weights that shall have a precision of their own.
        feeds: Requests to calibrate on, each the graph's inputs by name; only ``int8-static`` looks at them.
        tables: Precision of tables whose rows the graph looks up, one of `TABLE_PRECISIONS`; None goes with the network, for
            encoders, whose few tables of their own stay in eight bits where the network is binary.
        batch: How many such requests an app answers at once, such as the candidates of a ranker.
        whole: Tables whose rows are looked up and that are stored all the same as what is multiplied or added.
        grids: Scale and zero point of each ``int8-static`` layer's input, by the name of its codes; found on the feeds unless
            given.
        calibration: How ``int8-static`` finds its ranges, see `edge_rec_converters.calibration`: ``min-max``, ``percentile``,
            or ``best``, the one of both whose results on the feeds are nearer to fp32's.
    """

    graph: ir.Model
    plan: Plan
    feeds: Sequence[Mapping[str, NDArray[np.generic]]]
    tables: str | None = None
    batch: int = 1
    whole: frozenset[str] = frozenset()
    grids: Mapping[str, tuple[float, int]] | None = None
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


def step_network(network: str, ingredients: Ingredients, step: ir.Model, encoder: ir.Model) -> ir.Model:
    """Return a step graph in a precision, every weight as its encoder has it, so that both give the same numbers.

    Args:
        network: The precision.
        ingredients: What the encoder was made from.
        step: The step graph in fp32, its weights named as the encoder's.
        encoder: The encoder in the precision.

    Raises:
        ConversionError: A layer of the step graph rounds its input by a range that the encoder does not know.
    """
    whole = looked_up_tables(step) - looked_up_tables(ingredients.graph)
    return _rewritten(network, replace(ingredients, graph=step, whole=whole, grids=input_grids(encoder)))


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
    """Return the networks that a word of the precision grammar stands for, the fastest first.

    A graph without a weight that the word would change, such as matrix factorisation, stays fp32.
    """
    if network not in {"int8", "fp16"}:
        return (network,)
    kept = Plan(tuple(rule for rule in ingredients.plan.rules if rule[1] == "fp32"))
    trial = replace(ingredients, plan=kept, tables=ingredients.tables and "fp32")
    word = "int8-weights" if network == "int8" else network
    if _rewritten(word, trial) is ingredients.graph:
        return ("fp32",)
    if network == "fp16" or len(CANDIDATES[target]) == 1:
        return CANDIDATES[target] if network == "int8" else (network,)
    planned = Plan(tuple((pattern, "fp32") for pattern, _ in ingredients.plan.rules))  # is the same in every candidate
    decided = _rewritten("int8-dynamic", replace(trial, plan=planned))
    layers = dense_layers(ingredients.graph, decided, ingredients.feeds, batch=ingredients.batch)
    return fastest_first(CANDIDATES[target], layers) if layers else (FALLBACK,)


def _rewritten(network: str, ingredients: Ingredients) -> ir.Model:
    """Return the graph with every weight in the precision that is planned for it; the given one if none changes."""
    weights = _Weights.of(network, ingredients)
    graph = apply(
        ingredients.graph,
        *(RowWiseLookups(layout=layout, chosen=weights.tables(layout)) for layout in LAYOUTS),
        BinaryLinears(chosen=weights.layers("binary")),
        Int8Linears(activation="per-token", chosen=weights.layers("int8-static")),
    )
    if inputs := per_token_inputs(graph):
        grids = ingredients.grids
        graph = _static(graph, inputs, ingredients) if grids is None else apply(graph, KnownActivations(grids=grids))
    return apply(
        graph,
        Int8Linears(activation="per-token", chosen=weights.layers("int8-dynamic")),
        Int8Linears(activation="none", chosen=weights.layers("int8-weights")),
        Int8RowTables(chosen=weights.left_to_int8),
        Fp16Constants(chosen=weights.left_to_half),
    )


@dataclass(frozen=True, kw_only=True)
class _Weights:
    """Which pass takes which constant of the fp32 graph; what passes add is taken by none.

    Attributes:
        layer: Constant -> its precision, of all that no look-up reads.
        table: Constant -> its precision, of tables whose rows are looked up.
        masks: Constants that hold infinities, of either kind.
    """

    layer: Mapping[str, str]
    table: Mapping[str, str]
    masks: frozenset[str]

    @classmethod
    def of(cls, network: str, ingredients: Ingredients) -> _Weights:
        """Read the plan, constant by constant."""
        plan, tables = ingredients.plan, ingredients.tables or _TABLES[network]
        held = {
            name: array for name, value in ingredients.graph.graph.initializers.items() if (array := floats(value)) is not None
        }
        lookups = looked_up_tables(ingredients.graph) - ingredients.whole
        return cls(
            layer={name: plan.layer(name, network) for name in held if name not in lookups},
            table={name: plan.table(name, tables) for name in held if name in lookups},
            masks=frozenset(name for name, array in held.items() if np.isinf(array).any()),
        )

    def layers(self, precision: str) -> Chosen:
        """Choose what is multiplied in a precision."""
        return lambda name: self.layer.get(name) == precision

    def tables(self, layout: str) -> Chosen:
        """Choose the tables of a layout."""
        return lambda name: self.table.get(name) == layout

    def left_to_int8(self, name: str) -> bool:
        """Choose what finer passes left: positions, recurrences, tables with too few rows for a layout of their own."""
        return self.layer.get(name, "fp32") not in {"fp32", "fp16"} or self.table.get(name) in LAYOUTS

    def left_to_half(self, name: str) -> bool:
        """Choose what shall be fp16, and what codes do not suit: masks, and tables that are too narrow for a scale a row."""
        if self.layer.get(name) == "fp16" or self.table.get(name, "fp32") != "fp32":
            return True
        return name in self.masks and self.layer.get(name, "fp32") != "fp32"


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

# Which networks ``int8`` may become. TFLite's dynamic form answers one request faster than its float one, in all models measured.
CANDIDATES: dict[str, tuple[str, ...]] = {
    "onnx": ("int8-static", "int8-dynamic", "int8-weights"),
    "tflite": ("int8-dynamic",),
}

# What ``int8`` becomes where every candidate fails its gate, or no layer could multiply integers: no input is rounded.
FALLBACK = "int8-weights"
