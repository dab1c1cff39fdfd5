"""Graphs that cannot be written: one clear sentence each, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir
import pytest
from tflite_files import graph

from edge_rec_converters.targets.tflite import check, emit
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

EDGES: dict[str, tuple[str, dict[str, NDArray[np.generic]], str]] = {
    "a shape out of data": (
        "i = Cast<to = 7>(m) f = Reshape(i, n) y = Expand(x, f)",
        {"n": np.array([-1])},
        "depends on what is in",
    ),
    "bounds out of data": ("i = Cast<to = 7>(m) f = Reshape(i, n) y = Slice(x, f, f)", {"n": np.array([-1])}, "bounds depend"),
    "a cast to float64": ("y = Cast<to = 11>(x)", {}, "DOUBLE"),
    "a float64 weight": ("y = Add(x, w)", {"w": np.ones(6)}, "float64"),
    "an integer beyond 32 bits": ("i = Cast<to = 7>(x) j = Add(i, w) y = Cast<to = 1>(j)", {"w": np.array([2**40])}, "32 bits"),
    "shapes that do not fit": ("y = Add(x, w)", {"w": np.ones((5,), np.float32)}, "do not broadcast"),
    "inner sizes that differ": ("y = MatMul(x, w)", {"w": np.ones((5, 2), np.float32)}, "inner sizes 6 and 5"),
    "an axis too far": ("y = Concat<axis = 3>(x, x)", {}, "axis 3"),
    "an uneven reshape": ("y = Reshape(x, s)", {"s": np.array([-1, 5])}, "does not divide"),
    "a missing input": ("y = Slice(x, s)", {"s": np.array([0])}, "input 2 is missing"),
    "reflection": ('y = Pad<mode = "reflect">(m, p)', {"p": np.array([0, 1, 0, 1])}, "constant"),
    "another ellipsis": ('y = Einsum<equation = "bl...,...->bl">(x, x)', {}, "same axes"),
    "a batch norm that trains": (
        "y = BatchNormalization<training_mode = 1>(x, s, s, s, s)",
        {"s": np.ones(6, np.float32)},
        "eval",
    ),
    "dropout that drops": ("y = Dropout(x, r, t)", {"r": np.ones((), np.float32), "t": np.array([True])}, "eval"),
    "a maximum of what meets": (
        'i = Cast<to = 7>(m) u = Unsqueeze(i, a) y = ScatterElements<axis = 2, reduction = "max">(x, u, x)',
        {"a": np.array([2])},
        "reduction='max'",
    ),
    "grouped labels": ('y = Einsum<equation = "bll->bl">(x)', {}, "each label once"),
    "a branch on a size": (
        "s = Shape<start = 1, end = 2>(x) e = Equal(s, t) z = Where(e, s, t) y = Reshape(x, z)",
        {"t": np.array([5])},
        "depends on the input",
    ),
}


@pytest.mark.parametrize(("text", "weights", "said"), EDGES.values(), ids=EDGES)
def test_what_tflite_cannot_say_is_named(text: str, weights: dict[str, NDArray[np.generic]], said: str) -> None:
    """The message says what is wrong, at the node where it is."""
    with pytest.raises(ConversionError, match=said):
        emit(graph(text, **weights))


def test_unknown_operators_are_all_named_before_any_work() -> None:
    """Operator, place in the model, and what to do, for each of them at once; the check alone says the same."""
    model = graph("a = Det(x) b = LoopOfMine(a) y = NonZero(b)")
    model.graph[0].metadata_props["place"] = "body.layer"
    for refuse in (emit, check):
        with pytest.raises(ConversionError) as caught:
            refuse(model)
        said = str(caught.value)
        assert all(word in said for word in ("Det at 'body.layer'", "LoopOfMine", "NonZero at 'y'", "3 operators", "mask"))


def test_the_check_finds_what_a_known_operator_does_not_do() -> None:
    """Not only names: a form that cannot be written is refused with its place before any other work."""
    model = graph("i = Cast<to = 7>(m) k = ReduceMax<keepdims = 0>(i) q = Reshape(k, n) y, p = TopK(x, q)", n=np.array([1]))
    model.graph[-1].metadata_props["place"] = "head.best"
    with pytest.raises(ConversionError, match=r"TopK at 'head\.best'.*make it a constant"):
        check(model)
    check(graph("y = Abs(x)"))


def test_a_weight_without_data_is_named() -> None:
    """A file whose external data was left behind is not written half."""
    model = graph("y = Add(x, w)", w=np.ones(6, np.float32))
    model.graph.initializers["w"].const_value = None
    with pytest.raises(ConversionError, match="'w' has no data"):
        emit(model)


def test_a_value_that_nothing_computes_is_named() -> None:
    """A dangling name in a hostile file is an error, not a crash."""
    with pytest.raises(ConversionError, match="'ghost'"):
        emit(graph("y = Add(x, ghost)"))


def test_an_output_that_nothing_computes_is_named() -> None:
    """The same for the graph's output."""
    with pytest.raises(ConversionError, match="'y'"):
        emit(graph("z = Abs(x)"))


def test_an_empty_graph_is_refused() -> None:
    """No inputs, no outputs, nothing to write."""
    with pytest.raises(ConversionError, match="no inputs or no outputs"):
        emit(ir.Model(ir.Graph([], [], nodes=[], opset_imports={"": 20}), ir_version=10))


def test_an_input_without_a_shape_or_with_another_type_is_refused() -> None:
    """The file needs the number of axes and a type that LiteRT feeds."""
    model = graph("y = Abs(x)")
    model.graph.inputs[0].shape = None
    with pytest.raises(ConversionError, match="'x' has no shape"):
        emit(model)
    model = graph("y = Abs(x)")
    model.graph.inputs[0].type = ir.TensorType(ir.DataType.DOUBLE)
    with pytest.raises(ConversionError, match="DOUBLE"):
        emit(model)


def test_a_graph_inside_a_node_is_refused() -> None:
    """Loop and If are operators without a TFLite form here."""
    body = ir.Graph([], [], nodes=[], opset_imports={"": 20})
    model = graph("y = Abs(x)")
    model.graph[0].attributes.add(ir.AttrGraph("body", body))
    with pytest.raises(ConversionError, match="graph inside"):
        emit(model)
