"""What LiteRT knows of a file before it sees a number: shapes, and which constants are the same."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_files import WIDTH, Engine, graph, read

from edge_rec_converters.dialect import STORED_SHAPE
from edge_rec_converters.targets.tflite import emit

# One graph a line, whose result has the shape of m [batch, length] or that of its first three columns.
SHAPES = {
    "a size as a number": "a = Constant<value_int = 1>() s = Shape(m) n = Gather(s, a) f = Cast<to = 1>(n) y = Mul(m, f)",
    "a range": "a = Constant<value_int = 1>() o = Constant<value_int = 0>() s = Shape(m) n = Gather(s, a) r = Range(o, n, a) "
    "f = Cast<to = 1>(r) y = Add(m, f)",
    "indices from the end": "i = Constant<value = int64[1] {0}>() c = CumSum(m, i) j = Cast<to = 6>(c) "
    "y = GatherElements<axis = 1>(m, j)",
    "numbers put elsewhere": 'j = Cast<to = 6>(m) y = ScatterElements<axis = 1, reduction = "add">(m, j, m)',
    "the largest": "k = Constant<value_ints = [3]>() n = Neg(m) v, i = TopK<axis = 1>(n, k) y = Neg(v)",
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_planned_ahead(name: str) -> None:
    """After a resize every shape is there at once; otherwise all that follows is planned anew at every call."""
    opened = Engine(emit(graph(SHAPES[name]))).interpreter
    for one, shape in zip(opened.get_input_details(), ([4, 7, WIDTH], [4, 7]), strict=True):
        opened.resize_tensor_input(one["index"], shape)
    opened.allocate_tensors()
    (found,) = opened.get_output_details()
    assert found["shape"].tolist() == [4, 3 if name == "the largest" else 7]


def test_an_input_may_say_what_it_is_stored_with() -> None:
    """Engines that never resize see these sizes; the axes stay open for those that do."""
    model = graph("y = Neg(m)")
    mask = next(value for value in model.graph.inputs if value.name == "m")
    mask.metadata_props[STORED_SHAPE] = "1,50"
    shown = {one["name"]: one for one in Engine(emit(model)).interpreter.get_input_details()}
    assert (shown["m"]["shape"].tolist(), shown["m"]["shape_signature"].tolist()) == ([1, 50], [-1, -1])
    assert shown["x"]["shape"].tolist() == [1, 1, WIDTH]


def test_equal_constants_stand_in_a_file_once() -> None:
    """Also large ones, and those of another type whose bytes are the same."""
    rng = np.random.default_rng(0)
    large = rng.normal(size=(6, 60_000)).astype(np.float32)
    text = "a = MatMul(x, v) b = MatMul(x, w) y = Add(a, b)"
    data = emit(graph(text, v=large, w=large.copy()))
    assert len(data) < 1.1 * large.nbytes
    assert len(emit(graph(text, v=large, w=-large))) > 2 * large.nbytes
    assert [name for name, _ in read(data).operators].count("FULLY_CONNECTED") == 2
