"""Half precision: half the bytes, the same operators, and no number that has no half."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from dialect_graphs import graph_of, operators, run

from edge_rec_converters.passes import Fp16Constants, apply
from edge_rec_converters.session import open_session
from edge_rec_converters.targets.onnx import emit
from edge_rec_runtime.errors import ConversionError

_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(3, 16)).astype(np.float32)
WEIGHT = _RNG.normal(size=(16, 24)).astype(np.float32)


def _matmul(x: ir.Value, w: ir.Value) -> list[ir.Node]:
    return [ir.node("MatMul", [x, w])]


def test_constants_are_rounded_once_and_computed_in_float() -> None:
    """The result is that of the rounded weights, to the bit."""
    after = apply(graph_of({"x": X}, {"w": WEIGHT}, _matmul), Fp16Constants())
    assert operators(after) == ["Cast", "MatMul"]
    rounded = graph_of({"x": X}, {"w": WEIGHT.astype(np.float16).astype(np.float32)}, _matmul)
    assert np.array_equal(run(after, {"x": X}), run(rounded, {"x": X}))
    assert len(emit(after)) < len(emit(rounded)) - WEIGHT.nbytes // 2 + 200


def test_masks_keep_their_infinities_and_large_numbers_stay_fp32() -> None:
    """Minus infinity has a half-precision form; 1e6 has none, and becoming infinite would be silent."""
    mask = np.triu(np.full((16, 16), -np.inf, np.float32), 1)
    after = apply(graph_of({"x": X}, {"w": mask}, lambda x, w: [ir.node("Add", [x, w])]), Fp16Constants())
    assert operators(after) == ["Cast", "Add"]
    square = _RNG.normal(size=(16, 16)).astype(np.float32)
    assert np.array_equal(run(after, {"x": square}), square + mask)
    large = graph_of({"x": X}, {"w": WEIGHT * np.float32(1e6)}, _matmul)
    assert apply(large, Fp16Constants()) is large


def test_few_numbers_and_what_is_not_chosen_stay() -> None:
    """A bias of 24 is not worth a Cast."""
    small = graph_of({"x": X}, {"w": WEIGHT[:, :4].copy()}, _matmul)
    assert apply(small, Fp16Constants()) is small
    graph = graph_of({"x": X}, {"w": WEIGHT}, _matmul)
    assert apply(graph, Fp16Constants(chosen=lambda name: name != "w")) is graph


def test_nan_is_refused_by_name() -> None:
    """A diverged checkpoint is not hidden."""
    with pytest.raises(ConversionError, match="'w' holds NaN"):
        apply(graph_of({"x": X}, {"w": np.full_like(WEIGHT, np.nan)}, _matmul), Fp16Constants())


def test_looked_up_rows_are_cast_behind_the_look_up() -> None:
    """The engine holds the table in half precision, and gives the rounded rows."""
    ids = np.array([[0, 15], [7, 7]], np.int32)
    graph = graph_of({"x": ids}, {"w": WEIGHT}, lambda x, w: [ir.node("Gather", [w, x])])
    after = apply(graph, Fp16Constants())
    content = emit(after)
    assert [node.op_type for node in onnx.load_from_string(content).graph.node] == ["Gather", "Cast"]
    found = open_session(content).run(None, {"x": ids})[0]
    assert np.array_equal(found, WEIGHT.astype(np.float16)[ids].astype(np.float32))
