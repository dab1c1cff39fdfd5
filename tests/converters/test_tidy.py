"""A lean graph computes the same, remembers where its nodes came from until it is written, and nothing else."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
from dialect_graphs import graph_of, operators, run

from edge_rec_converters.places import PLACE
from edge_rec_converters.targets.onnx import emit
from edge_rec_converters.tidy import tidy

X = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
W = np.random.default_rng(1).normal(size=(8, 8)).astype(np.float32)


def _model() -> ir.Model:
    def build(x: ir.Value, w: ir.Value) -> list[ir.Node]:
        same = ir.node("Identity", [x], name="same")
        twice = ir.node("Add", [w, w], name="of constants")
        unread = ir.node("Relu", [x], name="unread")
        product = ir.node("MatMul", [same.outputs[0], twice.outputs[0]], name="blocks/0/MatMul")
        product.metadata_props.update({PLACE: "blocks.0", "pkg.torch.onnx.stack_trace": "File somewhere"})
        return [same, twice, unread, product]

    return graph_of({"x": X}, {"w": W}, build)


def test_what_is_not_needed_goes_and_the_place_stays() -> None:
    """Constants are folded, dead and empty nodes removed, names and traces forgotten; the given graph is left as it was."""
    model = _model()
    lean = tidy(model)
    assert operators(lean) == ["MatMul"]
    assert dict(lean.graph[0].metadata_props) == {PLACE: "blocks.0"}
    assert lean.graph[0].name is None
    assert operators(model) == ["Identity", "Add", "Relu", "MatMul"]
    assert np.array_equal(run(lean, {"x": X}), run(model, {"x": X}))


def test_the_written_file_says_nothing_of_places() -> None:
    """Neither places nor paths leave the house."""
    content = emit(tidy(_model()))
    assert not [node for node in onnx.load_from_string(content).graph.node if node.metadata_props or node.name or node.doc_string]
    assert b"blocks" not in content


def test_a_final_graph_is_not_folded() -> None:
    """What is lowered keeps the operators that decode its weights."""
    assert operators(tidy(_model(), final=True)) == ["Add", "MatMul"]


def test_a_reordered_weight_is_folded_and_keeps_its_name() -> None:
    """A weight of real size that is transposed and reversed is one constant of the same name."""
    weight = np.random.default_rng(2).normal(size=(320, 256)).astype(np.float32)
    backwards = np.arange(320)[::-1].copy()

    def build(x: ir.Value, layer: ir.Value, order: ir.Value) -> list[ir.Node]:
        reversed_rows = ir.node("Gather", [layer, order])
        turned = ir.node("Transpose", [reversed_rows.outputs[0]], {"perm": [1, 0]})
        return [reversed_rows, turned, ir.node("MatMul", [x, turned.outputs[0]])]

    given = np.random.default_rng(3).normal(size=(3, 256)).astype(np.float32)
    model = graph_of({"x": given}, {"layer": weight, "order": backwards}, build)
    lean = tidy(model)
    assert operators(lean) == ["MatMul"]
    assert list(lean.graph.initializers) == ["layer"]
    assert np.allclose(run(lean, {"x": given}), given @ weight[backwards].T, rtol=1e-4, atol=1e-4)
