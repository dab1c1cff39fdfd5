"""Elements picked, moved, repeated and put elsewhere, against ONNX Runtime, with batch and length left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tflite_files import WIDTH, equals_onnx_runtime

if TYPE_CHECKING:
    from numpy.typing import NDArray

# One graph a line, from x [batch, length, 6] and m [batch, length] to y.
GRAPHS = {
    "concat": "y = Concat<axis = 1>(x, x, x)",
    "constant of shape": "s = Shape(m) z = ConstantOfShape<value = float[1] {2.5}>(s) y = Mul(z, m)",
    "constant of shape of zeros": "s = Shape(m) z = ConstantOfShape(s) y = Sub(z, m)",
    "expand": "s = Shape(x) r = Constant<value_ints = [2]>() u = Unsqueeze(m, r) y = Expand(u, s)",
    "flatten": "y = Flatten<axis = 2>(x)",
    "gather a column": "i = Constant<value_int = -1>() y = Gather<axis = 1>(x, i)",
    "gather columns": "i = Constant<value_ints = [4,-6,0]>() y = Gather<axis = 2>(x, i)",
    "gather the first event twice": "i = Constant<value_ints = [0,-1]>() y = Gather<axis = 1>(x, i)",
    "gather elements": "a = Constant<value_int = 1>() c = CumSum<reverse = 1>(m, a) o = Constant<value_float = 1.0>() d "
    "= Sub(c, o) "
    "i = Cast<to = 7>(d) y = GatherElements<axis = 1>(m, i)",
    "gather nd": "s = Constant<value_ints = [-1]>() t = ReduceSum(m, s) o = Constant<value_float = 1.0>() n = Sub(t, o) "
    "l = Cast<to = 7>(n) b = Shape<start = 0, end = 1>(m) e = Constant<value_ints = [0]>() f = Squeeze(b, e) z = "
    "Constant<value_int = 0>() "
    "u = Constant<value_int = 1>() r = Range(z, f, u) g = Constant<value_ints = [1]>() q = Unsqueeze(r, g) "
    "i = Concat<axis = 1>(q, l) y = GatherND(x, i)",
    "one hot": "i = Cast<to = 7>(x) d = Constant<value_int = 3>() v = Constant<value = float[2] {0.5, 2.0}>() "
    "y = OneHot(i, d, v)",
    "one hot in front": "i = Cast<to = 7>(m) d = Constant<value_int = 4>() v = Constant<value = int64[2] {0, 1}>() "
    "y = OneHot<axis = 0>(i, d, v)",
    "pad": "p = Constant<value_ints = [0,1,0,2]>() v = Constant<value_float = 7.0>() y = Pad(m, p, v)",
    "pad one axis": "p = Constant<value_ints = [0,1]>() a = Constant<value_ints = [1]>() y = Pad(m, p, , a)",
    "range": "s = Shape<start = 1, end = 2>(m) e = Constant<value_ints = [0]>() n = Squeeze(s, e) z = "
    "Constant<value_int = 0>() "
    "u = Constant<value_int = 1>() r = Range(z, n, u) f = Cast<to = 1>(r) y = Mul(f, m)",
    "range of numbers": "a = Constant<value_int = 1>() b = Constant<value_int = 12>() c = Constant<value_int = 2>() "
    "r = Range(a, b, c) f = Cast<to = 1>(r) y = Mul(x, f)",
    "reshape to heads and back": "s = Constant<value_ints = [0,0,2,3]>() h = Reshape(x, s) t = Transpose<perm = [0,2,1,3]>(h) "
    "b = Shape<start = 0, end = 2>(x) w = Constant<value_ints = [6]>() r = Concat<axis = 0>(b, w) "
    "i = Transpose<perm = [0,2,1,3]>(t) y = Reshape(i, r)",
    "reshape with products": "n = Shape<start = 0, end = 1>(x) l = Shape<start = 1, end = 2>(x) t = Constant<value_ints "
    "= [2]>() "
    "a = Mul(l, t) c = Constant<value_ints = [3]>() s = Concat<axis = 0>(n, a, c) y = Reshape(x, s)",
    "reshape merges": "s = Constant<value_ints = [-1,6]>() y = Reshape(x, s)",
    "size": "n = Size(x) f = Cast<to = 1>(n) y = Div(x, f)",
    "split": "a, b, c = Split<axis = 2, num_outputs = 3>(x) y = Concat<axis = 1>(c, a, b)",
    "split unevenly": "s = Constant<value_ints = [1,5]>() a, b = Split<axis = 2>(x, s) y = Concat<axis = -1>(b, a)",
    "split with a rest": "n = Constant<value_ints = [0,0,0,0,0,1]>() p = Pad(x, n) a, b, c, d = Split<axis = 2, "
    "num_outputs = 4>(p) "
    "y = Concat<axis = 2>(d, a, c, b)",
    "squeeze": "i = Constant<value_ints = [0,-1]>() u = Unsqueeze(m, i) e = Constant<value_ints = [-1]>() y = Squeeze(u, e)",
    "tile": "r = Constant<value_ints = [1,2,3]>() y = Tile(x, r)",
    "tile of one": "i = Constant<value_ints = [0]>() u = Unsqueeze(m, i) n = Constant<value_ints = [3,1,1]>() y = Tile(u, n)",
    "transpose": "y = Transpose(x)",
    "tril": "t = Transpose<perm = [0,2,1]>(x) p = MatMul(x, t) y = Trilu<upper = 0>(p)",
    "triu above": "k = Constant<value_int = 1>() t = Transpose<perm = [0,2,1]>(x) p = MatMul(x, t) y = Trilu(p, k)",
    "tril of truth": "t = Transpose<perm = [0,2,1]>(x) p = MatMul(x, t) b = Cast<to = 9>(p) c = Trilu<upper = 0>(b) y = "
    "Cast<to = 1>(c)",
}

WEIGHTED: dict[str, tuple[str, dict[str, NDArray[Any]]]] = {
    "gather elements of a part": (
        "l = Slice(x, z, o, z) c = Slice(l, z, o, o) i = Cast<to = 7>(c) y = GatherElements<axis = 2>(x, i)",
        {"z": np.array([0]), "o": np.array([1])},
    ),
    "gather in batches": ("i = Cast<to = 7>(m) u = Unsqueeze(i, a) y = GatherND<batch_dims = 2>(x, u)", {"a": np.array([2])}),
    "scatter elements": (
        "i = Cast<to = 7>(m) u = Unsqueeze(i, a) w = Unsqueeze(m, a) y = ScatterElements<axis = 2>(x, u, w)",
        {"a": np.array([2])},
    ),
    "scatter elements adds": (
        'a = Abs(x) f = Floor(a) i = Cast<to = 7>(f) y = ScatterElements<axis = 2, reduction = "add">(x, i, x)',
        {},
    ),
    "scatter nd": (
        "s = Shape<start = 1, end = 3>(x) n = Shape<start = 0, end = 1>(x) z = Constant<value_int = 0>() e = Squeeze(n, v) "
        "u = Constant<value_int = 1>() r = Range(z, e, u) i = Unsqueeze(r, o) q = Add(x, x) y = ScatterND(q, i, x)",
        {"v": np.array([0]), "o": np.array([1])},
    ),
    "scatter nd adds": (
        'g = Gather(x, l) u = Unsqueeze(g, v) y = ScatterND<reduction = "add">(x, i, u)',
        {"l": np.array(0), "v": np.array([0]), "i": np.array([[0]])},
    ),
    "positions sliced": (
        "l = Shape<start = 1, end = 2>(x) z = Constant<value_ints = [0]>() p = Slice(w, z, l, z) y = Add(x, p)",
        {"w": np.random.default_rng(2).standard_normal((12, WIDTH)).astype(np.float32)},
    ),
    "a square sliced twice": (
        "l = Shape<start = 1, end = 2>(x) z = Constant<value_ints = [0]>() u = Constant<value_ints = [1]>() p = "
        "Slice(w, z, l, z) "
        "q = Slice(p, z, l, u) f = Cast<to = 1>(q) y = MatMul(f, x)",
        {"w": np.tril(np.ones((12, 12), np.bool_))},
    ),
    "the last event": (
        "y = Slice(x, s, e, a)",
        {"s": np.array([-1]), "e": np.array([2**63 - 1]), "a": np.array([1])},
    ),
    "all but the first": (
        "y = Slice(x, s, e, a)",
        {"s": np.array([1]), "e": np.array([2**63 - 1]), "a": np.array([1])},
    ),
    "at most three from the end": (
        "p = Slice(m, s, e, a) y = ReduceSum(p, a)",
        {"s": np.array([-3]), "e": np.array([2**63 - 1]), "a": np.array([1])},
    ),
    "at most three from the front": (
        "p = Slice(x, s, e, a) y = ReduceSum(p, a)",
        {"s": np.array([0]), "e": np.array([3]), "a": np.array([1])},
    ),
    "between the ends": (
        "p = Slice(x, s, e, a) z = Pad(p, n) y = ReduceSum(z, a)",
        {"s": np.array([1]), "e": np.array([-1]), "a": np.array([1]), "n": np.array([0, 1, 0, 0, 0, 0])},
    ),
    "backwards": (
        "y = Slice(x, s, e, a, t)",
        {"s": np.array([-1]), "e": np.array([-(2**63)]), "a": np.array([1]), "t": np.array([-1])},
    ),
    "every second": (
        "y = Slice(x, s, e, a, t)",
        {"s": np.array([0]), "e": np.array([2**63 - 1]), "a": np.array([1]), "t": np.array([2])},
    ),
}
CASES = {name: (text, {}) for name, text in GRAPHS.items()} | WEIGHTED


@pytest.mark.parametrize(("text", "weights"), CASES.values(), ids=CASES)
def test_an_operator_on_shapes_equals_onnx_runtime(text: str, weights: dict[str, NDArray[Any]]) -> None:
    """One file gives ONNX Runtime's answer for one history of one event, a longer one, and a batch, one after the other."""
    equals_onnx_runtime(text, weights)
