"""A weighted sum of a recurrence's states, which the loop adds up instead of keeping them all."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from test_tflite_recurrent import SIZES, TURN, UNITS, start, weights
from tflite_files import Engine, OnnxEngine, distance, feeds, graph

from edge_rec_converters.targets.tflite import emit

GRU = f"a, e = GRU<hidden_size = {UNITS}, linear_before_reset = 1>(t, w, r, b) "
LAST = "n = Transpose(m) u = Unsqueeze(n, two) "  # [length, batch, 1]
NUMBERS = {"zero": np.array([0]), "one": np.array([1]), "two": np.array([2])}

ADDED = {
    "squeezed": GRU + LAST + "q = Squeeze(a, one) p = Mul(q, u) y = ReduceSum<keepdims = 0>(p, zero)",
    "weights first": GRU + LAST + "q = Squeeze(a, one) p = Mul(u, q) y = ReduceSum(p, zero)",
    "as torch exports it": GRU + "o = Transpose<perm = [0,2,1,3]>(a) l = Shape<end = 2>(o) c = Constant<value_ints = [5]>() "
    "s = Concat<axis = 0>(l, c) h = Reshape(o, s) q = Transpose<perm = [1,0,2]>(h) u = Unsqueeze(m, two) p = Mul(q, u) "
    "y = ReduceSum<keepdims = 0>(p, one)",
    "units first": GRU + "q = Squeeze(a, one) o = Transpose(q) p = Mul(o, m) c = Constant<value_ints = [-1]>() "
    "y = ReduceSum<keepdims = 0>(p, c)",
    "a weight a unit": GRU + "q = Squeeze(a, one) o = Transpose<perm = [1,0,2]>(q) c = Constant<value_ints = [5]>() "
    "v = Slice(x, zero, c, two) p = Mul(o, v) y = ReduceSum(p, one)",
    "reshape by signs": GRU + LAST + "c = Constant<value_ints = [0,-1,5]>() q = Reshape(a, c) p = Mul(q, u) "
    "y = ReduceSum<keepdims = 0>(p, zero)",
    "gru backwards": f'a, e = GRU<hidden_size = {UNITS}, direction = "reverse">(t, w, r, b) '
    + LAST
    + "q = Squeeze(a, one) p = Mul(q, u) y = ReduceSum<keepdims = 0>(p, zero)",
    "lstm": f"a, e, d = LSTM<hidden_size = {UNITS}>(t, w, r, b) "
    + LAST
    + "q = Squeeze(a, one) p = Mul(q, u) y = ReduceSum<keepdims = 0>(p, zero)",
    "rnn": f"a, e = RNN<hidden_size = {UNITS}>(t, w, r, b) "
    + LAST
    + "q = Squeeze(a, one) p = Mul(q, u) y = ReduceSum<keepdims = 0>(p, zero)",
}
KEPT = {
    "sum of units": GRU + LAST + "q = Squeeze(a, one) p = Mul(q, u) y = ReduceSum<keepdims = 0>(p, two)",
    "sum of two axes": GRU + LAST + "q = Squeeze(a, one) p = Mul(q, u) c = Constant<value_ints = [0,1]>() y = ReduceSum(p, c)",
    "one weight for all steps": GRU
    + "q = Squeeze(a, one) k = Constant<value_float = 0.5>() p = Mul(q, k) y = ReduceSum(p, zero)",
    "squares": GRU + "q = Squeeze(a, one) p = Mul(q, q) y = ReduceSum(p, zero)",
    "without weights": GRU + "q = Squeeze(a, one) y = ReduceSum(q, zero)",
    "states merged": GRU + "c = Constant<value_ints = [0,-1]>() q = Reshape(a, c) n = Transpose(m) "
    "k = ReduceSum(n, one) p = Mul(q, k) y = ReduceSum(p, zero)",
    "read twice": GRU + LAST + "q = Squeeze(a, one) p = Mul(q, u) s = ReduceSum(p, zero) y = Add(q, s)",
    "last state read as well": GRU
    + LAST
    + "q = Squeeze(a, one) p = Mul(q, u) s = ReduceSum<keepdims = 1>(p, zero) y = Add(s, e)",
}


def held(text: str) -> dict[str, np.ndarray]:
    """Return the weights that a text reads."""
    op = next(name for name in ("LSTM", "GRU", "RNN") if name in text)
    numbers = {name: array for name, array in NUMBERS.items() if re.search(rf"\b{name}\b", text)}
    return weights(op) | numbers


@pytest.mark.parametrize(("text", "adds"), [(text, True) for text in ADDED.values()] + [(text, False) for text in KEPT.values()])
def test_sums_of_states_equal_onnx_runtime(text: str, *, adds: bool) -> None:
    """The answer is ONNX Runtime's for every batch and length, and states are kept only where more than a sum is read."""
    model = graph(TURN + text, **held(text))
    data = emit(model)
    codes = {code.builtinCode for code in schema.ModelT.InitFromPackedBuf(data).operatorCodes}
    assert (schema.BuiltinOperator.DYNAMIC_UPDATE_SLICE in codes) != adds
    wanted, found = OnnxEngine(model), Engine(data)
    for batch, length in SIZES:
        given = feeds(batch, length)
        assert distance(found(given), wanted(given)) <= 2e-6


def test_a_sum_may_start_from_a_state() -> None:
    """The first state of the loop is the one given, and no part of the sum."""
    text = start("GRU") + ADDED["squeezed"].replace("(t, w, r, b)", "(t, w, r, b, , h)")
    numbers = {"from": np.array([0]), "to": np.array([UNITS]), "last": np.array([-1])}
    model = graph(
        TURN + text.replace("Gather<axis = 0>(t, zero)", "Gather<axis = 0>(t, first)"), **held(text), **numbers, first=np.array(0)
    )
    given = feeds(3, 7)
    assert distance(Engine(emit(model))(given), OnnxEngine(model)(given)) <= 2e-6
