"""The table of operators as a whole: each has its case, broadcasting and slices follow numpy, newer words equal older ones."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tflite_elementwise import CASES as ELEMENTWISE
from test_tflite_products import CASES as PRODUCTS
from test_tflite_recurrent import CASES as RECURRENT
from test_tflite_shapes import CASES as SHAPES
from tflite_files import SIZES, WIDTH, Engine, OnnxEngine, distance, feeds, graph

from edge_rec_converters.dialect import DOMAIN
from edge_rec_converters.dialect_reference import REFERENCE
from edge_rec_converters.targets.tflite import emit
from edge_rec_converters.targets.tflite.ops import OPS

# Operators that came with opset 23 and 24, and their answers in words of opset 20.
NEWER: dict[str, tuple[str, str]] = {
    "attention": (
        "a = Constant<value_ints = [1]>() u = Unsqueeze(x, a) y = Attention<scale = 0.5>(u, u, u)",
        "a = Constant<value_ints = [1]>() u = Unsqueeze(x, a) t = Transpose<perm = [0,1,3,2]>(u) p = MatMul(u, t) "
        "h = Constant<value_float = 0.5>() q = Mul(p, h) s = Softmax(q) y = MatMul(s, u)",
    ),
    "rms norm": (
        "w = Constant<value = float[6] {1,2,3,4,5,6}>() y = RMSNormalization<epsilon = 0.01>(x, w)",
        "w = Constant<value = float[6] {1,2,3,4,5,6}>() a = Constant<value_ints = [-1]>() q = Mul(x, x) n = ReduceMean(q, a) "
        "e = Constant<value_float = 0.01>() r = Add(n, e) s = Sqrt(r) d = Div(x, s) y = Mul(d, w)",
    ),
    "swish": ("y = Swish<alpha = 1.5>(x)", "h = Constant<value_float = 1.5>() a = Mul(x, h) s = Sigmoid(a) y = Mul(x, s)"),
}


@pytest.mark.parametrize(("text", "same"), NEWER.values(), ids=NEWER)
def test_a_newer_operator_equals_its_older_words(text: str, same: str) -> None:
    """What ONNX Runtime may not have yet is held against the operators that define it."""
    wanted, found = OnnxEngine(graph(same)), Engine(emit(graph(text)))
    for batch, length in SIZES:
        given = feeds(batch, length)
        assert distance(found(given), wanted(given)) <= 2e-6


def test_every_operator_of_the_table_has_a_case() -> None:
    """No handler is without a numeric test in the module of its family."""
    cases = [*ELEMENTWISE.values(), *SHAPES.values(), *PRODUCTS.values(), *NEWER.values(), *RECURRENT.values()]
    written = set(re.findall(r"([A-Z]\w*)[<(]", " ".join(text for text, _ in cases)))
    assert {op for op in OPS if "::" not in op} == written & set(OPS)
    assert {op for op in OPS if "::" in op} == {f"{DOMAIN}::{word}" for word in REFERENCE}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_broadcasting_follows_numpy(data: st.DataObject) -> None:
    """A weight of any shape that broadcasts against [batch, length, 6] does so in the file, on either side."""
    rank = data.draw(st.integers(0, 4))
    shape = [data.draw(st.sampled_from([1, WIDTH] if axis == 1 else [1, 2] if axis == 4 else [1])) for axis in range(rank, 0, -1)]
    weight = np.random.default_rng(rank).standard_normal(shape).astype(np.float32)
    model = graph(data.draw(st.sampled_from(["y = Sub(x, w)", "y = Sub(w, x)"])), w=weight)
    given = feeds(2, 3)
    assert distance(Engine(emit(model))(given), OnnxEngine(model)(given)) <= 1e-6


@settings(max_examples=80, deadline=None)
@given(
    begin=st.integers(-8, 8),
    end=st.one_of(st.integers(-8, 8), st.sampled_from([2**31 - 1, 2**63 - 1])),
    step=st.integers(1, 3),
    axis=st.sampled_from([1, 2, -1]),
    length=st.integers(1, 9),
)
def test_slices_follow_numpy(begin: int, end: int, step: int, axis: int, length: int) -> None:
    """Any bounds, on the fixed and on the open axis, leave what numpy leaves."""
    numbers = {name: np.array([number]) for name, number in (("s", begin), ("e", end), ("a", axis), ("t", step))}
    given = feeds(2, length)
    index = [slice(None)] * 3
    index[axis] = slice(begin, end, step)
    wanted = np.abs(given["x"][tuple(index)])
    if wanted.size:
        found = Engine(emit(graph("p = Slice(x, s, e, a, t) y = Abs(p)", **numbers)))(given)
        assert np.array_equal(found, wanted)
