"""What the ONNX target is said to run, ONNX Runtime runs; what it does not run is refused by name and place."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from dialect_graphs import graph_of
from onnx import defs
from onnxruntime.capi import onnxruntime_pybind11_state as engine

from edge_rec_converters.dialect import BINARY_LINEAR, INT8_LINEAR, INT8_ROWS, ROW_LOOKUP, ROW_PRODUCTS
from edge_rec_converters.dialect_reference import REFERENCE
from edge_rec_converters.places import PLACE
from edge_rec_converters.targets.onnx import LOWERINGS, OPERATORS, check
from edge_rec_runtime.errors import ConversionError

X = np.zeros((2, 3), np.float32)


def test_every_operator_has_a_kernel_or_is_made_of_those_that_have() -> None:
    """Against the engine's own list of kernels, and the standard's list of operators that are functions of others."""
    kernels = {one.op_name for one in engine.get_all_opkernel_def() if one.provider == "CPUExecutionProvider" and not one.domain}
    functions = {
        one.name for one in defs.get_all_schemas() if not one.domain and (one.has_function or one.has_context_dependent_function)
    }
    assert OPERATORS - kernels - functions == {"Constant"}


def test_every_word_of_the_dialect_has_a_lowering_and_a_reference() -> None:
    """None is forgotten."""
    words = {INT8_LINEAR, INT8_ROWS, ROW_LOOKUP, ROW_PRODUCTS, BINARY_LINEAR}
    assert set(LOWERINGS) == words
    assert set(REFERENCE) == words


def test_unknown_operators_are_named_with_their_place() -> None:
    """All of them at once, of other domains and of random numbers alike."""

    def build(x: ir.Value) -> list[ir.Node]:
        first = ir.node("Fancy", [x], domain="acme")
        first.metadata_props[PLACE] = "blocks.0.attention"
        return [first, ir.node("Bernoulli", first.outputs, name="drop"), ir.node("Relu", [x])]

    with pytest.raises(ConversionError, match=r"2 operators.*acme::Fancy at blocks\.0\.attention; Bernoulli at drop") as caught:
        check(graph_of({"x": X}, {}, build))
    assert "on the host" in str(caught.value)


def test_operators_inside_of_loops_are_looked_at() -> None:
    """A branch is part of the graph."""
    inner = ir.node("StringNormalizer", [], name="within")
    branch = ir.Graph([], inner.outputs, nodes=[inner], name="branch")

    def build(x: ir.Value) -> list[ir.Node]:
        return [ir.node("If", [x], attributes={"then_branch": branch})]

    with pytest.raises(ConversionError, match="StringNormalizer at within"):
        check(graph_of({"x": X}, {}, build))


def test_what_is_known_passes() -> None:
    """The dialect's own words too."""
    check(graph_of({"x": X}, {}, lambda x: [ir.node("Relu", [x])]))
