"""However a dense layer is written, it is found, and what takes its place computes the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir
import pytest
from dialect_graphs import graph_of, operators, run

from edge_rec_converters.dialect import BINARY_LINEAR, INT8_LINEAR, constant
from edge_rec_converters.passes import BinaryLinears, Int8Linears, Pass, StaticActivations, apply, per_token_inputs
from edge_rec_converters.places import PLACE
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

K, N = 24, 32
_RNG = np.random.default_rng(0)
# weights on the grid of int8 and of signs alike, so that rounding changes nothing and results can be compared closely
SIGNS = (_RNG.choice([-1, 1], (N, K)) * _RNG.uniform(0.1, 1, (N, 1))).astype(np.float32)
BIAS = _RNG.normal(size=N).astype(np.float32)
X2, X3 = _RNG.normal(size=(5, K)).astype(np.float32), _RNG.normal(size=(2, 3, K)).astype(np.float32)


def _op(name: str, inputs: Sequence[ir.Value], **attributes: Any) -> ir.Node:  # noqa: ANN401 - numbers and text
    return ir.node(name, inputs, attributes=attributes)


def _biased(product: ir.Node, b: ir.Value) -> list[ir.Node]:
    return [product, _op("Add", [product.outputs[0], b])]


def _turned(x: ir.Value, w: ir.Value) -> list[ir.Node]:
    turned = _op("Transpose", [w], perm=[1, 0])
    return [turned, _op("MatMul", [x, turned.outputs[0]])]


# how it is written: (input, constants, the nodes)
WRITINGS: dict[str, tuple[NDArray[np.float32], dict[str, NDArray[np.float32]], Callable[..., list[ir.Node]]]] = {
    "matmul": (X3, {"w": SIGNS.T}, lambda x, w: [_op("MatMul", [x, w])]),
    "matmul-add": (X3, {"w": SIGNS.T, "b": BIAS}, lambda x, w, b: _biased(_op("MatMul", [x, w]), b)),
    "matmul-add-row": (X3, {"w": SIGNS.T, "b": BIAS[None, None]}, lambda x, w, b: _biased(_op("MatMul", [x, w]), b)),
    "matmul-add-one": (X2, {"w": SIGNS.T, "b": BIAS[:1]}, lambda x, w, b: _biased(_op("MatMul", [x, w]), b)),
    "matmul-leading-one": (X3, {"w": SIGNS.T[None]}, lambda x, w: [_op("MatMul", [x, w])]),
    "matmul-transposed": (X3, {"w": SIGNS}, _turned),
    "matmul-left": (X3.swapaxes(1, 2).copy(), {"w": SIGNS}, lambda x, w: [_op("MatMul", [w, x])]),
    "matmul-left-2": (X2.T.copy(), {"w": SIGNS}, lambda x, w: [_op("MatMul", [w, x])]),
    "gemm": (X2, {"w": SIGNS.T, "b": BIAS}, lambda x, w, b: [_op("Gemm", [x, w, b])]),
    "gemm-transposed": (X2, {"w": SIGNS, "b": BIAS}, lambda x, w, b: [_op("Gemm", [x, w, b], transB=1)]),
    "gemm-scaled": (X2, {"w": SIGNS.T, "b": BIAS}, lambda x, w, b: [_op("Gemm", [x, w, b], alpha=0.5, beta=2.0)]),
    "gemm-add": (X2, {"w": SIGNS.T, "b": BIAS}, lambda x, w, b: _biased(_op("Gemm", [x, w]), b)),
    "einsum": (X3, {"w": SIGNS}, lambda x, w: [_op("Einsum", [x, w], equation="bld,ed->ble")]),
    "einsum-swapped": (X3, {"w": SIGNS.T}, lambda x, w: [_op("Einsum", [w, x], equation="dz,bld->blz")]),
}


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize(
    ("step", "word"),
    [
        (Int8Linears(activation="none"), INT8_LINEAR),
        (Int8Linears(), INT8_LINEAR),
        (BinaryLinears(), BINARY_LINEAR),
    ],
    ids=["int8-weights", "int8-dynamic", "binary"],
)
def test_every_writing_of_a_dense_layer(writing: str, step: Pass, word: str) -> None:
    """One node of the dialect replaces it, no fp32 matrix is left, and the results agree with fp32."""
    x, constants, build = WRITINGS[writing]
    before = graph_of({"x": x}, constants, build)
    after = apply(before, step)
    assert operators(after).count(word) == 1
    assert "w" not in after.graph.initializers
    wanted = run(before, {"x": x})
    bound = 0.02 if step == Int8Linears() else 1e-5  # per-token rounding of the input, of 24 products
    np.testing.assert_allclose(run(after, {"x": x}), wanted, atol=bound * float(np.abs(wanted).max()))


@pytest.mark.parametrize("writing", ["matmul-left", "matmul-add", "einsum"])
def test_static_grids_find_their_input(writing: str) -> None:
    """The range of a layer's input is asked for under the name that the fp32 graph has for it."""
    x, constants, build = WRITINGS[writing]
    before = graph_of({"x": x}, constants, build)
    dynamic = apply(before, Int8Linears())
    assert per_token_inputs(dynamic) == ["x"]
    after = apply(dynamic, StaticActivations(ranges={"x": (float(x.min()), float(x.max()))}))
    wanted = run(before, {"x": x})
    np.testing.assert_allclose(run(after, {"x": x}), wanted, atol=0.02 * float(np.abs(wanted).max()))


@pytest.mark.parametrize(
    ("x", "constants", "build"),
    [
        pytest.param(X2, {"w": SIGNS.T[None]}, lambda x, w: [_op("MatMul", [x, w])], id="the result gains an axis"),
        pytest.param(X2, {"w": np.stack([SIGNS.T] * 2)}, lambda x, w: [_op("MatMul", [x, w])], id="two matrices"),
        pytest.param(X2.T.copy(), {"w": SIGNS.T}, lambda x, w: [_op("Gemm", [x, w], transA=1)], id="transposed input"),
        pytest.param(X3, {"w": SIGNS[:, :3].copy()}, lambda x, w: [_op("Einsum", [x, w], equation="bld,el->bed")], id="inner"),
        pytest.param(X2, {"w": SIGNS}, lambda x, w: [_op("Einsum", [x, w], equation="bd,ed->eb")], id="moved axes"),
        pytest.param(X2, {"w": SIGNS[0]}, lambda x, w: [_op("MatMul", [x, w])], id="a vector"),
    ],
)
def test_what_is_no_dense_layer_is_left_alone(
    x: NDArray[np.float32], constants: dict[str, NDArray[np.float32]], build: Callable[..., list[ir.Node]]
) -> None:
    """A product that a dense layer does not express stays as it is: the very same graph is returned."""
    graph = graph_of({"x": x}, constants, build)
    assert apply(graph, Int8Linears(min_elements=1), BinaryLinears(min_elements=1)) is graph


def test_a_bias_that_is_also_read_elsewhere_or_widens_is_not_taken_in() -> None:
    """An Add of a whole matrix, or of a product with two readers, stays an Add."""
    matrix = _RNG.normal(size=(5, N)).astype(np.float32)
    after = apply(
        graph_of({"x": X2}, {"w": SIGNS.T, "b": matrix}, lambda x, w, b: _biased(_op("MatMul", [x, w]), b)), Int8Linears()
    )
    assert operators(after) == [INT8_LINEAR, "Add"]

    def twice(x: ir.Value, w: ir.Value, b: ir.Value) -> list[ir.Node]:
        product, added = _biased(_op("MatMul", [x, w]), b)
        return [product, added, _op("Mul", [product.outputs[0], added.outputs[0]])]

    after = apply(graph_of({"x": X2}, {"w": SIGNS.T, "b": BIAS}, twice), Int8Linears())
    assert operators(after) == [INT8_LINEAR, "Add", "Mul"]


@pytest.mark.parametrize("step", [Int8Linears(), BinaryLinears()])
def test_weights_without_numbers_are_refused_by_name(step: Pass) -> None:
    """Infinity has no code."""
    bad = graph_of({"x": X2}, {"head.weight": np.full_like(SIGNS.T, np.inf)}, _only_matmul)
    with pytest.raises(ConversionError, match=r"head\.weight"):
        apply(bad, step)


def _only_matmul(x: ir.Value, **weights: ir.Value) -> list[ir.Node]:
    return [_op("MatMul", [x, *weights.values()])]


def test_signs_are_scaled_by_the_mean_magnitude() -> None:
    """Of all scales it is the one of least squared error, and a weight of zero counts as positive."""
    weight = _RNG.normal(size=(K, N)).astype(np.float32)
    weight[0, 0] = 0
    after = apply(graph_of({"x": X2}, {"w": weight}, _only_matmul), BinaryLinears())
    scales, bits = constant(after.graph.initializers["w.scales"]), constant(after.graph.initializers["w.bits"])
    assert scales is not None
    assert bits is not None
    np.testing.assert_allclose(scales, np.abs(weight).mean(axis=0), rtol=1e-6)
    assert np.array_equal(np.unpackbits(bits, axis=1, count=K).T.astype(bool), weight >= 0)


def test_new_nodes_come_from_where_the_old_ones_came() -> None:
    """The place of origin survives a rewrite."""
    before = graph_of({"x": X2}, {"w": SIGNS.T}, _only_matmul)
    before.graph[0].metadata_props[PLACE] = "blocks.0.head"
    assert [node.metadata_props[PLACE] for node in apply(before, Int8Linears()).graph] == ["blocks.0.head"]
